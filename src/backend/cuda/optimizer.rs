//! Steps of the optimizers: one launch for each parameter.

use candle_core::cuda::cudarc::driver::{LaunchConfig, PushKernelArg};
use candle_core::{CpuStorage, CudaStorage, Error, InplaceOp2, Layout, Result, Tensor, bail};

use super::launch::{apart, function, on_device};
use crate::backend::cuda_source;

/// A step that changes values, and moments beside them, where they lie.
struct Step<'a> {
    name: &'static str,
    moments: &'a [&'a Tensor],
    numbers: &'a [f32],
}

impl InplaceOp2 for Step<'_> {
    fn name(&self) -> &'static str {
        "optimizer"
    }

    fn cpu_fwd(&self, _: &mut CpuStorage, _: &Layout, _: &CpuStorage, _: &Layout) -> Result<()> {
        bail!("this step is for graphics processors")
    }

    fn cuda_fwd(
        &self,
        values: &mut CudaStorage,
        values_layout: &Layout,
        gradient: &CudaStorage,
        gradient_layout: &Layout,
    ) -> Result<()> {
        let device = values.device.clone();
        let (start, end) = values_layout.contiguous_offsets().ok_or_else(apart)?;
        let count = (end - start) as u64;
        let mut values = values.as_cuda_slice_mut::<f32>()?.slice_mut(start..end);
        let (start, end) = gradient_layout.contiguous_offsets().ok_or_else(apart)?;
        let gradient = gradient.as_cuda_slice::<f32>()?.slice(start..end);
        let held: Vec<_> = self
            .moments
            .iter()
            .map(|it| it.storage_and_layout())
            .collect();
        let mut moments = Vec::new();
        for (storage, layout) in &held {
            let (start, end) = layout.contiguous_offsets().ok_or_else(apart)?;
            let moment = on_device(storage)?.as_cuda_slice::<f32>()?;
            moments.push(moment.slice(start..end));
        }
        let source = cuda_source::optimizer();
        let function = function(&device, &source, self.name)?;
        let blocks = u32::try_from(count.div_ceil(256).max(1)).map_err(Error::wrap)?;
        let configuration = LaunchConfig {
            grid_dim: (blocks, 1, 1),
            block_dim: (256, 1, 1),
            shared_mem_bytes: 0,
        };
        let stream = device.cuda_stream();
        let mut builder = stream.launch_builder(&function);
        builder.arg(&mut values).arg(&gradient);
        for moment in &moments {
            builder.arg(moment);
        }
        builder.arg(&count);
        for number in self.numbers {
            builder.arg(number);
        }
        // SAFETY: `cuda_source::optimizer` has functions of these parameters, in this order. All of these tensors
        // have `count` numbers. The moments are written through shared references: only the optimizer that calls
        // this has them, and all its work is in one stream.
        unsafe { builder.launch(configuration) }.map_err(Error::wrap)?;
        Ok(())
    }
}

/// A step of AdamW on the graphics processor. The numbers are those of the source, from `scale` on.
pub(crate) fn adam_w(
    values: &Tensor,
    gradient: &Tensor,
    [first, second]: [&Tensor; 2],
    numbers: [f32; 7],
) -> Result<()> {
    let step = Step {
        name: "adam_w",
        moments: &[first, second],
        numbers: &numbers,
    };
    values.inplace_op2(&gradient.contiguous()?, &step)
}

/// A step of SGD on the graphics processor. The numbers are those of the source, from `scale` on.
pub(crate) fn sgd(
    values: &Tensor,
    gradient: &Tensor,
    velocity: &Tensor,
    numbers: [f32; 5],
) -> Result<()> {
    let step = Step {
        name: "sgd",
        moments: &[velocity],
        numbers: &numbers,
    };
    values.inplace_op2(&gradient.contiguous()?, &step)
}
