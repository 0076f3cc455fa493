//! Layers on graphics processors of NVIDIA, where one launch does what several operations of candle would:
//! convolutions by cuDNN, and kernels whose source `cuda_source.rs` writes and NVRTC compiles at run time.
//!
//! Only this folder needs the feature `cuda`. It computes what `tensors` composes of operations, and keeps to
//! the same order of sums from run to run: no kernel adds by atomic operations.

mod convolution;
mod fused;
mod launch;
mod optimizer;

pub(super) use convolution::{convolve, convolve_transposed};
pub(super) use fused::{Statistics, activate, batch_norm, pool};
pub(crate) use optimizer::{adam_w, sgd};
