//! Convolutions of which every output channel reads one input channel.
//!
//! An image is read where it is: of a row, the lanes of a vector beyond its pixels are zero, and rows beyond the image
//! are passed over. So there is no copy with the padding. There are several ways to compute the rows of an output; taps are
//! added in the order of the kernel in any case.

mod pairs;
mod rows;
mod taps;

use self::pairs::Pairs;
use self::rows::Rows;
use self::taps::Taps;
use super::convolution::Geometry;
use super::finish::Epilogue;
use super::float::Float;
use super::pieces::{for_each_piece, units_in_piece};
use super::sliding::{Sliding, Span};
use super::vector::Vector;
use super::vectorise::{Instructions, Kernel, instructions_for_rows, run};
use crate::plan::Convolution;

/// Whether a convolution is computed this way. Its attributes alone decide.
pub(super) fn applies(convolution: &Convolution) -> bool {
    convolution.groups == convolution.input
}

/// The output, by the weights `[output, 1, height, width]`, with what is done to each channel of it; of the images as they
/// are, or of their `relu`.
pub(super) fn forward<T: Float, const RELU: bool>(
    geometry: &Geometry,
    input: &[T],
    weight: &[T],
    epilogue: Epilogue<T>,
    output: &mut [T],
) {
    let instructions = instructions_for_rows::<T>(geometry.output[1]);
    forward_on::<T, RELU>(instructions, geometry, input, weight, epilogue, output);
}

fn forward_on<T: Float, const RELU: bool>(
    instructions: Instructions,
    geometry: &Geometry,
    input: &[T],
    weight: &[T],
    epilogue: Epilogue<T>,
    output: &mut [T],
) {
    let (channels, pixels) = (geometry.convolution.output, geometry.output_pixels());
    let planes = units_in_piece(geometry.batch * channels, geometry.taps() * pixels);
    let convolution = &geometry.convolution;
    let follow = convolution.stride == [1, 1] && convolution.dilation[0] == convolution.dilation[1];
    let are_pairs = convolution.stride[1] == 2 && convolution.dilation[1] == 1;
    for_each_piece(output, planes * pixels, |piece, output| {
        let planes = Planes::<T, RELU> {
            geometry,
            weight,
            epilogue,
            first: piece * planes,
            input,
            output,
        };
        match convolution.kernel {
            [3, 3] if follow => run(instructions, By(Rows::<3>, planes)),
            [5, 5] if follow => run(instructions, By(Rows::<5>, planes)),
            [_, 3] if are_pairs => run(instructions, By(Pairs::<3>, planes)),
            [_, 5] if are_pairs => run(instructions, By(Pairs::<5>, planes)),
            _ => run(instructions, By(Taps, planes)),
        }
    });
}

/// Planes of the output that lie behind one another.
struct Planes<'a, T, const RELU: bool> {
    geometry: &'a Geometry,
    weight: &'a [T],
    epilogue: Epilogue<'a, T>,
    /// The number of the first among those of all examples.
    first: usize,
    /// All images.
    input: &'a [T],
    output: &'a mut [T],
}

/// How the rows of an output are computed. Each way is compiled as a function of its own: where all were in one, what they read
/// was moved from registers to memory and back.
trait Way: Copy {
    /// Computes `N` vectors of columns from this one on, the last of which may have fewer.
    ///
    /// # Safety
    ///
    /// As for [`Plane::strips`]; the columns must be there.
    unsafe fn strip<V: Vector, const N: usize, const RELU: bool>(
        self,
        plane: &mut Plane<V::Number, RELU>,
        column: usize,
    );
}

/// Planes in one way.
struct By<'a, W, T, const RELU: bool>(W, Planes<'a, T, RELU>);

impl<W: Way, T: Float, const RELU: bool> Kernel<T> for By<'_, W, T, RELU> {
    #[inline(always)]
    unsafe fn run<V: Vector<Number = T>>(self) {
        let By(way, planes) = self;
        let geometry = planes.geometry;
        let convolution = &geometry.convolution;
        let (taken, channels) = (convolution.input, convolution.output);
        let windows = Sliding::of_convolution(convolution, geometry.image, geometry.output);
        let (pixels, taps) = (windows.pixels(), geometry.taps());
        let spans = windows.spans(V::LANES);
        let outputs = planes.output.chunks_exact_mut(geometry.output_pixels());
        for (plane, output) in (planes.first..).zip(outputs) {
            let channel = plane % channels;
            let mut plane = Plane::<T, RELU> {
                windows,
                spans: &spans,
                image: &planes.input[plane * taken / channels * pixels..][..pixels],
                weight: &planes.weight[channel * taps..][..taps],
                epilogue: planes.epilogue.of_channels(channel..channel + 1),
                output,
            };
            // SAFETY: the caller has the instructions.
            unsafe { plane.strips::<V, W>(way) }
        }
    }
}

/// A plane of the output and what it is computed of.
struct Plane<'a, T, const RELU: bool> {
    windows: Sliding,
    spans: &'a [Span],
    image: &'a [T],
    weight: &'a [T],
    epilogue: Epilogue<'a, T>,
    output: &'a mut [T],
}

impl<'a, T: Float, const RELU: bool> Plane<'a, T, RELU> {
    /// Computes the output, two vectors of columns at a time: the sums of one would wait for one another.
    ///
    /// # Safety
    ///
    /// The instructions of `V` must be there.
    #[inline(always)]
    unsafe fn strips<V: Vector<Number = T>, W: Way>(&mut self, way: W) {
        assert_eq!(self.image.len(), self.windows.pixels());
        assert_eq!(self.output.len(), self.windows.windows());
        let width = self.windows.output[1];
        let mut column = 0;
        while column < width {
            // SAFETY: the columns are those of the output, and the sizes are checked above.
            unsafe {
                if column + 2 * V::LANES <= width {
                    way.strip::<V, 2, RELU>(self, column);
                    column += 2 * V::LANES;
                } else {
                    way.strip::<V, 1, RELU>(self, column);
                    column += V::LANES;
                }
            }
        }
    }

    /// What is made of pixels. A negative zero becomes positive, as in [`relu`](super::rectifier::relu).
    #[inline(always)]
    unsafe fn read<V: Vector<Number = T>>(pixels: V) -> V {
        match RELU {
            // SAFETY: the caller has the instructions.
            true => unsafe { pixels.at_least(V::zero()).add(V::zero()) },
            false => pixels,
        }
    }

    /// The spans of the vector at this column and of those behind it.
    #[inline(always)]
    fn spans_from<V: Vector>(&self, column: usize) -> &'a [Span] {
        &self.spans[column / V::LANES * self.windows.kernel[1]..]
    }

    /// Writes rows of a strip that are `step` apart, finished.
    ///
    /// # Safety
    ///
    /// As for [`Way::strip`].
    #[inline(always)]
    unsafe fn store<V: Vector<Number = T>, const N: usize, const R: usize>(
        &mut self,
        first: usize,
        step: usize,
        column: usize,
        sums: [[V; N]; R],
    ) {
        let width = self.windows.output[1];
        let count = V::LANES.min(width - column);
        // SAFETY: the caller's columns.
        unsafe {
            let place = first * width + column;
            let output = self.output.as_mut_ptr().add(place);
            let stride = step * width;
            match count == V::LANES {
                true => self.epilogue.write_rows(sums, output, stride),
                false => {
                    let sums = sums.map(|sums| [sums[0]]);
                    self.epilogue
                        .write_first_of_rows(sums, output, stride, count);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
