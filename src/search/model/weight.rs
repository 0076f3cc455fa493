//! Weight matrices with their products, on slices and on the calling thread: at the sizes of this model a
//! product is over before other threads have woken up.

use gemm::Parallelism;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// A matrix of weights, row by row; or the gradient of one.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::search) struct Weight {
    rows: usize,
    columns: usize,
    /// The numbers, row by row.
    pub(in crate::search) values: Vec<f32>,
}

impl Weight {
    /// Random weights, uniform within one over the square root of `inputs`, the number of those that are summed up.
    pub(super) fn random(rows: usize, columns: usize, inputs: usize, rng: &mut ChaCha8Rng) -> Self {
        let bound = 1.0 / (inputs as f32).sqrt();
        let number = |_| rng.random_range(-bound..bound);
        let values = (0..rows * columns).map(number).collect();
        Self {
            rows,
            columns,
            values,
        }
    }

    /// All zero.
    pub(super) fn zeros(rows: usize, columns: usize) -> Self {
        Self {
            rows,
            columns,
            values: vec![0.0; rows * columns],
        }
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    pub(super) fn columns(&self) -> usize {
        self.columns
    }

    pub(super) fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.columns..][..self.columns]
    }

    pub(super) fn row_mut(&mut self, row: usize) -> &mut [f32] {
        &mut self.values[row * self.columns..][..self.columns]
    }

    /// `X W` for inputs `X` of any number of rows.
    pub(super) fn product(&self, inputs: &[f32]) -> Vec<f32> {
        let mut product = vec![0.0; inputs.len() / self.rows * self.columns];
        self.write_product(inputs, &mut product);
        product
    }

    /// Writes `X W`.
    pub(super) fn write_product(&self, inputs: &[f32], out: &mut [f32]) {
        let (inner, columns) = (self.rows, self.columns);
        let sizes = [inputs.len() / inner, inner, columns];
        multiply(sizes, Rows(inputs), Rows(&self.values), out, false);
    }

    /// Adds `X W`.
    pub(super) fn add_product(&self, inputs: &[f32], out: &mut [f32]) {
        let (inner, columns) = (self.rows, self.columns);
        let sizes = [inputs.len() / inner, inner, columns];
        multiply(sizes, Rows(inputs), Rows(&self.values), out, true);
    }

    /// Adds `Y Wᵀ`: the gradient of inputs from that of their product.
    pub(super) fn add_transposed_product(&self, above: &[f32], out: &mut [f32]) {
        let (columns, inner) = (self.rows, self.columns);
        let sizes = [above.len() / inner, inner, columns];
        multiply(sizes, Rows(above), Columns(&self.values), out, true);
    }

    /// Adds `Xᵀ Y`: the gradient of the weights from the inputs and the gradient of their product.
    pub(super) fn add_outer_products(&mut self, inputs: &[f32], above: &[f32]) {
        let sizes = [self.rows, inputs.len() / self.rows, self.columns];
        multiply(sizes, Columns(inputs), Rows(above), &mut self.values, true);
    }
}

/// Adds numbers, one to each.
pub(super) fn add(sums: &mut [f32], numbers: &[f32]) {
    for (sum, number) in sums.iter_mut().zip(numbers) {
        *sum += number;
    }
}

/// How a factor of a product is stored: row by row, or column by column.
#[derive(Clone, Copy)]
enum Factor<'a> {
    Rows(&'a [f32]),
    Columns(&'a [f32]),
}
use Factor::{Columns, Rows};

impl<'a> Factor<'a> {
    /// The numbers, and the distances from one to the next in a row and in a column, for a matrix of this size.
    fn strided(self, rows: usize, columns: usize) -> (&'a [f32], isize, isize) {
        let (values, strides) = match self {
            Rows(values) => (values, (1, columns as isize)),
            Columns(values) => (values, (rows as isize, 1)),
        };
        assert_eq!(values.len(), rows * columns);
        (values, strides.0, strides.1)
    }
}

/// Writes the product of a `[rows, inner]` and an `[inner, columns]` matrix, or adds it to what is there.
fn multiply(
    [rows, inner, columns]: [usize; 3],
    left: Factor<'_>,
    right: Factor<'_>,
    out: &mut [f32],
    add: bool,
) {
    let (left, left_next, left_below) = left.strided(rows, inner);
    let (right, right_next, right_below) = right.strided(inner, columns);
    assert_eq!(out.len(), rows * columns);
    // SAFETY: the assertions hold the three slices to the sizes that the strides walk over, and the borrow of `out`
    // is exclusive.
    unsafe {
        gemm::gemm(
            rows,
            columns,
            inner,
            out.as_mut_ptr(),
            1,
            columns as isize,
            add,
            left.as_ptr(),
            left_next,
            left_below,
            right.as_ptr(),
            right_next,
            right_below,
            1.0,
            1.0,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_agree_with_their_definition() {
        let weight = Weight {
            rows: 2,
            columns: 3,
            values: vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
        };
        let inputs = [1.0, 10.0, 0.0, -1.0];
        let product = [41.0, 52.0, 63.0, -4.0, -5.0, -6.0];
        assert_eq!(weight.product(&inputs), product);

        let mut sum = product.to_vec();
        weight.add_product(&inputs, &mut sum);
        assert_eq!(sum, product.map(|number| 2.0 * number));

        let mut below = vec![1.0; 4];
        weight.add_transposed_product(&[1.0, 0.0, -1.0, 0.0, 2.0, 0.0], &mut below);
        assert_eq!(below, [-1.0, -1.0, 5.0, 11.0]);

        let mut gradient = Weight::zeros(2, 3);
        gradient.add_outer_products(&inputs, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        assert_eq!(gradient.row(0), [1.0, 2.0, 3.0]);
        assert_eq!(gradient.row(1), [6.0, 15.0, 24.0]);
    }
}
