//! Networks for inference alone.

use candle_core::{Result, Tensor};
use rayon::prelude::*;

use super::execution::Program;
use super::{Executor, Network};
use crate::plan::Plan;

/// A network with the parameters that it had when it was frozen.
///
/// It gives the numbers of an evaluation ([`Mode::Evaluate`](super::Mode::Evaluate)), to the bit, and gives
/// them sooner: what follows from parameters alone is computed once, and nothing leads back to them.
pub struct Frozen {
    program: Program,
    /// The examples that go through the net together.
    piece: usize,
}

/// The most numbers of one value that should be alive at a time: they stay in the cache of a core.
const CACHED: usize = 1 << 17;

/// More examples than these gain nothing from one another.
const MOST_EXAMPLES: usize = 16;

/// The examples of which the largest value stays in the cache.
fn examples_in_piece(plan: &Plan) -> usize {
    let sizes = plan.values.iter().map(|shape| shape.iter().product());
    let largest: usize = sizes.max().unwrap_or(1);
    (CACHED / largest.max(1)).clamp(1, MOST_EXAMPLES)
}

impl Network {
    /// A copy for inference. Later changes of the parameters do not reach it.
    ///
    /// # Errors
    ///
    /// If the parameters can't be copied.
    pub fn freeze(&self) -> Result<Frozen> {
        let program = self.program.frozen()?;
        let piece = examples_in_piece(&program.plan);
        Ok(Frozen { program, piece })
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
        let batch = inputs.first().map_or(Ok(0), |input| input.dim(0))?;
        // A device has no caches that pieces would stay in.
        let is_whole = matches!(self.program.executor, Executor::Tensors { .. });
        if is_whole || batch <= self.piece {
            return self.program.evaluate(inputs);
        }
        // Examples do not act on one another. So a few at a time go through the whole net, on one thread,
        // rather than all of them through each layer in turn, out of the cache and back.
        let starts: Vec<usize> = (0..batch).step_by(self.piece).collect();
        let pieces = starts.into_par_iter().map(|start| {
            let count = self.piece.min(batch - start);
            let inputs = inputs.iter().map(|input| input.narrow(0, start, count));
            self.program.evaluate(&inputs.collect::<Result<Vec<_>>>()?)
        });
        let pieces: Vec<Vec<Tensor>> = pieces.collect::<Result<_>>()?;
        let outputs = 0..self.program.plan.outputs.len();
        let joined = outputs.map(|output| {
            let parts: Vec<&Tensor> = pieces
                .iter()
                .filter_map(|piece| piece.get(output))
                .collect();
            Tensor::cat(&parts, 0)
        });
        joined.collect()
    }

    /// What it executes.
    pub fn plan(&self) -> &Plan {
        &self.program.plan
    }
}
