//! Nets in the words of other programs: a PyTorch module, an ONNX model, a candle-nn source file.
//!
//! They are planned without the passes that fuse steps, so there is a line for each layer.
//!
//! What is written stands for itself: it needs nothing of this package. [`torch()`] and [`candle()`]
//! write source, and the weights lie beside it in the file that
//! [`Network::save_weights`](../backend/struct.Network.html) writes, under the same names;
//! [`onnx()`] writes a model with the weights in it.

mod candle;
mod onnx;
mod text;
mod torch;

use thiserror::Error;

use crate::graph::Graph;
use crate::plan::{self, Passes, Plan, PlanError};

pub use candle::candle;
pub use onnx::onnx;
pub use torch::torch;

/// Why a net can't be written.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EmitError {
    /// It has no plan.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// Modules are nested as paths say, and a part of a path stands for something else already.
    #[error(
        "the layer `{path}` of `{net}` has no place: a part of its path is also the name of shared \
         weights; give these another name"
    )]
    Clash {
        /// The name of the net.
        net: String,
        /// The path of the layer.
        path: String,
    },
    /// The weights are not those of the plan.
    #[error("`{net}` needs {expected} numbers for `{name}` and was given {found}")]
    Weights {
        /// The name of the net.
        net: String,
        /// The tensor.
        name: String,
        /// How many numbers it has.
        expected: usize,
        /// How many were given.
        found: usize,
    },
    /// The model is larger than a file of its kind may be.
    #[error(
        "`{net}` has weights of {bytes} bytes, more than a file of ONNX may hold; write it with \
         `snapc emit torch` and let PyTorch export it with external data"
    )]
    TooLarge {
        /// The name of the net.
        net: String,
        /// The size of its weights.
        bytes: usize,
    },
}

/// The plan of a net with a step for each layer.
fn plan_of(graph: &Graph) -> Result<Plan, PlanError> {
    plan::plan_with(graph, Passes::none())
}
