//! Compiling sources and launching their functions.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

use candle_core::cuda::cudarc::driver::{
    CudaFunction, CudaSlice, DeviceRepr, LaunchConfig, PushKernelArg,
};
use candle_core::cuda::cudarc::nvrtc::compile_ptx;
use candle_core::cuda::{CudaDType, CudaDevice};
use candle_core::op::BackpropOp;
use candle_core::{CudaStorage, Error, Layout, Result, Shape, Storage, Tensor};
use xxhash_rust::xxh3::xxh3_128;

/// Threads of a block.
const THREADS: u32 = 256;

/// How a function is spread over the device.
#[derive(Clone, Copy)]
pub(super) enum Spread {
    /// A thread for each of so many numbers.
    Each(usize),
    /// A block for each of so many sums.
    Blocks(usize),
}

impl Spread {
    fn configuration(self) -> Result<LaunchConfig> {
        let blocks = match self {
            Spread::Each(count) => count.div_ceil(THREADS as usize),
            Spread::Blocks(count) => count,
        };
        let many = |_| Error::Msg("a tensor is too large for one launch".to_owned());
        Ok(LaunchConfig {
            grid_dim: (u32::try_from(blocks.max(1)).map_err(many)?, 1, 1),
            block_dim: (THREADS, 1, 1),
            shared_mem_bytes: 0,
        })
    }
}

/// What a function is given beside tensors, behind them and in this order.
#[derive(Clone, Copy, Default)]
pub(super) struct Arguments<'a, T> {
    pub(super) sizes: &'a [usize],
    pub(super) numbers: &'a [T],
}

/// A function of a source, compiled if it has not been; see [`compiled`].
pub(super) fn function(device: &CudaDevice, source: &str, name: &str) -> Result<CudaFunction> {
    let module = format!("snapc_{:032x}", xxh3_128(source.as_bytes()));
    let function = device.get_or_load_custom_func(name, &module, &compiled(source)?)?;
    Ok(function.into_cuda_function())
}

/// The source as PTX. Each source is compiled once, whatever the number of devices.
fn compiled(source: &str) -> Result<Arc<str>> {
    static COMPILED: Mutex<Option<HashMap<String, Arc<str>>>> = Mutex::new(None);
    // Whatever panicked left whole entries.
    let mut compiled = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    let compiled = compiled.get_or_insert_default();
    if let Some(ptx) = compiled.get(source) {
        return Ok(ptx.clone());
    }
    let ptx: Arc<str> = compile_ptx(source).map_err(Error::wrap)?.to_src().into();
    compiled.insert(source.to_owned(), ptx.clone());
    Ok(ptx)
}

/// Launches a function `(output, inputs.., sizes.., numbers..)` that writes `length` numbers.
pub(super) fn run<T: CudaDType + DeviceRepr>(
    (source, name): (&str, &str),
    inputs: &[(&CudaStorage, &Layout)],
    arguments: Arguments<T>,
    length: usize,
    spread: Spread,
) -> Result<CudaStorage> {
    let (first, _) = inputs
        .first()
        .ok_or_else(|| Error::Msg("a launch reads nothing".to_owned()))?;
    let device = first.device.clone();
    let function = function(&device, source, name)?;
    // SAFETY: the memory is not read before the function, which writes every number of it.
    let mut output: CudaSlice<T> = unsafe { device.alloc(length) }?;
    let mut views = Vec::new();
    for (storage, layout) in inputs {
        let (start, end) = layout.contiguous_offsets().ok_or_else(apart)?;
        views.push(storage.as_cuda_slice::<T>()?.slice(start..end));
    }
    let sizes: Vec<u64> = arguments.sizes.iter().map(|size| *size as u64).collect();
    let stream = device.cuda_stream();
    let mut builder = stream.launch_builder(&function);
    builder.arg(&mut output);
    for view in &views {
        builder.arg(view);
    }
    for size in &sizes {
        builder.arg(size);
    }
    for number in arguments.numbers {
        builder.arg(number);
    }
    // SAFETY: `cuda_source.rs` writes functions of these parameters, in this order; each thread reads and writes
    // within the sizes that it is given, which are those of the tensors.
    unsafe { builder.launch(spread.configuration()?) }.map_err(Error::wrap)?;
    Ok(CudaStorage::wrap_cuda_slice(output, device))
}

/// The same on tensors, outside of candle's graph.
pub(super) fn run_on_tensors<T: CudaDType + DeviceRepr>(
    called: (&str, &str),
    inputs: &[&Tensor],
    arguments: Arguments<T>,
    shape: impl Into<Shape>,
    spread: Spread,
) -> Result<Tensor> {
    let shape = shape.into();
    let inputs: Vec<Tensor> = inputs
        .iter()
        .map(|input| input.contiguous())
        .collect::<Result<_>>()?;
    let held: Vec<_> = inputs.iter().map(Tensor::storage_and_layout).collect();
    let storages = held
        .iter()
        .map(|(storage, layout)| Ok((on_device(storage)?, *layout)));
    let storages: Vec<_> = storages.collect::<Result<_>>()?;
    let output = run(called, &storages, arguments, shape.elem_count(), spread)?;
    Ok(tensor(output, shape))
}

/// A tensor that leads nowhere.
pub(super) fn tensor(storage: CudaStorage, shape: impl Into<Shape>) -> Tensor {
    Tensor::from_storage(Storage::Cuda(storage), shape, BackpropOp::none(), false)
}

/// What a tensor holds, if it lies on a graphics processor.
pub(super) fn on_device(storage: &impl Deref<Target = Storage>) -> Result<&CudaStorage> {
    match &**storage {
        Storage::Cuda(storage) => Ok(storage),
        _ => Err(Error::Msg(
            "a kernel of the graphics processor was given a tensor that does not lie there"
                .to_owned(),
        )),
    }
}

/// What is said where a tensor has gaps.
pub(super) fn apart() -> Error {
    Error::Msg("a kernel was given a tensor that does not lie in one piece".to_owned())
}
