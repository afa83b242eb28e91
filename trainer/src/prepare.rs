//! What a run is made of, opened and checked before anything is loaded.

use std::collections::BTreeMap;

use burn::tensor::Device;
use likeness_dataset::Dataset;
use likeness_diffusion::adapter::Targets;
use likeness_diffusion::checkpoint::Checkpoint;

use crate::base::{open_base, targets};
use crate::cache::Cache;
use crate::config::RunConfig;
use crate::error::TrainError;
use crate::identity::Identity;
use crate::inputs::Maker;
use crate::memory::{self, Load, Plan, Predictor};
use crate::variants::Variants;

/// Where a run is computed.
#[derive(Debug, Clone, Copy)]
pub struct Machine<'a> {
    /// The device.
    pub device: &'a Device,
    /// What the run's identity calls it.
    pub engine: &'a str,
    /// Bytes that are free on the device; `None` where it does not tell.
    pub free_bytes: Option<u64>,
    /// Whether the device computes in the process's own memory, whose peak the system tells.
    pub own_memory: bool,
}

/// A run's inputs.
pub struct Prepared<'a> {
    config: &'a RunConfig,
    /// The photos.
    pub dataset: Dataset,
    /// The base.
    pub checkpoint: Checkpoint,
    /// What learns.
    pub targets: Targets,
    /// How many photos each bucket has, by width and height in pixels.
    pub buckets: BTreeMap<(u32, u32), usize>,
    tokens: usize, // of the longest caption, in whole windows
}

impl<'a> Prepared<'a> {
    /// Opens what `config` names, and checks that it goes together; `engine` is the device's name.
    pub fn open(config: &'a RunConfig, engine: &str) -> Result<Self, TrainError> {
        config.validate()?;
        let dataset = Dataset::open(&config.dataset)?;
        if dataset.kept().next().is_none() {
            let reason = "keeps no photo; look at its report.html for the reasons".into();
            return Err(TrainError::Folder { path: config.dataset.clone(), reason });
        }
        let checkpoint = open_base(config, engine)?;
        let targets = targets(config, &checkpoint.places(config.adapter.text_encoder))?;
        let mut buckets = BTreeMap::new();
        let (tokenizer, mut windows) = (checkpoint.tokenizer(), 1);
        for record in dataset.kept() {
            let bucket = record.bucket.map(|bucket| (bucket.width, bucket.height));
            *buckets.entry(bucket.unwrap_or_default()).or_insert(0) += 1;
            let caption = dataset.caption(record)?;
            windows = windows.max(tokenizer.windows(&caption).len());
        }
        let tokens = windows * tokenizer.window_length();
        Ok(Self { config, dataset, checkpoint, targets, buckets, tokens })
    }

    /// What the result depends on; hashes every byte of base and dataset.
    pub fn identity(&self, engine: &str) -> Result<(String, Identity), TrainError> {
        let fingerprint = self.checkpoint.fingerprint()?;
        let dataset = self.dataset.content_hash()?;
        let identity = Identity::new(self.config, &self.checkpoint, &fingerprint, &dataset, engine);
        let train = &self.config.train;
        let identity = match train.background() {
            Some(background) => identity.masked(&self.dataset.masks_hash()?, background),
            None => identity,
        };
        let identity = match train.tag_dropout > 0.0 {
            true => identity.dropping(train.tag_dropout),
            false => identity,
        };
        let identity = match train.preservation() {
            Some((weight, every)) => identity.preserving(weight, every),
            None => identity,
        };
        let identity = match train.class_pictures {
            0 => identity,
            pictures => identity.painting(pictures),
        };
        Ok((fingerprint, identity))
    }

    /// What makes the UNet's inputs.
    pub fn maker<'b>(&'b self, fingerprint: &'b str, device: &'b Device) -> Maker<'b> {
        Maker {
            checkpoint: &self.checkpoint,
            fingerprint,
            clip_skip: self.config.train.clip_skip,
            keep_states: !self.config.adapter.text_encoder,
            class: self.config.train.preservation().is_some(),
            variants: Variants {
                seed: self.config.seed,
                dropout: self.config.train.tag_dropout,
                trigger: &self.dataset.character.trigger,
            },
            mask_background: self.config.train.background(),
            device,
        }
    }

    /// Photos and texts that have yet to be encoded.
    pub fn to_encode(&self, maker: &Maker<'_>, cache: &Cache) -> Result<usize, TrainError> {
        maker.missing(&self.dataset, cache)
    }

    /// The memory that this run's adapter takes on this base.
    pub fn predictor(&self) -> Result<Predictor<'_>, TrainError> {
        Predictor::new(&self.checkpoint, &self.targets, self.config.adapter.rank)
    }

    /// The heaviest batch that will come.
    pub fn load(&self) -> Load {
        let factor = self.checkpoint.factor() as u32;
        let largest = self.buckets.keys().max_by_key(|(width, height)| width * height);
        let (width, height) = largest.copied().unwrap_or_default();
        let latents = [height / factor, width / factor].map(|side| side as usize);
        // Photos and pictures of the class are computed together.
        let together = if self.config.train.preservation().is_some() { 2 } else { 1 };
        Load { batch: self.config.train.batch * together, latents, tokens: self.tokens }
    }

    /// How it will be computed; `caching` says whether something has yet to be encoded.
    pub fn plan(&self, caching: bool, machine: &Machine<'_>) -> Result<Plan, TrainError> {
        let asked = self.config.train.checkpointing.fixed();
        let predictor = self.predictor()?;
        let free = machine.free_bytes;
        Ok(memory::choose(&predictor, self.load(), caching, asked, free))
    }
}
