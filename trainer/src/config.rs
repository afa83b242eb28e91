//! The run file: what is trained, on what, how.
//!
//! Defaults < run file (TOML) < `--set key=value`. Unknown keys are errors that name
//! the nearest known one; a value that makes no sense is refused before anything is
//! loaded.

mod parse;
mod validate;

use std::path::PathBuf;

use likeness_diffusion::adapter::{Dialect, Preset};
use likeness_diffusion::precision::Precision;
use likeness_diffusion::schedule::Prediction;
use likeness_diffusion::unet::Checkpointing;
use serde::{Deserialize, Serialize};

pub use parse::{merged, parse};

use crate::learning_rate::Shape;
use crate::optimizer::AdamWConfig;

/// A run file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunConfig {
    /// The base model: a diffusers folder or a single .safetensors file.
    pub base: PathBuf,
    /// A diffusers folder without weights that describes a single file of unusual sizes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_configs: Option<PathBuf>,
    /// The curated dataset.
    pub dataset: PathBuf,
    /// The run folder.
    pub out: PathBuf,
    /// Seed of factors, order, timesteps and noise. Default 0.
    #[serde(default)]
    pub seed: u64,
    /// What learns.
    #[serde(default)]
    pub adapter: AdapterConfig,
    /// How it learns.
    #[serde(default)]
    pub train: TrainConfig,
    /// What is written.
    #[serde(default)]
    pub save: SaveConfig,
}

/// What learns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdapterConfig {
    /// Rank of each update, 1 to the layer's width. Default 16 (ai-toolkit, OneTrainer, CS/RF:
    /// 16 to 32 for a character).
    pub rank: usize,
    /// The update is alpha / rank · B A. Default: the rank, so that it is as strong as its factors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alpha: Option<f64>,
    /// Which layers of the UNet: "attention", "feed-forward" or "convolutions".
    pub layers: Preset,
    /// Endings of layer paths in place of a preset, such as ["to_q", "conv1"].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<String>,
    /// Whether the text encoder's attention learns too. Default false.
    pub text_encoder: bool,
}

impl Default for AdapterConfig {
    fn default() -> Self {
        Self {
            rank: 16,
            alpha: None,
            layers: Preset::Attention,
            include: Vec::new(),
            text_encoder: false,
        }
    }
}

impl AdapterConfig {
    /// alpha, or the rank where none is given.
    pub fn alpha(&self) -> f64 {
        self.alpha.unwrap_or(self.rank as f64)
    }
}

/// How it learns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrainConfig {
    /// Optimizer steps, at least 1. Default 1000 (Replicate, fal: 1000 for 10-20 photos).
    pub steps: usize,
    /// Photos a step, all of one bucket. Default 1.
    pub batch: usize,
    /// Batches whose gradients make one step. Default 1.
    pub accumulate: usize,
    /// Learning rate after warm-up. Default 1e-4 (sd-scripts' docs, diffusers' examples).
    pub learning_rate: f64,
    /// How it runs: "constant", "linear" or "cosine". Default "constant".
    pub schedule: Shape,
    /// Steps of rise from zero. Default 0.
    pub warmup_steps: usize,
    /// AdamW's first decay, below 1. Default 0.9.
    pub beta1: f64,
    /// AdamW's second decay, below 1. Default 0.999.
    pub beta2: f64,
    /// AdamW's epsilon. Default 1e-8.
    pub epsilon: f64,
    /// Decoupled weight decay. Default 0.01 (torch.optim.AdamW).
    pub weight_decay: f64,
    /// Largest global norm of a gradient; 0 does not clip. Default 1.
    pub clip: f64,
    /// γ of min-SNR; 0 weighs all timesteps alike. Default 0; 5 is the paper's.
    pub min_snr_gamma: f64,
    /// What of each photo the loss is weighted by: "none", or "face", its head. Default "none".
    #[serde(skip_serializing_if = "Mask::is_none")]
    pub mask: Mask,
    /// Weight outside the mask, 0 to 1. Default 0.1 (OneTrainer).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mask_background: Option<f64>,
    /// Probability that a part of a caption, between commas, is left out; the others come in any order. 0
    /// leaves captions as they are, the default.
    #[serde(skip_serializing_if = "is_zero")]
    pub tag_dropout: f64,
    /// Weight of staying as the base is for captions with the class word in place of the character;
    /// 0 is off, the default.
    #[serde(skip_serializing_if = "is_zero")]
    pub preserve_class: f64,
    /// Steps from one to the next that also looks at the class, if it is preserved. Default 1.
    #[serde(skip_serializing_if = "is_one")]
    pub preserve_every: usize,
    /// Pictures of the class that the base paints before it learns, on which the class is preserved; 0,
    /// the default, preserves it on the photos.
    #[serde(skip_serializing_if = "is_none")]
    pub class_pictures: usize,
    /// Last layers of the text encoder that are left out. Default 0.
    pub clip_skip: usize,
    /// What the base predicts, where its file does not say it: "epsilon" or "v_prediction".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prediction: Option<Prediction>,
    /// What the UNet is computed in: "f32", "bf16", or "auto", bf16 on NVIDIA GPUs and f32 elsewhere.
    /// Default "auto".
    pub precision: Precision,
    /// Which blocks of the UNet are computed again for the backward pass instead of being kept:
    /// "none", "attention", "blocks", or "auto", the fastest of them that fits. Default "auto".
    pub checkpointing: Recompute,
    /// Steps between checkpoints; 0 saves at the end alone. Default 250.
    pub save_every: usize,
    /// Steps between log lines: reading the loss back stalls a GPU. Default 1.
    pub log_every: usize,
}

impl Default for TrainConfig {
    fn default() -> Self {
        Self {
            steps: 1000,
            batch: 1,
            accumulate: 1,
            learning_rate: 1e-4,
            schedule: Shape::Constant,
            warmup_steps: 0,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.01,
            clip: 1.0,
            min_snr_gamma: 0.0,
            mask: Mask::None,
            mask_background: None,
            preserve_class: 0.0,
            tag_dropout: 0.0,
            preserve_every: 1,
            class_pictures: 0,
            clip_skip: 0,
            prediction: None,
            precision: Precision::Auto,
            checkpointing: Recompute::Auto,
            save_every: 250,
            log_every: 1,
        }
    }
}

fn is_zero(value: &f64) -> bool {
    *value == 0.0
}

fn is_one(value: &usize) -> bool {
    *value == 1
}

fn is_none(value: &usize) -> bool {
    *value == 0
}

impl TrainConfig {
    /// Weight of the class's loss, and steps from one to the next, if the class is preserved.
    pub fn preservation(&self) -> Option<(f64, usize)> {
        (self.preserve_class > 0.0).then_some((self.preserve_class, self.preserve_every))
    }

    /// The weight outside the mask, where there is a mask.
    pub fn background(&self) -> Option<f64> {
        match self.mask {
            Mask::None => None,
            Mask::Face => Some(self.mask_background.unwrap_or(0.1)),
        }
    }

    /// AdamW's constants.
    pub fn optimizer(&self) -> AdamWConfig {
        AdamWConfig {
            beta1: self.beta1,
            beta2: self.beta2,
            epsilon: self.epsilon,
            weight_decay: self.weight_decay,
            clip: (self.clip > 0.0).then_some(self.clip),
        }
    }
}

/// What of each photo the loss is weighted by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mask {
    /// Nothing: the whole picture counts.
    #[default]
    None,
    /// The head of the main face, or the mask in the dataset.
    Face,
}

impl Mask {
    fn is_none(&self) -> bool {
        *self == Self::None
    }
}

/// What is computed again for the backward pass. It changes memory and time, never the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Recompute {
    /// The fastest way that fits the memory at the start of the run.
    Auto,
    /// Nothing.
    None,
    /// The transformers.
    Attention,
    /// Transformers, resnets and samplers.
    Blocks,
}

impl Recompute {
    /// What was asked for by name; `None` leaves it to the memory.
    pub fn fixed(self) -> Option<Checkpointing> {
        match self {
            Self::Auto => None,
            Self::None => Some(Checkpointing::None),
            Self::Attention => Some(Checkpointing::Attention),
            Self::Blocks => Some(Checkpointing::Blocks),
        }
    }
}

/// What is written.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SaveConfig {
    /// Dialect of adapter.safetensors: "kohya" (default) or "diffusers".
    pub dialect: Dialect,
}
