//! The denoiser's stage: UNet and text encoder learn together to paint what captions say.
//!
//! Latents come from the finished autoencoder, once. A caption is dropped in a tenth of the
//! samples, for guidance (Ho and Salimans 2022, <https://arxiv.org/abs/2207.12598>, section 3.2).

use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};
use likeness_diffusion::noise;
use likeness_diffusion::schedule::Schedule;
use likeness_diffusion::text::{TextConfig, TextEncoder};
use likeness_diffusion::tokenizer::{Tokenizer, Window};
use likeness_diffusion::unet::{Unet, UnetConfig};
use likeness_diffusion::vae::Vae;
use rayon::prelude::*;

use super::corpus::Corpus;
use super::export::{TEXT_ENCODER, TEXT_PREFIX, UNET};
use super::learner::Learner;
use super::parameters::Parameters;
use super::stage::{OPTIMIZER, Stage, drawn};
use crate::error::TrainError;
use crate::objective::{Batch, Objective};

/// One in so many samples has no caption.
const DROPPED: usize = 10;
/// Pictures encoded at once.
const CHUNK: usize = 25;
/// Weights that begin at zero, so that each block begins as nothing.
const ZEROS: [&str; 4] = ["conv2.weight", "proj_out.weight", "conv_out.weight", "net.2.weight"];
/// Pictures, and noises of each, that a validation looks at.
const VALIDATED: (usize, usize) = (100, 4);

/// Latents of every picture of a corpus, as the UNet sees them.
#[derive(Debug)]
pub struct Latents {
    shape: [usize; 3],
    values: Vec<f32>,
    /// What the autoencoder's means were multiplied with, for unit size.
    pub scaling: f64,
}

impl Latents {
    /// The means of `corpus` by `vae`, scaled to unit size.
    pub fn of(corpus: &Corpus, vae: &Vae, device: &Device) -> Self {
        let all: Vec<usize> = (0..corpus.held_out().end).collect();
        let (mut shape, mut values) = ([0; 3], Vec::new());
        for chunk in all.chunks(CHUNK) {
            let mean = vae.encode(corpus.pixels(chunk, device)).mean;
            let [_, channels, height, width] = mean.dims();
            shape = [channels, height, width];
            values.extend(mean.into_data().iter::<f32>());
        }
        let squares: f64 = values.iter().map(|x| f64::from(x * x)).sum();
        let scaling = (values.len() as f64 / squares).sqrt();
        values.iter_mut().for_each(|x| *x *= scaling as f32);
        Self { shape, values, scaling }
    }

    /// Those of some pictures, `[pictures, channels, h, w]`.
    fn at(&self, indices: &[usize], device: &Device) -> Tensor<4> {
        let [channels, height, width] = self.shape;
        let each = channels * height * width;
        let values: Vec<f32> =
            indices.iter().flat_map(|i| &self.values[i * each..(i + 1) * each]).copied().collect();
        let shape = [indices.len(), channels, height, width];
        Tensor::from_data(TensorData::new(values, shape), device)
    }
}

/// The denoiser's stage.
pub struct Denoiser<'a> {
    /// The UNet's sizes.
    pub unet: UnetConfig,
    /// The text encoder's.
    pub text: TextConfig,
    /// The noise that is learned to be taken away.
    pub schedule: Schedule,
    /// How errors are weighted.
    pub objective: Objective,
    /// What it learns from.
    pub corpus: &'a Corpus,
    /// The corpus's latents.
    pub latents: &'a Latents,
    /// Cuts captions.
    pub tokenizer: &'a Tokenizer,
    /// Pictures a step.
    pub batch: usize,
    /// Of the batches, noises and timesteps.
    pub seed: u64,
    /// Where it is computed.
    pub device: &'a Device,
}

impl Denoiser<'_> {
    /// Fresh weights, or those of the base in `from`: of the UNet and of the text encoder.
    pub fn learners(&self, decay: f64, from: Option<&Path>) -> Result<[Learner; 2], TrainError> {
        let unet = |source: &_| Unet::load(self.unet.clone(), source, self.device);
        let text = |source: &_| TextEncoder::load(self.text.clone(), source, self.device);
        let unet = Parameters::fresh(unet, &ZEROS, self.seed, self.device);
        let text = Parameters::fresh(text, &[], self.seed + 1, self.device);
        let mut both = [unet, text].map(|fresh| fresh.expect("zeros are given for every name"));
        if let Some(base) = from {
            let files = [(UNET, ""), (TEXT_ENCODER, TEXT_PREFIX)];
            for (parameters, (file, prefix)) in both.iter_mut().zip(files) {
                *parameters = parameters.read(&base.join(file), prefix, self.device)?;
            }
        }
        Ok(both.map(|parameters| Learner::new(parameters, OPTIMIZER, decay, self.device)))
    }

    /// The models whose weights `sources` give.
    fn models(&self, sources: [likeness_diffusion::weights::Source; 2]) -> (Unet, TextEncoder) {
        let whole = "all of its weights are there";
        let [unet, text] = sources;
        (
            Unet::load(self.unet.clone(), &unet, self.device).expect(whole),
            TextEncoder::load(self.text.clone(), &text, self.device).expect(whole),
        )
    }

    /// Picture `index`'s caption at draw `at`, or none.
    fn window(&self, index: usize, at: usize, place: usize) -> Window {
        let captions = &self.corpus.label(index).captions;
        let purpose = format!("caption {place}");
        let number = noise::below(self.seed, &purpose, at as u64, captions.len() * DROPPED);
        let dropped = number < captions.len();
        let caption = if dropped { "" } else { captions[number % captions.len()].as_str() };
        self.tokenizer.window(caption)
    }

    /// Pictures with the noise and the timesteps of draw `at` for `purpose`.
    fn noised(&self, indices: &[usize], purpose: &str, at: usize, text: Tensor<3>) -> Batch {
        let latents = self.latents.at(indices, self.device);
        let shape = latents.dims();
        let each = shape[1..].iter().product();
        let drawn = noise::normal_each(self.seed, purpose, at as u64, shape[0], each);
        let noise = Tensor::from_data(TensorData::new(drawn, shape), self.device);
        // Evenly over the schedule within a batch: the loss wanders less than with free draws.
        let (steps, count) = (self.schedule.len(), indices.len());
        let timestep = |i: usize| {
            let purpose = format!("{purpose} {i}");
            let within = noise::below(self.seed, &purpose, at as u64, steps);
            (i * steps + within) / count
        };
        Batch { latents, noise, timesteps: (0..count).map(timestep).collect(), text, mask: None }
    }
}

impl Stage for Denoiser<'_> {
    fn names(&self) -> Vec<&'static str> {
        vec!["unet", "text_encoder"]
    }

    fn loss(
        &self,
        step: usize,
        learners: &[Learner],
    ) -> (Tensor<1>, Vec<crate::trainable::Leaves>) {
        let (unet_source, unet_leaves) = learners[0].parameters.learning();
        let (text_source, text_leaves) = learners[1].parameters.learning();
        let (unet, text) = self.models([unet_source, text_source]);
        let indices = drawn(self.seed, step, self.batch, self.corpus.training());
        let windows: Vec<_> =
            indices.par_iter().enumerate().map(|(i, &index)| self.window(index, step, i)).collect();
        let batch = self.noised(&indices, "noise", step, text.encode(&windows, 0));
        let (noisy, times) = batch.noisy(&self.schedule);
        let predicted = unet.forward(noisy, &times, batch.text.clone());
        (self.objective.of(predicted, &self.schedule, &batch), vec![unet_leaves, text_leaves])
    }

    fn validate(&self, learners: &[Learner]) -> Vec<(String, f64)> {
        let averaged = |i: usize| learners[i].averaged().frozen();
        let (unet, text) = self.models([averaged(0), averaged(1)]);
        let plain = Objective::default();
        let (pictures, noises) = VALIDATED;
        let held_out: Vec<_> = self.corpus.held_out().take(pictures).collect();
        let (mut with, mut without, mut count) = (0.0, 0.0, 0);
        for chunk in held_out.chunks(CHUNK) {
            let windows = |said: bool| -> Vec<Window> {
                let caption = |i: &usize| &self.corpus.label(*i).captions[0];
                let window = |i| self.tokenizer.window(if said { caption(i) } else { "" });
                chunk.iter().map(window).collect()
            };
            for at in 0..noises {
                let loss = |said: bool| {
                    let states = text.encode(&windows(said), 0);
                    let batch = self.noised(chunk, "validation", chunk[0] * noises + at, states);
                    let (noisy, times) = batch.noisy(&self.schedule);
                    let predicted = unet.forward(noisy, &times, batch.text.clone());
                    f64::from(plain.of(predicted, &self.schedule, &batch).into_scalar::<f32>())
                };
                with += loss(true);
                without += loss(false);
                count += 1;
            }
        }
        vec![
            ("loss".to_owned(), with / count as f64),
            ("loss_without_caption".to_owned(), without / count as f64),
        ]
    }
}
