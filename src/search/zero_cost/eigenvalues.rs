//! Eigenvalues of symmetric matrices.

/// Rounds after which a matrix is diagonal to the last digit: the method converges quadratically, and
/// ten are enough for thousands of rows.
const SWEEPS: usize = 50;

/// The eigenvalues of a symmetric matrix, in no order, by Jacobi's method (Golub and Van Loan, "Matrix
/// Computations", section 8.5): planes are turned until nothing is left beside the diagonal.
pub(super) fn eigenvalues(mut matrix: Vec<Vec<f64>>) -> Vec<f64> {
    let size = matrix.len();
    for _ in 0..SWEEPS {
        if off_diagonal(&matrix) == 0.0 {
            break;
        }
        for p in 0..size {
            for q in p + 1..size {
                turn(&mut matrix, p, q);
            }
        }
    }
    (0..size).map(|i| matrix[i][i]).collect()
}

/// The sum of squares beside the diagonal, as far as it can be told from zero.
fn off_diagonal(matrix: &[Vec<f64>]) -> f64 {
    let square = |value: &f64| value * value;
    let whole: f64 = matrix.iter().flatten().map(square).sum();
    let diagonal: f64 = (0..matrix.len()).map(|i| square(&matrix[i][i])).sum();
    let rest: f64 = whole - diagonal;
    if rest > whole * f64::EPSILON * f64::EPSILON {
        rest
    } else {
        0.0
    }
}

/// Turns the plane of two axes so that the entry between them becomes zero.
fn turn(matrix: &mut [Vec<f64>], p: usize, q: usize) {
    let entry = matrix[p][q];
    if entry == 0.0 {
        return;
    }
    let slope = (matrix[q][q] - matrix[p][p]) / (2.0 * entry);
    let tangent = slope.signum() / (slope.abs() + slope.hypot(1.0));
    let cosine = 1.0 / tangent.hypot(1.0);
    let sine = tangent * cosine;
    for row in matrix.iter_mut() {
        let (a, b) = (row[p], row[q]);
        (row[p], row[q]) = (cosine * a - sine * b, sine * a + cosine * b);
    }
    let (above, below) = matrix.split_at_mut(q);
    for (a, b) in above[p].iter_mut().zip(&mut below[0]) {
        (*a, *b) = (cosine * *a - sine * *b, sine * *a + cosine * *b);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matrix_of_known_eigenvalues_has_them() {
        // The second difference of n points: 2 - 2 cos(pi k / (n + 1)).
        let size = 12;
        let entry = |i: usize, j: usize| match i.abs_diff(j) {
            0 => 2.0,
            1 => -1.0,
            _ => 0.0,
        };
        let matrix = (0..size).map(|i| (0..size).map(|j| entry(i, j)).collect());
        let mut found = eigenvalues(matrix.collect());
        found.sort_by(f64::total_cmp);
        for (k, value) in (1..=size).zip(found) {
            let angle = std::f64::consts::PI * k as f64 / (size + 1) as f64;
            assert!((value - (2.0 - 2.0 * angle.cos())).abs() < 1e-12);
        }
        assert_eq!(eigenvalues(vec![]), [0.0; 0]);
    }
}
