//! Compute kernels for the processor, on slices of `f32` or `f64`. They know no tensors of candle,
//! no plan and no modes.
//!
//! Tensors are row-major with the batch first. Work is spread over images or rows with rayon; sums
//! over the batch are cut into pieces whose number depends on shapes alone and added in a fixed
//! order, so that results do not depend on the number of threads.

#[macro_use]
pub(crate) mod vectorise;

pub(super) mod activation;
pub(super) mod adaptive_pool;
pub(super) mod attention;
pub(super) mod batch_norm;
pub(super) mod bilinear;
pub(super) mod channel_scale;
mod columns;
pub(super) mod convolution;
pub(super) mod dense;
mod depthwise;
mod dots;
pub(super) mod dropout;
pub(super) mod element_wise;
pub(super) mod embedding;
mod finish;
pub(super) mod float;
pub(super) mod global_pool;
pub(super) mod group_norm;
pub(super) mod layer_norm;
pub(super) mod margins;
pub(super) mod matrix;
mod outer;
pub(super) mod padded;
mod parallel;
pub(super) mod parametric_relu;
mod pieces;
mod pixels;
pub(super) mod pool;
pub(super) mod rectifier;
pub(super) mod reduce;
pub(super) mod rms_norm;
pub(super) mod scratch;
pub(super) mod sequence;
mod shared;
pub(super) mod shifted;
pub(super) mod shuffle;
mod sliding;
pub(super) mod softmax;
pub(super) mod upsample;
mod vector;
pub(super) mod window;
mod winograd;
