//! Products of which only the pixels of an image are wanted, and not what lies between its rows.
//!
//! [`product`](super::shifted::product) takes all columns from the first pixel to the last. Where a row of pixels
//! fills vectors, or half a vector, the pixels alone cost less, and lie side by side in the end. The sums are
//! the same, to the bit.

use super::columns::{Columns, Product, panels_at_once};
use super::finish::Epilogue;
use super::float::Float;
use super::shifted::{PackedRows, STRIP, Shifted, next_block, takes_all};
use super::vector::{Portable, Vector};
use super::vectorise::{Instructions, instructions, lanes};

/// Where the pixels of an image lie in a run.
#[derive(Clone, Debug)]
pub(in crate::backend) struct Pixels {
    /// Where each vector begins, or each half of one.
    starts: Vec<usize>,
    halves: bool,
    count: usize,
}

impl Pixels {
    /// Rows of so many pixels, which begin at `first` and then every `pitch` numbers; none where rows do not
    /// fill vectors of `T`, or halves.
    pub(in crate::backend) fn new<T: Float>(
        first: usize,
        pitch: usize,
        [rows, width]: [usize; 2],
    ) -> Option<Self> {
        let lanes = lanes::<T>(instructions());
        let halves = 2 * width == lanes;
        let fits = match halves {
            true => rows.is_multiple_of(2),
            false => width.is_multiple_of(lanes),
        };
        let size = if halves { width } else { lanes };
        let row = |row: usize| {
            (0..width)
                .step_by(size)
                .map(move |x| first + row * pitch + x)
        };
        (fits && width > 0).then(|| Pixels {
            starts: (0..rows).flat_map(row).collect(),
            halves,
            count: rows * width,
        })
    }
}

/// The columns of `left * right` where the pixels lie, side by side, with the given distance between the rows
/// of the target, finished before they are written. On the calling thread.
///
/// # Panics
///
/// If a pixel or a row does not fit into its slice.
pub(super) fn product_of_pixels<T: Float>(
    left: PackedRows<T>,
    right: Shifted<T>,
    pixels: &Pixels,
    target: &mut [T],
    stride: usize,
    epilogue: Epilogue<T>,
) {
    left.check(right);
    let lanes = lanes::<T>(instructions());
    let size = if pixels.halves { lanes / 2 } else { lanes };
    assert_eq!(pixels.starts.len() * size, pixels.count);
    let end = pixels.starts.iter().max().map_or(0, |last| last + size);
    assert!(end <= right.length, "a pixel lies beyond the run");
    if left.rows == 0 || pixels.count == 0 {
        return;
    }
    assert!((left.rows - 1) * stride + pixels.count <= target.len());

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
    unsafe fn avx512<T: Float>(
        l: PackedRows<T>,
        r: Shifted<T>,
        p: &Pixels,
        t: &mut [T],
        s: usize,
        epilogue: Epilogue<T>,
    ) {
        // SAFETY: the instructions are there; the sizes are checked.
        unsafe { product_with::<T::Avx512>(l, r, p, t, s, epilogue) }
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,fma")]
    unsafe fn avx2<T: Float>(
        l: PackedRows<T>,
        r: Shifted<T>,
        p: &Pixels,
        t: &mut [T],
        s: usize,
        epilogue: Epilogue<T>,
    ) {
        // SAFETY: the instructions are there; the sizes are checked.
        unsafe { product_with::<T::Avx2>(l, r, p, t, s, epilogue) }
    }

    // SAFETY: the instructions are there and the sizes are checked above.
    unsafe {
        match instructions() {
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512 => avx512(left, right, pixels, target, stride, epilogue),
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => avx2(left, right, pixels, target, stride, epilogue),
            Instructions::Baseline => {
                product_with::<Portable<T>>(left, right, pixels, target, stride, epilogue);
            }
        }
    }
}

/// # Safety
///
/// The instructions of `V` must be there, and the sizes checked as in [`product_of_pixels`].
#[inline(always)]
unsafe fn product_with<V: Vector>(
    left: PackedRows<V::Number>,
    right: Shifted<V::Number>,
    pixels: &Pixels,
    target: &mut [V::Number],
    stride: usize,
    epilogue: Epilogue<V::Number>,
) {
    // SAFETY: the caller's sizes.
    unsafe {
        match pixels.halves {
            true => strips::<V, 2>(left, right, &pixels.starts, target, stride, epilogue),
            false => strips::<V, 1>(left, right, &pixels.starts, target, stride, epilogue),
        }
    }
}

/// Columns of which every vector is read in `P` parts, each with a start of its own.
struct Places<'a, const P: usize>(&'a [usize]);

impl<V: Vector, const P: usize> Columns<V> for Places<'_, P> {
    fn count(&self) -> usize {
        self.0.len() / P * V::LANES
    }

    #[inline(always)]
    unsafe fn of_row(&self, row: *const V::Number, vector: usize) -> V {
        // SAFETY: the caller's row has the pixels.
        unsafe {
            match self.0.get(vector * P..(vector + 1) * P) {
                Some([first, second]) => V::load_halves(row.add(*first), row.add(*second)),
                Some([first]) => V::load(row.add(*first)),
                _ => V::zero(),
            }
        }
    }
}

/// A vector is read in `P` parts, each with a start of its own.
///
/// # Safety
///
/// As for [`product_with`].
#[inline(always)]
unsafe fn strips<V: Vector, const P: usize>(
    left: PackedRows<V::Number>,
    right: Shifted<V::Number>,
    starts: &[usize],
    target: &mut [V::Number],
    stride: usize,
    epilogue: Epilogue<V::Number>,
) {
    let panels = panels_at_once::<V>(left);
    if panels > 0 {
        let product = Product {
            left,
            offsets: right.offsets,
            source: right.source.as_ptr(),
            target: target.as_mut_ptr(),
            stride,
            epilogue,
        };
        // SAFETY: the caller's sizes.
        return unsafe { product.compute::<V>(panels, &Places::<P>(starts)) };
    }
    // Pixels outermost: the part of the source that they need stays in the cache over all rows.
    for (strip, starts) in starts.chunks(STRIP * P).enumerate() {
        let mut row = 0;
        while row < left.rows {
            let height = next_block(left.rows - row, left.block);
            let column = strip * STRIP * V::LANES;
            // SAFETY: the rows and pixels are within the matrices, by the loops' bounds.
            unsafe {
                let packed = left.data.as_ptr().add(row * left.inner);
                let target = target.as_mut_ptr().add(row * stride + column);
                let epilogue = epilogue.of_channels(row..row + height);
                match height {
                    8 => strip_of::<V, P, 8, 3>(packed, right, starts, target, stride, epilogue),
                    6 => strip_of::<V, P, 6, 2>(packed, right, starts, target, stride, epilogue),
                    4 if V::MANY_REGISTERS => {
                        strip_of::<V, P, 4, 4>(packed, right, starts, target, stride, epilogue);
                    }
                    4 => strip_of::<V, P, 4, 2>(packed, right, starts, target, stride, epilogue),
                    2 => strip_of::<V, P, 2, 4>(packed, right, starts, target, stride, epilogue),
                    _ => strip_of::<V, P, 1, 8>(packed, right, starts, target, stride, epilogue),
                }
            }
            row += height;
        }
    }
}

/// `M` rows of a strip, `N` vectors at once and then fewer.
///
/// # Safety
///
/// As for [`product_with`].
#[inline(always)]
unsafe fn strip_of<V: Vector, const P: usize, const M: usize, const N: usize>(
    packed: *const V::Number,
    right: Shifted<V::Number>,
    starts: &[usize],
    target: *mut V::Number,
    stride: usize,
    epilogue: Epilogue<V::Number>,
) {
    let vectors = starts.len() / P;
    let mut vector = 0;
    // SAFETY: the vectors are those of the caller.
    unsafe {
        macro_rules! next {
            ($vectors:tt) => {
                let (starts, target) = (&starts[vector * P..], target.add(vector * V::LANES));
                block::<V, P, M, $vectors>(packed, right, starts, target, stride, epilogue);
                vector += $vectors;
            };
        }
        while takes_all::<N>(vectors - vector) {
            next!(N);
        }
        if N > 4 && vector + 4 <= vectors {
            next!(4);
        }
        while N > 2 && vector + 2 <= vectors {
            next!(2);
        }
        while vector < vectors {
            next!(1);
        }
    }
}

/// `M` rows and `N` vectors.
///
/// # Safety
///
/// As for [`product_with`]; there must be `N * P` starts.
#[inline(always)]
unsafe fn block<V: Vector, const P: usize, const M: usize, const N: usize>(
    packed: *const V::Number,
    right: Shifted<V::Number>,
    starts: &[usize],
    target: *mut V::Number,
    stride: usize,
    epilogue: Epilogue<V::Number>,
) {
    // SAFETY: the caller's vectors lie within every row, and the target has room for them.
    unsafe {
        let mut sources = [[right.source.as_ptr(); P]; N];
        for (sources, starts) in sources.iter_mut().zip(starts.chunks_exact(P)) {
            for (source, start) in sources.iter_mut().zip(starts) {
                *source = source.add(*start);
            }
        }
        let mut sums = [[V::zero(); N]; M];
        for (k, offset) in right.offsets.iter().enumerate() {
            let mut values = [V::zero(); N];
            for (value, source) in values.iter_mut().zip(sources) {
                *value = match P {
                    2 => V::load_halves(source[0].add(*offset), source[P - 1].add(*offset)),
                    _ => V::load(source[0].add(*offset)),
                };
            }
            for (m, sums) in sums.iter_mut().enumerate() {
                let weight = V::splat(*packed.add(k * M + m));
                for (sum, value) in sums.iter_mut().zip(values) {
                    *sum = weight.multiply_add(value, *sum);
                }
            }
        }
        epilogue.write(sums, target, stride);
    }
}

#[cfg(test)]
mod tests {
    use super::super::shifted::{Packed, product};
    use super::*;

    fn numbers<T: Float>(count: usize, salt: usize) -> Vec<T> {
        let number = |index: usize| T::of(((index * 37 + salt * 11) % 23) as f64 / 7.0);
        (0..count).map(number).collect()
    }

    /// The bits of the pixels among all columns.
    fn agree<T: Float>() -> usize {
        let mut found = 0;
        for size in [
            [2, 4],
            [4, 8],
            [3, 16],
            [2, 8],
            [5, 32],
            [1, 16],
            [10, 16],
            [3, 7],
        ] {
            let [height, width] = size;
            let pitch = width + 3;
            let Some(pixels) = Pixels::new::<T>(1, pitch, size) else {
                continue;
            };
            found += 1;
            let length = 1 + (height - 1) * pitch + width;
            let source: Vec<T> = numbers(length + 60, 1);
            for rows in [1, 2, 3, 5, 8, 13] {
                for inner in [0, 1, 9, 20] {
                    let offsets: Vec<usize> = (0..inner).map(|k| k * 19 % 60).collect();
                    let right = Shifted {
                        source: &source,
                        offsets: &offsets,
                        length,
                    };
                    let left: Vec<T> = numbers(rows * inner, 2);
                    let packed = Packed::new(rows, inner, |row, column| left[row * inner + column]);
                    let mut all = vec![T::ZERO; rows * length];
                    product(packed.all(), right, &mut all, length);
                    let stride = height * width;
                    let mut given = vec![T::ONE; rows * stride];
                    product_of_pixels(
                        packed.all(),
                        right,
                        &pixels,
                        &mut given,
                        stride,
                        Epilogue::default(),
                    );
                    for (row, given) in given.chunks_exact(stride).enumerate() {
                        for (pixel, given) in given.iter().enumerate() {
                            let place = 1 + pixel / width * pitch + pixel % width;
                            assert!(*given == all[row * length + place]);
                        }
                    }
                }
            }
        }
        found
    }

    #[test]
    fn pixels_have_the_bits_that_they_have_among_all_columns() {
        assert!(agree::<f32>() > 0);
        assert!(agree::<f64>() > 0);
    }

    #[test]
    #[should_panic(expected = "beyond the run")]
    fn a_pixel_beyond_the_run_is_refused() {
        let width = lanes::<f32>(instructions());
        let pixels = Pixels::new::<f32>(0, width, [1, width]).expect("rows of vectors");
        let right = Shifted {
            source: &[0f32; 64],
            offsets: &[0],
            length: width - 1,
        };
        let packed = Packed::new(1, 1, |_, _| 1.0);
        product_of_pixels(
            packed.all(),
            right,
            &pixels,
            &mut [0.0; 64],
            width,
            Epilogue::default(),
        );
    }
}
