//! Networks for inference alone.

use candle_core::{Result, Tensor};

use super::Network;
use super::execution::Program;
use crate::plan::Plan;

/// A network with the parameters that it had when it was frozen.
///
/// It gives the numbers of an evaluation ([`Mode::Evaluate`](super::Mode::Evaluate)), to the bit, and gives
/// them sooner: what follows from parameters alone is computed once, and nothing leads back to them.
pub struct Frozen {
    program: Program,
}

impl Network {
    /// A copy for inference. Later changes of the parameters do not reach it.
    ///
    /// # Errors
    ///
    /// If the parameters can't be copied.
    pub fn freeze(&self) -> Result<Frozen> {
        let program = self.program.frozen()?;
        Ok(Frozen { program })
    }
}

impl Frozen {
    /// The outputs for a batch `[n, ...]` of every input, the top of the stack last. No gradient flows
    /// through them.
    ///
    /// # Errors
    ///
    /// If the number of inputs, their shapes, type or device are not those of the net.
    pub fn forward(&self, inputs: &[Tensor]) -> Result<Vec<Tensor>> {
        self.program.check(inputs)?;
        self.program.evaluate(inputs)
    }

    /// What it executes.
    pub fn plan(&self) -> &Plan {
        &self.program.plan
    }
}
