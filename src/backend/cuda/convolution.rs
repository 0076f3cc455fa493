//! Convolutions by cuDNN: forward, and backward for data and filter.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use candle_core::cuda::cudarc::cudnn::sys::{
    cudnnConvolutionBwdDataAlgo_t as DataAlgorithm,
    cudnnConvolutionBwdFilterAlgo_t as FilterAlgorithm, cudnnConvolutionMode_t as ConvolutionMode,
    cudnnMathType_t as MathType, cudnnTensorFormat_t as Format,
};
use candle_core::cuda::cudarc::cudnn::{
    ConvBackwardData, ConvBackwardFilter, ConvDescriptor, ConvForward, Cudnn, CudnnDataType,
    FilterDescriptor, TensorDescriptor,
};
use candle_core::cuda::cudarc::driver::{CudaSlice, CudaView, DeviceRepr};
use candle_core::cuda::{CudaDType, CudaDevice, DeviceId};
use candle_core::{
    CpuStorage, CudaStorage, CustomOp2, DType, Error, Layout, Result, Shape, Tensor, bail,
};
use half::bf16;

use super::launch::{apart, on_device, tensor};
use crate::plan::{Convolution, TransposedConvolution};

/// A type of numbers that is convolved.
trait Number: CudaDType + CudnnDataType + DeviceRepr {
    /// The type that products are added in.
    type Sum: CudnnDataType;
    /// How exactly: `f32` without the shortened products of tensor cores.
    const MATH: MathType;
    const ONE: Self;
    const ZERO: Self;
}

impl Number for f32 {
    type Sum = f32;
    const MATH: MathType = MathType::CUDNN_FMA_MATH;
    const ONE: Self = 1.0;
    const ZERO: Self = 0.0;
}

impl Number for f64 {
    type Sum = f64;
    const MATH: MathType = MathType::CUDNN_DEFAULT_MATH;
    const ONE: Self = 1.0;
    const ZERO: Self = 0.0;
}

impl Number for bf16 {
    type Sum = f32;
    const MATH: MathType = MathType::CUDNN_TENSOR_OP_MATH;
    const ONE: Self = bf16::ONE;
    const ZERO: Self = bf16::ZERO;
}

/// What cuDNN needs on a device: a handle, and memory to work in, which one convolution leaves to the next.
struct Workplace {
    cudnn: Arc<Cudnn>,
    workspace: CudaSlice<u8>,
}

thread_local! {
    // A handle of cuDNN belongs to a thread. All work of a thread goes to one stream, so that a convolution has
    // ended before the next one uses the memory.
    static WORKPLACES: RefCell<HashMap<DeviceId, Workplace>> = RefCell::new(HashMap::new());
}

/// Runs work that needs so many bytes, which `bytes` tells of the handle.
fn at_workplace<R>(
    device: &CudaDevice,
    work: impl FnOnce(
        &Arc<Cudnn>,
        &mut dyn FnMut(usize) -> Result<()>,
        &RefCell<CudaSlice<u8>>,
    ) -> Result<R>,
) -> Result<R> {
    WORKPLACES.with(|workplaces| {
        let mut workplaces = workplaces.borrow_mut();
        let workplace = match workplaces.remove(&device.id()) {
            Some(workplace) => workplace,
            None => Workplace {
                cudnn: Cudnn::new(device.cuda_stream()).map_err(Error::wrap)?,
                workspace: device.alloc_zeros::<u8>(1)?,
            },
        };
        let workspace = RefCell::new(workplace.workspace);
        let mut reserve = |bytes: usize| {
            if workspace.borrow().len() < bytes {
                let larger = device.alloc_zeros::<u8>(bytes)?;
                workspace.replace(larger);
            }
            Ok(())
        };
        let result = work(&workplace.cudnn, &mut reserve, &workspace);
        let kept = Workplace {
            cudnn: workplace.cudnn,
            workspace: workspace.into_inner(),
        };
        workplaces.insert(device.id(), kept);
        result
    })
}

/// A convolution of a batch of images of one size.
#[derive(Clone, Copy, Debug)]
struct Geometry {
    convolution: Convolution,
    batch: usize,
    image: [usize; 2],
    output: [usize; 2],
}

/// The descriptors of a geometry.
struct Descriptors<T: Number> {
    convolution: ConvDescriptor<T::Sum>,
    images: TensorDescriptor<T>,
    filter: FilterDescriptor<T>,
    outputs: TensorDescriptor<T>,
}

fn numbers<const N: usize>(sizes: [usize; N]) -> Result<[i32; N]> {
    let mut all = [0; N];
    for (target, size) in all.iter_mut().zip(sizes) {
        *target = i32::try_from(size).map_err(Error::wrap)?;
    }
    Ok(all)
}

impl Geometry {
    fn images(&self) -> [usize; 4] {
        let [height, width] = self.image;
        [self.batch, self.convolution.input, height, width]
    }

    fn outputs(&self) -> [usize; 4] {
        let [height, width] = self.output;
        [self.batch, self.convolution.output, height, width]
    }

    fn filter(&self) -> [usize; 4] {
        let Convolution {
            input,
            output,
            kernel: [height, width],
            groups,
            ..
        } = self.convolution;
        [output, input / groups.max(1), height, width]
    }

    fn describe<T: Number>(&self, cudnn: &Arc<Cudnn>) -> Result<Descriptors<T>> {
        let layout = Format::CUDNN_TENSOR_NCHW;
        let Convolution {
            stride,
            padding,
            dilation,
            groups,
            ..
        } = self.convolution;
        let mut convolution = cudnn
            .create_conv2d::<T::Sum>(
                numbers(padding)?,
                numbers(stride)?,
                numbers(dilation)?,
                ConvolutionMode::CUDNN_CROSS_CORRELATION,
            )
            .map_err(Error::wrap)?;
        let [groups] = numbers([groups])?;
        convolution.set_group_count(groups).map_err(Error::wrap)?;
        convolution.set_math_type(T::MATH).map_err(Error::wrap)?;
        let tensor = |sizes| {
            let tensor = cudnn.create_4d_tensor::<T>(layout, numbers(sizes)?);
            tensor.map_err(Error::wrap)
        };
        let filter = cudnn.create_4d_filter::<T>(layout, numbers(self.filter())?);
        Ok(Descriptors {
            convolution,
            images: tensor(self.images())?,
            filter: filter.map_err(Error::wrap)?,
            outputs: tensor(self.outputs())?,
        })
    }
}

/// The numbers of a contiguous tensor.
fn view<'a, T: Number>(storage: &'a CudaStorage, layout: &Layout) -> Result<CudaView<'a, T>> {
    let (start, end) = layout.contiguous_offsets().ok_or_else(apart)?;
    Ok(storage.as_cuda_slice::<T>()?.slice(start..end))
}

/// Memory that is about to be written.
fn memory<T: Number>(device: &CudaDevice, shape: [usize; 4]) -> Result<CudaSlice<T>> {
    // SAFETY: with a factor of zero for what lies in it, cuDNN writes every number and reads none.
    unsafe { device.alloc(shape.iter().product()) }
}

/// A tensor as cuDNN is given it.
type Given<'a> = (&'a CudaStorage, &'a Layout);

/// The outputs for images and a filter.
fn forward<T: Number>(geometry: &Geometry, images: Given, filter: Given) -> Result<CudaStorage> {
    let device = images.0.device.clone();
    let (images, filter) = (
        view::<T>(images.0, images.1)?,
        view::<T>(filter.0, filter.1)?,
    );
    let mut outputs = memory::<T>(&device, geometry.outputs())?;
    at_workplace(&device, |cudnn, reserve, workspace| {
        let all = geometry.describe::<T>(cudnn)?;
        let pass = ConvForward {
            conv: &all.convolution,
            x: &all.images,
            w: &all.filter,
            y: &all.outputs,
        };
        let algorithm = pass.pick_algorithm().map_err(Error::wrap)?;
        reserve(pass.get_workspace_size(algorithm).map_err(Error::wrap)?)?;
        let factors = (T::ONE, T::ZERO);
        let workspace = &mut *workspace.borrow_mut();
        // SAFETY: the descriptors are of the shapes and the type of these tensors, which lie in one piece.
        unsafe {
            pass.launch(
                algorithm,
                Some(workspace),
                factors,
                &images,
                &filter,
                &mut outputs,
            )
        }
        .map_err(Error::wrap)
    })?;
    Ok(CudaStorage::wrap_cuda_slice(outputs, device))
}

/// The gradient of the images, from a filter and the gradient of the outputs.
fn backward_data<T: Number>(
    geometry: &Geometry,
    filter: Given,
    gradient: Given,
) -> Result<CudaStorage> {
    let device = gradient.0.device.clone();
    let (filter, gradient) = (
        view::<T>(filter.0, filter.1)?,
        view::<T>(gradient.0, gradient.1)?,
    );
    let mut images = memory::<T>(&device, geometry.images())?;
    at_workplace(&device, |cudnn, reserve, workspace| {
        let all = geometry.describe::<T>(cudnn)?;
        let pass = ConvBackwardData {
            conv: &all.convolution,
            dx: &all.images,
            w: &all.filter,
            dy: &all.outputs,
        };
        // The algorithm 1 adds in one order from run to run, as the algorithm 0 does not. Where it knows no way,
        // cuDNN is asked for one.
        let mut algorithm = DataAlgorithm::CUDNN_CONVOLUTION_BWD_DATA_ALGO_1;
        let bytes = match pass.get_workspace_size(algorithm) {
            Ok(bytes) => bytes,
            Err(_) => {
                algorithm = pass.pick_algorithm().map_err(Error::wrap)?;
                pass.get_workspace_size(algorithm).map_err(Error::wrap)?
            }
        };
        reserve(bytes)?;
        let factors = (T::ONE, T::ZERO);
        let workspace = &mut *workspace.borrow_mut();
        // SAFETY: as in `forward`.
        unsafe {
            pass.launch(
                algorithm,
                Some(workspace),
                factors,
                &mut images,
                &filter,
                &gradient,
            )
        }
        .map_err(Error::wrap)
    })?;
    Ok(CudaStorage::wrap_cuda_slice(images, device))
}

/// The gradient of the filter, from images and the gradient of the outputs.
fn backward_filter<T: Number>(
    geometry: &Geometry,
    images: Given,
    gradient: Given,
) -> Result<CudaStorage> {
    let device = gradient.0.device.clone();
    let (images, gradient) = (
        view::<T>(images.0, images.1)?,
        view::<T>(gradient.0, gradient.1)?,
    );
    let mut filter = memory::<T>(&device, geometry.filter())?;
    at_workplace(&device, |cudnn, reserve, workspace| {
        let all = geometry.describe::<T>(cudnn)?;
        let pass = ConvBackwardFilter {
            conv: &all.convolution,
            x: &all.images,
            dw: &all.filter,
            dy: &all.outputs,
        };
        // As in `backward_data`.
        let mut algorithm = FilterAlgorithm::CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1;
        let bytes = match pass.get_workspace_size(algorithm) {
            Ok(bytes) => bytes,
            Err(_) => {
                algorithm = pass.pick_algorithm().map_err(Error::wrap)?;
                pass.get_workspace_size(algorithm).map_err(Error::wrap)?
            }
        };
        reserve(bytes)?;
        let factors = (T::ONE, T::ZERO);
        let workspace = &mut *workspace.borrow_mut();
        // SAFETY: as in `forward`.
        unsafe {
            pass.launch(
                algorithm,
                Some(workspace),
                factors,
                &images,
                &mut filter,
                &gradient,
            )
        }
        .map_err(Error::wrap)
    })?;
    Ok(CudaStorage::wrap_cuda_slice(filter, device))
}

/// A pass over numbers of each type: `f32`, `f64` and `bf16`.
type Pass = [fn(&Geometry, Given, Given) -> Result<CudaStorage>; 3];

/// One of the three passes, by the type of the numbers.
fn pass(
    dtype: DType,
    [of_f32, of_f64, of_bf16]: Pass,
    geometry: &Geometry,
    first: Given,
    second: Given,
) -> Result<CudaStorage> {
    match dtype {
        DType::F32 => of_f32(geometry, first, second),
        DType::F64 => of_f64(geometry, first, second),
        DType::BF16 => of_bf16(geometry, first, second),
        other => bail!("convolutions compute with F32, F64 or BF16, not with {other:?}"),
    }
}
const FORWARD: Pass = [forward::<f32>, forward::<f64>, forward::<bf16>];
const DATA: Pass = [
    backward_data::<f32>,
    backward_data::<f64>,
    backward_data::<bf16>,
];
const FILTER: Pass = [
    backward_filter::<f32>,
    backward_filter::<f64>,
    backward_filter::<bf16>,
];

fn pass_on_tensors(
    kind: Pass,
    geometry: &Geometry,
    first: &Tensor,
    second: &Tensor,
    shape: [usize; 4],
) -> Result<Tensor> {
    let (first, second) = (first.contiguous()?, second.contiguous()?);
    let (first_storage, first_layout) = first.storage_and_layout();
    let (second_storage, second_layout) = second.storage_and_layout();
    let given = pass(
        first.dtype(),
        kind,
        geometry,
        (on_device(&first_storage)?, first_layout),
        (on_device(&second_storage)?, second_layout),
    )?;
    Ok(tensor(given, shape.to_vec()))
}

/// A convolution, or the transpose of one.
struct Convolve {
    geometry: Geometry,
    transposed: bool,
}

impl CustomOp2 for Convolve {
    fn name(&self) -> &'static str {
        "convolution"
    }

    fn cpu_fwd(
        &self,
        _: &CpuStorage,
        _: &Layout,
        _: &CpuStorage,
        _: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        bail!("this convolution is for graphics processors")
    }

    fn cuda_fwd(
        &self,
        x: &CudaStorage,
        x_layout: &Layout,
        filter: &CudaStorage,
        filter_layout: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        use candle_core::backend::BackendStorage;
        let (x, filter) = ((x, x_layout), (filter, filter_layout));
        let dtype = x.0.dtype();
        let (given, shape) = match self.transposed {
            false => (
                pass(dtype, FORWARD, &self.geometry, x, filter)?,
                self.geometry.outputs(),
            ),
            true => (
                pass(dtype, DATA, &self.geometry, filter, x)?,
                self.geometry.images(),
            ),
        };
        Ok((given, shape.to_vec().into()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        filter: &Tensor,
        _: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let geometry = &self.geometry;
        let (of_x, of_filter) = match self.transposed {
            false => (
                pass_on_tensors(DATA, geometry, filter, gradient, geometry.images())?,
                pass_on_tensors(FILTER, geometry, x, gradient, geometry.filter())?,
            ),
            true => (
                pass_on_tensors(FORWARD, geometry, gradient, filter, geometry.outputs())?,
                pass_on_tensors(FILTER, geometry, gradient, x, geometry.filter())?,
            ),
        };
        Ok((Some(of_x), Some(of_filter)))
    }
}

fn no_size() -> Error {
    Error::Msg("the window of a convolution does not fit".to_owned())
}

/// Images `[n, c, h, w]` convolved with a filter, without the bias.
pub(in crate::backend) fn convolve(
    x: &Tensor,
    filter: &Tensor,
    attributes: &Convolution,
) -> Result<Tensor> {
    let (batch, _, height, width) = x.dims4()?;
    let image = [height, width];
    let geometry = Geometry {
        convolution: *attributes,
        batch,
        image,
        output: attributes.output_size(image).ok_or_else(no_size)?,
    };
    let operation = Convolve {
        geometry,
        transposed: false,
    };
    x.contiguous()?.apply_op2(&filter.contiguous()?, operation)
}

/// The transpose of a convolution, without the bias.
pub(in crate::backend) fn convolve_transposed(
    x: &Tensor,
    filter: &Tensor,
    attributes: &TransposedConvolution,
) -> Result<Tensor> {
    let (batch, _, height, width) = x.dims4()?;
    let output = [height, width];
    let geometry = Geometry {
        convolution: attributes.convolution,
        batch,
        image: attributes.output_size(output).ok_or_else(no_size)?,
        output,
    };
    let operation = Convolve {
        geometry,
        transposed: true,
    };
    x.contiguous()?.apply_op2(&filter.contiguous()?, operation)
}
