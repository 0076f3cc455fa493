//! Between tensors of candle and the slices that kernels compute on.

use std::ops::Deref;

use candle_core::{Error, Layout, Result, Storage, Tensor};

use super::kernels::float::Float;

/// A tensor held for reading.
pub(super) struct View<'a, S> {
    storage: S,
    layout: &'a Layout,
}

/// Holds a tensor for reading.
pub(super) fn view(tensor: &Tensor) -> View<'_, impl Deref<Target = Storage>> {
    let (storage, layout) = tensor.storage_and_layout();
    View { storage, layout }
}

impl<S: Deref<Target = Storage>> View<'_, S> {
    /// Its numbers, row by row.
    pub(super) fn slice<T: Float>(&self) -> Result<&[T]> {
        let Storage::Cpu(storage) = &*self.storage else {
            return Err(Error::Msg(super::OTHER_DEVICE.to_owned()));
        };
        let (start, end) = self.layout.contiguous_offsets().ok_or_else(|| {
            Error::Msg("a kernel was given a tensor that is not contiguous".to_owned())
        })?;
        Ok(&storage.as_slice()?[start..end])
    }
}
