//! Denoising diffusion probabilistic models, with the smaller of the two variances.
//!
//! Source: Ho et al. 2020, <https://arxiv.org/abs/2006.11239>, equations 6 and 7.

use burn::tensor::Tensor;

use super::Sampler;

impl Sampler {
    pub(super) fn ddpm_step(
        &self,
        i: usize,
        output: Tensor<4>,
        x: Tensor<4>,
        noise: impl FnOnce() -> Tensor<4>,
    ) -> Tensor<4> {
        let (alpha, alpha_next) = self.alphas(i, true);
        let (x0, _) = self.split(alpha, output, x.clone());
        let step_alpha = alpha / alpha_next;
        let step_beta = 1.0 - step_alpha;
        let of_x0 = alpha_next.sqrt() * step_beta / (1.0 - alpha);
        let of_x = step_alpha.sqrt() * (1.0 - alpha_next) / (1.0 - alpha);
        let mean = x0 * of_x0 + x * of_x;
        let variance = ((1.0 - alpha_next) / (1.0 - alpha) * step_beta).max(1e-20);
        if self.timesteps[i] > 0.0 { mean + noise() * variance.sqrt() } else { mean }
    }
}
