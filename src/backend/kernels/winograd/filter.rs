//! Transformed kernels, and the way back for their gradients.

use super::super::parallel::{Parallel, ParallelSlice};

use super::super::float::Float;
use super::super::vector::Vector;
use super::super::vectorise::{self, Instructions, instructions, lanes};
use super::transforms::{self, Transform};
use super::{INPUT, KERNEL, PLACES};
use crate::backend::numbers::Numbers;
use crate::plan::Convolution;

/// The taps of a kernel.
pub(super) const TAPS: usize = KERNEL * KERNEL;

/// The least numbers that one piece of parallel work transforms.
const LEAST_WORK: usize = 1 << 15;

/// The rows of a matrix with a row for each channel taken. Their number is odd, as that of the rows of tiles.
pub(super) fn rows(taken: usize) -> usize {
    taken | 1
}

/// The kernels of a convolution as they are multiplied with transformed tiles.
pub(in crate::backend) struct Transformed<T> {
    /// The channels taken by every kernel.
    pub(super) taken: usize,
    /// The channels given.
    pub(super) given: usize,
    /// What computes with them.
    pub(super) instructions: Instructions,
    /// The matrices: a row for each channel taken.
    data: Numbers<T>,
}

impl<T: Float> Transformed<T> {
    /// Weights `[output, input, 3, 3]`, for the output.
    pub(in crate::backend) fn forward(convolution: &Convolution, weight: &[T]) -> Self {
        Self::forward_on(instructions(), convolution, weight)
    }

    pub(super) fn forward_on(
        instructions: Instructions,
        convolution: &Convolution,
        weight: &[T],
    ) -> Self {
        let (taken, given) = (convolution.input, convolution.output);
        let strides = [TAPS, taken * TAPS];
        Self::new(instructions, [taken, given], weight, strides, false)
    }

    /// The same weights for the gradient of the input: transposed, and turned by half a circle.
    pub(in crate::backend) fn backward(convolution: &Convolution, weight: &[T]) -> Self {
        Self::backward_on(instructions(), convolution, weight)
    }

    pub(super) fn backward_on(
        instructions: Instructions,
        convolution: &Convolution,
        weight: &[T],
    ) -> Self {
        let (taken, given) = (convolution.output, convolution.input);
        let strides = [given * TAPS, TAPS];
        Self::new(instructions, [taken, given], weight, strides, true)
    }

    /// Kernels for the channels taken and given, whose distances along them are `strides`.
    fn new(
        instructions: Instructions,
        [taken, given]: [usize; 2],
        weight: &[T],
        strides: [usize; 2],
        turned: bool,
    ) -> Self {
        let lanes = lanes::<T>(instructions);
        let size = PLACES * rows(taken) * lanes;
        let mut data = Numbers::filled(T::ZERO, given / lanes * size);
        let groups = data.par_chunks_mut(size).enumerate();
        let groups = groups.with_min_len(LEAST_WORK.div_ceil(size));
        groups.for_each(|(group, target)| {
            let kernel = Transform3x3 {
                weight: &weight[group * lanes * strides[1]..],
                taken,
                strides,
                turned,
                target,
            };
            vectorise::run(instructions, kernel);
        });
        Transformed {
            taken,
            given,
            instructions,
            data,
        }
    }

    /// The matrices of some groups of channels given.
    pub(super) fn groups(&self, first: usize, count: usize) -> &[T] {
        let lanes = lanes::<T>(self.instructions);
        let size = PLACES * rows(self.taken) * lanes;
        &self.data[first * size..][..count * size]
    }
}

/// Transforms the kernels of a group of channels given.
struct Transform3x3<'a, T> {
    /// The weights, from those of the first channel on.
    weight: &'a [T],
    taken: usize,
    /// The distances of kernels along the channels taken and given.
    strides: [usize; 2],
    /// Whether the taps are in the opposite order.
    turned: bool,
    /// The matrices of the group.
    target: &'a mut [T],
}

impl<T: Float> vectorise::Kernel<T> for Transform3x3<'_, T> {
    #[inline(always)]
    unsafe fn run<V: Vector<Number = T>>(self) {
        let last = (self.taken - 1) * self.strides[0] + (V::LANES - 1) * self.strides[1];
        assert!(last + TAPS <= self.weight.len());
        let pitch = rows(self.taken) * V::LANES;
        assert_eq!(self.target.len(), PLACES * pitch);
        for channel in 0..self.taken {
            // SAFETY: the instructions are there, the kernels of all lanes lie within the weights, and the target has
            // a row for each channel.
            unsafe {
                let kernel = self.weight.as_ptr().add(channel * self.strides[0]);
                let [a, b, c, d] = V::load_quads(kernel, self.strides[1]);
                let [e, f, g, h] = V::load_quads(kernel.add(4), self.strides[1]);
                let [.., i] = V::load_quads(kernel.add(5), self.strides[1]);
                let kernel = match self.turned {
                    false => [[a, b, c], [d, e, f], [g, h, i]],
                    true => [[i, h, g], [f, e, d], [c, b, a]],
                };
                let target = self.target.as_mut_ptr().add(channel * V::LANES);
                let transformed = transforms::Kernel::apply_both(kernel);
                for (place, value) in transformed.iter().flatten().enumerate() {
                    value.store(target.add(place * pitch));
                }
            }
        }
    }
}

/// The gradients of kernels from those of transformed kernels, for a group of channels given.
pub(super) struct TransformGradients<'a, T> {
    /// The gradients of the transformed kernels of the group.
    pub(super) source: &'a [T],
    /// The channels taken.
    pub(super) taken: usize,
    /// The gradients of the weights of the group.
    pub(super) target: &'a mut [T],
}

impl<T: Float> vectorise::Kernel<T> for TransformGradients<'_, T> {
    #[inline(always)]
    unsafe fn run<V: Vector<Number = T>>(self) {
        let pitch = rows(self.taken) * V::LANES;
        assert_eq!(self.source.len(), PLACES * pitch);
        assert_eq!(self.target.len(), TAPS * self.taken * V::LANES);
        for channel in 0..self.taken {
            // SAFETY: the instructions are there, and the slices have a row and a kernel for each channel and lane.
            unsafe {
                let source = self.source.as_ptr().add(channel * V::LANES);
                let mut products = [[V::zero(); INPUT]; INPUT];
                for (place, product) in products.iter_mut().flatten().enumerate() {
                    *product = V::load(source.add(place * pitch));
                }
                let [[a, b, c], [d, e, f], [g, h, i]] =
                    transforms::KernelGradient::apply_both(products);
                let target = self.target.as_mut_ptr().add(channel * TAPS);
                let stride = self.taken * TAPS;
                V::store_quads([a, b, c, d], target, stride);
                V::store_quads([e, f, g, h], target.add(4), stride);
                V::store_quads([f, g, h, i], target.add(5), stride);
            }
        }
    }
}
