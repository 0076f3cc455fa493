//! Windows that slide over images which are read where they are, without a copy with their padding: of a row, the
//! lanes of a vector that find no pixel are zero.

use super::float::Float;
use super::vector::Vector;
use crate::plan::{Convolution, Pool};

/// Where windows find pixels.
#[derive(Clone, Copy)]
pub(super) struct Sliding {
    /// Height and width of an image.
    pub(super) image: [usize; 2],
    /// The windows along height and width.
    pub(super) output: [usize; 2],
    /// Height and width of a window in taps.
    pub(super) kernel: [usize; 2],
    /// Between windows.
    pub(super) stride: [usize; 2],
    /// Before the image.
    pub(super) padding: [usize; 2],
    /// Between taps.
    pub(super) dilation: [usize; 2],
}

/// The lanes of a vector that find pixels of a row: the first, and the one behind the last.
pub(super) type Span = (usize, usize);

impl Sliding {
    /// The windows of a convolution.
    pub(super) fn of_convolution(
        convolution: &Convolution,
        image: [usize; 2],
        output: [usize; 2],
    ) -> Self {
        Sliding {
            image,
            output,
            kernel: convolution.kernel,
            stride: convolution.stride,
            padding: convolution.padding,
            dilation: convolution.dilation,
        }
    }

    /// The windows of pooling.
    pub(super) fn of_pool(pool: &Pool, image: [usize; 2], output: [usize; 2]) -> Self {
        Sliding {
            image,
            output,
            kernel: pool.kernel,
            stride: pool.stride,
            padding: pool.padding,
            dilation: [1, 1],
        }
    }

    /// The pixels of an image.
    pub(super) fn pixels(&self) -> usize {
        self.image[0] * self.image[1]
    }

    /// The windows over an image.
    pub(super) fn windows(&self) -> usize {
        self.output[0] * self.output[1]
    }

    /// For each vector of a row of windows, the spans of the taps of a row.
    pub(super) fn spans(&self, lanes: usize) -> Vec<Span> {
        let span = |column: usize, tap: usize| {
            let place = column * self.stride[1] + tap * self.dilation[1];
            let lanes_before = |pixel: usize| pixel.saturating_sub(place).div_ceil(self.stride[1]);
            let first = lanes_before(self.padding[1]).min(lanes);
            let end = lanes_before(self.image[1] + self.padding[1]).min(lanes);
            (first, end.max(first))
        };
        let columns = (0..self.output[1]).step_by(lanes);
        columns
            .flat_map(|column| (0..self.kernel[1]).map(move |tap| span(column, tap)))
            .collect()
    }

    /// The row of an image that a row of windows finds under a row of taps, if it is there: a pointer to what would be
    /// the first pixel of the padding before it.
    #[inline(always)]
    pub(super) fn row<T>(&self, image: &[T], row: usize, tap: usize) -> Option<*const T> {
        let [height, width] = self.image;
        let y = (row * self.stride[0] + tap * self.dilation[0]).wrapping_sub(self.padding[0]);
        let start = y.wrapping_mul(width).wrapping_sub(self.padding[1]);
        (y < height).then(|| image.as_ptr().wrapping_add(start))
    }

    /// What windows side by side, the first of which has this column, find under a tap.
    ///
    /// # Safety
    ///
    /// The instructions of `V` must be there; the row must be of [`Sliding::row`], for an image of so many pixels, and
    /// the span that of the vector and the tap.
    #[inline(always)]
    pub(super) unsafe fn load<T: Float, V: Vector<Number = T>>(
        &self,
        row: *const T,
        column: usize,
        tap: usize,
        (first, end): Span,
    ) -> V {
        let source = row.wrapping_add(column * self.stride[1] + tap * self.dilation[1]);
        // SAFETY: the lanes of a span are pixels of the row.
        unsafe {
            match self.stride[1] {
                1 => V::load_between(source, first, end),
                2 => V::load_pairs(source, first, end),
                stride => V::load_strided(source, stride, first, end),
            }
        }
    }
}
