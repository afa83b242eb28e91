//! The vectors that this processor has.

use std::sync::OnceLock;

/// A set of vector instructions that kernels are written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Simd {
    /// 16 lanes, 32 registers: AVX-512 F, BW and VL.
    Avx512,
    /// 8 lanes with fused multiply-add, 16 registers.
    Avx2,
    /// What the compiler makes of plain loops: SSE2, NEON, WebAssembly.
    Portable,
}

impl Simd {
    /// The widest that this processor has.
    pub fn best() -> Self {
        static BEST: OnceLock<Simd> = OnceLock::new();
        *BEST.get_or_init(|| *Self::all().first().expect("plain loops run anywhere"))
    }

    /// Every set that this processor has, the widest first.
    pub fn all() -> Vec<Self> {
        let mut sets = vec![Self::Portable];
        #[cfg(target_arch = "x86_64")]
        {
            let avx2 = is_x86_feature_detected!("avx2")
                && is_x86_feature_detected!("fma")
                && is_x86_feature_detected!("f16c");
            if avx2 {
                sets.insert(0, Self::Avx2);
            }
            if avx2
                && is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512vl")
            {
                sets.insert(0, Self::Avx512);
            }
        }
        sets
    }
}

/// Work whose loops are compiled for a set of vectors. `run` must be `#[inline(always)]`, as must
/// all that it calls in its loops: a function that is not inlined keeps the narrowest vectors.
pub trait Vectored {
    /// Does it.
    fn run(self);
}

impl Simd {
    /// Runs `work` with these vectors.
    #[inline(always)]
    pub fn run(self, work: impl Vectored) {
        match self {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: a set is only made where the processor has it.
            Self::Avx512 => unsafe { avx512(work) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above.
            Self::Avx2 => unsafe { avx2(work) },
            _ => work.run(),
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx2,fma,f16c")]
unsafe fn avx512(work: impl Vectored) {
    work.run();
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn avx2(work: impl Vectored) {
    work.run();
}
