//! Numbers as they are stored: f32, or half as wide.

use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};

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
            Self::F16(x) => x[range].convert_to_f32_slice(out),
            Self::Bf16(x) => {
                for (out, x) in out.iter_mut().zip(&x[range]) {
                    *out = f32::from_bits(u32::from(x.to_bits()) << 16);
                }
            }
        }
    }
}
