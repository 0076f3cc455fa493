//! Products of matrices given by strides.

use super::float::Float;

/// A matrix within a slice.
#[derive(Clone, Copy)]
pub(in crate::backend) struct Matrix<'a, T> {
    /// The elements; the first is that of row 0 and column 0.
    pub(in crate::backend) data: &'a [T],
    /// The distance from a row to the next.
    pub(in crate::backend) row_stride: usize,
    /// The distance from a column to the next.
    pub(in crate::backend) column_stride: usize,
}

impl<'a, T> Matrix<'a, T> {
    /// A matrix stored row by row, with rows of this length.
    pub(in crate::backend) fn rows(data: &'a [T], length: usize) -> Self {
        Matrix {
            data,
            row_stride: length,
            column_stride: 1,
        }
    }

    /// The same elements with rows and columns exchanged.
    pub(in crate::backend) fn transposed(self) -> Self {
        Matrix {
            data: self.data,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
        }
    }

    fn last(&self, rows: usize, columns: usize) -> usize {
        (rows - 1) * self.row_stride + (columns - 1) * self.column_stride
    }
}

/// What a product does with what is in its target.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::backend) enum Target {
    /// Replaces it.
    Overwrite,
    /// Adds to it.
    Add,
}

/// `target = scale * left * right` or `target += ...`, where `left` is `rows x inner`, `right` is
/// `inner x columns` and the target is stored row by row with the given distance between rows. On
/// the calling thread.
///
/// # Panics
///
/// If a matrix does not fit into its slice.
pub(in crate::backend) fn multiply<T: Float>(
    [rows, inner, columns]: [usize; 3],
    left: Matrix<T>,
    right: Matrix<T>,
    scale: T,
    target: &mut [T],
    target_row_stride: usize,
    mode: Target,
) {
    if rows == 0 || columns == 0 {
        return;
    }
    let target_last = (rows - 1) * target_row_stride + columns - 1;
    assert!(target_last < target.len() && (target_row_stride >= columns || rows == 1));
    if inner == 0 {
        if mode == Target::Overwrite {
            for row in target.chunks_mut(target_row_stride).take(rows) {
                row[..columns].fill(T::ZERO);
            }
        }
        return;
    }
    assert!(left.last(rows, inner) < left.data.len());
    assert!(right.last(inner, columns) < right.data.len());
    // SAFETY: the assertions above keep every index that the strides reach within its slice, and
    // the target, borrowed mutably, overlaps neither input and has no element twice.
    unsafe {
        gemm::gemm(
            rows,
            columns,
            inner,
            target.as_mut_ptr(),
            1,
            target_row_stride as isize,
            mode == Target::Add,
            left.data.as_ptr(),
            left.column_stride as isize,
            left.row_stride as isize,
            right.data.as_ptr(),
            right.column_stride as isize,
            right.row_stride as isize,
            T::ONE,
            scale,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_of_strided_matrices() {
        let left: Vec<f64> = (0..6).map(f64::from).collect();
        let right: Vec<f64> = (0..6).map(|value| f64::from(value) - 2.0).collect();
        let mut target = vec![1.0; 4];
        let product = |target: &mut [f64], mode| {
            multiply(
                [2, 3, 2],
                Matrix::rows(&left, 3),
                Matrix::rows(&right, 3).transposed(),
                2.0,
                target,
                2,
                mode,
            );
        };
        product(&mut target, Target::Add);
        assert_eq!(target, [-1.0, 17.0, -19.0, 53.0]);
        product(&mut target, Target::Overwrite);
        assert_eq!(target, [-2.0, 16.0, -20.0, 52.0]);
    }

    #[test]
    #[should_panic(expected = "assertion failed")]
    fn a_matrix_beyond_its_slice_is_refused() {
        let short = [0f32; 5];
        let mut target = [0f32; 4];
        let matrix = Matrix::rows(&short, 3);
        multiply(
            [2, 3, 2],
            matrix,
            matrix.transposed(),
            1.0,
            &mut target,
            2,
            Target::Overwrite,
        );
    }
}
