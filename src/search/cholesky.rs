//! Systems of linear equations with a symmetric, positive definite matrix.

/// A symmetric, positive definite matrix as its lower Cholesky factor.
#[derive(Clone, Debug, PartialEq)]
pub struct Cholesky {
    size: usize,
    /// Row by row; what is above the diagonal is zero.
    factor: Vec<f64>,
}

impl Cholesky {
    /// The factor of a matrix, row by row. Nothing if the matrix is not positive definite.
    pub fn new(mut matrix: Vec<f64>, size: usize) -> Option<Self> {
        for row in 0..size {
            for column in 0..=row {
                let (before, this) = matrix.split_at(row * size);
                let left = &this[..column];
                let right = match column == row {
                    true => left,
                    false => &before[column * size..][..column],
                };
                let rest = this[column] - dot(left, right);
                let entry = match column == row {
                    true if rest > 0.0 => rest.sqrt(),
                    true => return None,
                    false => rest / before[column * size + column],
                };
                matrix[row * size + column] = entry;
            }
            matrix[row * size + row + 1..(row + 1) * size].fill(0.0);
        }
        Some(Self {
            size,
            factor: matrix,
        })
    }

    /// The number of rows.
    pub fn size(&self) -> usize {
        self.size
    }

    fn row(&self, row: usize) -> &[f64] {
        &self.factor[row * self.size..][..self.size]
    }

    /// Solves `L x = b`.
    pub fn solve_lower(&self, right: &[f64]) -> Vec<f64> {
        let mut solution: Vec<f64> = Vec::with_capacity(self.size);
        for row in 0..self.size {
            let factors = self.row(row);
            let known = dot(&factors[..row], &solution);
            solution.push((right[row] - known) / factors[row]);
        }
        solution
    }

    /// Solves `Lᵀ x = b`.
    pub fn solve_upper(&self, right: &[f64]) -> Vec<f64> {
        let mut solution = right.to_vec();
        for row in (0..self.size).rev() {
            let factors = self.row(row);
            solution[row] /= factors[row];
            let known = solution[row];
            for (rest, factor) in solution[..row].iter_mut().zip(factors) {
                *rest -= factor * known;
            }
        }
        solution
    }

    /// `L x`.
    pub fn times(&self, vector: &[f64]) -> Vec<f64> {
        let row = |row: usize| dot(&self.row(row)[..=row], &vector[..=row]);
        (0..self.size).map(row).collect()
    }

    /// `Lᵀ x`.
    pub fn transposed_times(&self, vector: &[f64]) -> Vec<f64> {
        let mut product = vec![0.0; self.size];
        for (row, value) in vector.iter().enumerate() {
            for (sum, factor) in product.iter_mut().zip(&self.row(row)[..=row]) {
                *sum += factor * value;
            }
        }
        product
    }

    /// The logarithm of the determinant of the matrix.
    pub fn log_determinant(&self) -> f64 {
        let diagonal = (0..self.size).map(|row| self.factor[row * (self.size + 1)]);
        2.0 * diagonal.map(f64::ln).sum::<f64>()
    }
}

/// The sum of products, eight of them at a time.
pub(super) fn dot(left: &[f64], right: &[f64]) -> f64 {
    const LANES: usize = 8;
    let mut sums = [0.0; LANES];
    let (lefts, rights) = (left.chunks_exact(LANES), right.chunks_exact(LANES));
    let rest = lefts.remainder().iter().zip(rights.remainder());
    let rest: f64 = rest.map(|(a, b)| a * b).sum();
    for (left, right) in lefts.zip(rights) {
        for (sum, (a, b)) in sums.iter_mut().zip(left.iter().zip(right)) {
            *sum += a * b;
        }
    }
    rest + sums.iter().sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_factor_solves_and_multiplies() {
        let factor = Cholesky::new(vec![4.0, 2.0, 2.0, 5.0], 2).unwrap();
        let solution = factor.solve_upper(&factor.solve_lower(&[10.0, 9.0]));
        assert!((4.0 * solution[0] + 2.0 * solution[1] - 10.0).abs() < 1e-12);
        assert!((2.0 * solution[0] + 5.0 * solution[1] - 9.0).abs() < 1e-12);
        assert!((factor.log_determinant() - 16f64.ln()).abs() < 1e-12);
        let product = factor.times(&factor.transposed_times(&[1.0, 1.0]));
        assert!((product[0] - 6.0).abs() < 1e-12 && (product[1] - 7.0).abs() < 1e-12);
        assert_eq!(Cholesky::new(vec![1.0, 2.0, 2.0, 1.0], 2), None);
    }
}
