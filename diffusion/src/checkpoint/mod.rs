//! Checkpoints: which files, which family, which sizes.
//!
//! A checkpoint is a diffusers folder or one original file. Its family is read off
//! the tensors, its sizes off the configs beside them or, for single files, off the
//! tensors too. Nothing is loaded until a model is asked for.

mod family;
mod fingerprint;
mod folder;
mod infer;
mod single;
mod sizes;

use std::path::{Path, PathBuf};

use burn::tensor::Device;

pub use family::Family;

use crate::error::Error;
use crate::precision::Precision;
use crate::schedule::{Schedule, ScheduleConfig};
use crate::text::{TextConfig, TextEncoder};
use crate::tokenizer::Tokenizer;
use crate::unet::{Unet, UnetConfig};
use crate::vae::{Vae, VaeConfig};
use crate::weights::Source;

/// A base model on disk.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    path: PathBuf,
    layout: Layout,
    family: Family,
    /// Sizes of the denoiser.
    pub unet: UnetConfig,
    /// Sizes of the autoencoder.
    pub vae: VaeConfig,
    /// Sizes of the text encoder.
    pub text: TextConfig,
    /// The noise schedule.
    pub schedule: ScheduleConfig,
    /// What the denoiser is computed in; f32 unless set.
    pub precision: Precision,
    tokenizer: Tokenizer,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    Folder,
    Single,
}

impl Checkpoint {
    /// Reads what `path` is. `configs` is a diffusers folder without weights, for single files
    /// of unusual sizes; its configs and tokenizer are believed.
    pub fn open(path: &Path, configs: Option<&Path>) -> Result<Self, Error> {
        if path.is_dir() {
            if configs.is_some() {
                let reason = "is a folder and has its own configs; leave the config folder out";
                return Err(Error::Config { path: path.into(), reason: reason.into() });
            }
            folder::open(path)
        } else if path.exists() {
            single::open(path, configs)
        } else {
            let reason = "there is no such file or folder".into();
            Err(Error::NotACheckpoint { path: path.into(), reason })
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// SD 1.x or SD 2.x.
    pub fn family(&self) -> Family {
        self.family
    }

    /// Its tokenizer.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// The noise schedule, ready to use.
    pub fn noise_schedule(&self) -> Schedule {
        Schedule::new(self.schedule.clone())
    }

    /// Pixels a side that one latent stands for.
    pub fn factor(&self) -> usize {
        self.vae.factor()
    }

    /// Loads the denoiser.
    pub fn load_unet(&self, device: &Device) -> Result<Unet, Error> {
        let source = self.source(Part::Unet)?.computed_in(self.precision);
        Unet::load(self.unet.clone(), &source, device)
    }

    /// Loads the autoencoder.
    pub fn load_vae(&self, device: &Device) -> Result<Vae, Error> {
        Vae::load(self.vae.clone(), &self.source(Part::Vae)?, device)
    }

    /// Loads the text encoder.
    pub fn load_text_encoder(&self, device: &Device) -> Result<TextEncoder, Error> {
        TextEncoder::load(self.text.clone(), &self.source(Part::Text)?, device)
    }

    /// A hash over every byte of the weight files (SHA-256 of the SHA-256 of 16 MiB pieces).
    pub fn fingerprint(&self) -> Result<String, Error> {
        let files = match self.layout {
            Layout::Folder => folder::all_weights(&self.path)?,
            Layout::Single => vec![self.path.clone()],
        };
        fingerprint::of(&files)
    }

    fn source(&self, part: Part) -> Result<Source, Error> {
        match self.layout {
            Layout::Folder => folder::source(&self.path, part),
            Layout::Single => single::source(self, part),
        }
    }
}

/// One of a checkpoint's models.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The denoiser.
    Unet,
    /// The autoencoder.
    Vae,
    /// The text encoder.
    Text,
}

/// Reads a JSON config.
fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, Error> {
    let text = std::fs::read_to_string(path).map_err(Error::io("read", path))?;
    serde_json::from_str(&text)
        .map_err(|e| Error::Config { path: path.into(), reason: e.to_string() })
}

/// The configs of a diffusers folder, checked.
fn read_configs(
    folder: &Path,
) -> Result<(UnetConfig, VaeConfig, TextConfig, ScheduleConfig), Error> {
    let unet_path = folder.join("unet/config.json");
    let unet: UnetConfig = read_json(&unet_path)?;
    unet.check().map_err(|reason| Error::Config { path: unet_path, reason })?;
    let vae = read_json(&folder.join("vae/config.json"))?;
    let text = read_json(&folder.join("text_encoder/config.json"))?;
    let scheduler = folder.join("scheduler/scheduler_config.json");
    let mut schedule: ScheduleConfig = read_json(&scheduler)?;
    if schedule.num_train_timesteps < 2 {
        let reason = "`num_train_timesteps` must be at least 2".into();
        return Err(Error::Config { path: scheduler, reason });
    }
    // StableDiffusionPipeline sets this whatever the file says.
    schedule.steps_offset = 1;
    Ok((unet, vae, text, schedule))
}
