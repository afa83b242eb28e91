//! Our side of the race: loads one part of a checkpoint and runs a piece of work a command.
//!
//! Commands come on stdin, one a line: `train`, `denoise`, `encode`, `decode` or `text`, with a
//! file behind it into which the result is saved, and `quit`; or `gradients`, whose file gets the
//! gradient of every factor by name, for `gradients.py`. Each is answered by one JSON line:
//! `{"seconds":..,"peak_gib":..,"loss":..}`. `peer.py` speaks the same. What runs are the pieces
//! that `likeness train` and `likeness generate` call; the clock is read when the device is done.

use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, bail};
use burn::tensor::{Device, Tensor, TensorData};
use clap::Parser;
use likeness_diffusion::adapter::{Preset, Targets, places};
use likeness_diffusion::checkpoint::Checkpoint;
use likeness_diffusion::noise;
use likeness_diffusion::pipeline::{Pipeline, Request};
use likeness_diffusion::precision::Precision;
use likeness_diffusion::sampler::SamplerKind;
use likeness_diffusion::schedule::{Schedule, Spacing};
use likeness_diffusion::text::TextEncoder;
use likeness_diffusion::tokenizer::Tokenizer;
use likeness_diffusion::unet::{Checkpointing, Unet};
use likeness_diffusion::vae::Vae;
use likeness_diffusion::weights::{HostTensor, TensorFile, save};
use likeness_kernels::Pool;
use likeness_trainer::config::{AdapterConfig, TrainConfig};
use likeness_trainer::objective::{Batch, Objective};
use likeness_trainer::optimizer::AdamW;
use likeness_trainer::progress::peak_memory_mib;
use likeness_trainer::trainable::Trainable;
use serde_json::json;

/// As in the binary.
#[global_allocator]
static POOL: Pool = Pool::new();

/// Seed of factors, noise and timesteps.
const SEED: u64 = 0;
/// Largest factor where gradients are compared.
const FACTOR: f32 = 0.02;
/// Guidance scale of the denoising step; `peer.py` has the same.
const GUIDANCE: f64 = 7.5;

/// Which models are loaded, so that the process's peak is that of one job.
#[derive(clap::ValueEnum, Debug, Clone, Copy)]
enum Part {
    /// The UNet with a fresh LoRA: `train`.
    Train,
    /// All three models, as `likeness generate` has them: `denoise`.
    Sample,
    /// The autoencoder: `encode`, `decode`.
    Vae,
    /// The text encoder: `text`.
    Text,
}

/// What likeness computes in; `race.py` reads the choices off the help.
#[derive(clap::ValueEnum, Debug, Clone, Copy)]
enum Dtype {
    /// Single precision.
    F32,
    /// Half precision with f32's range; not on the CPU engine.
    Bf16,
}

/// Runs pieces of work on demand.
#[derive(Parser, Debug)]
struct Args {
    #[arg(long)]
    part: Part,
    /// A diffusers folder or a single file
    #[arg(long)]
    checkpoint: PathBuf,
    /// Latents, noise, timesteps, text states and pixels, as `models.py` writes them
    #[arg(long)]
    inputs: PathBuf,
    #[arg(long, default_value = "auto")]
    device: String,
    /// What is computed in
    #[arg(long, default_value = "f32")]
    dtype: Dtype,
    #[arg(long, default_value = "")]
    prompt: String,
    #[arg(long, default_value = "")]
    negative: String,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let device = likeness_diffusion::device(&args.device)?;
    let begin = Instant::now();
    let mut piece = load(&args, &device)?;
    answer(&json!({"ready": env!("CARGO_PKG_VERSION"), "seconds": begin.elapsed().as_secs_f64()}))?;
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let (command, target) = line.split_once(' ').unwrap_or((&line, ""));
        if command == "quit" {
            break;
        }
        let begin = Instant::now();
        if command == "gradients" {
            let tensors = piece.gradients()?;
            save(Path::new(target), &tensors, &Default::default(), safetensors::Dtype::F32)?;
            answer(&json!({"seconds": begin.elapsed().as_secs_f64(), "tensors": tensors.len()}))?;
            continue;
        }
        let result = piece.run(command)?;
        device.sync().context("the device failed")?;
        let seconds = begin.elapsed().as_secs_f64();
        let values: Vec<f32> = result.into_data().iter::<f32>().collect();
        let loss = (command == "train").then(|| values[0]);
        if !target.is_empty() {
            let host = HostTensor { shape: vec![values.len()], values };
            let dtype = safetensors::Dtype::F32;
            save(Path::new(target), &[("result".into(), host)], &Default::default(), dtype)?;
        }
        let peak_gib = peak_memory_mib().map(|mib| mib / 1024.0);
        answer(&json!({"seconds": seconds, "peak_gib": peak_gib, "loss": loss}))?;
    }
    Ok(())
}

fn answer(line: &serde_json::Value) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}

/// One part, loaded. A command's result is flat; its order is that of the tensor.
trait Piece {
    fn run(&mut self, command: &str) -> anyhow::Result<Tensor<1>>;

    /// The gradient of every factor, by name.
    fn gradients(&mut self) -> anyhow::Result<Vec<(String, HostTensor)>> {
        unknown("gradients")
    }
}

fn load(args: &Args, device: &Device) -> anyhow::Result<Box<dyn Piece>> {
    let mut checkpoint = Checkpoint::open(&args.checkpoint, None)?;
    let precision = match args.dtype {
        Dtype::F32 => Precision::F32,
        Dtype::Bf16 => Precision::Bf16,
    };
    checkpoint.precision = precision.on(&args.device).map_err(anyhow::Error::msg)?;
    let inputs = Inputs { file: TensorFile::open(&args.inputs)?, device: device.clone() };
    let prompts = [args.prompt.clone(), args.negative.clone()];
    Ok(match args.part {
        Part::Train => Box::new(Training::load(&checkpoint, &inputs)?),
        Part::Sample => Box::new(Sampling::load(checkpoint, &inputs)?),
        Part::Vae => Box::new(Autoencoding::load(&checkpoint, &inputs)?),
        Part::Text => Box::new(Encoding {
            encoder: checkpoint.load_text_encoder(device)?,
            tokenizer: checkpoint.tokenizer().clone(),
            prompts,
        }),
    })
}

fn unknown<T>(command: &str) -> anyhow::Result<T> {
    bail!("`{command}` is no command of this part")
}

/// The file that both sides read.
struct Inputs {
    file: TensorFile,
    device: Device,
}

impl Inputs {
    fn tensor<const D: usize>(&self, name: &str) -> anyhow::Result<Tensor<D>> {
        let host = self.file.read(name)?.with_context(|| format!("the inputs have no `{name}`"))?;
        Ok(Tensor::from_data(TensorData::new(host.values, host.shape), &self.device))
    }

    fn timesteps(&self) -> anyhow::Result<Vec<usize>> {
        let ints = self.file.read_ints("timesteps")?.context("the inputs have no `timesteps`")?;
        Ok(ints.into_iter().map(|t| t as usize).collect())
    }
}

/// A LoRA step with the defaults of a run file, as the trainer's loop takes it.
struct Training {
    unet: Unet,
    schedule: Schedule,
    trainable: Trainable,
    adam: AdamW,
    batch: Batch, // of the file: what the first step sees
    steps: u64,
    device: Device,
}

impl Training {
    fn load(checkpoint: &Checkpoint, inputs: &Inputs) -> anyhow::Result<Self> {
        let device = inputs.device.clone();
        let mut unet = checkpoint.load_unet(&device)?;
        let places = places(&mut unet, None);
        let (targets, adapter) =
            (Targets::preset(Preset::Attention, false), AdapterConfig::default());
        let (rank, alpha) = (adapter.rank, adapter.alpha());
        let trainable = Trainable::fresh(&places, &targets, rank, alpha, SEED, &device);
        let optimizer = TrainConfig::default().optimizer();
        let adam = AdamW::new(optimizer, trainable.parameters(), &device);
        let batch = Batch {
            latents: inputs.tensor("latents")?,
            noise: inputs.tensor("noise")?,
            timesteps: inputs.timesteps()?,
            text: inputs.tensor("text")?,
            target: None,
            mask: None,
        };
        let schedule = checkpoint.noise_schedule();
        Ok(Self { unet, schedule, trainable, adam, batch, steps: 0, device })
    }

    /// The file's batch first, then fresh noise and timesteps on the same latents.
    fn next_batch(&mut self) -> Batch {
        let (at, mut batch) = (self.steps, self.batch.clone());
        self.steps += 1;
        if at > 0 {
            let shape = batch.latents.dims();
            let values = noise::normal(SEED, "noise", at, shape.iter().product());
            batch.noise = Tensor::from_data(TensorData::new(values, shape), &self.device);
            let timestep =
                |i: usize| noise::below(SEED, &format!("timestep {i}"), at, self.schedule.len());
            batch.timesteps = (0..shape[0]).map(timestep).collect();
        }
        batch
    }
}

impl Piece for Training {
    fn run(&mut self, command: &str) -> anyhow::Result<Tensor<1>> {
        if command != "train" {
            return unknown(command);
        }
        let leaves = self.trainable.install(&mut self.unet, None);
        let batch = self.next_batch();
        let keep_all = Checkpointing::None;
        let (loss, mut pieces) =
            Objective::default().gradients(&self.unet, &self.schedule, &batch, keep_all);
        let gradient = leaves.gradient(&mut pieces);
        let rate = TrainConfig::default().learning_rate;
        let (values, norm) = self.adam.step(self.trainable.values.clone(), gradient, rate);
        self.trainable.values = values;
        norm.into_scalar::<f32>(); // the loop reads both for its log
        Ok(loss)
    }

    /// On the file's batch, of factors none of which is zero: fresh ones would give A no gradient.
    fn gradients(&mut self) -> anyhow::Result<Vec<(String, HostTensor)>> {
        let count = self.trainable.parameters();
        let drawn = noise::uniform(SEED, "gradients", 0, count);
        let values = drawn.into_iter().map(|x| x * FACTOR).collect();
        let kept = self.trainable.values.clone();
        self.trainable.values = Tensor::from_data(TensorData::new(values, [count]), &self.device);
        let leaves = self.trainable.install(&mut self.unet, None);
        let keep_all = Checkpointing::None;
        let (_, mut pieces) =
            Objective::default().gradients(&self.unet, &self.schedule, &self.batch, keep_all);
        let gradient = self.trainable.modules_of(leaves.gradient(&mut pieces));
        self.trainable.values = kept;
        let named = gradient.modules.into_iter().flat_map(|module| {
            let name = |part: &str| format!("{}.{part}", module.path);
            [(name("down"), module.down), (name("up"), module.up)]
        });
        Ok(named.collect())
    }
}

/// One denoising step with guidance: DDIM from pure noise to the clean latents.
struct Sampling {
    pipeline: Pipeline,
    request: Request,
    start: Tensor<4>,
    prompt: Tensor<3>,
    negative: Tensor<3>,
}

impl Sampling {
    fn load(mut checkpoint: Checkpoint, inputs: &Inputs) -> anyhow::Result<Self> {
        // The one step is the noisiest, where a latent shows the whole of the prediction.
        checkpoint.schedule.timestep_spacing = Spacing::Trailing;
        let start: Tensor<4> = inputs.tensor::<4>("noise")?.narrow(0, 0, 1);
        let [_, _, height, width] = start.dims().map(|side| side * checkpoint.factor());
        let request = Request {
            prompt: String::new(),
            negative: String::new(),
            width,
            height,
            steps: 1,
            guidance: GUIDANCE,
            guidance_rescale: 0.0,
            sampler: SamplerKind::Ddim,
            seed: SEED,
            batch: 1,
            clip_skip: 0,
        };
        let pipeline = Pipeline::load(&checkpoint, &inputs.device)?;
        let prompt = inputs.tensor::<3>("text")?.narrow(0, 0, 1);
        Ok(Self { pipeline, request, start, prompt, negative: inputs.tensor("negative")? })
    }
}

impl Piece for Sampling {
    fn run(&mut self, command: &str) -> anyhow::Result<Tensor<1>> {
        if command != "denoise" {
            return unknown(command);
        }
        let Self { pipeline, request, start, prompt, negative } = self;
        let (prompt, negative) = (prompt.clone(), negative.clone());
        let start = start.clone();
        Ok(flat(pipeline.sample_states(request, start, prompt, negative, &mut |_, _| ())?))
    }
}

/// Pixels to the mean of their latents, and latents to pixels.
struct Autoencoding {
    vae: Vae,
    pixels: Tensor<4>,
    latents: Tensor<4>,
}

impl Autoencoding {
    fn load(checkpoint: &Checkpoint, inputs: &Inputs) -> anyhow::Result<Self> {
        let vae = checkpoint.load_vae(&inputs.device)?;
        let latents = inputs.tensor::<4>("latents")?.narrow(0, 0, 1);
        Ok(Self { vae, pixels: inputs.tensor("pixels")?, latents })
    }
}

impl Piece for Autoencoding {
    fn run(&mut self, command: &str) -> anyhow::Result<Tensor<1>> {
        match command {
            "encode" => Ok(flat(self.vae.encode(self.pixels.clone()).mean)),
            "decode" => {
                let scale = self.vae.config().scaling_factor;
                Ok(flat(self.vae.decode(self.latents.clone() / scale)))
            }
            _ => unknown(command),
        }
    }
}

/// A prompt and a negative one to their states, one after the other, as sampling does it.
struct Encoding {
    encoder: TextEncoder,
    tokenizer: Tokenizer,
    prompts: [String; 2],
}

impl Piece for Encoding {
    fn run(&mut self, command: &str) -> anyhow::Result<Tensor<1>> {
        if command != "text" {
            return unknown(command);
        }
        let states = |prompt: &String| {
            flat(self.encoder.encode(&self.tokenizer.windows(prompt), 0)) // [windows, 77, width]
        };
        Ok(Tensor::cat(self.prompts.iter().map(states).collect(), 0))
    }
}

fn flat<const D: usize>(x: Tensor<D>) -> Tensor<1> {
    let count: usize = x.dims().iter().product();
    x.reshape([count])
}
