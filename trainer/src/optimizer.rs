//! AdamW over one flat tensor that holds every factor.
//!
//! `m ← β₁ m + (1 - β₁) g`, `v ← β₂ v + (1 - β₂) g²`,
//! `p ← (1 - η λ) p - η m̂ / (√v̂ + ε)`, with the gradient's global norm clipped
//! before. One flat tensor makes a step a few launches, however many layers there
//! are. Source: Loshchilov and Hutter 2019, <https://arxiv.org/abs/1711.05101>,
//! algorithm 2; ε and the order of operations as in `torch.optim.AdamW`.

use burn::tensor::{Device, Tensor};

/// Constants of AdamW.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamWConfig {
    /// Decay of the first moment, β₁.
    pub beta1: f64,
    /// Decay of the second moment, β₂.
    pub beta2: f64,
    /// ε.
    pub epsilon: f64,
    /// λ, decoupled from the gradient.
    pub weight_decay: f64,
    /// Largest global norm of a gradient; `None` does not clip.
    pub clip: Option<f64>,
}

/// AdamW's state.
#[derive(Debug, Clone)]
pub struct AdamW {
    config: AdamWConfig,
    /// First moment, flat.
    pub first: Tensor<1>,
    /// Second moment, flat.
    pub second: Tensor<1>,
    /// Steps taken.
    pub steps: usize,
}

impl AdamW {
    /// A fresh state for `length` numbers.
    pub fn new(config: AdamWConfig, length: usize, device: &Device) -> Self {
        let zeros = || Tensor::zeros([length], device);
        Self { config, first: zeros(), second: zeros(), steps: 0 }
    }

    /// `values` after one step along `gradient` at `learning_rate`, and the gradient's norm
    /// before clipping, still on the device.
    pub fn step(
        &mut self,
        values: Tensor<1>,
        gradient: Tensor<1>,
        learning_rate: f64,
    ) -> (Tensor<1>, Tensor<1>) {
        let AdamWConfig { beta1, beta2, epsilon, weight_decay, clip } = self.config;
        let norm = gradient.clone().square().sum().sqrt(); // [1]
        let gradient = match clip {
            // As torch.nn.utils.clip_grad_norm_, with its 1e-6.
            Some(clip) => gradient * ((norm.clone() + 1e-6).recip() * clip).clamp_max(1.0),
            None => gradient,
        };
        self.steps += 1;
        let steps = self.steps as i32;
        self.first = self.first.clone() * beta1 + gradient.clone() * (1.0 - beta1);
        self.second = self.second.clone() * beta2 + gradient.square() * (1.0 - beta2);
        let size = learning_rate / (1.0 - beta1.powi(steps));
        let root = self.second.clone().sqrt() / (1.0 - beta2.powi(steps)).sqrt();
        let decayed = values * (1.0 - learning_rate * weight_decay);
        (decayed - self.first.clone() / (root + epsilon) * size, norm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: AdamWConfig =
        AdamWConfig { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.0, clip: None };

    fn stepped(config: AdamWConfig, gradient: [f32; 2]) -> Vec<f32> {
        let device = Device::flex();
        let mut adam = AdamW::new(config, 2, &device);
        let values = Tensor::from_floats([1.0, -1.0], &device);
        let (after, _) = adam.step(values, Tensor::from_floats(gradient, &device), 0.1);
        after.into_data().iter::<f32>().collect()
    }

    #[test]
    fn the_first_step_has_the_learning_rates_size_whatever_the_gradients() {
        for scale in [1e-3, 1.0, 1e3] {
            let after = stepped(PLAIN, [scale, -scale]);
            assert!((after[0] - 0.9).abs() < 1e-4 && (after[1] + 0.9).abs() < 1e-4, "{after:?}");
        }
    }

    #[test]
    fn decay_shrinks_values_without_a_gradient() {
        let after = stepped(AdamWConfig { weight_decay: 0.5, ..PLAIN }, [0.0, 0.0]);
        assert_eq!(after, [0.95, -0.95]);
    }

    #[test]
    fn clipping_scales_the_whole_gradient() {
        let device = Device::flex();
        let mut adam = AdamW::new(AdamWConfig { clip: Some(1.0), ..PLAIN }, 2, &device);
        let values = Tensor::from_floats([0.0, 0.0], &device);
        let (_, norm) = adam.step(values, Tensor::from_floats([30.0, 40.0], &device), 0.1);
        assert!((norm.into_scalar::<f32>() - 50.0).abs() < 1e-3);
        let first: Vec<f32> = adam.first.into_data().iter::<f32>().collect();
        assert!((first[0] - 0.06).abs() < 1e-5 && (first[1] - 0.08).abs() < 1e-5, "{first:?}");
    }
}
