//! What is done to the output of a convolution: to its sums while they are in registers, or to a tile while it is in the
//! cache.

use std::ops::Range;

use super::batch_norm::{self, Affine};
use super::float::Float;
use super::rectifier::{self, Rectifier};
use super::vector::Vector;

/// What is done to the output, in this order.
///
/// What is done to sums takes loops of one instruction each, and no closure: only so do all of them stay in registers.
#[derive(Clone, Copy, Default)]
pub(in crate::backend) struct Epilogue<'a, T> {
    /// What is added to each channel.
    bias: Option<&'a [T]>,
    /// A norm with known statistics.
    affine: Option<&'a [Affine<T>]>,
    /// Whether the norm comes last. Then nothing is added but the bias.
    affine_last: bool,
    /// Whether what the memory of the output holds is added.
    adds: bool,
    /// An activation.
    rectifier: Rectifier,
}

impl<'a, T: Float> Epilogue<'a, T> {
    /// One that adds nothing but the bias.
    pub(in crate::backend) fn new(
        bias: Option<&'a [T]>,
        affine: Option<&'a [Affine<T>]>,
        rectifier: Rectifier,
    ) -> Self {
        Epilogue {
            bias,
            affine,
            affine_last: false,
            adds: false,
            rectifier,
        }
    }

    /// One whose norm comes last.
    pub(in crate::backend) fn with_norm_last(self, affine_last: bool) -> Self {
        Epilogue {
            affine_last,
            ..self
        }
    }

    /// One that also adds what the memory of the output holds.
    pub(super) fn adding(self) -> Self {
        let adds = true;
        Epilogue { adds, ..self }
    }

    /// Whether what the memory of the output holds is added.
    pub(super) fn adds(&self) -> bool {
        self.adds
    }

    /// That of some of the channels.
    #[inline(always)]
    pub(super) fn of_channels(&self, channels: Range<usize>) -> Self {
        Epilogue {
            bias: self.bias.map(|bias| &bias[channels.clone()]),
            affine: self.affine.map(|affine| &affine[channels]),
            ..*self
        }
    }

    /// Writes what it makes of sums: `N` vectors side by side of each of its first `M` channels, which lie so far apart.
    ///
    /// # Safety
    ///
    /// The instructions of `V` must be there, and the target must have room for the vectors.
    ///
    /// # Panics
    ///
    /// If there are fewer channels.
    #[inline(always)]
    pub(super) unsafe fn write<V: Vector<Number = T>, const M: usize, const N: usize>(
        &self,
        sums: [[V; N]; M],
        target: *mut T,
        stride: usize,
    ) {
        // SAFETY: the caller's instructions and target.
        unsafe { self.write_of::<V, M, N, false>(sums, target, stride) }
    }

    /// [`Epilogue::write`] of `M` rows of its first channel alone.
    ///
    /// # Safety
    ///
    /// As for [`Epilogue::write`].
    #[inline(always)]
    pub(super) unsafe fn write_rows<V: Vector<Number = T>, const M: usize, const N: usize>(
        &self,
        sums: [[V; N]; M],
        target: *mut T,
        stride: usize,
    ) {
        // SAFETY: the caller's instructions and target.
        unsafe { self.write_of::<V, M, N, true>(sums, target, stride) }
    }

    /// # Safety
    ///
    /// As for [`Epilogue::write`].
    #[inline(always)]
    unsafe fn write_of<
        V: Vector<Number = T>,
        const M: usize,
        const N: usize,
        const ONE_CHANNEL: bool,
    >(
        &self,
        sums: [[V; N]; M],
        target: *mut T,
        stride: usize,
    ) {
        // SAFETY: the caller's instructions and target.
        unsafe {
            let sums = self.biased::<V, M, N, ONE_CHANNEL>(sums);
            let mut sums = self.scaled::<V, M, N, ONE_CHANNEL>(sums, false);
            if self.adds {
                for (m, sums) in sums.iter_mut().enumerate() {
                    for (n, sum) in sums.iter_mut().enumerate() {
                        *sum = sum.add(V::load(target.add(m * stride + n * V::LANES)));
                    }
                }
            }
            let sums = self.scaled::<V, M, N, ONE_CHANNEL>(self.rectified(sums), true);
            for (m, sums) in sums.iter().enumerate() {
                for (n, sum) in sums.iter().enumerate() {
                    sum.store(target.add(m * stride + n * V::LANES));
                }
            }
        }
    }

    /// Writes what it makes of the first `count` sums of each of its first `M` channels.
    ///
    /// # Safety
    ///
    /// The instructions of `V` must be there, and the target must have room for so many numbers.
    ///
    /// # Panics
    ///
    /// If there are fewer channels.
    #[inline(always)]
    pub(super) unsafe fn write_first<V: Vector<Number = T>, const M: usize>(
        &self,
        sums: [[V; 1]; M],
        target: *mut T,
        stride: usize,
        count: usize,
    ) {
        // SAFETY: the caller's instructions and target.
        unsafe { self.write_first_of::<V, M, false>(sums, target, stride, count) }
    }

    /// [`Epilogue::write_first`] of `M` rows of its first channel alone.
    ///
    /// # Safety
    ///
    /// As for [`Epilogue::write_first`].
    #[inline(always)]
    pub(super) unsafe fn write_first_of_rows<V: Vector<Number = T>, const M: usize>(
        &self,
        sums: [[V; 1]; M],
        target: *mut T,
        stride: usize,
        count: usize,
    ) {
        // SAFETY: the caller's instructions and target.
        unsafe { self.write_first_of::<V, M, true>(sums, target, stride, count) }
    }

    /// # Safety
    ///
    /// As for [`Epilogue::write_first`].
    #[inline(always)]
    unsafe fn write_first_of<V: Vector<Number = T>, const M: usize, const ONE_CHANNEL: bool>(
        &self,
        sums: [[V; 1]; M],
        target: *mut T,
        stride: usize,
        count: usize,
    ) {
        // SAFETY: the caller's instructions and target.
        unsafe {
            let sums = self.biased::<V, M, 1, ONE_CHANNEL>(sums);
            let mut sums = self.scaled::<V, M, 1, ONE_CHANNEL>(sums, false);
            if self.adds {
                for (m, [sum]) in sums.iter_mut().enumerate() {
                    *sum = sum.add(V::load_first(target.add(m * stride), count));
                }
            }
            let sums = self.scaled::<V, M, 1, ONE_CHANNEL>(self.rectified(sums), true);
            for (m, [sum]) in sums.iter().enumerate() {
                sum.store_first(target.add(m * stride), count);
            }
        }
    }

    /// With the bias.
    ///
    /// # Safety
    ///
    /// The instructions of `V` must be there.
    #[inline(always)]
    unsafe fn biased<
        V: Vector<Number = T>,
        const M: usize,
        const N: usize,
        const ONE_CHANNEL: bool,
    >(
        &self,
        mut sums: [[V; N]; M],
    ) -> [[V; N]; M] {
        // SAFETY: the caller has the instructions.
        unsafe {
            if let Some(bias) = self.bias {
                let bias = &bias[..if ONE_CHANNEL { 1 } else { M }];
                for (m, sums) in sums.iter_mut().enumerate() {
                    let bias = V::splat(bias[if ONE_CHANNEL { 0 } else { m }]);
                    for sum in sums {
                        *sum = sum.add(bias);
                    }
                }
            }
            sums
        }
    }

    /// With the norm, if this is its place: `last` or not.
    ///
    /// # Safety
    ///
    /// The instructions of `V` must be there.
    #[inline(always)]
    unsafe fn scaled<
        V: Vector<Number = T>,
        const M: usize,
        const N: usize,
        const ONE_CHANNEL: bool,
    >(
        &self,
        mut sums: [[V; N]; M],
        last: bool,
    ) -> [[V; N]; M] {
        // SAFETY: the caller has the instructions.
        unsafe {
            if let (Some(affine), true) = (self.affine, self.affine_last == last) {
                let affine = &affine[..if ONE_CHANNEL { 1 } else { M }];
                for (m, sums) in sums.iter_mut().enumerate() {
                    let (scale, shift) = affine[if ONE_CHANNEL { 0 } else { m }];
                    let (scale, shift) = (V::splat(scale), V::splat(shift));
                    for sum in sums {
                        *sum = sum.multiply(scale).add(shift);
                    }
                }
            }
            sums
        }
    }

    /// With the activation.
    ///
    /// # Safety
    ///
    /// The instructions of `V` must be there.
    #[inline(always)]
    unsafe fn rectified<V: Vector<Number = T>, const M: usize, const N: usize>(
        &self,
        mut sums: [[V; N]; M],
    ) -> [[V; N]; M] {
        // SAFETY: the caller has the instructions.
        unsafe {
            if self.rectifier == Rectifier::Identity {
                return sums;
            }
            let (zero, six) = (V::zero(), V::splat(T::of(6.0)));
            for sums in &mut sums {
                for sum in sums {
                    *sum = sum.at_least(zero);
                    if self.rectifier == Rectifier::Relu6 {
                        *sum = sum.at_most(six);
                    }
                    // A negative zero becomes positive, as in `relu` and `relu6`.
                    *sum = sum.add(zero);
                }
            }
            sums
        }
    }

    /// Does it to channels of so many pixels, which lie elsewhere than what is added to them.
    pub(super) fn apply(&self, pixels: usize, output: &mut [T], addend: Option<&[T]>) {
        if let Some(bias) = self.bias {
            add_bias(pixels, bias, output);
        }
        let rectified = self.rectifier;
        match (self.affine, addend) {
            (Some(affine), None) if self.affine_last => {
                rectifier::rectify_here(rectified, output);
                batch_norm::forward_here(pixels, affine, Rectifier::Identity, output);
            }
            (Some(affine), None) => batch_norm::forward_here(pixels, affine, rectified, output),
            (None, None) => rectifier::rectify_here(rectified, output),
            (affine, Some(addend)) => {
                if let Some(affine) = affine {
                    batch_norm::forward_here(pixels, affine, Rectifier::Identity, output);
                }
                rectifier::add_here(rectified, output, addend);
            }
        }
    }
}

/// Adds a bias to each channel, of so many pixels, of images.
pub(super) fn add_bias<T: Float>(pixels: usize, bias: &[T], output: &mut [T]) {
    for (channel, bias) in output.chunks_exact_mut(pixels).zip(bias.iter().cycle()) {
        channel.iter_mut().for_each(|value| *value += *bias);
    }
}
