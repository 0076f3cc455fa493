//! What a run may be given.

use candle_core::{Tensor, bail};

use super::execution::Program;
use crate::plan::Plan;

impl Program {
    /// Whether these inputs are of the number, the shapes, the type and the device that the plan takes.
    pub(super) fn check(&self, inputs: &[Tensor]) -> candle_core::Result<()> {
        let Plan {
            name,
            inputs: shapes,
            ..
        } = &self.plan;
        if inputs.len() != shapes.len() {
            bail!(
                "`{name}` takes {} input(s) and was given {}",
                shapes.len(),
                inputs.len()
            );
        }
        let batch = inputs.first().and_then(|input| input.dims().first());
        for (input, shape) in inputs.iter().zip(shapes) {
            let fits = match input.dims() {
                [batch, rest @ ..] => *batch > 0 && rest == shape,
                [] => false,
            };
            if !fits {
                bail!(
                    "`{name}` takes batches [n, {}] with n at least 1 and was given {:?}",
                    join(shape),
                    input.dims()
                );
            }
            if input.dims().first() != batch {
                bail!("`{name}` was given batches of different sizes");
            }
            if input.dtype() != self.dtype {
                bail!(
                    "`{name}` computes with {:?} and was given {:?}: convert the batch with \
                     `to_dtype`",
                    self.dtype,
                    input.dtype()
                );
            }
            if !input.device().same_device(&self.device) {
                bail!(
                    "`{name}` was compiled for {:?} and was given a tensor on {:?}: move the batch with \
                     `to_device`",
                    self.device.location(),
                    input.device().location()
                );
            }
        }
        Ok(())
    }
}

fn join(sizes: &[usize]) -> String {
    let sizes: Vec<String> = sizes.iter().map(usize::to_string).collect();
    sizes.join(", ")
}
