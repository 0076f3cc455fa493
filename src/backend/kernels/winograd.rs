//! Convolutions of 3x3 with fewer multiplications (Winograd's algorithm F(4x4, 3x3); Lavin and Gray, "Fast
//! Algorithms for Convolutional Neural Networks", 2016, arXiv:1509.09308).
//!
//! An output is cut into tiles of 4x4 pixels. Each follows from 6x6 pixels of the input. These are transformed
//! ([`transforms`]), multiplied number by number with the transformed kernel, summed over the input channels, and
//! transformed back: 36 multiplications a tile and pair of channels instead of 144. The sums over channels are 36 products
//! of matrices ([`products`]). The gradients go the same way: that of the input is a convolution of the gradient of the
//! output, and that of the weights is the transpose of what the weights go through.
//!
//! All matrices lie in groups of as many channels as a vector has lanes: number `(channel, place, row)` of a
//! matrix is at `((channel / lanes * 36 + place) * rows + row) * lanes + channel % lanes`. So channels lie side
//! by side whatever the size of an image is, and a tile is computed alike wherever it lies.
//!
//! Sums lose a little more to rounding than those of products with pixels: for 128 channels, outputs and gradients
//! of `f32` are within three millionths of the largest number, where the others are within one and a half.

mod filter;
mod forward;
mod gradient;
mod products;
mod tiles;
mod transforms;

use crate::plan::Convolution;

pub(super) use filter::Transformed;
pub(super) use forward::forward;
pub(super) use gradient::Backward;
pub(super) use tiles::Tiling;

/// Height and width of a tile of the output.
const OUTPUT: usize = 4;
/// Height and width of what a tile of the output reads.
const INPUT: usize = 6;
/// Height and width of the kernel.
const KERNEL: usize = 3;
/// The products of a tile.
const PLACES: usize = INPUT * INPUT;
/// Channels come in multiples of this, which is a multiple of the lanes of every vector.
const CHANNELS: usize = 16;

/// The most kernels, one for each pair of channels. In training they are transformed in every step. Of more, the 36
/// numbers each take so much memory that to ask for it anew takes longer than the convolution of a batch.
const MOST_KERNELS: usize = 1 << 17;

/// Whether a convolution is computed this way. It is where channels fill vectors: then it was faster for every size of
/// image, from 1.6 times for 16 channels to four times for 256. The attributes alone decide, so a batch is computed as
/// an example alone is.
pub(super) fn applies(convolution: &Convolution) -> bool {
    let Convolution {
        input,
        output,
        kernel,
        stride,
        padding,
        dilation,
        groups,
        ..
    } = *convolution;
    let moves = stride == [1, 1] && dilation == [1, 1] && groups == 1;
    let reads = kernel == [KERNEL, KERNEL] && padding.into_iter().all(|it| it < KERNEL);
    let fills = input.is_multiple_of(CHANNELS) && output.is_multiple_of(CHANNELS);
    moves && reads && fills && input.saturating_mul(output) <= MOST_KERNELS
}

#[cfg(test)]
mod tests;
