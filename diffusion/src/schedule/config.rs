//! What describes a schedule, as `scheduler/scheduler_config.json` gives it.

use serde::{Deserialize, Serialize};

/// How `β` runs from start to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BetaSchedule {
    /// Evenly.
    Linear,
    /// Evenly in `√β`: Stable Diffusion's.
    ScaledLinear,
    /// From a squared cosine `ᾱ` (Nichol and Dhariwal 2021, <https://arxiv.org/abs/2102.09672>).
    SquaredcosCapV2,
}

/// What the model predicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prediction {
    /// The noise.
    Epsilon,
    /// The velocity.
    VPrediction,
}

/// Which training timesteps a run of fewer steps visits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Spacing {
    /// From the first to the last, evenly.
    Linspace,
    /// Multiples of `T / steps`, from zero.
    Leading,
    /// Multiples of `T / steps`, from the end: includes the last one.
    Trailing,
}

/// A schedule and how it is sampled. Keys of a scheduler's JSON that belong to one sampler's
/// taste are ignored: likeness chooses the sampler itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ScheduleConfig {
    /// Number of training timesteps.
    pub num_train_timesteps: usize,
    /// First `β`.
    pub beta_start: f64,
    /// Last `β`.
    pub beta_end: f64,
    /// How `β` runs between them.
    pub beta_schedule: BetaSchedule,
    /// What the model predicts.
    pub prediction_type: Prediction,
    /// Whether the last timestep is pure noise (Lin et al. 2023,
    /// <https://arxiv.org/abs/2305.08891>).
    pub rescale_betas_zero_snr: bool,
    /// Which timesteps a run visits.
    pub timestep_spacing: Spacing,
    /// Added to each visited timestep, for spacing "leading".
    pub steps_offset: usize,
    /// Whether DDIM's last step ends at `ᾱ = 1` instead of `ᾱ_0`.
    pub set_alpha_to_one: bool,
}

impl Default for ScheduleConfig {
    /// Stable Diffusion's.
    fn default() -> Self {
        Self {
            num_train_timesteps: 1000,
            beta_start: 0.00085,
            beta_end: 0.012,
            beta_schedule: BetaSchedule::ScaledLinear,
            prediction_type: Prediction::Epsilon,
            rescale_betas_zero_snr: false,
            timestep_spacing: Spacing::Leading,
            steps_offset: 1,
            set_alpha_to_one: false,
        }
    }
}
