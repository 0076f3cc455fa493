//! Compiled networks: candle modules with parameters, forward and backward.
//!
//! A [`Network`] executes a [`Plan`](crate::plan::Plan) with kernels of its own
//! and is, to candle, one differentiable operation on its inputs and parameters: `backward` of a
//! loss gives the gradient of every variable, and candle's graph stays small however deep the net.

use candle_core::{Device, Result, Tensor, Var};
use serde::{Deserialize, Serialize};

mod array;
mod board;
mod branches;
#[cfg(feature = "cuda")]
pub(crate) mod cuda;
#[cfg(any(feature = "cuda", test))]
mod cuda_source;
mod device;
mod differentiable;
mod execution;
mod frozen;
mod inputs;
pub(crate) mod kernels;
mod lowering;
mod memory;
mod network;
mod numbers;
mod random;
mod slices;
mod tensors;
mod threads;
mod weights;

pub use device::{Computation, DeviceError, device};
pub use frozen::Frozen;
pub use memory::{Buffers, buffers};
pub use network::{CompileError, Network};
pub use weights::{Misfit, WeightsError};

/// What is said where a kernel is given a tensor that does not lie in the memory of the processor.
const OTHER_DEVICE: &str = "a kernel of the CPU was given a tensor on another device";

/// What executes the plan of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Executor {
    /// The kernels of this package, on the CPU.
    Kernels,
    /// Operations on candle's tensors, on any device; gradients are candle's own. The numbers are those of the
    /// kernels but for rounding.
    Tensors {
        /// How exactly products are computed.
        precision: Precision,
    },
}

/// How exactly [`Executor::Tensors`] computes products.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Precision {
    /// With the numbers of the network.
    #[default]
    #[serde(rename = "f32")]
    Full,
    /// Convolutions and products of matrices round what they multiply and what they give to `bf16`, and add in
    /// `f32`. Weights, norms, losses and everything between stay in `f32`.
    #[serde(rename = "bf16")]
    Mixed,
}

/// What a forward pass is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Batch statistics are used and running ones updated; dropout draws the masks of this
    /// training step, which depend on the network's seed, the layer and the step alone.
    Train {
        /// The number of the training step, counted from 0 over the whole run.
        step: u64,
    },
    /// Running statistics, no dropout.
    Evaluate,
}

/// A network that can be trained: a compiled program, or one written by hand.
pub trait Model {
    /// The forward pass: a batch `[n, ...]` to the output `[n, ...]`.
    fn forward(&self, batch: &Tensor, mode: Mode) -> Result<Tensor>;

    /// What training changes by gradient, under stable names, in a fixed order.
    fn trainable(&self) -> Vec<(String, Var)>;

    /// What training changes otherwise (running statistics), under stable names, in a fixed order.
    fn state(&self) -> Vec<(String, Var)>;

    /// How exactly it computes.
    fn precision(&self) -> Precision {
        Precision::Full
    }

    /// Where it takes its batches: where its first parameter lies, or on the CPU if it has none.
    fn device(&self) -> Device {
        let trainable = self.trainable();
        let first = trainable.first();
        first.map_or(Device::Cpu, |(_, variable)| variable.device().clone())
    }
}
