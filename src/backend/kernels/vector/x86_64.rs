//! Vectors in registers of 256 and 512 bits.

use std::arch::x86_64::*;

use super::Vector;

/// Eight numbers of single precision in a 256-bit register.
#[derive(Clone, Copy)]
pub(in crate::backend) struct Single8(__m256);
/// Four numbers of double precision in a 256-bit register.
#[derive(Clone, Copy)]
pub(in crate::backend) struct Double4(__m256d);
/// Sixteen numbers of single precision in a 512-bit register.
#[derive(Clone, Copy)]
pub(in crate::backend) struct Single16(__m512);
/// Eight numbers of double precision in a 512-bit register.
#[derive(Clone, Copy)]
pub(in crate::backend) struct Double8(__m512d);

/// Of the numbers of pairs, which the first of each of these pairs are between: the first and the one behind.
#[inline(always)]
fn span_of_pairs(first: usize, end: usize) -> (usize, usize) {
    (2 * first, (2 * end).saturating_sub(1).max(2 * first))
}

#[inline(always)]
unsafe fn mask_32(count: usize) -> __m256i {
    // SAFETY: the caller runs where AVX2 is there.
    unsafe {
        let lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
        _mm256_cmpgt_epi32(_mm256_set1_epi32(count as i32), lanes)
    }
}

#[inline(always)]
unsafe fn mask_64(count: usize) -> __m256i {
    // SAFETY: the caller runs where AVX2 is there.
    unsafe {
        let lanes = _mm256_setr_epi64x(0, 1, 2, 3);
        _mm256_cmpgt_epi64(_mm256_set1_epi64x(count as i64), lanes)
    }
}

macro_rules! vector {
    ($name:ident, $number:ty, $lanes:literal, $many:literal, $written_out:literal, $zero:ident, $splat:ident,
     $load:ident, $store:ident, $multiply_add:ident, $add:ident, $multiply:ident, $max:ident, $min:ident, $halves:expr, $load_first:expr, $load_between:expr, $store_first:expr,
     $sum:expr $(, $quads:item)*) => {
        // In all functions: the caller sees to it that the instructions are there and that
        // pointers are valid, which is what the intrinsics ask for.
        impl Vector for $name {
            type Number = $number;
            const LANES: usize = $lanes;
            const MANY_REGISTERS: bool = $many;
            const IS_WRITTEN_OUT: bool = $written_out;

            #[inline(always)]
            unsafe fn zero() -> Self {
                // SAFETY: see above.
                $name(unsafe { $zero() })
            }

            #[inline(always)]
            unsafe fn splat(value: $number) -> Self {
                // SAFETY: see above.
                $name(unsafe { $splat(value) })
            }

            #[inline(always)]
            unsafe fn load(source: *const $number) -> Self {
                // SAFETY: see above.
                $name(unsafe { $load(source) })
            }

            #[inline(always)]
            unsafe fn load_halves(low: *const $number, high: *const $number) -> Self {
                // SAFETY: see above.
                $name(unsafe { $halves(low, high) })
            }

            #[inline(always)]
            unsafe fn load_first(source: *const $number, count: usize) -> Self {
                // SAFETY: see above; masked lanes are not touched.
                $name(unsafe { $load_first(source, count) })
            }

            #[inline(always)]
            unsafe fn load_between(source: *const $number, first: usize, end: usize) -> Self {
                // SAFETY: see above; masked lanes are not touched.
                $name(unsafe { $load_between(source, first, end) })
            }

            #[inline(always)]
            unsafe fn store(self, target: *mut $number) {
                // SAFETY: see above.
                unsafe { $store(target, self.0) }
            }

            #[inline(always)]
            unsafe fn store_first(self, target: *mut $number, count: usize) {
                // SAFETY: see above; masked lanes are not touched.
                unsafe { $store_first(target, self.0, count) }
            }

            #[inline(always)]
            unsafe fn multiply_add(self, factor: Self, addend: Self) -> Self {
                // SAFETY: see above.
                $name(unsafe { $multiply_add(self.0, factor.0, addend.0) })
            }

            #[inline(always)]
            unsafe fn add(self, other: Self) -> Self {
                // SAFETY: see above.
                $name(unsafe { $add(self.0, other.0) })
            }

            #[inline(always)]
            unsafe fn multiply(self, other: Self) -> Self {
                // SAFETY: see above.
                $name(unsafe { $multiply(self.0, other.0) })
            }

            // Where one is not a number, or both are zero, the instructions give the second.
            #[inline(always)]
            unsafe fn at_least(self, bound: Self) -> Self {
                // SAFETY: see above.
                $name(unsafe { $max(bound.0, self.0) })
            }

            #[inline(always)]
            unsafe fn at_most(self, bound: Self) -> Self {
                // SAFETY: see above.
                $name(unsafe { $min(bound.0, self.0) })
            }

            #[inline(always)]
            unsafe fn sum(self) -> $number {
                // SAFETY: see above.
                unsafe { $sum(self.0) }
            }

            $($quads)*
        }
    };
}

vector!(
    Single8,
    f32,
    8,
    false,
    true,
    _mm256_setzero_ps,
    _mm256_set1_ps,
    _mm256_loadu_ps,
    _mm256_storeu_ps,
    _mm256_fmadd_ps,
    _mm256_add_ps,
    _mm256_mul_ps,
    _mm256_max_ps,
    _mm256_min_ps,
    |low, high| _mm256_loadu2_m128(high, low),
    |source, count| _mm256_maskload_ps(source, mask_32(count)),
    |source, first, end| {
        let mask = _mm256_andnot_si256(mask_32(first), mask_32(end));
        _mm256_maskload_ps(source, mask)
    },
    |target, value, count| _mm256_maskstore_ps(target, mask_32(count), value),
    |value| {
        let half = _mm_add_ps(
            _mm256_castps256_ps128(value),
            _mm256_extractf128_ps(value, 1),
        );
        let quarter = _mm_add_ps(half, _mm_movehl_ps(half, half));
        _mm_cvtss_f32(_mm_add_ss(quarter, _mm_shuffle_ps(quarter, quarter, 1)))
    },
    #[inline(always)]
    unsafe fn load_quads(source: *const f32, stride: usize) -> [Self; 4] {
        // SAFETY: the caller's rows have four numbers each.
        unsafe {
            let mut rows = [Self::zero(); 4];
            for (row, rows) in rows.iter_mut().enumerate() {
                let source = source.add(row * stride);
                *rows = Self::load_halves(source, source.add(4 * stride));
            }
            Self::transpose_quads(rows)
        }
    },
    #[inline(always)]
    unsafe fn store_quads(quads: [Self; 4], target: *mut f32, stride: usize) {
        // SAFETY: the caller's rows have room for four numbers each.
        unsafe {
            let rows = Self::transpose_quads(quads);
            for (row, Single8(rows)) in rows.into_iter().enumerate() {
                let target = target.add(row * stride);
                _mm_storeu_ps(target, _mm256_castps256_ps128(rows));
                _mm_storeu_ps(target.add(4 * stride), _mm256_extractf128_ps(rows, 1));
            }
        }
    },
    #[inline(always)]
    unsafe fn replaced_between(self, other: Self, first: usize, end: usize) -> Self {
        // SAFETY: the caller runs where AVX2 is there.
        unsafe {
            let mask = _mm256_andnot_si256(mask_32(first), mask_32(end));
            Single8(_mm256_blendv_ps(self.0, other.0, _mm256_castsi256_ps(mask)))
        }
    },
    #[inline(always)]
    unsafe fn load_pairs(source: *const f32, first: usize, end: usize) -> Self {
        let high = source.wrapping_add(8);
        // SAFETY: the caller's pointer leads to the numbers between, and no others are touched.
        unsafe {
            // Masks that are known cost nothing. Behind the last pair's first number there may be none.
            let (low, high) = match (first, end) {
                (0, 8) => (Self::load(source), Self::load_between(high, 0, 7)),
                _ => {
                    let (first, end) = span_of_pairs(first, end);
                    let low = Self::load_between(source, first.min(8), end.min(8));
                    let high = Self::load_between(high, first.max(8) - 8, end.max(8) - 8);
                    (low, high)
                }
            };
            low.pairs(high)[0].in_order()
        }
    },
    #[inline(always)]
    unsafe fn pairs(self, high: Self) -> [Self; 2] {
        // SAFETY: the caller has the instructions.
        unsafe {
            [
                Single8(_mm256_shuffle_ps(self.0, high.0, 0b10_00_10_00)),
                Single8(_mm256_shuffle_ps(self.0, high.0, 0b11_01_11_01)),
            ]
        }
    },
    // Shuffles stay within each half of a vector.
    #[inline(always)]
    unsafe fn in_order(self) -> Self {
        // SAFETY: the caller has the instructions.
        unsafe {
            let pairs = _mm256_permute4x64_pd(_mm256_castps_pd(self.0), 0b11_01_10_00);
            Single8(_mm256_castpd_ps(pairs))
        }
    }
);

impl Single8 {
    /// Transposes four numbers of four vectors, within each half of them.
    #[inline(always)]
    unsafe fn transpose_quads([a, b, c, d]: [Self; 4]) -> [Self; 4] {
        // SAFETY: the caller runs where AVX2 is there.
        unsafe {
            let low_ab = _mm256_castps_pd(_mm256_unpacklo_ps(a.0, b.0));
            let low_cd = _mm256_castps_pd(_mm256_unpacklo_ps(c.0, d.0));
            let high_ab = _mm256_castps_pd(_mm256_unpackhi_ps(a.0, b.0));
            let high_cd = _mm256_castps_pd(_mm256_unpackhi_ps(c.0, d.0));
            [
                Single8(_mm256_castpd_ps(_mm256_unpacklo_pd(low_ab, low_cd))),
                Single8(_mm256_castpd_ps(_mm256_unpackhi_pd(low_ab, low_cd))),
                Single8(_mm256_castpd_ps(_mm256_unpacklo_pd(high_ab, high_cd))),
                Single8(_mm256_castpd_ps(_mm256_unpackhi_pd(high_ab, high_cd))),
            ]
        }
    }
}

vector!(
    Double4,
    f64,
    4,
    false,
    false,
    _mm256_setzero_pd,
    _mm256_set1_pd,
    _mm256_loadu_pd,
    _mm256_storeu_pd,
    _mm256_fmadd_pd,
    _mm256_add_pd,
    _mm256_mul_pd,
    _mm256_max_pd,
    _mm256_min_pd,
    |low, high| _mm256_loadu2_m128d(high, low),
    |source, count| _mm256_maskload_pd(source, mask_64(count)),
    |source, first, end| {
        let mask = _mm256_andnot_si256(mask_64(first), mask_64(end));
        _mm256_maskload_pd(source, mask)
    },
    |target, value, count| _mm256_maskstore_pd(target, mask_64(count), value),
    |value| {
        let half = _mm_add_pd(
            _mm256_castpd256_pd128(value),
            _mm256_extractf128_pd(value, 1),
        );
        _mm_cvtsd_f64(_mm_add_sd(half, _mm_unpackhi_pd(half, half)))
    }
);

vector!(
    Single16,
    f32,
    16,
    true,
    true,
    _mm512_setzero_ps,
    _mm512_set1_ps,
    _mm512_loadu_ps,
    _mm512_storeu_ps,
    _mm512_fmadd_ps,
    _mm512_add_ps,
    _mm512_mul_ps,
    _mm512_max_ps,
    _mm512_min_ps,
    |low, high| {
        let low = _mm512_castps256_ps512(_mm256_loadu_ps(low));
        _mm512_insertf32x8(low, _mm256_loadu_ps(high), 1)
    },
    |source, count| _mm512_maskz_loadu_ps(((1u32 << count) - 1) as u16, source),
    |source, first, end| {
        _mm512_maskz_loadu_ps(((1u32 << end) - (1u32 << first)) as u16, source)
    },
    |target, value, count| { _mm512_mask_storeu_ps(target, ((1u32 << count) - 1) as u16, value) },
    |value| _mm512_reduce_add_ps(value),
    #[inline(always)]
    unsafe fn load_quads(source: *const f32, stride: usize) -> [Self; 4] {
        // SAFETY: the caller's rows have four numbers each.
        unsafe {
            let mut rows = [Self::zero(); 4];
            for (row, rows) in rows.iter_mut().enumerate() {
                let source = source.add(row * stride);
                let quads = _mm512_castps128_ps512(_mm_loadu_ps(source));
                let quads = _mm512_insertf32x4(quads, _mm_loadu_ps(source.add(4 * stride)), 1);
                let quads = _mm512_insertf32x4(quads, _mm_loadu_ps(source.add(8 * stride)), 2);
                let last = _mm_loadu_ps(source.add(12 * stride));
                *rows = Single16(_mm512_insertf32x4(quads, last, 3));
            }
            Self::transpose_quads(rows)
        }
    },
    #[inline(always)]
    unsafe fn store_quads(quads: [Self; 4], target: *mut f32, stride: usize) {
        // SAFETY: the caller's rows have room for four numbers each.
        unsafe {
            let rows = Self::transpose_quads(quads);
            for (row, Single16(rows)) in rows.into_iter().enumerate() {
                let target = target.add(row * stride);
                _mm_storeu_ps(target, _mm512_castps512_ps128(rows));
                _mm_storeu_ps(target.add(4 * stride), _mm512_extractf32x4_ps(rows, 1));
                _mm_storeu_ps(target.add(8 * stride), _mm512_extractf32x4_ps(rows, 2));
                _mm_storeu_ps(target.add(12 * stride), _mm512_extractf32x4_ps(rows, 3));
            }
        }
    },
    #[inline(always)]
    unsafe fn replaced_between(self, other: Self, first: usize, end: usize) -> Self {
        let mask = ((1u32 << end) - (1u32 << first)) as u16;
        // SAFETY: the caller runs where AVX-512 is there.
        unsafe { Single16(_mm512_mask_mov_ps(self.0, mask, other.0)) }
    },
    #[inline(always)]
    unsafe fn load_pairs(source: *const f32, first: usize, end: usize) -> Self {
        let high = source.wrapping_add(16);
        // SAFETY: the caller's pointer leads to the numbers between, and no others are touched.
        unsafe {
            // Masks that are known cost nothing. Behind the last pair's first number there may be none.
            let (low, high) = match (first, end) {
                (0, 16) => (Self::load(source), Self::load_between(high, 0, 15)),
                _ => {
                    let (first, end) = span_of_pairs(first, end);
                    let low = Self::load_between(source, first.min(16), end.min(16));
                    let high = Self::load_between(high, first.max(16) - 16, end.max(16) - 16);
                    (low, high)
                }
            };
            low.pairs(high)[0]
        }
    },
    #[inline(always)]
    unsafe fn pairs(self, high: Self) -> [Self; 2] {
        // SAFETY: the caller has the instructions.
        unsafe {
            let even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
            let odd = _mm512_or_si512(even, _mm512_set1_epi32(1));
            [even, odd].map(|places| Single16(_mm512_permutex2var_ps(self.0, places, high.0)))
        }
    }
);

impl Single16 {
    /// Transposes four numbers of four vectors, within each quarter of them.
    #[inline(always)]
    unsafe fn transpose_quads([a, b, c, d]: [Self; 4]) -> [Self; 4] {
        // SAFETY: the caller runs where AVX-512 is there.
        unsafe {
            let low_ab = _mm512_castps_pd(_mm512_unpacklo_ps(a.0, b.0));
            let low_cd = _mm512_castps_pd(_mm512_unpacklo_ps(c.0, d.0));
            let high_ab = _mm512_castps_pd(_mm512_unpackhi_ps(a.0, b.0));
            let high_cd = _mm512_castps_pd(_mm512_unpackhi_ps(c.0, d.0));
            [
                Single16(_mm512_castpd_ps(_mm512_unpacklo_pd(low_ab, low_cd))),
                Single16(_mm512_castpd_ps(_mm512_unpackhi_pd(low_ab, low_cd))),
                Single16(_mm512_castpd_ps(_mm512_unpacklo_pd(high_ab, high_cd))),
                Single16(_mm512_castpd_ps(_mm512_unpackhi_pd(high_ab, high_cd))),
            ]
        }
    }
}

vector!(
    Double8,
    f64,
    8,
    true,
    false,
    _mm512_setzero_pd,
    _mm512_set1_pd,
    _mm512_loadu_pd,
    _mm512_storeu_pd,
    _mm512_fmadd_pd,
    _mm512_add_pd,
    _mm512_mul_pd,
    _mm512_max_pd,
    _mm512_min_pd,
    |low, high| {
        let low = _mm512_castpd256_pd512(_mm256_loadu_pd(low));
        _mm512_insertf64x4(low, _mm256_loadu_pd(high), 1)
    },
    |source, count| _mm512_maskz_loadu_pd(((1u32 << count) - 1) as u8, source),
    |source, first, end| { _mm512_maskz_loadu_pd(((1u32 << end) - (1u32 << first)) as u8, source) },
    |target, value, count| { _mm512_mask_storeu_pd(target, ((1u32 << count) - 1) as u8, value) },
    |value| _mm512_reduce_add_pd(value)
);
