//! From noise and text states to latents.
//!
//! The sampler's steps with classifier-free guidance (Ho and Salimans 2022,
//! <https://arxiv.org/abs/2207.12598>).

use burn::tensor::{Tensor, TensorData};

use crate::noise;
use crate::sampler::{Sampler, SamplerKind, SamplerOptions};
use crate::schedule::Schedule;
use crate::unet::Unet;

/// How latents are sampled.
pub struct Sampling<'a> {
    /// The denoiser.
    pub unet: &'a Unet,
    /// Its noise schedule.
    pub schedule: &'a Schedule,
    /// The sampler.
    pub sampler: SamplerKind,
    /// Steps, at least 1 and fewer than the schedule has.
    pub steps: usize,
    /// Guidance scale; at 1 the negative states have no effect.
    pub guidance: f64,
    /// How far guided predictions are pulled back to the unguided contrast, 0 to 1.
    pub guidance_rescale: f64,
    /// Of the noise that some samplers draw at each step.
    pub seed: u64,
}

impl Sampling<'_> {
    /// Latents (scaled) after all steps from `start`, standard normal noise `[batch, 4, h, w]`.
    ///
    /// `prompt` and `negative` are text states `[batch or 1, tokens, d_text]`. `on_step` is told how
    /// many steps are done, and shown the latents.
    pub fn latents(
        &self,
        start: Tensor<4>,
        prompt: Tensor<3>,
        negative: Tensor<3>,
        on_step: &mut dyn FnMut(usize, &Tensor<4>),
    ) -> Tensor<4> {
        let options = SamplerOptions::new(self.sampler, self.schedule);
        let mut sampler = Sampler::new(options, self.schedule, self.steps);
        let batch = start.dims()[0];
        let [prompt, negative] = [prompt, negative].map(|states| {
            let given = states.dims()[0];
            states.repeat_dim(0, batch / given)
        });
        let mut x = start * sampler.start_sigma();
        for (i, t) in sampler.timesteps().to_vec().into_iter().enumerate() {
            let input = sampler.model_input(i, x.clone());
            let output = self.guided(input, t, &prompt, &negative);
            let fresh = || self.step_noise(i, &x);
            x = sampler.step(i, output, x.clone(), fresh);
            on_step(i + 1, &x);
        }
        x
    }

    fn guided(&self, x: Tensor<4>, t: f64, prompt: &Tensor<3>, negative: &Tensor<3>) -> Tensor<4> {
        let batch = x.dims()[0];
        if self.guidance == 1.0 {
            return self.unet.forward(x, &vec![t; batch], prompt.clone());
        }
        let text = Tensor::cat(vec![negative.clone(), prompt.clone()], 0);
        let both = self.unet.forward(x.repeat_dim(0, 2), &vec![t; 2 * batch], text);
        let [without, with] = both.chunk(2, 0).try_into().expect("the batch was doubled");
        let guided = without.clone() + (with.clone() - without) * self.guidance;
        match self.guidance_rescale {
            0.0 => guided,
            share => rescaled(guided, with, share),
        }
    }

    /// Fresh noise of step `i`, for samplers that draw some.
    fn step_noise(&self, i: usize, like: &Tensor<4>) -> Tensor<4> {
        let shape = like.dims();
        let count = shape[1..].iter().product();
        let seeds = (0..shape[0] as u64).map(|n| self.seed.wrapping_add(n));
        let values: Vec<f32> =
            seeds.flat_map(|seed| noise::normal(seed, "step", i as u64, count)).collect();
        Tensor::from_data(TensorData::new(values, shape), &like.device())
    }
}

/// `guided` with its standard deviation pulled towards that of `with`, by `share`.
fn rescaled(guided: Tensor<4>, with: Tensor<4>, share: f64) -> Tensor<4> {
    let deviation = |x: &Tensor<4>| {
        let [batch, c, h, w] = x.dims();
        x.clone().reshape([batch, c * h * w]).var(1).sqrt().reshape([batch, 1, 1, 1])
    };
    let factor = deviation(&with) / deviation(&guided) * share + (1.0 - share);
    guided * factor
}
