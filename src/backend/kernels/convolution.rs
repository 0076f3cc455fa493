//! Convolution and its gradients, of every stride, padding, dilation and number of groups.
//!
//! All three are products with the shifted rows of a padded image ([`super::padded`],
//! [`super::shifted`]): the output is the weights times the shifted image; the gradient of the
//! weights is the gradient of the output times the shifted image; the gradient of the image is the
//! weights, transposed, times the shifted gradient of the output. Most convolutions of 3x3 take fewer
//! multiplications ([`super::winograd`]).

mod forward;
mod gradient;

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use super::depthwise;
use super::float::Float;
use super::padded::Layout;
use super::pixels::Pixels;
use super::shifted::Packed;
use super::winograd::{self, Tiling, Transformed};
use crate::backend::numbers::Numbers;
use crate::plan::Convolution;

pub(in crate::backend) use super::finish::Epilogue;
pub(in crate::backend) use forward::forward;
pub(in crate::backend) use gradient::{backward, transposed};

/// A convolution of a batch of images of one size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::backend) struct Geometry {
    /// The attributes.
    pub(in crate::backend) convolution: Convolution,
    /// Height and width of an image.
    pub(in crate::backend) image: [usize; 2],
    /// Height and width of the output.
    pub(in crate::backend) output: [usize; 2],
    /// The number of images.
    pub(in crate::backend) batch: usize,
}

impl Geometry {
    pub(super) fn input_pixels(&self) -> usize {
        self.image[0] * self.image[1]
    }

    pub(super) fn output_pixels(&self) -> usize {
        self.output[0] * self.output[1]
    }

    fn input_size(&self) -> usize {
        self.convolution.input * self.input_pixels()
    }

    pub(super) fn output_size(&self) -> usize {
        self.convolution.output * self.output_pixels()
    }

    pub(super) fn taps(&self) -> usize {
        self.convolution.kernel[0] * self.convolution.kernel[1]
    }

    /// Channels taken by one group.
    fn group_input(&self) -> usize {
        self.convolution.input / self.convolution.groups
    }

    /// Channels given by one group.
    fn group_output(&self) -> usize {
        self.convolution.output / self.convolution.groups
    }

    fn tiling(&self) -> Tiling {
        Tiling::new(self.image, self.convolution.padding, self.output)
    }

    fn layout(&self) -> Layout {
        Layout::new(&self.convolution, self.image, self.output, self.batch)
    }

    /// The shifted rows of one group's input: all taps of the first channel, then of the next.
    fn offsets(&self, layout: &Layout) -> Vec<usize> {
        (0..self.group_input())
            .flat_map(|channel| {
                let start = channel * layout.channel;
                layout.taps.iter().map(move |tap| start + tap)
            })
            .collect()
    }

    /// Some channels of the input of a tile, laid out; `buffer` keeps its zeros from one tile to the
    /// next.
    fn lay_out<'a, T: Float>(
        &self,
        layout: &Layout,
        channels: Range<usize>,
        images: &'a [T],
        buffer: &'a mut Numbers<T>,
    ) -> &'a [T] {
        let pixels = self.input_pixels();
        if layout.is_plain() {
            return &images[channels.start * pixels..];
        }
        buffer.resize(channels.len() * layout.channel, T::ZERO);
        for (index, image) in images.chunks_exact(self.input_size()).enumerate() {
            let channels = image[channels.start * pixels..].chunks_exact(pixels);
            for (source, target) in channels.zip(buffer.chunks_exact_mut(layout.channel)) {
                layout.pad(index, source, target);
            }
        }
        buffer
    }
}

/// The weights of a convolution in the order in which the forward pass reads them.
pub(in crate::backend) enum Filter<T> {
    /// Products with shifted rows.
    Direct(Direct<T>),
    /// The weights as they are; see [`depthwise`].
    Depthwise(Vec<T>),
    /// Transformed weights; see [`winograd`].
    Winograd(Transformed<T>),
}

impl<T: Float> Filter<T> {
    /// Weights `[output, input / groups, height, width]`.
    pub(in crate::backend) fn new(convolution: &Convolution, weight: &[T]) -> Self {
        if winograd::applies(convolution) {
            return Filter::Winograd(Transformed::forward(convolution, weight));
        }
        if depthwise::applies(convolution) {
            return Filter::Depthwise(weight.to_vec());
        }
        let rows = convolution.output / convolution.groups;
        let inner = weight.len() / convolution.output;
        let groups = weight.chunks_exact(rows * inner);
        let pack =
            |weight: &[T]| Packed::new(rows, inner, |row, column| weight[row * inner + column]);
        Filter::Direct(Direct {
            groups: groups.map(pack).collect(),
            latest: Mutex::default(),
        })
    }
}

/// The weights of each group.
pub(in crate::backend) struct Direct<T> {
    groups: Vec<Packed<T>>,
    /// For the batch that they were last used for: batches of an inference are mostly of one size.
    latest: Mutex<Option<Arc<Shifts>>>,
}

impl<T: Float> Direct<T> {
    fn shifts(&self, geometry: &Geometry) -> Arc<Shifts> {
        // Whatever panicked has left whole shifts.
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        match &*latest {
            Some(shifts) if shifts.geometry == *geometry => Arc::clone(shifts),
            _ => Arc::clone(latest.insert(Arc::new(Shifts::new::<T>(geometry)))),
        }
    }
}

/// Where the rows lie that a convolution reads.
struct Shifts {
    geometry: Geometry,
    layout: Layout,
    offsets: Vec<usize>,
    /// Where the pixels of an image lie, if vectors fit.
    pixels: Option<Pixels>,
}

impl Shifts {
    fn new<T: Float>(geometry: &Geometry) -> Self {
        let layout = geometry.layout();
        Shifts {
            geometry: *geometry,
            offsets: geometry.offsets(&layout),
            pixels: layout.output_pixels::<T>(),
            layout,
        }
    }
}
