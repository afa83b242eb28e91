//! The learning rate at each step.
//!
//! Formulas and edge cases as in diffusers' `optimization.py`, which users know.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

/// How the learning rate runs after warm-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shape {
    /// Stays.
    #[default]
    Constant,
    /// Falls evenly to zero at the last step.
    Linear,
    /// Falls along half a cosine to zero at the last step.
    Cosine,
    /// Stays, and falls evenly to zero over the last fifth: warm-up, stable, decay. A run made
    /// longer before that fifth goes on as if it had been longer from the start.
    /// Source: Hu and others 2024, <https://arxiv.org/abs/2404.06395>, section 4.
    Wsd,
}

/// The learning rate of a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LearningRate {
    /// The rate after warm-up.
    pub peak: f64,
    /// How it runs after that.
    pub shape: Shape,
    /// Steps of even rise from zero.
    pub warmup_steps: usize,
    /// Steps of the whole run.
    pub steps: usize,
}

impl LearningRate {
    /// The rate used at step `step`, counted from 0.
    pub fn at(&self, step: usize) -> f64 {
        if step < self.warmup_steps {
            return self.peak * step as f64 / self.warmup_steps as f64;
        }
        let rest = self.steps.saturating_sub(self.warmup_steps).max(1) as f64;
        let done = (step - self.warmup_steps) as f64 / rest;
        self.peak
            * match self.shape {
                Shape::Constant => 1.0,
                Shape::Linear => (1.0 - done).max(0.0),
                Shape::Cosine => (0.5 * (1.0 + (PI * done).cos())).max(0.0),
                Shape::Wsd => (5.0 * (1.0 - done)).clamp(0.0, 1.0),
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warmup_rises_and_the_rest_falls() {
        for shape in [Shape::Linear, Shape::Cosine] {
            let rate = LearningRate { peak: 1.0, shape, warmup_steps: 10, steps: 100 };
            assert_eq!((rate.at(0), rate.at(5), rate.at(10)), (0.0, 0.5, 1.0));
            assert!((11..100).all(|step| rate.at(step) < rate.at(step - 1)));
            assert!(rate.at(100).abs() < 1e-12);
        }
    }

    #[test]
    fn warmup_stable_decay_falls_in_its_last_fifth() {
        let rate = |steps| LearningRate { peak: 1.0, shape: Shape::Wsd, warmup_steps: 0, steps };
        assert_eq!([0, 79, 100].map(|step| rate(100).at(step)), [1.0, 1.0, 0.0]);
        assert!((rate(100).at(90) - 0.5).abs() < 1e-12);
        assert!((0..80).all(|step| rate(100).at(step) == rate(1000).at(step)));
    }
}
