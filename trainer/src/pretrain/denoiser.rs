//! The denoiser's stage: the UNet learns to paint what captions say.
//!
//! Latents come from the autoencoder's encoder, once; captions are read by the finished text encoder.
//! A caption is dropped in a tenth of the samples, for guidance (Ho and Salimans 2022,
//! <https://arxiv.org/abs/2207.12598>, section 3.2). Errors outside the head count less: a face is a
//! few latents of a picture, and the one thing that must be right.

use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};
use likeness_diffusion::noise;
use likeness_diffusion::schedule::Schedule;
use likeness_diffusion::text::TextEncoder;
use likeness_diffusion::tokenizer::{Tokenizer, Window};
use likeness_diffusion::unet::{Unet, UnetConfig};
use likeness_diffusion::weights::Source;
use rayon::prelude::*;

use super::corpus::Corpus;
use super::export::UNET;
use super::latent_reader::LatentReader;
use super::latents::Latents;
use super::learner::Learner;
use super::parameters::Parameters;
use super::stage::{OPTIMIZER, Stage, drawn};
use crate::error::TrainError;
use crate::mask;
use crate::objective::{Batch, Objective};
use crate::trainable::Leaves;

/// One in so many samples has no caption.
const DROPPED: usize = 10;
/// What belongs to a head beside its face, as a share of the face's sides.
const HAIR: f32 = 0.4;
/// Signal to noise from which what the UNet believes of a picture is one, rather than the mean of many.
const LEGIBLE: f64 = 0.3;
/// Pictures looked at once when nothing is learned.
const CHUNK: usize = 25;
/// Weights that begin at zero, so that each block begins as nothing.
const ZEROS: [&str; 4] = ["conv2.weight", "proj_out.weight", "conv_out.weight", "net.2.weight"];
/// Weights that have a row or a column for each latent channel.
const LATENT_SIDES: [&str; 3] = ["conv_in.weight", "conv_out.weight", "conv_out.bias"];
/// Pictures, and noises of each, that a validation looks at.
const VALIDATED: (usize, usize) = (100, 4);

/// The denoiser's stage.
pub struct Denoiser<'a> {
    /// The UNet's sizes.
    pub unet: UnetConfig,
    /// What reads captions.
    pub text: TextEncoder,
    /// The noise that is learned to be taken away.
    pub schedule: Schedule,
    /// How errors are weighted.
    pub objective: Objective,
    /// The weight of what is not the head, 0 to 1.
    pub background: f64,
    /// What tells which expression it paints, with the weights that it learned, and how much that counts.
    pub reader: Option<(LatentReader<'a>, Parameters, f64)>,
    /// Timesteps learned from are this power of even draws, as shares of the schedule.
    pub timestep_power: f64,
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
    /// Fresh weights, or those of the base in `from`, which may have fewer latent channels.
    pub fn learner(&self, decay: f64, from: Option<&Path>) -> Result<Learner, TrainError> {
        let load = |source: &_| Unet::load(self.unet.clone(), source, self.device);
        let fresh = Parameters::fresh(load, &ZEROS, self.seed, self.device);
        let mut parameters = fresh.expect("zeros are given for every name");
        if let Some(base) = from {
            parameters = parameters.read_into(&base.join(UNET), &LATENT_SIDES, self.device)?;
        }
        Ok(Learner::new(parameters, OPTIMIZER, decay, self.device))
    }

    /// The UNet whose weights `source` gives.
    fn model(&self, source: &Source) -> Unet {
        let unet = Unet::load(self.unet.clone(), source, self.device);
        unet.expect("all of its weights are there")
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

    /// The weights of the errors of some pictures, `[pictures, 1, h, w]`.
    fn heads(&self, indices: &[usize]) -> Tensor<4> {
        let [_, height, width] = self.latents.shape;
        let pixels = (self.corpus.side() / width) as f32; // a latent
        let weights = |index: &usize| {
            let [left, top, right, bottom] = self.corpus.label(*index).face;
            let (dx, dy) = (HAIR * (right - left), HAIR * (bottom - top));
            let head = [left - dx, top - dy, right + dx, bottom + dy].map(|edge| edge / pixels);
            mask::rectangle(head, [height, width], self.background)
        };
        let values = indices.iter().flat_map(weights).collect();
        let shape = [indices.len(), 1, height, width];
        Tensor::from_data(TensorData::new(values, shape), self.device)
    }

    /// Pictures with the noise of draw `at` for `purpose`, and its timesteps: even draws, as shares of the
    /// schedule, to this `power`.
    fn noised(
        &self,
        indices: &[usize],
        (purpose, at): (&str, usize),
        power: f64,
        text: Tensor<3>,
    ) -> Batch {
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
            spread((i * steps + within) / count, steps, power)
        };
        let timesteps = (0..count).map(timestep).collect();
        Batch { latents, noise, timesteps, text, target: None, mask: None }
    }
}

impl Stage for Denoiser<'_> {
    fn names(&self) -> Vec<&'static str> {
        vec!["unet"]
    }

    fn loss(&self, step: usize, learners: &[Learner]) -> (Tensor<1>, Vec<Leaves>) {
        let (source, leaves) = learners[0].parameters.learning();
        let unet = self.model(&source);
        let indices = drawn(self.seed, step, self.batch, self.corpus.training());
        let windows: Vec<_> =
            indices.par_iter().enumerate().map(|(i, &index)| self.window(index, step, i)).collect();
        let mut batch = self.noised(
            &indices,
            ("noise", step),
            self.timestep_power,
            self.text.encode(&windows, 0),
        );
        batch.mask = Some(self.heads(&indices));
        let (noisy, times) = batch.noisy(&self.schedule);
        let predicted = unet.forward(noisy, &times, batch.text.clone());
        let mut loss = self.objective.of(predicted.clone(), &self.schedule, &batch);
        if let Some((reader, weights, weight)) = &self.reader {
            let told: Vec<bool> =
                batch.timesteps.iter().map(|t| self.schedule.snr(*t) > LEGIBLE).collect();
            let believed =
                self.schedule.clean(batch.noisy(&self.schedule).0, predicted, &batch.timesteps);
            loss = loss + reader.error(weights, &indices, &believed, &told) * *weight;
        }
        (loss, vec![leaves])
    }

    fn validate(&self, learners: &[Learner]) -> Vec<(String, f64)> {
        let unet = self.model(&learners[0].averaged().frozen());
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
                    let states = self.text.encode(&windows(said), 0);
                    let batch =
                        self.noised(chunk, ("validation", chunk[0] * noises + at), 1.0, states);
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

/// Timestep `even` of `steps`, as a share of them raised to `power`: above 1, those with little noise are
/// more often drawn.
fn spread(even: usize, steps: usize, power: f64) -> usize {
    ((even as f64 / steps as f64).powf(power) * steps as f64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_power_above_one_draws_little_noise_more_often_and_one_changes_nothing() {
        assert!((0..1000).all(|t| spread(t, 1000, 1.0) == t));
        assert_eq!([0, 500, 999].map(|t| spread(t, 1000, 2.0)), [0, 250, 998]);
    }
}
