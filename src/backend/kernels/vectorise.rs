//! Functions compiled once for each generation of vector instructions, chosen when they run.

use super::float::Float;
use super::vector::{Portable, Vector};

/// Vector instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Instructions {
    /// What every processor of an architecture has.
    Baseline,
    /// 256-bit vectors with fused multiply-add.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// 512-bit vectors.
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

/// The best instructions that this processor has. The standard library remembers the answer.
#[inline]
pub(crate) fn instructions() -> Instructions {
    #[cfg(target_arch = "x86_64")]
    {
        let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
        let avx512 = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512bw");
        match (avx2, avx512) {
            (true, true) => return Instructions::Avx512,
            (true, false) => return Instructions::Avx2,
            _ => {}
        }
    }
    Instructions::Baseline
}

/// The best instructions for rows of so many numbers: narrower vectors where they hold a row as well.
pub(super) fn instructions_for_rows<T: Float>(width: usize) -> Instructions {
    match instructions() {
        #[cfg(target_arch = "x86_64")]
        Instructions::Avx512 if width <= lanes::<T>(Instructions::Avx2) => Instructions::Avx2,
        best => best,
    }
}

/// All instructions that this processor has.
#[cfg(test)]
pub(super) fn all_instructions() -> Vec<Instructions> {
    let all = [
        Instructions::Baseline,
        #[cfg(target_arch = "x86_64")]
        Instructions::Avx2,
        #[cfg(target_arch = "x86_64")]
        Instructions::Avx512,
    ];
    let mut all = all.to_vec();
    all.retain(|it| *it <= instructions());
    all
}

/// The numbers that a vector of these instructions holds.
pub(super) fn lanes<T: Float>(instructions: Instructions) -> usize {
    match instructions {
        #[cfg(target_arch = "x86_64")]
        Instructions::Avx512 => T::Avx512::LANES,
        #[cfg(target_arch = "x86_64")]
        Instructions::Avx2 => T::Avx2::LANES,
        Instructions::Baseline => Portable::<T>::LANES,
    }
}

/// A computation that is written once for vectors of every kind.
pub(super) trait Kernel<T: Float> {
    /// Computes it with these vectors.
    ///
    /// # Safety
    ///
    /// The instructions of `V` must be there. Implementations are inlined (`#[inline(always)]`), so that they
    /// are compiled for them.
    unsafe fn run<V: Vector<Number = T>>(self);
}

/// Computes with the vectors of these instructions.
///
/// # Panics
///
/// If the processor does not have them.
pub(super) fn run<T: Float>(instructions: Instructions, kernel: impl Kernel<T>) {
    assert!(instructions <= self::instructions());

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
    unsafe fn avx512<T: Float>(kernel: impl Kernel<T>) {
        // SAFETY: the instructions are there.
        unsafe { kernel.run::<T::Avx512>() }
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,fma")]
    unsafe fn avx2<T: Float>(kernel: impl Kernel<T>) {
        // SAFETY: the instructions are there.
        unsafe { kernel.run::<T::Avx2>() }
    }

    // SAFETY: these instructions are there.
    unsafe {
        match instructions {
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512 => avx512(kernel),
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => avx2(kernel),
            Instructions::Baseline => kernel.run::<Portable<T>>(),
        }
    }
}

/// Defines a function whose body the compiler vectorises for AVX-512, for AVX2 with FMA and for the
/// baseline. Generic parameters stand in square brackets.
macro_rules! vectorised {
    ($(#[$attribute:meta])* $visibility:vis fn $name:ident [$($generics:tt)*]
        ($($argument:ident : $type:ty),* $(,)?) $(-> $result:ty)? $body:block
    ) => {
        $(#[$attribute])*
        $visibility fn $name<$($generics)*>($($argument: $type),*) $(-> $result)? {
            #[inline(always)]
            fn body<$($generics)*>($($argument: $type),*) $(-> $result)? $body

            #[cfg(target_arch = "x86_64")]
            {
                use $crate::backend::kernels::vectorise::{Instructions, instructions};

                #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
                fn avx512<$($generics)*>($($argument: $type),*) $(-> $result)? {
                    body($($argument),*)
                }

                #[target_feature(enable = "avx2,fma")]
                fn avx2<$($generics)*>($($argument: $type),*) $(-> $result)? {
                    body($($argument),*)
                }

                match instructions() {
                    // SAFETY: the processor has the instructions; the bodies are safe code.
                    Instructions::Avx512 => return unsafe { avx512($($argument),*) },
                    // SAFETY: as above.
                    Instructions::Avx2 => return unsafe { avx2($($argument),*) },
                    Instructions::Baseline => {}
                }
            }
            body($($argument),*)
        }
    };
}
pub(crate) use vectorised;
