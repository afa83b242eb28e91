//! Euler's method that removes more noise than it must and draws fresh noise for the rest.
//!
//! Source: k-diffusion, `get_ancestral_step` and `sample_euler_ancestral`,
//! <https://github.com/crowsonkb/k-diffusion/blob/master/k_diffusion/sampling.py>.

use burn::tensor::Tensor;

use super::Sampler;

impl Sampler {
    pub(super) fn ancestral_step(
        &self,
        i: usize,
        output: Tensor<4>,
        x: Tensor<4>,
        noise: impl FnOnce() -> Tensor<4>,
    ) -> Tensor<4> {
        let (from, to) = (self.sigmas[i], self.sigmas[i + 1]);
        let up = (to * to * (from * from - to * to) / (from * from)).max(0.0).sqrt();
        let down = (to * to - up * up).max(0.0).sqrt();
        let slope = self.slope(i, output, x.clone());
        x + slope * (down - from) + noise() * up
    }
}
