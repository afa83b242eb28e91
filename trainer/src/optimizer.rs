//! AdamW over one flat tensor that holds every factor, and its state between steps.
//!
//! The formula is the kernel's, [`likeness_kernels::adamw()`]. One flat tensor makes a
//! step a few launches, however many layers there are.

use burn::tensor::{Device, Tensor};
use likeness_kernels::{AdamWState, AdamWStep, adamw};

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
        self.steps += 1;
        let AdamWConfig { beta1, beta2, epsilon, weight_decay, clip } = self.config;
        let number = self.steps;
        let step = AdamWStep { beta1, beta2, epsilon, weight_decay, clip, learning_rate, number };
        // Taken out, so that nobody else holds them and they are changed in place.
        let [first, second] = [&mut self.first, &mut self.second]
            .map(|moment| std::mem::replace(moment, Tensor::empty([0], &gradient.device())));
        let (state, norm) = adamw(AdamWState { values, first, second }, gradient, step);
        (self.first, self.second) = (state.first, state.second);
        (state.values, norm)
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
