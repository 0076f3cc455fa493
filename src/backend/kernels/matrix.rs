//! Products of matrices given by strides.

use super::dots::add_dots;
use super::float::Float;
use super::shifted::{Packed, Shifted, product};
use crate::backend::numbers::Numbers;

/// A matrix within a slice.
#[derive(Clone, Copy)]
pub(in crate::backend) struct Matrix<'a, T> {
    /// The elements; the first is that of row 0 and column 0.
    data: &'a [T],
    /// The distance from a row to the next.
    row_stride: usize,
    /// The distance from a column to the next.
    column_stride: usize,
}

impl<'a, T: Float> Matrix<'a, T> {
    /// A matrix stored row by row, with this distance from a row to the next.
    pub(in crate::backend) fn rows(data: &'a [T], stride: usize) -> Self {
        Matrix {
            data,
            row_stride: stride,
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

    fn at(&self, row: usize, column: usize) -> T {
        self.data[row * self.row_stride + column * self.column_stride]
    }
}

/// Products of this length and longer are taken row by row where both matrices are stored so;
/// shorter ones cost more to sum up than to copy.
const LONG: usize = 128;

/// `target = scale * left * right`, where `left` is `rows x inner` and `right` is
/// `inner x columns`. The target is stored row by row with the given distance between rows. On the
/// calling thread.
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
    stride: usize,
) {
    let along_rows = left.column_stride == 1 && right.row_stride == 1;
    if along_rows && inner >= LONG && stride == columns && scale == T::ONE {
        let offsets: Vec<usize> = (0..columns)
            .map(|column| column * right.column_stride)
            .collect();
        let right = Shifted {
            source: right.data,
            offsets: &offsets,
            length: inner,
        };
        let target = &mut target[..rows * columns];
        target.fill(T::ZERO);
        add_dots(left.data, left.row_stride, right, target);
        return;
    }
    let packed = Packed::new(rows, inner, |row, column| left.at(row, column) * scale);
    let copy: Numbers<T>;
    let right = match right.column_stride {
        1 => right,
        _ => {
            let places = (0..inner).flat_map(|row| (0..columns).map(move |column| (row, column)));
            copy = places.map(|(row, column)| right.at(row, column)).collect();
            Matrix::rows(&copy, columns)
        }
    };
    let offsets: Vec<usize> = (0..inner).map(|row| row * right.row_stride).collect();
    let right = Shifted {
        source: right.data,
        offsets: &offsets,
        length: columns,
    };
    product(packed.all(), right, target, stride);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check([rows, inner, columns]: [usize; 3], left_transposed: bool, right_transposed: bool) {
        let numbers = |count: usize| -> Vec<f64> {
            (0..count)
                .map(|place| (place * 31 % 17) as f64 - 8.0)
                .collect()
        };
        let (left, right) = (numbers(rows * inner), numbers(inner * columns));
        let matrix = |data, rows: usize, columns: usize, transposed: bool| match transposed {
            true => Matrix::rows(data, rows).transposed(),
            false => Matrix::rows(data, columns),
        };
        let left = matrix(&left, rows, inner, left_transposed);
        let right = matrix(&right, inner, columns, right_transposed);
        for (scale, stride) in [(1.0, columns), (2.0, columns), (1.0, columns + 2)] {
            let mut target = vec![9.0; rows * stride];
            multiply(
                [rows, inner, columns],
                left,
                right,
                scale,
                &mut target,
                stride,
            );
            for row in 0..rows {
                for column in 0..columns {
                    let products = (0..inner).map(|k| left.at(row, k) * right.at(k, column));
                    assert_eq!(target[row * stride + column], scale * products.sum::<f64>());
                }
                assert!(
                    target[row * stride + columns..][..stride - columns]
                        == vec![9.0; stride - columns]
                );
            }
        }
    }

    #[test]
    fn products_agree_with_their_definition() {
        for sizes in [[1, 1, 1], [3, 5, 7], [9, 130, 11], [4, 200, 6]] {
            for (left, right) in [(false, false), (true, false), (false, true), (true, true)] {
                check(sizes, left, right);
            }
        }
    }
}
