//! From a prompt to pictures.
//!
//! Text states, noise, the steps of [`Sampling`], the decoder.

use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};

use crate::adapter::{self, Adapter, Place, Strength};
use crate::checkpoint::Checkpoint;
use crate::error::Error;
use crate::noise;
use crate::sampler::SamplerKind;
use crate::sampling::Sampling;
use crate::schedule::Schedule;
use crate::text::TextEncoder;
use crate::tokenizer::Tokenizer;
use crate::unet::Unet;
use crate::vae::Vae;

/// A picture: 8-bit RGB, rows from the top.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// `3 · width · height` bytes.
    pub rgb: Vec<u8>,
}

/// What to make.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// What the picture shows.
    pub prompt: String,
    /// What it should not show.
    pub negative: String,
    /// Pixels across, a multiple of the autoencoder's factor.
    pub width: usize,
    /// Pixels down, likewise.
    pub height: usize,
    /// Sampling steps, at least 1.
    pub steps: usize,
    /// Guidance scale; at 1 the negative prompt has no effect.
    pub guidance: f64,
    /// How far guided predictions are pulled back to the unguided contrast, 0 to 1
    /// (Lin et al. 2023, <https://arxiv.org/abs/2305.08891>, section 3.4).
    pub guidance_rescale: f64,
    /// The sampler.
    pub sampler: SamplerKind,
    /// Seed of the first picture; the others of a batch have the next ones.
    pub seed: u64,
    /// Pictures at once, at least 1.
    pub batch: usize,
    /// Last layers of the text encoder that are left out, for both prompts.
    pub clip_skip: usize,
}

/// A base model with its adapters, ready to draw.
pub struct Pipeline {
    /// The denoiser.
    pub unet: Unet,
    /// The text encoder.
    pub text_encoder: TextEncoder,
    vae: Vae,
    tokenizer: Tokenizer,
    schedule: Schedule,
    device: Device,
}

impl Pipeline {
    /// Loads every model of `checkpoint`.
    pub fn load(checkpoint: &Checkpoint, device: &Device) -> Result<Self, Error> {
        Ok(Self {
            unet: checkpoint.load_unet(device)?,
            text_encoder: checkpoint.load_text_encoder(device)?,
            vae: checkpoint.load_vae(device)?,
            tokenizer: checkpoint.tokenizer().clone(),
            schedule: checkpoint.noise_schedule(),
            device: device.clone(),
        })
    }

    /// The layers that adapters may change.
    pub fn places(&mut self) -> Vec<Place> {
        adapter::places(&mut self.unet, Some(&mut self.text_encoder))
    }

    /// Reads the adapter at `path` for this base.
    pub fn read_adapter(&mut self, path: &Path) -> Result<Adapter, Error> {
        adapter::read(path, &self.places())
    }

    /// Adds an adapter beside those already there.
    pub fn attach(&mut self, adapter: &Adapter, strength: Strength) {
        adapter::attach(adapter, strength, &mut self.unet, &mut self.text_encoder, &self.device);
    }

    /// Removes every adapter that is not merged.
    pub fn detach(&mut self) {
        adapter::detach(&mut self.unet, &mut self.text_encoder);
    }

    /// Folds every adapter into the weights.
    pub fn merge(&mut self) {
        adapter::merge(&mut self.unet, &mut self.text_encoder);
    }

    /// Text states of `prompt`, `[1, 77 · windows, d_text]`.
    pub fn encode(&self, prompt: &str, clip_skip: usize) -> Tensor<3> {
        self.encode_windows(self.tokenizer.windows(prompt), clip_skip)
    }

    fn encode_windows(&self, windows: Vec<Vec<u32>>, clip_skip: usize) -> Tensor<3> {
        let states = self.text_encoder.encode(&windows, clip_skip);
        let [windows, tokens, width] = states.dims();
        states.reshape([1, windows * tokens, width])
    }

    /// States of the prompt and of the negative one, each as long as the longer.
    fn encode_both(&self, request: &Request) -> (Tensor<3>, Tensor<3>) {
        let mut prompts = [&request.prompt, &request.negative].map(|p| self.tokenizer.windows(p));
        let longest = prompts.iter().map(Vec::len).max().unwrap_or(1);
        for windows in &mut prompts {
            windows.resize(longest, self.tokenizer.window(""));
        }
        let [prompt, negative] = prompts.map(|w| self.encode_windows(w, request.clip_skip));
        (prompt, negative)
    }

    /// Standard normal noise of each picture, `[batch, 4, height / f, width / f]`: a function
    /// of its seed and size alone.
    pub fn start_noise(&self, request: &Request) -> Tensor<4> {
        let shape = self.latent_shape(request);
        let count = shape[1..].iter().product();
        let seeds = (0..request.batch as u64).map(|i| request.seed.wrapping_add(i));
        let values: Vec<f32> =
            seeds.flat_map(|seed| noise::normal(seed, "start", 0, count)).collect();
        Tensor::from_data(TensorData::new(values, shape), &self.device)
    }

    fn latent_shape(&self, request: &Request) -> [usize; 4] {
        let factor = self.vae.config().factor();
        let channels = self.unet.config().in_channels;
        [request.batch, channels, request.height / factor, request.width / factor]
    }

    /// Fails if the request makes no sense for this model.
    pub fn check(&self, request: &Request) -> Result<(), Error> {
        let factor = self.vae.config().factor();
        let layers = self.text_encoder.config().num_hidden_layers;
        let train_steps = self.schedule.len();
        let fits = |side: usize| side >= factor && side.is_multiple_of(factor);
        let reason = if !fits(request.width) || !fits(request.height) {
            format!(
                "size {}x{} is not made of {factor} px squares; choose multiples of {factor}",
                request.width, request.height
            )
        } else if request.steps == 0 || request.steps >= train_steps {
            format!("{} steps cannot be sampled; choose 1 to {}", request.steps, train_steps - 1)
        } else if request.batch == 0 {
            "a batch of 0 makes no picture; choose 1 or more".to_owned()
        } else if request.clip_skip >= layers {
            format!(
                "clip skip {} leaves no layer of {layers}; choose 0 to {}",
                request.clip_skip,
                layers - 1
            )
        } else if !request.guidance.is_finite() || !(0.0..=1.0).contains(&request.guidance_rescale)
        {
            "guidance must be a number and its rescale 0 to 1; 7 and 0 are usual".to_owned()
        } else {
            return Ok(());
        };
        Err(Error::Request(reason))
    }

    /// Another schedule than the checkpoint's: another prediction type or spacing.
    pub fn set_schedule(&mut self, schedule: Schedule) {
        self.schedule = schedule;
    }

    /// Latents (scaled) after all steps from `start`, standard normal noise.
    ///
    /// `on_step` is told how many steps are done.
    pub fn sample(
        &self,
        request: &Request,
        start: Tensor<4>,
        on_step: &mut dyn FnMut(usize),
    ) -> Result<Tensor<4>, Error> {
        self.sample_watched(request, start, &mut |done, _| on_step(done))
    }

    /// [`Pipeline::sample`], showing the latents after each step.
    pub fn sample_watched(
        &self,
        request: &Request,
        start: Tensor<4>,
        on_step: &mut dyn FnMut(usize, &Tensor<4>),
    ) -> Result<Tensor<4>, Error> {
        self.check(request)?;
        let (prompt, negative) = self.encode_both(request);
        self.sample_states(request, start, prompt, negative, on_step)
    }

    /// [`Pipeline::sample_watched`] for text states that the caller made, `[1, tokens, d_text]`.
    pub fn sample_states(
        &self,
        request: &Request,
        start: Tensor<4>,
        prompt: Tensor<3>,
        negative: Tensor<3>,
        on_step: &mut dyn FnMut(usize, &Tensor<4>),
    ) -> Result<Tensor<4>, Error> {
        self.check(request)?;
        let sampling = Sampling {
            unet: &self.unet,
            schedule: &self.schedule,
            sampler: request.sampler,
            steps: request.steps,
            guidance: request.guidance,
            guidance_rescale: request.guidance_rescale,
            seed: request.seed,
        };
        Ok(sampling.latents(start, prompt, negative, on_step))
    }

    /// Pixels in [-1, 1], `[batch, 3, height, width]`, to the means of their latents, scaled.
    pub fn encode_pixels(&self, pixels: Tensor<4>) -> Tensor<4> {
        self.vae.encode(pixels).mean * self.vae.config().scaling_factor
    }

    /// Pictures of scaled latents.
    pub fn decode(&self, latents: Tensor<4>) -> Vec<Picture> {
        let batch = latents.dims()[0];
        let one = |i: usize| picture(self.decode_raw(latents.clone().narrow(0, i, 1)));
        (0..batch).map(one).collect()
    }

    /// Scaled latents to pixels about within [-1, 1], `[batch, 3, height, width]`.
    pub fn decode_raw(&self, latents: Tensor<4>) -> Tensor<4> {
        self.vae.decode(latents / self.vae.config().scaling_factor)
    }

    /// Pictures of `request`, from the noise of its seeds.
    pub fn generate(
        &self,
        request: &Request,
        on_step: &mut dyn FnMut(usize),
    ) -> Result<Vec<Picture>, Error> {
        self.check(request)?;
        let latents = self.sample(request, self.start_noise(request), on_step)?;
        Ok(self.decode(latents))
    }
}

/// Pixels of `[1, 3, height, width]` in [-1, 1].
fn picture(decoded: Tensor<4>) -> Picture {
    let [_, _, height, width] = decoded.dims();
    let levels = ((decoded.clamp(-1.0, 1.0) + 1.0) * 127.5).round();
    let rows = levels.permute([0, 2, 3, 1]).into_data(); // [1, height, width, 3]
    let rgb = rows.iter::<f32>().map(|level| level as u8).collect();
    Picture { width: width as u32, height: height as u32, rgb }
}
