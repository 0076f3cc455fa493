//! Convolutions of which every output channel reads one input channel.
//!
//! An image is read where it is: of a row, the lanes of a vector beyond its pixels are zero, and rows beyond the image
//! are passed over. So there is no copy with the padding. A row of the image is read once for all rows of the output
//! that need it where these follow one another. Taps are added in the order of the kernel in any case.

use super::convolution::Geometry;
use super::finish::Epilogue;
use super::float::Float;
use super::pieces::{for_each_piece, units_in_piece};
use super::rectifier::relu;
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
    for_each_piece(output, planes * pixels, |piece, output| {
        let planes = Planes::<T, RELU> {
            geometry,
            weight,
            epilogue,
            first: piece * planes,
            input,
            output,
        };
        run(instructions, planes);
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

impl<T: Float, const RELU: bool> Kernel<T> for Planes<'_, T, RELU> {
    #[inline(always)]
    unsafe fn run<V: Vector<Number = T>>(self) {
        let geometry = self.geometry;
        let convolution = &geometry.convolution;
        let (taken, channels) = (convolution.input, convolution.output);
        let windows = Sliding::of_convolution(convolution, geometry.image, geometry.output);
        let (pixels, taps) = (windows.pixels(), geometry.taps());
        let follow = windows.stride == [1, 1] && windows.dilation[0] == windows.dilation[1];
        let spans = windows.spans(V::LANES);
        let planes = self.output.chunks_exact_mut(geometry.output_pixels());
        for (plane, output) in (self.first..).zip(planes) {
            let channel = plane % channels;
            let mut plane = Plane::<T, RELU> {
                windows,
                spans: &spans,
                image: &self.input[plane * taken / channels * pixels..][..pixels],
                weight: &self.weight[channel * taps..][..taps],
                epilogue: self.epilogue.of_channels(channel..channel + 1),
                output,
            };
            // SAFETY: the caller has the instructions.
            unsafe {
                match windows.kernel {
                    [3, 3] if follow => plane.strips::<V>(Way::Rows3),
                    [5, 5] if follow => plane.strips::<V>(Way::Rows5),
                    _ => plane.strips::<V>(Way::Taps),
                }
            }
        }
    }
}

/// How the rows of an output are computed.
#[derive(Clone, Copy)]
enum Way {
    /// Rows that read the same rows of the image together, for a kernel of 3x3.
    Rows3,
    /// The same for a kernel of 5x5.
    Rows5,
    /// Each row for itself.
    Taps,
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
    unsafe fn strips<V: Vector<Number = T>>(&mut self, way: Way) {
        assert_eq!(self.image.len(), self.windows.pixels());
        assert_eq!(self.output.len(), self.windows.windows());
        let width = self.windows.output[1];
        let mut column = 0;
        while column < width {
            // SAFETY: the columns are those of the output, and the sizes are checked above.
            unsafe {
                if column + 2 * V::LANES <= width {
                    self.strip::<V, 2>(way, column);
                    column += 2 * V::LANES;
                } else {
                    self.strip::<V, 1>(way, column);
                    column += V::LANES;
                }
            }
        }
    }

    /// # Safety
    ///
    /// As for [`Plane::strips`]; there must be columns for `N` vectors, the last of which may have fewer.
    #[inline(always)]
    unsafe fn strip<V: Vector<Number = T>, const N: usize>(&mut self, way: Way, column: usize) {
        // SAFETY: the caller's columns.
        unsafe {
            match way {
                Way::Rows3 => self.strip_by_rows::<V, N, 3>(column),
                Way::Rows5 => self.strip_by_rows::<V, N, 5>(column),
                Way::Taps => {
                    let spans = self.spans_from::<V>(column);
                    match (self.windows.kernel[1], spans.first_chunk::<3>().copied()) {
                        // A copy, which stays in registers.
                        (3, Some(spans)) if N == 1 => self.strip_by_taps::<V, N>(column, &spans),
                        (width, _) => self.strip_by_taps::<V, N>(column, &spans[..N * width]),
                    }
                }
            }
        }
    }

    /// What is made of pixels.
    #[inline(always)]
    unsafe fn read<V: Vector<Number = T>>(pixels: V) -> V {
        match RELU {
            // SAFETY: the caller has the instructions.
            true => unsafe { pixels.map(relu) },
            false => pixels,
        }
    }

    /// The spans of the vector at this column and of those behind it.
    #[inline(always)]
    fn spans_from<V: Vector>(&self, column: usize) -> &'a [Span] {
        &self.spans[column / V::LANES * self.windows.kernel[1]..]
    }

    /// # Safety
    ///
    /// As for [`Plane::strip`].
    #[inline(always)]
    unsafe fn store<V: Vector<Number = T>, const N: usize>(
        &mut self,
        row: usize,
        column: usize,
        sums: [V; N],
    ) {
        let width = self.windows.output[1];
        let count = V::LANES.min(width - column);
        // SAFETY: the caller's columns.
        unsafe {
            let output = self.output.as_mut_ptr().add(row * width + column);
            match count == V::LANES {
                true => self.epilogue.write([sums], output, 0),
                false => self.epilogue.write_first([[sums[0]]], output, 0, count),
            }
        }
    }

    /// A strip for a kernel of `K x K` and a stride of one.
    ///
    /// # Safety
    ///
    /// As for [`Plane::strip`].
    #[inline(always)]
    unsafe fn strip_by_rows<V: Vector<Number = T>, const N: usize, const K: usize>(
        &mut self,
        column: usize,
    ) {
        let Some(weights) = self.weight.as_chunks::<K>().0.as_chunks::<K>().0.first() else {
            return;
        };
        let spans = self.spans_from::<V>(column).as_chunks::<K>().0;
        // A copy, which stays in registers.
        let Some(spans) = spans.first_chunk::<N>().copied() else {
            return;
        };
        let step = self.windows.dilation[0];
        // Rows that are `step` apart read the same rows.
        for first in 0..step.min(self.windows.output[0]) {
            let rows = (self.windows.output[0] - first).div_ceil(step);
            // SAFETY: the caller's columns; of a row of the image, no more than its pixels are read.
            unsafe {
                // The sums of the output rows that find this row under the first row of taps, the second, and so on.
                let mut sums = [[V::zero(); N]; K];
                for row in 0..rows + K - 1 {
                    if let Some(source) = self.windows.row(self.image, first + row * step, 0) {
                        for tap in 0..K {
                            let source = source.wrapping_add(column + tap * step);
                            for n in 0..N {
                                let (start, end) = spans[n][tap];
                                let source = source.wrapping_add(n * V::LANES);
                                let value = Self::read(V::load_between(source, start, end));
                                for (sums, weights) in sums.iter_mut().zip(weights) {
                                    let weight = V::splat(weights[tap]);
                                    sums[n] = weight.multiply_add(value, sums[n]);
                                }
                            }
                        }
                    }
                    if row + 1 >= K {
                        self.store(first + (row + 1 - K) * step, column, sums[K - 1]);
                    }
                    sums = std::array::from_fn(|tap| match tap {
                        0 => [V::zero(); N],
                        _ => sums[tap - 1],
                    });
                }
            }
        }
    }

    /// A strip for any kernel.
    ///
    /// # Safety
    ///
    /// As for [`Plane::strip`].
    #[inline(always)]
    unsafe fn strip_by_taps<V: Vector<Number = T>, const N: usize>(
        &mut self,
        column: usize,
        spans: &[Span],
    ) {
        for row in 0..self.windows.output[0] {
            // SAFETY: the caller's columns; of a row of the image, no more than its pixels are read.
            unsafe {
                let mut sums = [V::zero(); N];
                let width = spans.len() / N;
                for (tap, weights) in self.weight.chunks_exact(width).enumerate() {
                    let Some(source) = self.windows.row(self.image, row, tap) else {
                        continue;
                    };
                    for (tap, weight) in weights.iter().enumerate() {
                        for (n, sum) in sums.iter_mut().enumerate() {
                            let span = spans[n * width + tap];
                            let column = column + n * V::LANES;
                            let value: V = self.windows.load(source, column, tap, span);
                            let value = Self::read(value);
                            *sum = V::splat(*weight).multiply_add(value, *sum);
                        }
                    }
                }
                self.store(row, column, sums);
            }
        }
    }
}

#[cfg(test)]
mod tests;
