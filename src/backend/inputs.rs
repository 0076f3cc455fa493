//! What a run may be given.

use candle_core::{Storage, Tensor, bail};

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
            if !is_on_processor(input) {
                bail!("{}", crate::backend::OTHER_DEVICE);
            }
        }
        Ok(())
    }
}

fn join(sizes: &[usize]) -> String {
    let sizes: Vec<String> = sizes.iter().map(usize::to_string).collect();
    sizes.join(", ")
}

/// Whether a tensor lies where kernels compute.
fn is_on_processor(tensor: &Tensor) -> bool {
    let (storage, _) = tensor.storage_and_layout();
    matches!(&*storage, Storage::Cpu(_))
}
