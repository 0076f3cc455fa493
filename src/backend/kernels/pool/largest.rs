//! The largest pixels in windows and the taps that find them, many windows at a time.

use crate::backend::kernels::float::Float;
use crate::backend::kernels::parallel::{Parallel, ParallelSlice};
use crate::backend::kernels::sliding::{Sliding, Span};
use crate::backend::kernels::vector::{MOST_LANES, Vector};
use crate::backend::kernels::vectorise::{Instructions, Kernel, instructions_for_rows, run};
use crate::backend::memory;
use crate::backend::numbers::Numbers;

/// The planes of a piece of parallel work.
const PLANES: usize = 8;

/// The largest pixel in every window, and the first tap that finds it. What is not a number is larger than all. Windows have no
/// more taps than a byte has values.
pub(super) fn forward<T: Float>(windows: &Sliding, input: &[T]) -> (Numbers<T>, Vec<u8>) {
    let instructions = instructions_for_rows::<T>(windows.output[1]);
    forward_on(instructions, windows, input)
}

fn forward_on<T: Float>(
    instructions: Instructions,
    windows: &Sliding,
    input: &[T],
) -> (Numbers<T>, Vec<u8>) {
    let mut output = memory::buffer(input.len() / windows.pixels() * windows.windows());
    let mut taps = vec![0; output.len()];
    output
        .par_chunks_mut(PLANES * windows.windows())
        .zip(taps.par_chunks_mut(PLANES * windows.windows()))
        .zip(input.par_chunks(PLANES * windows.pixels()))
        .for_each(|((output, taps), input)| {
            let planes = Planes {
                windows: *windows,
                input,
                output,
                taps,
            };
            run(instructions, planes);
        });
    (output, taps)
}

/// Planes that lie behind one another.
struct Planes<'a, T> {
    windows: Sliding,
    input: &'a [T],
    output: &'a mut [T],
    taps: &'a mut [u8],
}

impl<T: Float> Kernel<T> for Planes<'_, T> {
    #[inline(always)]
    unsafe fn run<V: Vector<Number = T>>(mut self) {
        let taps = self.windows.kernel[1];
        let spans = self.windows.spans(V::LANES);
        let columns = (0..self.windows.output[1]).step_by(V::LANES);
        for (column, spans) in columns.zip(spans.chunks_exact(taps)) {
            // SAFETY: the caller has the instructions; the columns are those of the output.
            unsafe {
                // What is known when this is compiled stays in registers.
                match &mut self.windows.stride[1] {
                    stride @ 1 => {
                        *stride = 1;
                        self.strip::<V>(column, spans);
                    }
                    stride @ 2 => {
                        *stride = 2;
                        self.strip::<V>(column, spans);
                    }
                    _ => self.strip::<V>(column, spans),
                }
            }
        }
    }
}

impl<T: Float> Planes<'_, T> {
    /// A vector of every row, from this column on.
    ///
    /// # Safety
    ///
    /// The instructions of `V` must be there; the spans must be those of the vector.
    #[inline(always)]
    unsafe fn strip<V: Vector<Number = T>>(&mut self, column: usize, spans: &[Span]) {
        let windows = self.windows;
        let [rows, columns] = windows.output;
        let count = V::LANES.min(columns - column);
        let images = self.input.chunks_exact(windows.pixels());
        let planes = self.output.chunks_exact_mut(windows.windows());
        let taps = self.taps.chunks_exact_mut(windows.windows());
        for (image, (plane, taps)) in images.zip(planes.zip(taps)) {
            for row in 0..rows {
                let place = row * columns + column;
                // SAFETY: the row is of the image, the span of the vector and the tap, and no more is written than is
                // left of a row.
                unsafe {
                    let mut found = Found {
                        best: V::splat(T::LOWEST),
                        tap: V::zero(),
                    };
                    for tap_row in 0..windows.kernel[0] {
                        let Some(source) = windows.row(image, row, tap_row) else {
                            continue;
                        };
                        for (tap, span) in spans.iter().enumerate() {
                            let value: V = windows.load(source, column, tap, *span);
                            let tap = V::splat(T::of((tap_row * spans.len() + tap) as f64));
                            found = found.or_larger(value, tap, *span);
                        }
                    }
                    found.best.store_first(plane[place..].as_mut_ptr(), count);
                    let mut lanes = [T::ZERO; MOST_LANES];
                    found.tap.store(lanes.as_mut_ptr());
                    for (tap, lane) in taps[place..][..count].iter_mut().zip(lanes) {
                        *tap = lane.to_f64() as u8;
                    }
                }
            }
        }
    }
}

/// The largest pixels so far, and the taps that have found them.
#[derive(Clone, Copy)]
struct Found<V> {
    best: V,
    tap: V,
}

impl<T: Float, V: Vector<Number = T>> Found<V> {
    /// With the pixels under a tap, where there are some and they are larger.
    ///
    /// # Safety
    ///
    /// The instructions of `V` must be there.
    #[inline(always)]
    unsafe fn or_larger(self, value: V, tap: V, (first, end): Span) -> Self {
        let mut best = [T::ZERO; MOST_LANES];
        let mut taps = [T::ZERO; MOST_LANES];
        let (mut values, mut others) = (best, taps);
        // SAFETY: there is room for the most lanes.
        let larger = unsafe {
            self.best.store(best.as_mut_ptr());
            self.tap.store(taps.as_mut_ptr());
            value.store(values.as_mut_ptr());
            tap.store(others.as_mut_ptr());
            for lane in 0..V::LANES {
                // What is not a number stays, for nothing is larger.
                let is_larger = (values[lane] > best[lane]) | values[lane].is_nan();
                best[lane] = if is_larger { values[lane] } else { best[lane] };
                taps[lane] = if is_larger { others[lane] } else { taps[lane] };
            }
            Found {
                best: V::load(best.as_ptr()),
                tap: V::load(taps.as_ptr()),
            }
        };
        if (first, end) == (0, V::LANES) {
            return larger;
        }
        // SAFETY: the caller has the instructions, and the lanes are those of a vector.
        unsafe {
            Found {
                best: self.best.replaced_between(larger.best, first, end),
                tap: self.tap.replaced_between(larger.tap, first, end),
            }
        }
    }
}

/// The gradient of the input of [`forward`], from the taps that it gave.
pub(super) fn gradient<T: Float>(windows: &Sliding, taps: &[u8], gradient: &[T]) -> Numbers<T> {
    let images = gradient.len() / windows.windows();
    let mut target = memory::zeros(images * windows.pixels());
    let distances: Vec<[usize; 2]> = (0..windows.kernel[0])
        .flat_map(|row| (0..windows.kernel[1]).map(move |column| [row, column]))
        .collect();
    target
        .par_chunks_mut(windows.pixels())
        .zip(taps.par_chunks(windows.windows()))
        .zip(gradient.par_chunks(windows.windows()))
        .with_min_len(PLANES)
        .for_each(|((target, taps), gradient)| {
            let rows = taps.chunks_exact(windows.output[1]);
            let rows = rows.zip(gradient.chunks_exact(windows.output[1]));
            for (row, (taps, gradient)) in rows.enumerate() {
                for (column, (tap, gradient)) in taps.iter().zip(gradient).enumerate() {
                    let [y, x] = distances[usize::from(*tap)];
                    // Where a window has nothing but minus infinity, its first tap may be padding: then the pixel next to that.
                    let pixel = |axis: usize, window: usize, tap: usize| {
                        let place = window * windows.stride[axis] + tap;
                        let pixel = place.saturating_sub(windows.padding[axis]);
                        pixel.min(windows.image[axis] - 1)
                    };
                    target[pixel(0, row, y) * windows.image[1] + pixel(1, column, x)] += *gradient;
                }
            }
        });
    target
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::kernels::vectorise::all_instructions;

    fn agrees<T: Float>(windows: &Sliding) {
        let number = |index: usize| match index % 31 {
            0 => f64::NAN,
            1..8 => f64::NEG_INFINITY,
            place => (index * 37 % 5 * place) as f64 - 30.0,
        };
        let numbers = |count: usize| (0..count).map(number).map(T::of).collect::<Vec<T>>();
        let input = numbers(9 * windows.pixels());
        let shares: Vec<T> = (0..9 * windows.windows())
            .map(|it| T::of((it % 7) as f64))
            .collect();
        for instructions in all_instructions() {
            let (output, taps) = forward_on(instructions, windows, &input);
            let mut expected_gradient = vec![T::ZERO; input.len()];
            for (place, given) in output.iter().copied().enumerate() {
                let (plane, window) = (place / windows.windows(), place % windows.windows());
                let at = [window / windows.output[1], window % windows.output[1]];
                let pixels = |axis: usize| {
                    let first = at[axis] * windows.stride[axis];
                    let taps = first..first + windows.kernel[axis];
                    let pixels =
                        taps.filter_map(move |place| place.checked_sub(windows.padding[axis]));
                    pixels.filter(move |pixel| *pixel < windows.image[axis])
                };
                let places = pixels(0).flat_map(|y| pixels(1).map(move |x| [y, x]));
                let places =
                    places.map(|[y, x]| (plane * windows.image[0] + y) * windows.image[1] + x);
                let first = places.clone().next().expect("a window holds a pixel");
                let largest = places.fold(first, |best, place| {
                    match input[place] > input[best] || (input[place].is_nan() && place != first) {
                        true => place,
                        false => best,
                    }
                });
                let expected = input[largest];
                assert!(
                    given == expected || given.is_nan() && expected.is_nan(),
                    "{instructions:?} {windows:?} {place}: {given} for {expected}"
                );
                expected_gradient[largest] += shares[place];
            }
            let given = gradient(windows, &taps, &shares);
            assert!(*given == *expected_gradient, "{instructions:?}");
        }
    }

    #[test]
    fn values_and_gradients_agree_with_their_definition() {
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
