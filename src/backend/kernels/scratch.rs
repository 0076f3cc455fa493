//! Memory that pieces of work use one after another.
//!
//! Memory asked of the system anew has to be mapped and cleared, which at a batch of one took longer than
//! many a convolution. So it waits here from one layer to the next.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::float::Float;
use crate::backend::numbers::Numbers;

/// Memory for one piece of a convolution at a time.
#[derive(Default)]
pub(in crate::backend) struct Scratch<T> {
    /// Images with their padding, which is zero and stays so.
    pub(super) padded: Numbers<T>,
    /// Gradients of outputs with zeros between, which stay so.
    pub(super) spread: Numbers<T>,
    /// What a product gives, to be gathered.
    pub(super) runs: Numbers<T>,
    /// Gradients of outputs, those of a pixel side by side.
    pub(super) turned: Numbers<T>,
    /// For convolutions by [`super::winograd`].
    pub(super) winograd: Matrices<T>,
}

/// The matrices of some tiles, which are written before they are read.
#[derive(Default)]
pub(in crate::backend) struct Matrices<T> {
    /// Rows of pixels.
    pub(super) strip: Numbers<T>,
    /// Transformed tiles of images.
    pub(super) tiles: Numbers<T>,
    /// Transformed tiles of gradients of outputs.
    pub(super) gradients: Numbers<T>,
    /// Products.
    pub(super) products: Numbers<T>,
    /// Gradients of transformed kernels.
    pub(super) kernels: Numbers<T>,
}

impl<T> Scratch<T> {
    /// Forgets what was in it, so that whatever grows is zero.
    fn clear(&mut self) {
        self.padded.clear();
        self.spread.clear();
        self.runs.clear();
        self.turned.clear();
    }
}

/// The memory that no thread uses at the moment.
pub(in crate::backend) struct Shelf<T>(Mutex<Vec<Scratch<T>>>);

impl<T> Shelf<T> {
    /// Without any memory.
    pub(in crate::backend) const fn new() -> Self {
        Shelf(Mutex::new(Vec::new()))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Scratch<T>>> {
        // Whatever panicked has left whole pieces.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives all memory back to the system.
    pub(in crate::backend) fn clear(&self) {
        drop(std::mem::take(&mut *self.lock()));
    }
}

/// The memory of one layer: what one piece has padded with zeros is padded for the next.
pub(super) struct Scratches<T: Float>(Shelf<T>);

impl<T: Float> Scratches<T> {
    /// Without any memory yet.
    pub(super) fn new() -> Self {
        Scratches(Shelf::new())
    }

    /// Memory that no other piece uses now.
    pub(super) fn take(&self) -> Scratch<T> {
        let own = self.0.lock().pop();
        own.unwrap_or_else(|| {
            let mut other = T::shelf().lock().pop().unwrap_or_default();
            other.clear();
            other
        })
    }

    /// Leaves it to the next piece.
    pub(super) fn give(&self, scratch: Scratch<T>) {
        self.0.lock().push(scratch);
    }
}

impl<T: Float> Drop for Scratches<T> {
    fn drop(&mut self) {
        let own = std::mem::take(&mut *self.0.lock());
        if !own.is_empty() {
            T::shelf().lock().extend(own);
        }
    }
}
