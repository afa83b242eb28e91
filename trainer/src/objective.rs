//! The loss: mean squared error to the schedule's target, weighted by noise level.
//!
//! min-SNR: `min(snr, γ) / snr` for ε-prediction, `/ (snr + 1)` for v-prediction.
//! Source: Hang et al. 2023, <https://arxiv.org/abs/2303.09556>, section 3.4.

use burn::tensor::{Gradients, Tensor};
use likeness_diffusion::probe::MaybeProbe;
use likeness_diffusion::schedule::{Prediction, Schedule};
use likeness_diffusion::unet::{Checkpointing, Pass, Unet};

/// What one step learns from: a batch of one size.
#[derive(Debug, Clone)]
pub struct Batch {
    /// Latents, scaled, `[batch, 4, h, w]`.
    pub latents: Tensor<4>,
    /// Standard normal noise of the same shape.
    pub noise: Tensor<4>,
    /// One timestep a sample.
    pub timesteps: Vec<usize>,
    /// Text states, `[batch, tokens, d_text]`.
    pub text: Tensor<3>,
    /// What to predict in place of the schedule's target, `[batch, 4, h, w]`.
    pub target: Option<Tensor<4>>,
    /// Weights of the errors, `[batch, 1, h, w]` of mean 1 a sample; `None` weighs all alike.
    pub mask: Option<Tensor<4>>,
}

/// How errors are weighted.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Objective {
    /// γ of min-SNR; `None` weighs all timesteps alike.
    pub min_snr_gamma: Option<f64>,
}

impl Objective {
    /// The loss of `unet` on `batch`, one number, not tracked, and the gradients of all tracked
    /// leaves of both, in pieces: see [`crate::trainable::Leaves::gradient`].
    pub fn gradients(
        &self,
        unet: &Unet,
        schedule: &Schedule,
        batch: &Batch,
        checkpointing: Checkpointing,
    ) -> (Tensor<1>, Vec<Gradients>) {
        let (noisy, times) = batch.noisy(schedule);
        let pass = Pass::forward(unet, noisy, &times, batch.text.clone(), checkpointing);
        let predicted = pass.prediction().autodiff().require_grad();
        let loss = self.of(predicted.clone(), schedule, batch);
        let gradient = predicted.grad_remove(&mut loss.backward());
        let gradient = gradient.expect("the loss depends on the prediction");
        (loss.inner(), pass.backward(gradient))
    }

    /// [`Self::gradients`] of the loss of `batch` and `weight` times that of `other`, in one pass;
    /// the loss is that of `batch` alone. Latents and texts must be of one size.
    pub fn gradients_of_both(
        &self,
        unet: &Unet,
        schedule: &Schedule,
        batch: &Batch,
        (other, weight): (&Batch, f64),
        checkpointing: Checkpointing,
    ) -> (Tensor<1>, Vec<Gradients>) {
        let [(noisy, times), (more, later)] = [batch, other].map(|batch| batch.noisy(schedule));
        let (own, all) = (times.len(), [times, later].concat());
        let noisy = Tensor::cat(vec![noisy, more], 0);
        let text = Tensor::cat(vec![batch.text.clone(), other.text.clone()], 0);
        let pass = Pass::forward(unet, noisy, &all, text, checkpointing);
        let predicted = pass.prediction().autodiff().require_grad();
        let part = |from: usize, to: usize| predicted.clone().narrow(0, from, to - from);
        let loss = self.of(part(0, own), schedule, batch);
        let whole = loss.clone() + self.of(part(own, all.len()), schedule, other) * weight;
        let gradient = predicted.grad_remove(&mut whole.backward());
        let gradient = gradient.expect("the loss depends on the prediction");
        (loss.inner(), pass.backward(gradient))
    }

    /// The loss of `unet` on `batch`, one number, showing each block's output to `probe`.
    pub fn loss_probed(
        &self,
        unet: &Unet,
        schedule: &Schedule,
        batch: &Batch,
        probe: &mut MaybeProbe,
    ) -> Tensor<1> {
        let (noisy, times) = batch.noisy(schedule);
        let predicted = unet.forward_probed(noisy, &times, batch.text.clone(), probe);
        self.of(predicted, schedule, batch)
    }

    /// The loss of a prediction.
    pub(crate) fn of(&self, predicted: Tensor<4>, schedule: &Schedule, batch: &Batch) -> Tensor<1> {
        let Batch { latents, noise, timesteps, mask, target, .. } = batch.clone();
        let target = target.unwrap_or_else(|| schedule.target(latents, noise, &timesteps));
        let error = (predicted - target).square();
        let error = match mask {
            Some(mask) => error * mask, // [batch, 4, h, w]
            None => error,
        };
        match self.min_snr_gamma {
            None => error.mean(),
            Some(gamma) => {
                let [samples, c, h, w] = error.dims();
                let each = error.reshape([samples, c * h * w]).mean_dim(1).squeeze_dim::<1>(1);
                let weights: Vec<f32> =
                    timesteps.iter().map(|t| weight(schedule, *t, gamma) as f32).collect();
                let device = each.device().without_autodiff();
                (each * Tensor::from_floats(weights.as_slice(), &device)).mean()
            }
        }
    }
}

impl Batch {
    /// Whether it can be computed together with `other`.
    pub(crate) fn goes_with(&self, other: &Self) -> bool {
        let ([_, latents @ ..], [_, others @ ..]) = (self.latents.dims(), other.latents.dims());
        let ([_, text @ ..], [_, texts @ ..]) = (self.text.dims(), other.text.dims());
        latents == others && text == texts
    }

    /// The latents with their noise, and the timesteps as the UNet takes them.
    pub(crate) fn noisy(&self, schedule: &Schedule) -> (Tensor<4>, Vec<f64>) {
        let noisy = schedule.add_noise(self.latents.clone(), self.noise.clone(), &self.timesteps);
        (noisy, self.timesteps.iter().map(|t| *t as f64).collect())
    }
}

/// The weight of timestep `t` under min-SNR with `gamma`.
pub fn weight(schedule: &Schedule, t: usize, gamma: f64) -> f64 {
    let snr = schedule.snr(t);
    match schedule.config().prediction_type {
        Prediction::Epsilon => snr.min(gamma) / snr.max(f64::MIN_POSITIVE),
        Prediction::VPrediction => snr.min(gamma) / (snr + 1.0),
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;
    use likeness_diffusion::schedule::ScheduleConfig;

    use super::*;

    #[test]
    fn min_snr_caps_easy_timesteps_and_leaves_hard_ones() {
        let schedule = Schedule::new(ScheduleConfig::default());
        assert!(weight(&schedule, 0, 5.0) < 0.01, "almost clean latents weigh little");
        assert_eq!(weight(&schedule, 999, 5.0), 1.0, "almost pure noise weighs fully");
        let rescaled = ScheduleConfig { rescale_betas_zero_snr: true, ..Default::default() };
        assert!(weight(&Schedule::new(rescaled), 999, 5.0).is_finite());
    }

    #[test]
    fn a_mask_of_ones_changes_no_bit_and_errors_outside_a_mask_count_less() {
        let (device, schedule) = (Device::flex(), Schedule::new(ScheduleConfig::default()));
        let zeros = Tensor::<4>::zeros([1, 4, 2, 2], &device);
        let batch = |mask: Option<[f32; 4]>| Batch {
            latents: zeros.clone(),
            noise: zeros.clone(),
            timesteps: vec![500],
            text: Tensor::zeros([1, 1, 1], &device),
            target: None,
            mask: mask.map(|m| Tensor::<1>::from_floats(m, &device).reshape([1, 1, 2, 2])),
        };
        // Wrong by 3 in the first column of each channel alone.
        let wrong = Tensor::<1>::from_floats([3.0, 0.0, 3.0, 0.0].repeat(4).as_slice(), &device);
        let wrong = wrong.reshape([1, 4, 2, 2]);
        for min_snr_gamma in [None, Some(5.0)] {
            let objective = Objective { min_snr_gamma };
            let loss =
                |mask| objective.of(wrong.clone(), &schedule, &batch(mask)).into_scalar::<f32>();
            assert_eq!(loss(None), loss(Some([1.0; 4])));
            let (inside, outside) =
                (loss(Some([1.5, 0.5, 1.5, 0.5])), loss(Some([0.5, 1.5, 0.5, 1.5])));
            assert!((inside / outside - 3.0).abs() < 1e-5, "{inside} {outside}");
        }
    }
}
