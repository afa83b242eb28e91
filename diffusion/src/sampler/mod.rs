//! Samplers: from noise to a latent in a few steps.
//!
//! A sampler is a table of timesteps and noise levels and a rule for one step;
//! each rule stands in its own file with its source. Coefficients are f64.

mod ancestral;
mod ddim;
mod ddpm;
mod dpmpp;
mod euler;
mod sigmas;
mod timesteps;

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::schedule::{Prediction, Schedule, Spacing};

/// A sampling rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SamplerKind {
    /// Denoising diffusion probabilistic model: draws noise at every step.
    Ddpm,
    /// Denoising diffusion implicit model, `η = 0`: no noise but the start's.
    Ddim,
    /// Euler's method on the probability flow.
    Euler,
    /// Euler's method with fresh noise at every step.
    EulerA,
    /// DPM-Solver++ of second order, multistep.
    DpmPp2m,
    /// The same on Karras' noise levels.
    DpmPp2mKarras,
}

impl SamplerKind {
    /// Every sampler with the name it goes by.
    pub const ALL: [(Self, &str); 6] = [
        (Self::DpmPp2mKarras, "dpm++-2m-karras"),
        (Self::DpmPp2m, "dpm++-2m"),
        (Self::Euler, "euler"),
        (Self::EulerA, "euler-a"),
        (Self::Ddim, "ddim"),
        (Self::Ddpm, "ddpm"),
    ];

    /// The name it goes by.
    pub fn name(self) -> &'static str {
        let known = Self::ALL.iter().find(|(kind, _)| *kind == self);
        known.expect("the table has every kind").1
    }

    /// The sampler called `name`.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(kind, _)| *kind)
    }
}

/// How a sampler is set up, beside the schedule.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SamplerOptions {
    /// The rule.
    pub kind: SamplerKind,
    /// Which timesteps are visited.
    pub spacing: Spacing,
    /// Added to each timestep, for spacing "leading".
    pub steps_offset: usize,
    /// Karras' noise levels, for `Euler`; `DpmPp2mKarras` always has them.
    pub karras: bool,
    /// DDIM's share of fresh noise, 0 to 1.
    pub eta: f64,
}

impl SamplerOptions {
    /// `kind` as the checkpoint's schedule asks for it.
    pub fn new(kind: SamplerKind, schedule: &Schedule) -> Self {
        let config = schedule.config();
        let (spacing, steps_offset) = (config.timestep_spacing, config.steps_offset);
        Self { kind, spacing, steps_offset, karras: kind == SamplerKind::DpmPp2mKarras, eta: 0.0 }
    }
}

/// One run of a sampler.
#[derive(Debug, Clone)]
pub struct Sampler {
    schedule: Schedule,
    options: SamplerOptions,
    timesteps: Vec<f64>,
    sigmas: Vec<f64>, // noise levels with a final zero; empty for DDIM and DDPM
    last_x0: Option<Tensor<4>>, // what the last step believed, for DPM-Solver++
}

impl Sampler {
    /// A run of `steps` steps (at least 1).
    pub fn new(options: SamplerOptions, schedule: &Schedule, steps: usize) -> Self {
        let (timesteps, sigmas) = match options.kind {
            SamplerKind::Ddim | SamplerKind::Ddpm => {
                (timesteps::rounded(&options, schedule.len(), steps), Vec::new())
            }
            SamplerKind::Euler | SamplerKind::EulerA => euler::table(&options, schedule, steps),
            SamplerKind::DpmPp2m | SamplerKind::DpmPp2mKarras => {
                dpmpp::table(&options, schedule, steps)
            }
        };
        Self { schedule: schedule.clone(), options, timesteps, sigmas, last_x0: None }
    }

    /// Timesteps that the model is asked about, in order.
    pub fn timesteps(&self) -> &[f64] {
        &self.timesteps
    }

    /// Noise levels with a final zero; empty for DDIM and DDPM.
    pub fn sigmas(&self) -> &[f64] {
        &self.sigmas
    }

    /// What standard normal noise is multiplied with to start from.
    pub fn start_sigma(&self) -> f64 {
        match self.options.kind {
            SamplerKind::Euler | SamplerKind::EulerA => {
                let largest = self.sigmas[0];
                match self.options.spacing {
                    Spacing::Leading => (largest * largest + 1.0).sqrt(),
                    _ => largest,
                }
            }
            _ => 1.0,
        }
    }

    /// The latents of step `i` as the model wants them.
    pub fn model_input(&self, i: usize, x: Tensor<4>) -> Tensor<4> {
        match self.options.kind {
            SamplerKind::Euler | SamplerKind::EulerA => x / (self.sigmas[i].powi(2) + 1.0).sqrt(),
            _ => x,
        }
    }

    /// Whether [`Sampler::step`] uses the noise it is given.
    pub fn wants_noise(&self) -> bool {
        match self.options.kind {
            SamplerKind::EulerA | SamplerKind::Ddpm => true,
            SamplerKind::Ddim => self.options.eta > 0.0,
            _ => false,
        }
    }

    /// Latents after step `i`, from the model's `output` for [`Sampler::model_input`] of `x`.
    pub fn step(
        &mut self,
        i: usize,
        output: Tensor<4>,
        x: Tensor<4>,
        noise: impl FnOnce() -> Tensor<4>,
    ) -> Tensor<4> {
        match self.options.kind {
            SamplerKind::Ddim => self.ddim_step(i, output, x, noise),
            SamplerKind::Ddpm => self.ddpm_step(i, output, x, noise),
            SamplerKind::Euler => self.euler_step(i, output, x),
            SamplerKind::EulerA => self.ancestral_step(i, output, x, noise),
            SamplerKind::DpmPp2m | SamplerKind::DpmPp2mKarras => self.dpmpp_step(i, output, x),
        }
    }

    fn prediction(&self) -> Prediction {
        self.schedule.config().prediction_type
    }
}
