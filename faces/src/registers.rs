//! Leaves vector registers as others expect them.
//!
//! Kernels of tract leave the upper halves of these registers in use, and processors then make every
//! instruction on the lower halves wait for them: what ran after a network, whole measures of a
//! picture, took twice as long. Source: Intel 64 and IA-32 Architectures Optimization Reference Manual,
//! "Mixing AVX code with SSE code".

/// Clears the upper halves of vector registers, where there are any.
pub(crate) fn clear_upper_halves() {
    #[cfg(target_arch = "x86_64")]
    if std::is_x86_feature_detected!("avx") {
        // SAFETY: the processor has AVX, and nothing is kept in these registers across a call.
        #[allow(unsafe_code)]
        unsafe {
            std::arch::x86_64::_mm256_zeroupper();
        }
    }
}
