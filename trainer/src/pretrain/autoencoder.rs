//! The autoencoder's stage: pictures through the latents and back.
//!
//! Loss: the mean squared error of the picture, the mean absolute error of its differences between
//! neighbours (which keeps edges), and the latents' divergence from a standard normal, weighted
//! lightly. Source:
//! Rombach et al. 2022, <https://arxiv.org/abs/2112.10752>, appendix G, without the
//! discriminator.

use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};
use likeness_diffusion::noise;
use likeness_diffusion::vae::{Vae, VaeConfig};

use super::corpus::Corpus;
use super::export::VAE;
use super::learner::Learner;
use super::parameters::Parameters;
use super::stage::{OPTIMIZER, Stage, drawn};
use crate::error::TrainError;
use crate::trainable::Leaves;

/// Weight of the squared error, which is then a few times that of the edges.
const SQUARES: f64 = 40.0;
/// Weight of the divergence: latents stay near unit size without being blurred.
const DIVERGENCE: f64 = 1e-6;
/// Pictures encoded at once when nothing is learned.
const CHUNK: usize = 25;
/// Pictures that a validation looks at, at most.
const VALIDATED: usize = 200;

/// The autoencoder's stage.
pub struct Autoencoder<'a> {
    /// Its sizes.
    pub config: VaeConfig,
    /// What it learns from.
    pub corpus: &'a Corpus,
    /// Pictures a step.
    pub batch: usize,
    /// Of the batches and the noise.
    pub seed: u64,
    /// Where it is computed.
    pub device: &'a Device,
}

impl Autoencoder<'_> {
    /// Fresh weights, or those of the base in `from`.
    pub fn learner(&self, from: Option<&Path>) -> Result<Learner, TrainError> {
        let load = |source: &_| Vae::load(self.config.clone(), source, self.device);
        let fresh = Parameters::fresh(load, &["conv2.weight"], self.seed, self.device);
        let mut parameters = fresh.expect("zeros are given for every name");
        if let Some(base) = from {
            parameters = parameters.read(&base.join(VAE), "", self.device)?;
        }
        Ok(Learner::new(parameters, OPTIMIZER, 0.999, self.device))
    }

    /// The autoencoder of the averaged weights.
    pub fn averaged(&self, learner: &Learner) -> Vae {
        let source = learner.averaged().frozen();
        Vae::load(self.config.clone(), &source, self.device).expect("all of its weights are there")
    }
}

impl Stage for Autoencoder<'_> {
    fn names(&self) -> Vec<&'static str> {
        vec!["vae"]
    }

    fn loss(&self, step: usize, learners: &[Learner]) -> (Tensor<1>, Vec<Leaves>) {
        let (source, leaves) = learners[0].parameters.learning();
        let vae = Vae::load(self.config.clone(), &source, self.device);
        let vae = vae.expect("all of its weights are there");
        let indices = drawn(self.seed, step, self.batch, self.corpus.training());
        let pixels = self.corpus.pixels(&indices, self.device);
        let moments = vae.encode(pixels.clone());
        let shape = moments.mean.dims();
        let each = shape[1..].iter().product();
        let drawn = noise::normal_each(self.seed, "latents", step as u64, shape[0], each);
        let noise = Tensor::<4>::from_data(TensorData::new(drawn, shape), self.device);
        let latents = moments.mean.clone() + (moments.log_variance.clone() * 0.5).exp() * noise;
        let error = vae.decode(latents) - pixels;
        let divergence =
            moments.mean.square() + moments.log_variance.clone().exp() - moments.log_variance - 1.0;
        let loss = error.clone().square().mean() * SQUARES
            + edges(&error)
            + divergence.sum() * (0.5 * DIVERGENCE / self.batch as f64);
        (loss, vec![leaves])
    }

    fn validate(&self, learners: &[Learner]) -> Vec<(String, f64)> {
        let vae = self.averaged(&learners[0]);
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
