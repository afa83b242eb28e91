//! Numbers as they are stored: f32, or half as wide.

use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};

use super::simd::Simd;

/// Elements in storage; arithmetic is always in f32.
#[derive(Debug, Clone, Copy)]
pub enum Values<'a> {
    /// 4 bytes each.
    F32(&'a [f32]),
    /// 2 bytes each, 11 bits of precision.
    F16(&'a [f16]),
    /// 2 bytes each, 8 bits of precision.
    Bf16(&'a [bf16]),
}

impl Values<'_> {
    /// Writes elements `start..start + out.len()` to `out`.
    #[inline]
    pub fn read(&self, start: usize, out: &mut [f32]) {
        let range = start..start + out.len();
        match self {
            Self::F32(x) => out.copy_from_slice(&x[range]),
            Self::F16(x) => widen(&x[range], out),
            Self::Bf16(x) => {
                for (out, x) in out.iter_mut().zip(&x[range]) {
                    *out = f32::from_bits(u32::from(x.to_bits()) << 16);
                }
            }
        }
    }
}

#[inline]
fn widen(x: &[f16], out: &mut [f32]) {
    #[cfg(target_arch = "x86_64")]
    if Simd::best() == Simd::Avx512 {
        assert_eq!(x.len(), out.len());
        // SAFETY: AVX-512 is there, and both have as many elements.
        return unsafe { x86::widen(x, out) };
    }
    x.convert_to_f32_slice(out);
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use half::f16;

    /// 16 numbers at a time; the last ones with a mask.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    pub unsafe fn widen(x: &[f16], out: &mut [f32]) {
        let whole = x.len() / 16 * 16;
        for i in (0..whole).step_by(16) {
            // SAFETY: 16 numbers from `i` on are within both.
            unsafe {
                let halves = _mm256_loadu_si256(x.as_ptr().add(i).cast());
                _mm512_storeu_ps(out.as_mut_ptr().add(i), _mm512_cvtph_ps(halves));
            }
        }
        let mask = (1u32 << (x.len() - whole)) as u16 - 1;
        // SAFETY: lanes beyond the last number are neither read nor written.
        unsafe {
            let halves = _mm256_maskz_loadu_epi16(mask, x.as_ptr().add(whole).cast());
            let place = out.as_mut_ptr().add(whole);
            _mm512_mask_storeu_ps(place, mask, _mm512_cvtph_ps(halves));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_half_is_widened_exactly() {
        let halves: Vec<f16> = (0..=u16::MAX).map(f16::from_bits).collect();
        let short: Vec<bf16> = (0..=u16::MAX).map(bf16::from_bits).collect();
        for (start, length) in [(0, 1 << 16), (5, 0), (7, 1), (3, 9), (11, 31), (1, 4097)] {
            let mut out = vec![0.0; length];
            Values::F16(&halves).read(start, &mut out);
            for (x, out) in halves[start..].iter().zip(&out) {
                assert!(x.to_f32() == *out || x.is_nan() && out.is_nan(), "{x}");
            }
            Values::Bf16(&short).read(start, &mut out);
            for (x, out) in short[start..].iter().zip(&out) {
                assert!(x.to_f32() == *out || x.is_nan() && out.is_nan(), "{x}");
            }
        }
    }
}
