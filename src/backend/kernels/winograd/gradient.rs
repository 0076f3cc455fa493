//! The gradients of a convolution.
//!
//! With an output `A^T [(G g G^T) * (B^T d B)] A`, the gradient of the transformed kernel is the transformed image times
//! `A y A^T`, for `y` the gradient of the output, summed over all tiles.

use std::marker::PhantomData;

use super::super::float::Float;
use super::super::scratch::{Matrices, Scratches};
use super::super::vectorise::{self, Instructions, instructions, lanes};
use super::filter::{self, TAPS, TransformGradients, Transformed};
use super::forward::{Pass, block_of, blocks};
use super::products::{AddProducts, PANEL};
use super::tiles::{Block, Take, Tiling};
use super::{KERNEL, PLACES, transforms};
use crate::backend::numbers::Numbers;
use crate::plan::Convolution;

/// What the backward pass of all images shares.
pub(in crate::backend::kernels) struct Backward<'a, T: Float> {
    taken: usize,
    given: usize,
    /// How the input is read.
    input: Tiling,
    /// How the gradient of the output is read for that of the weights.
    gradient: Tiling,
    /// How it is read for the gradient of the input, and the kernels for that, where it is wanted.
    transposed: Option<(Tiling, Transformed<T>)>,
    scratches: &'a Scratches<T>,
    /// What computes.
    pub(super) instructions: Instructions,
}

impl<'a, T: Float> Backward<'a, T> {
    /// For images and outputs of these heights and widths. The gradient of the input takes
    /// [`Transformed::backward`]; without, it is not computed.
    pub(in crate::backend::kernels) fn new(
        convolution: &Convolution,
        image: [usize; 2],
        output: [usize; 2],
        filter: Option<Transformed<T>>,
        scratches: &'a Scratches<T>,
    ) -> Self {
        let padding = convolution.padding.map(|padding| KERNEL - 1 - padding);
        let transposed = Tiling::new(output, padding, image);
        Backward {
            taken: convolution.input,
            given: convolution.output,
            input: Tiling::new(image, convolution.padding, output),
            gradient: Tiling::new(output, [0, 0], output),
            transposed: filter.map(|filter| (transposed, filter)),
            scratches,
            instructions: instructions(),
        }
    }

    /// The images of a batch that a sum over tiles should have at least, to be worth its memory.
    pub(in crate::backend::kernels) fn images_at_once(&self, batch: usize) -> usize {
        block_of(&self.input, batch).0
    }

    /// The gradient of the weights for some images, on the calling thread; writes that of the input.
    pub(in crate::backend::kernels) fn piece(
        &self,
        input: &[T],
        gradient: &[T],
        target: Option<&mut [T]>,
    ) -> Numbers<T> {
        let size = self.given * self.gradient.image_pixels();
        let batch = gradient.len() / size;
        if let (Some(target), Some((tiling, filter))) = (target, &self.transposed) {
            let pass = Pass::new(tiling, filter, self.scratches);
            let (images, rows) = block_of(tiling, batch);
            let targets = target.chunks_mut(images * self.taken * self.input.image_pixels());
            for (target, gradient) in targets.zip(gradient.chunks(images * size)) {
                pass.piece(rows, gradient, target);
            }
        }
        let mut scratch = self.scratches.take();
        let memory = &mut scratch.winograd;
        memory.kernels.clear();
        let group = self.group();
        memory
            .kernels
            .resize(self.given / self.lanes() * group, T::ZERO);
        let (images, rows) = block_of(&self.input, batch);
        let inputs = input.chunks(images * self.taken * self.input.image_pixels());
        for (input, gradient) in inputs.zip(gradient.chunks(images * size)) {
            for block in blocks(&self.input, gradient.len() / size, rows) {
                self.add(&block, input, gradient, memory);
            }
        }
        let mut weight = Numbers::filled(T::ZERO, TAPS * self.taken * self.given);
        let groups = weight.chunks_exact_mut(TAPS * self.taken * self.lanes());
        let sources = memory.kernels.chunks_exact(group);
        for (target, source) in groups.zip(sources) {
            let taken = self.taken;
            let kernel = TransformGradients {
                source,
                taken,
                target,
            };
            vectorise::run(self.instructions, kernel);
        }
        self.scratches.give(scratch);
        weight
    }

    fn lanes(&self) -> usize {
        lanes::<T>(self.instructions)
    }

    /// The numbers of the transformed kernels of a group of channels given.
    fn group(&self) -> usize {
        PLACES * filter::rows(self.taken) * self.lanes()
    }

    /// Adds the gradient of the transformed kernels for the tiles of a block.
    fn add(&self, block: &Block, input: &[T], gradient: &[T], memory: &mut Matrices<T>) {
        let pitch = block.pitch(&self.input);
        let group = PLACES * pitch * self.lanes();
        let Matrices {
            strip,
            tiles,
            gradients,
            kernels,
            ..
        } = memory;
        tiles.resize(self.taken / self.lanes() * group, T::ZERO);
        for (index, target) in tiles.chunks_exact_mut(group).enumerate() {
            let kernel = Take {
                transform: PhantomData::<transforms::Input>,
                tiling: &self.input,
                block,
                images: input,
                channel: index * self.lanes(),
                strip,
                target,
            };
            vectorise::run(self.instructions, kernel);
        }
        gradients.resize(PANEL * group, T::ZERO);
        for (index, kernels) in kernels.chunks_mut(PANEL * self.group()).enumerate() {
            let groups = kernels.len() / self.group();
            let gradients = &mut gradients[..groups * group];
            for (within, target) in gradients.chunks_exact_mut(group).enumerate() {
                let kernel = Take {
                    transform: PhantomData::<transforms::OutputGradient>,
                    tiling: &self.gradient,
                    block,
                    images: gradient,
                    channel: (index * PANEL + within) * self.lanes(),
                    strip,
                    target,
                };
                vectorise::run(self.instructions, kernel);
            }
            let kernel = AddProducts {
                tiles,
                gradients,
                target: kernels,
                count: block.count(&self.input),
                pitch,
                taken: self.taken,
            };
            vectorise::run(self.instructions, kernel);
        }
    }
}
