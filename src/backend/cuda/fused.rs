//! Layers that are one launch forward and one or two backward.

use candle_core::backend::BackendStorage;
use candle_core::cuda::CudaDType;
use candle_core::cuda::cudarc::driver::DeviceRepr;
use candle_core::{
    CpuStorage, CudaStorage, CustomOp1, CustomOp3, DType, Layout, Result, Shape, Tensor, WithDType,
    bail,
};

use super::launch::{Arguments, Spread, on_device, run, run_on_tensors};
use crate::backend::cuda_source::{self, Number};
use crate::operations::Activation;
use crate::plan::Pool;

/// A call of a function: a source and its name, the sizes and numbers it is given, and how it is spread.
struct Function<'a> {
    source: &'a str,
    name: &'a str,
    sizes: &'a [usize],
    numbers: &'a [f64],
    spread: Spread,
}

impl Function<'_> {
    fn run_as<T: CudaDType + DeviceRepr + WithDType>(
        &self,
        inputs: &[(&CudaStorage, &Layout)],
        length: usize,
    ) -> Result<CudaStorage> {
        let numbers: Vec<T> = self.numbers.iter().map(|it| T::from_f64(*it)).collect();
        let arguments = Arguments {
            sizes: self.sizes,
            numbers: &numbers,
        };
        run(
            (self.source, self.name),
            inputs,
            arguments,
            length,
            self.spread,
        )
    }

    fn run(
        &self,
        inputs: &[(&CudaStorage, &Layout)],
        shape: &Shape,
    ) -> Result<(CudaStorage, Shape)> {
        let output = match inputs.first().map(|(storage, _)| storage.dtype()) {
            Some(DType::F64) => self.run_as::<f64>(inputs, shape.elem_count())?,
            _ => self.run_as::<f32>(inputs, shape.elem_count())?,
        };
        Ok((output, shape.clone()))
    }

    fn run_on(&self, inputs: &[&Tensor], shape: impl Into<Shape>) -> Result<Tensor> {
        match inputs.first().map(|input| input.dtype()) {
            Some(DType::F64) => self.run_on_as::<f64>(inputs, shape),
            _ => self.run_on_as::<f32>(inputs, shape),
        }
    }

    fn run_on_as<T: CudaDType + DeviceRepr + WithDType>(
        &self,
        inputs: &[&Tensor],
        shape: impl Into<Shape>,
    ) -> Result<Tensor> {
        let numbers: Vec<T> = self.numbers.iter().map(|it| T::from_f64(*it)).collect();
        let arguments = Arguments {
            sizes: self.sizes,
            numbers: &numbers,
        };
        run_on_tensors(
            (self.source, self.name),
            inputs,
            arguments,
            shape,
            self.spread,
        )
    }
}

fn number_of(tensor: &Tensor) -> Number {
    match tensor.dtype() {
        DType::F64 => Number::F64,
        _ => Number::F32,
    }
}

fn not_here<R>() -> Result<R> {
    bail!("this operation is for graphics processors")
}

/// An activation.
struct Activate {
    source: String,
}

impl Activate {
    fn function<'a>(&'a self, name: &'a str, count: &'a [usize; 1]) -> Function<'a> {
        Function {
            source: &self.source,
            name,
            sizes: count,
            numbers: &[],
            spread: Spread::Each(count[0]),
        }
    }
}

impl CustomOp1 for Activate {
    fn name(&self) -> &'static str {
        "activation"
    }

    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        not_here()
    }

    fn cuda_fwd(&self, x: &CudaStorage, layout: &Layout) -> Result<(CudaStorage, Shape)> {
        let count = [layout.shape().elem_count()];
        self.function("forward", &count)
            .run(&[(x, layout)], layout.shape())
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let count = [x.elem_count()];
        let function = self.function("backward", &count);
        function.run_on(&[x, gradient], x.shape()).map(Some)
    }
}

/// The activation of every number.
pub(in crate::backend) fn activate(x: &Tensor, activation: Activation) -> Result<Tensor> {
    let source = cuda_source::activation(number_of(x), activation);
    x.contiguous()?.apply_op1(Activate { source })
}

/// A batch norm of `[n, c, ..]` with an activation behind it.
struct Normalise {
    source: String,
    /// Means and variances of the channels, one behind the other.
    statistics: Tensor,
    /// Whether the statistics are those of the batch.
    of_batch: bool,
    epsilon: f64,
    batch: usize,
    channels: usize,
    positions: usize,
}

impl Normalise {
    fn function<'a>(&'a self, name: &'a str, sizes: &'a [usize], spread: Spread) -> Function<'a> {
        Function {
            source: &self.source,
            name,
            sizes,
            numbers: std::slice::from_ref(&self.epsilon),
            spread,
        }
    }
}

impl CustomOp3 for Normalise {
    fn name(&self) -> &'static str {
        "batch-norm"
    }

    fn cpu_fwd(
        &self,
        _: &CpuStorage,
        _: &Layout,
        _: &CpuStorage,
        _: &Layout,
        _: &CpuStorage,
        _: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        not_here()
    }

    fn cuda_fwd(
        &self,
        x: &CudaStorage,
        x_layout: &Layout,
        weight: &CudaStorage,
        weight_layout: &Layout,
        bias: &CudaStorage,
        bias_layout: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        let (statistics, statistics_layout) = self.statistics.storage_and_layout();
        let count = x_layout.shape().elem_count();
        let inputs = [
            (x, x_layout),
            (on_device(&statistics)?, statistics_layout),
            (weight, weight_layout),
            (bias, bias_layout),
        ];
        let sizes = [self.channels, self.positions, count];
        let function = self.function("forward", &sizes, Spread::Each(count));
        function.run(&inputs, x_layout.shape())
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        _: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (channels, count) = (self.channels, x.elem_count());
        let sizes = [self.batch, channels, self.positions];
        let sums = self
            .function("sums", &sizes, Spread::Blocks(channels))
            .run_on(&[x, gradient, &self.statistics, weight, bias], 2 * channels)?;
        let of_batch = match self.of_batch {
            true => self.batch * self.positions,
            false => 0,
        };
        let sizes = [channels, self.positions, count, of_batch];
        let of_x = self
            .function("backward", &sizes, Spread::Each(count))
            .run_on(
                &[x, gradient, &self.statistics, weight, bias, &sums],
                x.shape(),
            )?;
        Ok((
            Some(of_x),
            Some(sums.narrow(0, channels, channels)?),
            Some(sums.narrow(0, 0, channels)?),
        ))
    }
}

/// The statistics that a batch norm uses.
pub(in crate::backend) enum Statistics<'a> {
    /// Those of the batch.
    Batch,
    /// Running ones.
    Running {
        mean: &'a Tensor,
        variance: &'a Tensor,
    },
}

/// The input `[n, c, ..]` normalised and behind the activation, and the mean and the (biased) variance that were
/// used.
pub(in crate::backend) fn batch_norm(
    x: &Tensor,
    [weight, bias]: [&Tensor; 2],
    statistics: Statistics,
    epsilon: f64,
    activation: Option<Activation>,
) -> Result<(Tensor, [Tensor; 2])> {
    let (batch, channels) = (x.dim(0)?, x.dim(1)?);
    let positions = x.elem_count() / (batch * channels).max(1);
    if u32::try_from(batch * positions).is_err() {
        bail!("a batch norm has more values in a channel than 32 bits count");
    }
    let x = x.contiguous()?;
    let source = cuda_source::batch_norm(number_of(&x), activation);
    let of_batch = matches!(statistics, Statistics::Batch);
    let statistics = match statistics {
        Statistics::Batch => {
            let function = Function {
                source: &source,
                name: "statistics",
                sizes: &[batch, channels, positions],
                numbers: &[],
                spread: Spread::Blocks(channels),
            };
            function.run_on(&[&x.detach()], 2 * channels)?
        }
        Statistics::Running { mean, variance } => Tensor::cat(&[mean, variance], 0)?.detach(),
    };
    let used = [
        statistics.narrow(0, 0, channels)?,
        statistics.narrow(0, channels, channels)?,
    ];
    let operation = Normalise {
        source,
        statistics,
        of_batch,
        epsilon,
        batch,
        channels,
        positions,
    };
    let output = x.apply_op3(&weight.contiguous()?, &bias.contiguous()?, operation)?;
    Ok((output, used))
}

/// Pooling of images.
struct PoolImages {
    source: String,
    /// Planes, height and width of the images, rows and columns of what is given.
    sizes: [usize; 5],
    given: [usize; 4],
}

impl CustomOp1 for PoolImages {
    fn name(&self) -> &'static str {
        "pool"
    }

    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        not_here()
    }

    fn cuda_fwd(&self, x: &CudaStorage, layout: &Layout) -> Result<(CudaStorage, Shape)> {
        let function = Function {
            source: &self.source,
            name: "forward",
            sizes: &self.sizes,
            numbers: &[],
            spread: Spread::Each(self.given.iter().product()),
        };
        function.run(&[(x, layout)], &Shape::from(self.given.to_vec()))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let function = Function {
            source: &self.source,
            name: "backward",
            sizes: &self.sizes,
            numbers: &[],
            spread: Spread::Each(x.elem_count()),
        };
        function.run_on(&[x, gradient], x.shape()).map(Some)
    }
}

/// Images `[n, c, h, w]` pooled to a size.
pub(in crate::backend) fn pool(x: &Tensor, pool: &Pool, given: [usize; 2]) -> Result<Tensor> {
    let (batch, channels, height, width) = x.dims4()?;
    let [rows, columns] = given;
    let operation = PoolImages {
        source: cuda_source::pool(number_of(x), pool),
        sizes: [batch * channels, height, width, rows, columns],
        given: [batch, channels, rows, columns],
    };
    x.contiguous()?.apply_op1(operation)
}
