//! The attributes of layers that slide a window over an image, and the sizes that they give.

use crate::operations::Pooling;

/// The attributes of a convolution; see [`Operation::Convolution`](crate::operations::Operation::Convolution).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Convolution {
    /// Channels taken.
    pub input: usize,
    /// Channels given.
    pub output: usize,
    /// Height and width of the kernel.
    pub kernel: [usize; 2],
    /// Step along height and width.
    pub stride: [usize; 2],
    /// Zeros added on each side of height and width.
    pub padding: [usize; 2],
    /// Distance between the taps of the kernel.
    pub dilation: [usize; 2],
    /// Independent groups of channels.
    pub groups: usize,
    /// Whether a bias is added.
    pub bias: bool,
}

/// The attributes of a sliding window; see [`Operation::Pool`](crate::operations::Operation::Pool).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool {
    /// Maximum or average.
    pub kind: Pooling,
    /// Height and width of the window.
    pub kernel: [usize; 2],
    /// Step along height and width.
    pub stride: [usize; 2],
    /// Padding on each side of height and width.
    pub padding: [usize; 2],
    /// Whether the last window may hang over the padding.
    pub ceil: bool,
    /// Whether an average counts padding as zeros.
    pub count_padding: bool,
}

/// The attributes of a transposed convolution; see [`Operation::TransposedConvolution`](crate::operations::Operation::TransposedConvolution).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransposedConvolution {
    /// The convolution from what is given to what is taken, of which it is the transpose.
    pub convolution: Convolution,
    /// Rows and columns added at the bottom and on the right.
    pub output_padding: [usize; 2],
}

/// The attributes of windowed attention; see [`Operation::WindowAttention`](crate::operations::Operation::WindowAttention).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowAttention {
    /// Channels of the image.
    pub channels: usize,
    /// The number of heads.
    pub heads: usize,
    /// Height and width of a window.
    pub window: usize,
    /// How far the image is rolled before it is cut.
    pub shift: usize,
}

impl WindowAttention {
    /// How far an image of this height and width is rolled along each axis: not at all where one
    /// window covers it.
    pub fn shifts(&self, image: [usize; 2]) -> [usize; 2] {
        image.map(|size| if size > self.window { self.shift } else { 0 })
    }
}

/// The number of places a window has along an axis, if it has any.
fn places(
    size: usize,
    kernel: usize,
    stride: usize,
    padding: usize,
    dilation: usize,
) -> Option<usize> {
    let window = kernel
        .checked_sub(1)?
        .checked_mul(dilation)?
        .checked_add(1)?;
    let padded = padding.checked_mul(2)?.checked_add(size)?;
    padded
        .checked_sub(window)?
        .checked_div(stride)?
        .checked_add(1)
}

impl Convolution {
    /// Height and width of what it gives for an image of this height and width; none where the
    /// window does not fit.
    pub fn output_size(&self, image: [usize; 2]) -> Option<[usize; 2]> {
        let axis = |axis: usize| {
            places(
                image[axis],
                self.kernel[axis],
                self.stride[axis],
                self.padding[axis],
                self.dilation[axis],
            )
        };
        Some([axis(0)?, axis(1)?])
    }

    /// Whether candle's own convolution has it, with its gradients. That has one stride, one padding and one
    /// dilation for both axes, and takes for granted that as much of a padded image is left behind the last
    /// window along one axis as along the other.
    pub fn is_of_candle(&self, image: [usize; 2]) -> bool {
        let is_even = |sizes: [usize; 2]| sizes[0] == sizes[1];
        let left = |axis: usize| {
            let reach = self.dilation[axis] * (self.kernel[axis] - 1) + 1;
            (image[axis] + 2 * self.padding[axis]).saturating_sub(reach) % self.stride[axis]
        };
        is_even(self.stride)
            && is_even(self.padding)
            && is_even(self.dilation)
            && is_even([left(0), left(1)])
    }
}

impl Pool {
    /// Height and width of what it gives for an image of this height and width; none where the
    /// window does not fit.
    pub fn output_size(&self, image: [usize; 2]) -> Option<[usize; 2]> {
        let axis = |axis: usize| {
            let [kernel, stride, padding] =
                [self.kernel, self.stride, self.padding].map(|it| it[axis]);
            if !self.ceil {
                return places(image[axis], kernel, stride, padding, 1);
            }
            let begins = padding.checked_add(image[axis])?.checked_sub(1)?;
            let reaches = begins
                .checked_add(padding)?
                .checked_add(stride)?
                .checked_sub(kernel)?;
            begins.min(reaches).checked_div(stride)?.checked_add(1)
        };
        Some([axis(0)?, axis(1)?])
    }

    /// The rows and columns behind an image of this height and width that the last windows of what it
    /// gives reach.
    pub fn margin_behind(&self, image: [usize; 2], given: [usize; 2]) -> [usize; 2] {
        [0, 1].map(|axis| {
            let reach = given[axis].saturating_sub(1) * self.stride[axis] + self.kernel[axis];
            reach.saturating_sub(image[axis] + self.padding[axis])
        })
    }

    /// Of the margins before and behind an image what an average counts as zeros.
    pub fn counted_margins(&self, behind: [usize; 2]) -> [[usize; 2]; 2] {
        match self.count_padding {
            true => [
                self.padding,
                [0, 1].map(|axis| self.padding[axis].min(behind[axis])),
            ],
            false => [[0, 0]; 2],
        }
    }
}

impl TransposedConvolution {
    /// Height and width of what it gives for an image of this height and width; none where nothing
    /// is left.
    pub fn output_size(&self, image: [usize; 2]) -> Option<[usize; 2]> {
        let Convolution {
            kernel,
            stride,
            padding,
            dilation,
            ..
        } = self.convolution;
        let axis = |axis: usize| {
            let spread = image[axis].checked_sub(1)?.checked_mul(stride[axis])?;
            let reach = kernel[axis].checked_sub(1)?.checked_mul(dilation[axis])?;
            let added = self.output_padding[axis].checked_add(1)?;
            let whole = spread.checked_add(reach)?.checked_add(added)?;
            let size = whole.checked_sub(padding[axis].checked_mul(2)?)?;
            (size > 0).then_some(size)
        };
        Some([axis(0)?, axis(1)?])
    }

    /// Whether what is added at the bottom and on the right is less than the stride or dilation.
    pub(super) fn adds_little(&self) -> bool {
        let Convolution {
            stride, dilation, ..
        } = self.convolution;
        (0..2).all(|axis| self.output_padding[axis] < stride[axis].max(dilation[axis]))
    }
}
