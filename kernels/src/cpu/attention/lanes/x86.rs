//! x86-64's registers: AVX-512 and AVX2.
//!
//! The types' functions may only run where `Isa::available` saw their instructions: `Isa::run`,
//! which alone names the types, asks it.

use std::arch::x86_64::*;

use super::{Lanes, Task};

/// Sixteen f32s; the instructions are AVX-512 F.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Avx512(__m512);

/// Eight f32s; the instructions are AVX2 and FMA.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Avx2(__m256);

/// Methods that are one intrinsic each.
macro_rules! intrinsics {
    ($($name:ident($($argument:ident),*) = $intrinsic:ident;)*) => {$(
        #[inline(always)]
        fn $name(self, $($argument: Self),*) -> Self {
            // SAFETY: `Isa::run` saw the instructions before it named the type.
            Self(unsafe { $intrinsic(self.0, $($argument.0),*) })
        }
    )*};
}

// SAFETY: a __m512 is sixteen f32s.
unsafe impl Lanes for Avx512 {
    const WIDTH: usize = 16;
    const ROWS: usize = 12;

    intrinsics! {
        add(other) = _mm512_add_ps;
        sub(other) = _mm512_sub_ps;
        mul(other) = _mm512_mul_ps;
        mul_add(factor, term) = _mm512_fmadd_ps;
        max(other) = _mm512_max_ps;
        times_power(n) = _mm512_scalef_ps;
    }

    #[inline(always)]
    fn vectorized(task: impl Task) {
        #[target_feature(enable = "avx512f")]
        fn run(task: impl Task) {
            task.run();
        }
        // SAFETY: `Isa::run` saw the instructions before it named the type.
        unsafe { run(task) }
    }

    #[inline(always)]
    fn splat(x: f32) -> Self {
        // SAFETY: as above.
        Self(unsafe { _mm512_set1_ps(x) })
    }

    #[inline(always)]
    fn load(x: &[f32]) -> Self {
        // SAFETY: as above, and no lane past the end is read.
        Self(unsafe { _mm512_maskz_loadu_ps(lanes(x.len()), x.as_ptr()) })
    }

    #[inline(always)]
    fn store(self, x: &mut [f32]) {
        // SAFETY: as above, and no lane past the end is written.
        unsafe { _mm512_mask_storeu_ps(x.as_mut_ptr(), lanes(x.len()), self.0) }
    }

    #[inline(always)]
    fn any_above(self, other: Self) -> bool {
        // SAFETY: as above.
        unsafe { _mm512_cmp_ps_mask::<_CMP_GT_OQ>(self.0, other.0) != 0 }
    }

    #[inline(always)]
    fn zip(self, other: Self) -> [Self; 2] {
        // SAFETY: as above.
        unsafe {
            let lower = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
            let upper = _mm512_add_epi32(lower, _mm512_set1_epi32(8));
            [
                Self(_mm512_permutex2var_ps(self.0, lower, other.0)),
                Self(_mm512_permutex2var_ps(self.0, upper, other.0)),
            ]
        }
    }
}

/// The mask of the first `count` lanes.
#[inline(always)]
fn lanes(count: usize) -> __mmask16 {
    if count < 16 { (1 << count) - 1 } else { !0 }
}

// SAFETY: a __m256 is eight f32s.
unsafe impl Lanes for Avx2 {
    const WIDTH: usize = 8;
    const ROWS: usize = 6;

    intrinsics! {
        add(other) = _mm256_add_ps;
        sub(other) = _mm256_sub_ps;
        mul(other) = _mm256_mul_ps;
        mul_add(factor, term) = _mm256_fmadd_ps;
        max(other) = _mm256_max_ps;
    }

    #[inline(always)]
    fn vectorized(task: impl Task) {
        #[target_feature(enable = "avx2,fma")]
        fn run(task: impl Task) {
            task.run();
        }
        // SAFETY: `Isa::run` saw the instructions before it named the type.
        unsafe { run(task) }
    }

    #[inline(always)]
    fn splat(x: f32) -> Self {
        // SAFETY: as above.
        Self(unsafe { _mm256_set1_ps(x) })
    }

    #[inline(always)]
    fn load(x: &[f32]) -> Self {
        let mut lanes = [0.0; 8];
        let x = if let Some(x) = x.first_chunk() {
            x
        } else {
            lanes[..x.len()].copy_from_slice(x);
            &lanes
        };
        // SAFETY: as above, and eight f32s are there.
        Self(unsafe { _mm256_loadu_ps(x.as_ptr()) })
    }

    #[inline(always)]
    fn store(self, x: &mut [f32]) {
        let mut lanes = [0.0; 8];
        // SAFETY: as above, and eight f32s have room.
        unsafe { _mm256_storeu_ps(lanes.as_mut_ptr(), self.0) }
        let count = x.len().min(8);
        x[..count].copy_from_slice(&lanes[..count]);
    }

    #[inline(always)]
    fn zip(self, other: Self) -> [Self; 2] {
        // SAFETY: as above.
        unsafe {
            let first = _mm256_unpacklo_ps(self.0, other.0); // of each half
            let second = _mm256_unpackhi_ps(self.0, other.0);
            [
                Self(_mm256_permute2f128_ps::<0x20>(first, second)),
                Self(_mm256_permute2f128_ps::<0x31>(first, second)),
            ]
        }
    }

    #[inline(always)]
    fn any_above(self, other: Self) -> bool {
        // SAFETY: as above.
        unsafe { _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_GT_OQ>(self.0, other.0)) != 0 }
    }

    #[inline(always)]
    fn times_power(self, n: Self) -> Self {
        // SAFETY: as above.
        unsafe {
            let exponent = _mm256_slli_epi32::<23>(_mm256_cvtps_epi32(n.0));
            let scaled = _mm256_add_epi32(_mm256_castps_si256(self.0), exponent);
            let tiny = _mm256_cmp_ps::<_CMP_LT_OQ>(n.0, _mm256_set1_ps(-125.0));
            Self(_mm256_andnot_ps(tiny, _mm256_castsi256_ps(scaled)))
        }
    }
}
