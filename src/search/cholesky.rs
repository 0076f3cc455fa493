//! Systems of linear equations with a symmetric, positive definite matrix.

use std::ops::Range;

use gemm::Parallelism;

use crate::backend::kernels::vectorise::vectorised;

/// A symmetric, positive definite matrix as its lower Cholesky factor.
#[derive(Clone, Debug, PartialEq)]
pub struct Cholesky {
    size: usize,
    /// Row by row; what is above the diagonal is zero.
    factor: Vec<f64>,
}

/// How many columns are finished at a time: what they are below the diagonal, and what they take from the others, are
/// products of matrices.
const BLOCK: usize = 32;

impl Cholesky {
    /// The factor of a matrix, row by row, of which the lower half is read. Nothing if the matrix is not positive
    /// definite.
    ///
    /// The blocked algorithm that looks right (Golub and Van Loan 2013, section 4.2.9).
    pub fn new(mut matrix: Vec<f64>, size: usize) -> Option<Self> {
        for start in (0..size).step_by(BLOCK) {
            let end = size.min(start + BLOCK);
            let width = end - start;
            factor_block(&mut matrix, size, start..end)?;
            let inverse = inverse_of_block(&matrix, size, start..end);
            let below: Vec<f64> = (end..size)
                .flat_map(|row| &matrix[row * size..][start..end])
                .copied()
                .collect();
            let mut panel = vec![0.0; below.len()];
            add_products(&mut panel, width, &below, &inverse, [width; 2], 1.0);
            for (row, finished) in (end..size).zip(panel.chunks_exact(width)) {
                matrix[row * size..][start..end].copy_from_slice(finished);
            }
            for first in (end..size).step_by(BLOCK) {
                let columns = BLOCK.min(size - first);
                let rows = &panel[(first - end) * width..];
                let out = &mut matrix[first * (size + 1)..];
                add_products(out, size, rows, rows, [columns, width], -1.0);
            }
        }
        for row in 0..size {
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

/// Factors a block on the diagonal, once the products of all columns before have been taken away.
fn factor_block(matrix: &mut [f64], size: usize, block: Range<usize>) -> Option<()> {
    let start = block.start;
    for row in block {
        let (before, this) = matrix.split_at_mut(row * size);
        for column in start..=row {
            let (left, rest) = this.split_at_mut(column);
            let left = &left[start..];
            rest[0] = match column == row {
                true => {
                    let square = rest[0] - dot(left, left);
                    (square > 0.0).then(|| square.sqrt())?
                }
                false => {
                    let above = &before[column * size..][..=column];
                    (rest[0] - dot(left, &above[start..column])) / above[column]
                }
            };
        }
    }
    Some(())
}

/// The inverse of a factored block, row by row.
fn inverse_of_block(matrix: &[f64], size: usize, block: Range<usize>) -> Vec<f64> {
    let (start, width) = (block.start, block.len());
    let mut inverse = vec![0.0; width * width];
    for row in 0..width {
        let factors = &matrix[(start + row) * size + start..][..=row];
        let (above, this) = inverse.split_at_mut(row * width);
        for (above, factor) in above.chunks_exact(width).zip(factors) {
            for (sum, number) in this[..row].iter_mut().zip(above) {
                *sum -= factor * number;
            }
        }
        this[row] = 1.0;
        this[..=row].iter_mut().for_each(|it| *it /= factors[row]);
    }
    inverse
}

/// Adds the product of `left` with the transpose of the first rows of `right`, times a factor, to a matrix whose
/// rows are `stride` apart. Rows of both are of `inner` numbers each.
fn add_products(
    out: &mut [f64],
    stride: usize,
    left: &[f64],
    right: &[f64],
    [columns, inner]: [usize; 2],
    factor: f64,
) {
    let rows = left.len() / inner;
    if rows == 0 {
        return;
    }
    assert!(columns <= stride && out.len() >= (rows - 1) * stride + columns);
    assert!(left.len() == rows * inner && right.len() >= columns * inner);
    // SAFETY: the assertions hold the slices to the sizes that the strides walk over, and the borrow of `out` is
    // exclusive.
    unsafe {
        gemm::gemm(
            rows,
            columns,
            inner,
            out.as_mut_ptr(),
            1,
            stride as isize,
            true,
            left.as_ptr(),
            1,
            inner as isize,
            right.as_ptr(),
            inner as isize,
            1,
            1.0,
            factor,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

vectorised! {
    /// The sum of products, sixteen of them at a time.
    pub(super) fn dot[](left: &[f64], right: &[f64]) -> f64 {
        const LANES: usize = 16;
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
}

#[cfg(test)]
mod tests {
    use rand::RngExt;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;

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

    #[test]
    fn a_factor_times_its_transpose_is_the_matrix() {
        let mut rng = ChaCha8Rng::seed_from_u64(4);
        for size in [1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 5] {
            let mut matrix = vec![0.0; size * size];
            for row in 0..size {
                for column in 0..row {
                    let number = rng.random_range(-1.0..1.0);
                    matrix[row * size + column] = number;
                    matrix[column * size + row] = number;
                }
                matrix[row * (size + 1)] = size as f64;
            }
            let factor = Cholesky::new(matrix.clone(), size).unwrap();
            for column in 0..size {
                let mut unit = vec![0.0; size];
                unit[column] = 1.0;
                let product = factor.times(&factor.transposed_times(&unit));
                for (row, number) in product.iter().enumerate() {
                    assert!((number - matrix[row * size + column]).abs() < 1e-12 * size as f64);
                }
            }
            // The last entry decides whether the matrix is positive definite.
            matrix[size * size - 1] = -1.0;
            assert_eq!(Cholesky::new(matrix, size), None);
        }
    }
}
