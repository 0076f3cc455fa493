//! The values of a run: numbers with a shape, in memory of the pool.

use std::any::Any;
use std::sync::Arc;

use candle_core::{Device, Error, Result, Tensor};
use smallvec::SmallVec;

use super::kernels::float::Float;
use super::memory::{self, Buffer};
use super::numbers::Numbers;
use super::slices::view;

/// The lengths of axes, mostly few. A step of a small net takes microseconds, so that asking the allocator for a shape
/// would be seen.
pub(super) type Shape = SmallVec<[usize; 4]>;

/// Numbers in row-major order, which copies share.
#[derive(Clone)]
pub(super) struct Array {
    /// A [`Buffer`] of `f32` or `f64`.
    data: Arc<dyn Any + Send + Sync>,
    shape: Shape,
}

/// These numbers in this shape.
pub(super) fn array<T: Float>(values: Numbers<T>, shape: &[usize]) -> Result<Array> {
    let size: usize = shape.iter().product();
    if values.len() != size {
        let length = values.len();
        return Err(Error::Msg(format!(
            "{length} numbers have no shape {shape:?}"
        )));
    }
    Ok(Array {
        data: Arc::new(Buffer::new(values)),
        shape: Shape::from_slice(shape),
    })
}

impl Array {
    /// A copy of a tensor's numbers.
    pub(super) fn copy_of<T: Float>(tensor: &Tensor) -> Result<Self> {
        let source = view(tensor);
        let source = source.slice::<T>()?;
        let mut values = memory::buffer(source.len());
        values.copy_from_slice(source);
        array(values, tensor.dims())
    }

    /// A copy of its numbers as a tensor, whose memory is that of a `Vec`.
    pub(super) fn to_tensor<T: Float>(&self) -> Result<Tensor> {
        Tensor::from_slice(self.slice::<T>()?, self.dims(), &Device::Cpu)
    }

    /// Its numbers, without a copy where nothing else shares them.
    pub(super) fn into_values<T: Float>(self) -> Result<Numbers<T>> {
        let buffer = self.data.downcast::<Buffer<T>>();
        let buffer = Arc::try_unwrap(buffer.map_err(|_| other_type())?);
        Ok(match buffer {
            Ok(buffer) => buffer.into_numbers(),
            Err(shared) => {
                let mut values = memory::buffer(shared.len());
                values.copy_from_slice(&shared);
                values
            }
        })
    }

    /// Its numbers.
    pub(super) fn slice<T: Float>(&self) -> Result<&[T]> {
        let buffer = self.data.downcast_ref::<Buffer<T>>();
        buffer.map(|buffer| &**buffer).ok_or_else(other_type)
    }

    /// Its shape, the batch first.
    pub(super) fn dims(&self) -> &[usize] {
        &self.shape
    }

    /// The length of an axis.
    pub(super) fn dim(&self, axis: usize) -> Result<usize> {
        let length = self.shape.get(axis).copied();
        length.ok_or_else(|| Error::Msg(format!("{:?} has no axis {axis}", self.shape)))
    }

    /// The number of axes.
    pub(super) fn rank(&self) -> usize {
        self.shape.len()
    }

    /// The number of numbers.
    pub(super) fn elem_count(&self) -> usize {
        self.shape.iter().product()
    }

    /// The lengths of the axes, if there are as many.
    pub(super) fn axes<const N: usize>(&self) -> Result<[usize; N]> {
        let axes = self.shape.as_slice().try_into();
        axes.map_err(|_| Error::Msg(format!("{:?} has not {N} axes", self.shape)))
    }

    /// The same numbers in another shape.
    pub(super) fn reshape(&self, shape: &[usize]) -> Result<Self> {
        if shape.iter().product::<usize>() != self.elem_count() {
            let problem = format!("{:?} can't take the shape {shape:?}", self.shape);
            return Err(Error::Msg(problem));
        }
        Ok(Array {
            data: self.data.clone(),
            shape: Shape::from_slice(shape),
        })
    }

    /// The part of each example that begins at `start` of the second axis.
    pub(super) fn part<T: Float>(&self, start: usize, length: usize) -> Result<Self> {
        let [_, rest @ ..] = self.shape.as_slice() else {
            return Err(Error::Msg("a part of a number".to_owned()));
        };
        let [axis, inner @ ..] = rest else {
            return Err(Error::Msg("a part of a row of numbers".to_owned()));
        };
        let inner: usize = inner.iter().product();
        let rows = [start * inner, (start + length) * inner];
        let mut shape = self.shape.clone();
        shape[1] = length;
        let mut values = memory::buffer(shape.iter().product());
        if length > 0 {
            let examples = self.slice::<T>()?.chunks_exact(axis * inner);
            for (target, example) in values.chunks_exact_mut(length * inner).zip(examples) {
                target.copy_from_slice(&example[rows[0]..rows[1]]);
            }
        }
        array(values, &shape)
    }

    /// Arrays one behind the other along the second axis.
    pub(super) fn joined<T: Float>(parts: &[Array]) -> Result<Self> {
        let first = parts.first().map(Array::dims).unwrap_or_default();
        let [batch, _, inner @ ..] = first else {
            return Err(Error::Msg("nothing can be joined".to_owned()));
        };
        let widths = parts.iter().map(|part| part.dim(1));
        let width: usize = widths.sum::<Result<usize>>()?;
        let shape = [&[*batch, width], inner].concat();
        let mut values = memory::buffer(shape.iter().product());
        let example = width * inner.iter().product::<usize>();
        let mut start = 0;
        for part in parts {
            let size = part.elem_count() / batch;
            let targets = values.chunks_exact_mut(example);
            for (target, source) in targets.zip(part.slice::<T>()?.chunks_exact(size)) {
                target[start..start + size].copy_from_slice(source);
            }
            start += size;
        }
        array(values, &shape)
    }
}

fn other_type() -> Error {
    Error::Msg("an array holds numbers of another type".to_owned())
}
