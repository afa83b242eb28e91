//! The autoencoder's stage: a fixed encoder, and a decoder that learns to undo it.
//!
//! The encoder is a linear transform of pixel blocks ([`transform`]) and learns nothing, so that the
//! denoiser's latents are known before the decoder is. The decoder begins as the best linear one
//! ([`linear`]) and learns on squares of pictures: a step of small ones costs least.
//!
//! Loss: the mean squared error of the picture and the mean absolute error of its differences
//! between neighbours, which keeps edges.

pub mod algebra;
pub mod linear;
pub mod transform;

use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};
use likeness_diffusion::noise;
use likeness_diffusion::vae::{Vae, VaeConfig};

use super::corpus::Corpus;
use super::export::VAE;
use super::latents::Latents;
use super::learner::Learner;
use super::parameters::Parameters;
use super::stage::{OPTIMIZER, Stage, drawn};
use crate::error::TrainError;
use crate::trainable::Leaves;
use transform::Transform;

/// Weight of the squared error, which is then a few times that of the edges.
const SQUARES: f64 = 40.0;
/// The most noise on latents, as a standard deviation, while the decoder learns: a denoiser's latents
/// are not exact. Each square's is drawn.
const NOISE: f32 = 0.25;
/// Pictures decoded at once when nothing is learned.
const CHUNK: usize = 25;
/// Pictures that are encoded to tell whether an encoder is a transform.
const AGREED: usize = 20;
/// How far apart the two may be then, as a share of the latents' size: weights of 16 bits, and
/// normalisations that hardly change what they pass on.
const AGREEMENT: f64 = 0.02;
/// Pictures that a validation looks at, at most.
const VALIDATED: usize = 200;

/// An autoencoder's weights before its decoder learns, and the latents of its encoder.
pub struct Beginning {
    /// The encoder's weights, which stay.
    pub encoder: Parameters,
    /// The decoder's.
    pub decoder: Parameters,
    /// Of every picture.
    pub latents: Latents,
}

impl Beginning {
    /// With the transform of `corpus`; the decoder is fitted to it if it is not `begun`: if nothing
    /// that it has learned is there.
    pub fn fresh(
        config: &VaeConfig,
        corpus: &Corpus,
        (seed, begun): (u64, bool),
        device: &Device,
    ) -> Self {
        let fresh = all(config, seed, device);
        let transform = Transform::of(corpus, config.factor(), config.latent_channels);
        let decoder = (!begun).then_some((corpus, seed));
        let weights = linear::weights(&fresh, config, &transform, decoder, device);
        Self::of(&weights, Latents::transformed(corpus, &transform), device)
    }

    /// With the weights of the base in `folder`, which has the same sizes.
    pub fn read(
        config: &VaeConfig,
        corpus: &Corpus,
        folder: &Path,
        device: &Device,
    ) -> Result<Self, TrainError> {
        let weights = all(config, 0, device).read(&folder.join(VAE), "", device)?;
        let vae = Vae::load(config.clone(), &weights.frozen(), device);
        let vae = vae.expect("all of its weights are there");
        // A transform of the same corpus is many times faster than the convolutions that hold it.
        let transform = Transform::of(corpus, config.factor(), config.latent_channels);
        let latents = match agree(&vae, &transform, corpus, device) {
            true => Latents::transformed(corpus, &transform),
            false => Latents::encoded(corpus, &vae, device),
        };
        Ok(Self::of(&weights, latents, device))
    }

    fn of(weights: &Parameters, latents: Latents, device: &Device) -> Self {
        let decodes = |name: &str| name.starts_with("decoder.") || name.starts_with("post_quant");
        let [decoder, encoder] = weights.split(decodes, device);
        Self { encoder, decoder, latents }
    }
}

/// Whether the encoder of `vae` computes `transform`, but for the precision of a file.
fn agree(vae: &Vae, transform: &Transform, corpus: &Corpus, device: &Device) -> bool {
    let some: Vec<usize> = (0..corpus.held_out().end).take(AGREED).collect();
    let encoded = vae.encode(corpus.pixels(&some, device)).mean.into_data();
    let meant = some.iter().flat_map(|index| transform.latents(corpus, *index));
    let (mut apart, mut size) = (0.0, 0.0);
    for (a, b) in encoded.iter::<f32>().zip(meant) {
        apart += f64::from(a - b).powi(2);
        size += f64::from(b).powi(2);
    }
    apart < AGREEMENT.powi(2) * size
}

/// Fresh weights of encoder and decoder.
fn all(config: &VaeConfig, seed: u64, device: &Device) -> Parameters {
    let load = |source: &_| Vae::load(config.clone(), source, device);
    Parameters::fresh(load, &linear::ZEROS, seed, device).expect("zeros are given for every name")
}

/// The autoencoder's stage.
pub struct Autoencoder<'a> {
    /// Its sizes.
    pub config: VaeConfig,
    /// What it learns from.
    pub corpus: &'a Corpus,
    /// What it begins with.
    pub beginning: &'a Beginning,
    /// Pixels a side of the squares that it learns on.
    pub square: usize,
    /// The share of squares that have a face in the middle.
    pub faces: f64,
    /// Squares a step.
    pub batch: usize,
    /// Of the batches and the noise.
    pub seed: u64,
    /// Where it is computed.
    pub device: &'a Device,
}

impl Autoencoder<'_> {
    /// The decoder as it begins.
    pub fn learner(&self) -> Learner {
        Learner::new(self.beginning.decoder.clone(), OPTIMIZER, 0.999, self.device)
    }

    /// The encoder and what `learner` has learned.
    pub fn averaged(&self, learner: &Learner) -> Parameters {
        self.beginning.encoder.joined(&learner.averaged())
    }

    /// The squares of step number `step`: picture, and first row and column in latents.
    fn squares(&self, step: usize) -> Vec<(usize, [usize; 2])> {
        let factor = self.config.factor();
        let places = (self.corpus.side() - self.square) / factor + 1;
        let at = |(place, index): (usize, usize)| {
            let drawn = |axis: &str, bound| {
                noise::below(self.seed, &format!("square {place} {axis}"), step as u64, bound)
            };
            let anywhere = ["row", "column"].map(|axis| drawn(axis, places));
            let face = drawn("face", 1000) < (1000.0 * self.faces).round() as usize;
            let around = |middle: f32| {
                let first = (middle - self.square as f32 / 2.0) / factor as f32;
                (first.round().max(0.0) as usize).min(places - 1)
            };
            let ([x, y], _) = self.corpus.label(index).middle();
            (index, if face { [y, x].map(around) } else { anywhere })
        };
        let indices = drawn(self.seed, step, self.batch, self.corpus.training());
        indices.into_iter().enumerate().map(at).collect()
    }
}

impl Stage for Autoencoder<'_> {
    fn names(&self) -> Vec<&'static str> {
        vec!["decoder"]
    }

    fn loss(&self, step: usize, learners: &[Learner]) -> (Tensor<1>, Vec<Leaves>) {
        let encoder = Some(&self.beginning.encoder);
        let (source, leaves) = learners[0].parameters.learning_beside(encoder);
        let vae = Vae::load(self.config.clone(), &source, self.device);
        let vae = vae.expect("all of its weights are there");
        let (squares, factor) = (self.squares(step), self.config.factor());
        let Latents { scaling, .. } = self.beginning.latents;
        let latents = self.beginning.latents.cut(&squares, self.square / factor, self.device);
        let shape = latents.dims();
        let each = shape[1..].iter().product();
        let mut drawn = noise::normal_each(self.seed, "latents", step as u64, shape[0], each);
        let sizes = noise::uniform(self.seed, "noise", step as u64, shape[0]);
        for (square, size) in drawn.chunks_mut(each).zip(sizes) {
            square.iter_mut().for_each(|value| *value *= NOISE * size.abs());
        }
        let noise = Tensor::<4>::from_data(TensorData::new(drawn, shape), self.device);
        let pixels = squares.iter().map(|(index, at)| (*index, at.map(|place| place * factor)));
        let pixels: Vec<_> = pixels.collect();
        let pixels = self.corpus.squares(&pixels, self.square, self.device);
        let error = vae.decode(latents / scaling + noise) - pixels;
        (error.clone().square().mean() * SQUARES + edges(&error), vec![leaves])
    }

    fn validate(&self, learners: &[Learner]) -> Vec<(String, f64)> {
        let source = self.averaged(&learners[0]).frozen();
        let vae = Vae::load(self.config.clone(), &source, self.device);
        let vae = vae.expect("all of its weights are there");
        let held_out: Vec<_> = self.corpus.held_out().take(VALIDATED).collect();
        let (mut decibels, mut square, mut count) = (0.0, 0.0, 0);
        for chunk in held_out.chunks(CHUNK) {
            let pixels = self.corpus.pixels(chunk, self.device);
            let mean = vae.encode(pixels.clone()).mean;
            let error = (vae.decode(mean.clone()).clamp(-1.0, 1.0) - pixels).square();
            let [pictures, c, h, w] = error.dims();
            let each = error.reshape([pictures, c * h * w]).mean_dim(1);
            decibels += each.into_data().iter::<f32>().map(peak_ratio).sum::<f64>();
            square += f64::from(mean.clone().square().sum().into_scalar::<f32>());
            count += mean.dims().iter().product::<usize>();
        }
        let latent_size = (square / count as f64).sqrt();
        vec![
            ("psnr_db".to_owned(), decibels / held_out.len() as f64),
            ("latent_size".to_owned(), latent_size),
        ]
    }
}

/// Peak signal-to-noise ratio in dB for a mean squared error on [-1, 1].
fn peak_ratio(error: f32) -> f64 {
    10.0 * (4.0 / f64::from(error)).log10()
}

/// The mean absolute difference between neighbours, down and across.
fn edges(error: &Tensor<4>) -> Tensor<1> {
    let [_, _, height, width] = error.dims();
    let part = |dim: usize, start: usize, length: usize| error.clone().narrow(dim, start, length);
    let down = part(2, 1, height - 1) - part(2, 0, height - 1);
    let across = part(3, 1, width - 1) - part(3, 0, width - 1);
    down.abs().mean() + across.abs().mean()
}
