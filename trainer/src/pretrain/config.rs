//! The file of a pretraining: sizes of the models, and how long each learns.

use std::path::{Path, PathBuf};

use likeness_diffusion::schedule::{Prediction, Schedule, ScheduleConfig};
use likeness_diffusion::text::TextConfig;
use likeness_diffusion::unet::{PerLevel, UnetConfig};
use likeness_diffusion::vae::VaeConfig;
use serde::{Deserialize, Serialize};

use super::judges::trunk::TrunkConfig;
use super::stage::Plan;
use crate::config::merged;
use crate::error::TrainError;
use crate::learning_rate::{LearningRate, Shape};

/// A pretraining.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PretrainConfig {
    /// Where everything goes.
    pub out: PathBuf,
    /// A base of the same sizes whose tokenizer and weights are begun with; fresh ones without it.
    pub from: Option<PathBuf>,
    /// Seed of weights, batches, noises and timesteps.
    #[serde(default)]
    pub seed: u64,
    /// The pictures.
    pub corpus: CorpusConfig,
    /// The autoencoder and its training.
    pub autoencoder: AutoencoderConfig,
    /// The tokenizer and the text encoder.
    pub text: TextEncoderConfig,
    /// The UNet and its training, the text encoder's with it.
    pub denoiser: DenoiserConfig,
    /// What tells the UNet which expression it paints; nothing does without it.
    pub latent_reader: Option<LatentReaderConfig>,
    /// The face finder.
    pub finder: FinderConfig,
    /// The identity encoder.
    pub identity: IdentityConfig,
    /// The reader of pictures.
    pub reader: ReaderConfig,
    /// The reader of faces.
    pub face_reader: FaceReaderConfig,
    /// What the whole of it is measured on.
    #[serde(default)]
    pub measures: MeasuresConfig,
}

/// How a finished base is measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeasuresConfig {
    /// Prompts of characters that are held out.
    pub prompts: usize,
    /// Sampling steps.
    pub steps: usize,
    /// Guidance scale.
    pub guidance: f64,
}

impl Default for MeasuresConfig {
    fn default() -> Self {
        Self { prompts: 500, steps: 20, guidance: 4.0 }
    }
}

/// The pictures that are rendered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CorpusConfig {
    /// Different characters.
    pub characters: usize,
    /// Pictures of each.
    pub pictures_each: usize,
    /// Characters at the end that nothing is trained on.
    pub held_out_characters: usize,
    /// Pixels a side; a multiple of the autoencoder's factor.
    pub side: usize,
    /// Share of pictures whose face has a flaw, 0 to 1: for a reader of flaws, not for a base.
    #[serde(default)]
    pub flawed: f64,
}

/// An autoencoder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AutoencoderConfig {
    /// Channels of each level; each level but the last halves the size.
    pub channels: Vec<usize>,
    /// Resnets a level.
    pub layers: usize,
    /// Channels of a latent.
    pub latent_channels: usize,
    /// Groups of each group normalisation.
    pub groups: usize,
    /// Pixels a side of the squares that the decoder learns on; a multiple of the factor.
    pub square: usize,
    /// Share of these squares that have a face in the middle, 0 to 1; the others are anywhere.
    #[serde(default)]
    pub faces: f64,
    /// How long the decoder learns.
    pub train: Training,
}

/// A text encoder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextEncoderConfig {
    /// Merges that the tokenizer learns, at most.
    pub merges: usize,
    /// Tokens of a window, 3 to 77.
    pub window: usize,
    /// Width of the states.
    pub width: usize,
    /// Layers.
    pub layers: usize,
    /// Heads of each attention.
    pub heads: usize,
    /// How long it learns.
    pub train: Training,
}

/// A UNet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DenoiserConfig {
    /// Channels of each level; each level but the last halves the size.
    pub channels: Vec<usize>,
    /// Resnets, and transformers where there are any, a level.
    pub layers: usize,
    /// Heads of each attention, at each level; no transformers where 0.
    pub heads: Vec<usize>,
    /// Groups of each group normalisation.
    pub groups: usize,
    /// Decay of the weights' running average, a step.
    pub average: f64,
    /// γ of min-SNR.
    pub min_snr_gamma: f64,
    /// Weight of errors that are not the head's, 0 to 1.
    pub background: f64,
    /// Timesteps are drawn as this power of even draws, as shares of the schedule: above 1, those with
    /// little noise more often.
    #[serde(default = "even")]
    pub timestep_power: f64,
    /// Share of the weights of `from` in what is exported, 0 to 1.
    #[serde(default)]
    pub kept: f64,
    /// How long it learns.
    pub train: Training,
}

/// A reader of latents, whose answers join the denoiser's loss.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LatentReaderConfig {
    /// What it tells, of the corpus's axes.
    pub axes: Vec<String>,
    /// Weight of its answers' cross entropy beside the denoiser's squared error.
    pub weight: f64,
    /// Its network.
    pub trunk: TrunkConfig,
    /// How long it learns.
    pub train: Training,
}

/// All timesteps alike.
fn even() -> f64 {
    1.0
}

/// A face finder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FinderConfig {
    /// Pixels a side of what it looks at; a multiple of 32.
    pub side: usize,
    /// Its network: five stages.
    pub trunk: TrunkConfig,
    /// How long it learns.
    pub train: Training,
}

/// An identity encoder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdentityConfig {
    /// Pixels a side of an aligned face.
    pub side: usize,
    /// How much of the face's square is added at each edge, as a share of its side.
    pub margin: f64,
    /// Length of a direction.
    pub dimension: usize,
    /// Its network.
    pub trunk: TrunkConfig,
    /// How long it learns.
    pub train: Training,
}

/// A reader of aligned faces.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaceReaderConfig {
    /// What it tells, of the corpus's axes.
    pub axes: Vec<String>,
    /// Pixels a side of an aligned face.
    pub side: usize,
    /// How much of the face's square is added at each edge, as a share of its side; below 0 it is cut.
    pub margin: f64,
    /// Its network.
    pub trunk: TrunkConfig,
    /// How long it learns.
    pub train: Training,
}

/// A reader of whole pictures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReaderConfig {
    /// What it tells, of the corpus's axes.
    pub axes: Vec<String>,
    /// Its network.
    pub trunk: TrunkConfig,
    /// How long it learns.
    pub train: Training,
}

/// How long and how fast something learns.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// Optimizer steps.
    pub steps: usize,
    /// Pictures a step.
    pub batch: usize,
    /// Learning rate after warm-up; falls evenly to zero over the last fifth of the steps.
    pub learning_rate: f64,
    /// Steps of even rise from zero.
    pub warmup_steps: usize,
    /// Steps between two states.
    pub save_every: usize,
}

impl PretrainConfig {
    /// The file `text` (called `path` in errors) with `overrides` such as `seed=3`.
    pub fn parse(path: &Path, text: &str, overrides: &[String]) -> Result<Self, TrainError> {
        let config: Self = merged(path, text, overrides)?;
        config.validate()?;
        Ok(config)
    }

    /// Pictures in all, and how many of them are held out.
    pub fn pictures(&self) -> (usize, usize) {
        let CorpusConfig { characters, pictures_each, held_out_characters, .. } = self.corpus;
        (characters * pictures_each, held_out_characters * pictures_each)
    }

    /// The autoencoder's sizes; latents are multiplied with `scaling`.
    pub fn vae(&self, scaling: f64) -> VaeConfig {
        let AutoencoderConfig { channels, layers, latent_channels, groups, .. } = &self.autoencoder;
        VaeConfig {
            latent_channels: *latent_channels,
            block_out_channels: channels.clone(),
            layers_per_block: *layers,
            norm_num_groups: *groups,
            scaling_factor: scaling,
            ..VaeConfig::default()
        }
    }

    /// The text encoder's sizes, for a vocabulary of `words` whose last entry ends a text.
    pub fn text_encoder(&self, words: usize) -> TextConfig {
        TextConfig {
            vocab_size: words,
            hidden_size: self.text.width,
            intermediate_size: 4 * self.text.width,
            num_hidden_layers: self.text.layers,
            num_attention_heads: self.text.heads,
            max_position_embeddings: self.text.window,
            eos_token_id: words as u32 - 1,
            ..TextConfig::default()
        }
    }

    /// The UNet's sizes.
    pub fn unet(&self) -> UnetConfig {
        let DenoiserConfig { channels, layers, heads, groups, .. } = &self.denoiser;
        let kind = |plain: &str, heads: &usize| match heads {
            0 => plain.to_owned(),
            _ => format!("CrossAttn{plain}"),
        };
        let latent = self.autoencoder.latent_channels;
        UnetConfig {
            in_channels: latent,
            out_channels: latent,
            block_out_channels: channels.clone(),
            layers_per_block: *layers,
            cross_attention_dim: self.text.width,
            attention_head_dim: PerLevel::Each(heads.iter().map(|heads| *heads.max(&1)).collect()),
            down_block_types: heads.iter().map(|heads| kind("DownBlock2D", heads)).collect(),
            up_block_types: heads.iter().rev().map(|heads| kind("UpBlock2D", heads)).collect(),
            norm_num_groups: *groups,
            use_linear_projection: true,
            sample_size: self.corpus.side / self.vae(1.0).factor(),
            ..UnetConfig::default()
        }
    }

    /// The noise: Stable Diffusion's, with the velocity predicted.
    pub fn schedule(&self) -> ScheduleConfig {
        ScheduleConfig { prediction_type: Prediction::VPrediction, ..Default::default() }
    }

    /// [`PretrainConfig::schedule`], ready to use.
    pub fn noise(&self) -> Schedule {
        Schedule::new(self.schedule())
    }
}

impl Training {
    /// As the loop wants it.
    pub fn plan(&self) -> Plan {
        let Self { steps, batch, learning_rate, warmup_steps, save_every } = *self;
        let rate = LearningRate { peak: learning_rate, shape: Shape::Wsd, warmup_steps, steps };
        Plan { rate, batch, log_every: 50, save_every }
    }
}
