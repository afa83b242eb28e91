//! How much memory a run will take, before it starts.
//!
//! A run has two phases: photos and captions are encoded (VAE and text encoder),
//! then steps are taken. A step's peak is the largest sum, over
//! the steps of the way back, of what earlier ones still keep and what this one works
//! with. [`table`] says what each keeps; it knows the kernels, this file does not.

pub mod table;

use likeness_diffusion::adapter::{Component, Factors, Place, Targets};
use likeness_diffusion::checkpoint::{Checkpoint, Part};
use likeness_diffusion::precision::Precision;
use likeness_diffusion::unet::{Checkpointing, UnetConfig};
use serde::Serialize;

use crate::error::TrainError;
use table::Counted;

/// What one step trains on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Load {
    /// Photos at once.
    pub batch: usize,
    /// Height and width of their latents.
    pub latents: [usize; 2],
    /// Tokens of their longest caption, in whole windows: 77 or a multiple.
    pub tokens: usize,
}

/// Predicted memory in bytes, by what holds it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// Which steps' graphs are made anew.
    pub checkpointing: Checkpointing,
    /// The process, without anything loaded.
    pub process: u64,
    /// The UNet's weights, and the text encoder's if that learns.
    pub weights: u64,
    /// Factors, their gradient and AdamW's moments.
    pub adapter: u64,
    /// Most that a step keeps and works with at once.
    pub step: u64,
    /// Peak while photos and captions are encoded; 0 if all of them are cached.
    pub caching: u64,
    /// Peak while training.
    pub training: u64,
}

impl Estimate {
    /// The largest resident memory of the process.
    pub fn peak(&self) -> u64 {
        self.caching.max(self.training)
    }
}

/// Predicts the memory of runs of one base and one choice of layers.
pub struct Predictor<'a> {
    unet: &'a UnetConfig,
    places: Vec<Place>, // that learn
    rank: usize,
    weights: u64,
    text_weights: u64, // 0 unless it learns
    text_numbers: u64, // that it keeps a token
    encoders: u64,     // weights of VAE and text encoder, for caching
    vae_channels: usize,
    factor: usize,
    precision: Precision,
}

impl<'a> Predictor<'a> {
    /// For updates of `rank` on the layers of `checkpoint` that `targets` means.
    pub fn new(
        checkpoint: &'a Checkpoint,
        targets: &Targets,
        rank: usize,
    ) -> Result<Self, TrainError> {
        let mut places = checkpoint.places(true);
        places.retain(|place| targets.has(place));
        let text = checkpoint.weight_bytes(Part::Text)?;
        let vae = checkpoint.weight_bytes(Part::Vae)?;
        let text_learns = places.iter().any(|place| place.component == Component::TextEncoder);
        let config = &checkpoint.text;
        let kept = table::TEXT_WIDTHS * config.hidden_size as u64;
        Ok(Self {
            unet: &checkpoint.unet,
            places,
            rank,
            weights: checkpoint.weight_bytes(Part::Unet)?,
            text_weights: if text_learns { text } else { 0 },
            text_numbers: if text_learns { kept * config.num_hidden_layers as u64 } else { 0 },
            encoders: vae + text,
            vae_channels: checkpoint.vae.block_out_channels.first().copied().unwrap_or(0),
            factor: checkpoint.factor(),
            precision: checkpoint.precision,
        })
    }

    /// Layers that learn, and the numbers in them.
    pub fn learning(&self) -> (usize, usize) {
        let numbers = |place: &Place| {
            let (down, up) = Factors::lengths(place.shape, self.rank);
            down + up
        };
        (self.places.len(), self.places.iter().map(numbers).sum())
    }

    /// The memory of a run; `caching` says whether photos or captions have yet to be encoded.
    pub fn estimate(&self, load: Load, checkpointing: Checkpointing, caching: bool) -> Estimate {
        use table::{ADAPTER_ROWS, NUMBER_BYTES, PROCESS_BYTES};
        let pixels = load.latents.map(|side| (side * self.factor) as u64);
        let map = pixels[0] * pixels[1] * self.vae_channels as u64;
        let encoding = self.encoders + table::VAE_MAPS * map * NUMBER_BYTES;
        let weights = self.weights + self.text_weights;
        let adapter = ADAPTER_ROWS * self.learning().1 as u64 * NUMBER_BYTES;
        let text = (self.text_numbers as usize * load.batch * load.tokens) as u64;
        let numbers = load.batch as u64 * self.step(load, checkpointing) + text;
        let step = (numbers * self.precision.bytes()) as f64 * (1.0 + table::ALLOCATOR_SHARE);
        Estimate {
            checkpointing,
            process: PROCESS_BYTES,
            weights,
            adapter,
            step: step as u64,
            caching: if caching { PROCESS_BYTES + encoding } else { 0 },
            training: PROCESS_BYTES + weights + adapter + step as u64,
        }
    }

    /// Numbers that live at once for one sample, at their most.
    fn step(&self, load: Load, checkpointing: Checkpointing) -> u64 {
        let learning: std::collections::HashSet<&str> =
            self.places.iter().map(|place| place.path.as_str()).collect();
        let learns = |path: &str| learning.contains(path);
        let text_tokens = load.tokens as u64;
        let rank = self.rank as u64;
        let (mut kept, mut most) = (0, 0);
        for step in self.unet.steps(load.latents) {
            let counted = Counted { step: &step, text_tokens, rank, learns: &learns };
            let graph = counted.kept();
            kept += counted.output();
            // Going back, this step has its graph and all that earlier ones kept.
            most = most.max(kept + graph + counted.working());
            if !checkpointing.recomputes(step.kind) {
                kept += graph;
            }
        }
        most
    }
}

/// How a run will be computed, and why.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Plan {
    /// Its memory.
    pub estimate: Estimate,
    /// Why this way of checkpointing.
    pub reason: &'static str,
    /// Bytes that were free; `None` where the device does not tell.
    pub free: Option<u64>,
}

impl Plan {
    /// Whether it fits what is free; `None` where that is not known.
    pub fn fits(&self) -> Option<bool> {
        self.free.map(|free| self.estimate.peak() <= free)
    }
}

/// The plan that was asked for, or the fastest one that fits `free` bytes. Where none fits it is
/// the smallest one, where nothing is known of the memory the fastest.
pub fn choose(
    predictor: &Predictor<'_>,
    load: Load,
    caching: bool,
    asked: Option<Checkpointing>,
    free: Option<u64>,
) -> Plan {
    let plan =
        |how, reason| Plan { estimate: predictor.estimate(load, how, caching), reason, free };
    match (asked, free) {
        (Some(asked), _) => plan(asked, "it was asked for"),
        (None, None) => plan(Checkpointing::None, "the device does not tell its memory"),
        (None, Some(_)) => {
            let ways = Checkpointing::ALL.into_iter();
            let fitting = ways
                .map(|how| plan(how, "it is the fastest that fits"))
                .find(|plan| plan.fits() == Some(true));
            fitting.unwrap_or_else(|| plan(Checkpointing::Blocks, "none fits, it is the smallest"))
        }
    }
}

/// Bytes as GiB, for people.
pub fn gib(bytes: u64) -> String {
    format!("{:.2} GiB", bytes as f64 / f64::from(1 << 30))
}

#[cfg(test)]
mod tests;
