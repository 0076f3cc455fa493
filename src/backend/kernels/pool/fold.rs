//! What a function makes of the pixels in windows, many windows at a time.

use crate::backend::kernels::float::Float;
use crate::backend::kernels::pieces::for_each_piece;
use crate::backend::kernels::sliding::{Sliding, Span};
use crate::backend::kernels::vector::Vector;
use crate::backend::kernels::vectorise::{Instructions, Kernel, instructions_for_rows, run};
use crate::backend::memory;
use crate::backend::numbers::Numbers;

/// The least planes of a piece of parallel work.
const LEAST_PLANES: usize = 8;

/// For every window the function of `start` and the first pixel, of that and the second, and so on; times a weight, if
/// there are weights.
pub(super) fn forward<T: Float>(
    windows: &Sliding,
    input: &[T],
    start: T,
    function: impl Fn(T, T) -> T + Copy + Sync,
    weights: Option<&[T]>,
) -> Numbers<T> {
    let instructions = instructions_for_rows::<T>(windows.output[1]);
    forward_on(instructions, windows, input, start, function, weights)
}

pub(super) fn forward_on<T: Float>(
    instructions: Instructions,
    windows: &Sliding,
    input: &[T],
    start: T,
    function: impl Fn(T, T) -> T + Copy + Sync,
    weights: Option<&[T]>,
) -> Numbers<T> {
    let mut output = memory::buffer(input.len() / windows.pixels() * windows.windows());
    let [pixels, size] = [windows.pixels(), windows.windows()];
    for_each_piece(&mut output, LEAST_PLANES * size, |piece, output| {
        let planes = Planes {
            windows: *windows,
            input: &input[piece * LEAST_PLANES * pixels..][..output.len() / size * pixels],
            start,
            function,
            weights,
            output,
        };
        run(instructions, planes);
    });
    output
}

/// Planes that lie behind one another.
struct Planes<'a, T, F> {
    windows: Sliding,
    input: &'a [T],
    start: T,
    function: F,
    weights: Option<&'a [T]>,
    output: &'a mut [T],
}

impl<T: Float, F: Fn(T, T) -> T + Copy> Kernel<T> for Planes<'_, T, F> {
    #[inline(always)]
    unsafe fn run<V: Vector<Number = T>>(mut self) {
        let taps = self.windows.kernel[1];
        let spans = self.windows.spans(V::LANES);
        let columns = (0..self.windows.output[1]).step_by(V::LANES);
        for (column, spans) in columns.zip(spans.chunks_exact(taps)) {
            // SAFETY: the caller has the instructions; the columns are those of the output.
            unsafe {
                // What is known when this is compiled stays in registers.
                match (
                    <&[Span; 3]>::try_from(spans).ok(),
                    &mut self.windows.stride[1],
                ) {
                    (Some(&spans), stride @ 1) => {
                        *stride = 1;
                        self.strip::<V>(column, &spans);
                    }
                    (Some(&spans), stride @ 2) => {
                        *stride = 2;
                        self.strip::<V>(column, &spans);
                    }
                    _ => self.strip::<V>(column, spans),
                }
            }
        }
    }
}

impl<T: Float, F: Fn(T, T) -> T + Copy> Planes<'_, T, F> {
    /// A vector of every row, from this column on.
    ///
    /// # Safety
    ///
    /// The instructions of `V` must be there; the spans must be those of the vector.
    #[inline(always)]
    unsafe fn strip<V: Vector<Number = T>>(&mut self, column: usize, spans: &[Span]) {
        let (windows, start, function, weights) =
            (self.windows, self.start, self.function, self.weights);
        let [rows, columns] = windows.output;
        let count = V::LANES.min(columns - column);
        let images = self.input.chunks_exact(windows.pixels());
        let planes = self.output.chunks_exact_mut(windows.windows());
        for (image, plane) in images.zip(planes) {
            for row in 0..rows {
                let place = row * columns + column;
                // SAFETY: the row is of the image, the span of the vector and the tap, and no more is written than is
                // left of a row.
                unsafe {
                    let mut sum = V::splat(start);
                    for tap in 0..windows.kernel[0] {
                        let Some(source) = windows.row(image, row, tap) else {
                            continue;
                        };
                        for (tap, span) in spans.iter().enumerate() {
                            let value: V = windows.load(source, column, tap, *span);
                            let folded = sum.zip(value, function);
                            sum = match *span == (0, V::LANES) {
                                true => folded,
                                false => sum.replaced_between(folded, span.0, span.1),
                            };
                        }
                    }
                    if let Some(weights) = weights {
                        let weights = V::load_first(weights[place..].as_ptr(), count);
                        sum = sum.zip(weights, |sum, weight| sum * weight);
                    }
                    sum.store_first(plane[place..].as_mut_ptr(), count);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::kernels::vectorise::all_instructions;

    fn agrees<T: Float>(windows: &Sliding) {
        let number = |index: usize| match index % 29 {
            0 => f64::NAN,
            place => (index * 37 % 23 * place) as f64 - 100.0,
        };
        let numbers = |count: usize| (0..count).map(number).map(T::of).collect::<Vec<T>>();
        let (input, weights) = (
            numbers(9 * windows.pixels()),
            vec![T::of(0.5); windows.windows()],
        );
        // The order in which pixels are taken shows in the result.
        let function = |sum: T, value: T| sum + sum + value;
        for instructions in all_instructions() {
            let given = forward_on(
                instructions,
                windows,
                &input,
                T::ONE,
                function,
                Some(&weights),
            );
            for (place, given) in given.iter().copied().enumerate() {
                let (plane, window) = (place / windows.windows(), place % windows.windows());
                let image = &input[plane * windows.pixels()..][..windows.pixels()];
                let at = [window / windows.output[1], window % windows.output[1]];
                let pixel = |axis: usize, tap: usize| {
                    let pixel = at[axis] * windows.stride[axis] + tap;
                    let pixel = pixel.checked_sub(windows.padding[axis])?;
                    (pixel < windows.image[axis]).then_some(pixel)
                };
                let mut sum = T::ONE;
                for y in (0..windows.kernel[0]).filter_map(|tap| pixel(0, tap)) {
                    for x in (0..windows.kernel[1]).filter_map(|tap| pixel(1, tap)) {
                        sum = function(sum, image[y * windows.image[1] + x]);
                    }
                }
                let same = given == sum * T::of(0.5) || (given.is_nan() && sum.is_nan());
                assert!(
                    same,
                    "{instructions:?} {:?} {at:?}: {given} for {sum}",
                    windows.image
                );
            }
        }
    }

    #[test]
    fn windows_agree_with_their_definition() {
        for (kernel, padding) in [
            ([3, 3], [1, 1]),
            ([2, 2], [0, 0]),
            ([4, 3], [2, 1]),
            ([1, 5], [0, 2]),
        ] {
            for stride in [[1, 1], [2, 2], [1, 3], [3, 2]] {
                for image in [[4, 5], [8, 8], [5, 16], [3, 33]] {
                    // The last windows may hang over the padding, but hold a pixel.
                    let places = |axis: usize| (image[axis] + padding[axis] - 1) / stride[axis] + 1;
                    let windows = Sliding {
                        image,
                        output: [places(0), places(1)],
                        kernel,
                        stride,
                        padding,
                        dilation: [1, 1],
                    };
                    agrees::<f32>(&windows);
                    agrees::<f64>(&windows);
                }
            }
        }
    }
}
