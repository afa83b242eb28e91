//! Sixteen lines turned over into a panel's columns.

use super::simd::Simd;
use super::tile::DEPTH;

/// Lines that are turned at once.
pub const LINES: usize = 16;

/// `out[k * width + j] = lines[j][k]`.
pub fn turn(
    simd: Simd,
    lines: &[[f32; DEPTH]; LINES],
    depth: usize,
    out: &mut [f32],
    width: usize,
) {
    let mut done = 0;
    #[cfg(target_arch = "x86_64")]
    if simd == Simd::Avx512 {
        done = depth / 16 * 16;
        assert!(done <= DEPTH && (done == 0 || out.len() >= (done - 1) * width + 16));
        for k in (0..done).step_by(16) {
            // SAFETY: AVX-512 is there, or this set of vectors would not have been chosen; 16 steps
            // from `k` are within the lines and the output, by the assertion above.
            unsafe {
                x86::turn(
                    lines.as_ptr().cast::<f32>().add(k),
                    out.as_mut_ptr().add(k * width),
                    width,
                )
            };
        }
    }
    for k in done..depth {
        for (line, out) in lines.iter().zip(&mut out[k * width..]) {
            *out = line[k];
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::DEPTH;

    /// Transposes 16 x 16: lines [`DEPTH`] apart to rows `width` apart.
    #[target_feature(enable = "avx512f")]
    pub unsafe fn turn(lines: *const f32, out: *mut f32, width: usize) {
        let mut r = [_mm512_setzero_ps(); 16];
        for (i, r) in r.iter_mut().enumerate() {
            // SAFETY: the caller holds that 16 lines have 16 numbers.
            *r = unsafe { _mm512_loadu_ps(lines.add(i * DEPTH)) };
        }
        // Pairs of numbers, then of pairs, then of quarters, then of halves change places.
        let mut t = r;
        for i in (0..16).step_by(2) {
            t[i] = _mm512_unpacklo_ps(r[i], r[i + 1]);
            t[i + 1] = _mm512_unpackhi_ps(r[i], r[i + 1]);
        }
        for i in (0..16).step_by(4) {
            let pd = |x| _mm512_castps_pd(x);
            r[i] = _mm512_castpd_ps(_mm512_unpacklo_pd(pd(t[i]), pd(t[i + 2])));
            r[i + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(pd(t[i]), pd(t[i + 2])));
            r[i + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(pd(t[i + 1]), pd(t[i + 3])));
            r[i + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(pd(t[i + 1]), pd(t[i + 3])));
        }
        for i in 0..4 {
            t[i] = _mm512_shuffle_f32x4::<0x88>(r[i], r[i + 4]);
            t[i + 4] = _mm512_shuffle_f32x4::<0xdd>(r[i], r[i + 4]);
            t[i + 8] = _mm512_shuffle_f32x4::<0x88>(r[i + 8], r[i + 12]);
            t[i + 12] = _mm512_shuffle_f32x4::<0xdd>(r[i + 8], r[i + 12]);
        }
        for i in 0..8 {
            r[i] = _mm512_shuffle_f32x4::<0x88>(t[i], t[i + 8]);
            r[i + 8] = _mm512_shuffle_f32x4::<0xdd>(t[i], t[i + 8]);
        }
        for (i, r) in r.iter().enumerate() {
            // SAFETY: the caller holds that 16 rows of 16 can be written.
            unsafe { _mm512_storeu_ps(out.add(i * width), *r) };
        }
    }
}
