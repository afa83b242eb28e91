//! Denoising diffusion implicit models.
//!
//! Source: Song et al. 2021, <https://arxiv.org/abs/2010.02502>, equations 12 and 16.

use burn::tensor::Tensor;

use super::Sampler;
use crate::schedule::Prediction;

impl Sampler {
    pub(super) fn ddim_step(
        &self,
        i: usize,
        output: Tensor<4>,
        x: Tensor<4>,
        noise: impl FnOnce() -> Tensor<4>,
    ) -> Tensor<4> {
        let (alpha, alpha_next) = self.alphas(i, self.schedule.config().set_alpha_to_one);
        let (x0, epsilon) = self.split(alpha, output, x);
        let variance = (1.0 - alpha_next) / (1.0 - alpha) * (1.0 - alpha / alpha_next);
        let fresh = self.options.eta * variance.max(0.0).sqrt();
        let kept = (1.0 - alpha_next - fresh * fresh).max(0.0).sqrt();
        let next = x0 * alpha_next.sqrt() + epsilon * kept;
        if fresh > 0.0 { next + noise() * fresh } else { next }
    }

    /// `ᾱ` of step `i` and of the one after it; behind the last it is 1 or `ᾱ_0`.
    pub(super) fn alphas(&self, i: usize, ends_at_one: bool) -> (f64, f64) {
        let alphas = self.schedule.alphas_cumprod();
        let t = self.timesteps[i] as usize;
        let stride = alphas.len() / self.timesteps.len();
        let end = if ends_at_one { 1.0 } else { alphas[0] };
        (alphas[t], t.checked_sub(stride).map_or(end, |next| alphas[next]))
    }

    /// The clean latent and the noise that `output` implies for `x` at `ᾱ = alpha`.
    pub(super) fn split(
        &self,
        alpha: f64,
        output: Tensor<4>,
        x: Tensor<4>,
    ) -> (Tensor<4>, Tensor<4>) {
        let (signal, sigma) = (alpha.sqrt(), (1.0 - alpha).sqrt());
        match self.prediction() {
            Prediction::Epsilon => ((x - output.clone() * sigma) / signal, output),
            Prediction::VPrediction => {
                let x0 = x.clone() * signal - output.clone() * sigma;
                (x0, output * signal + x * sigma)
            }
        }
    }
}
