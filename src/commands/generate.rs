//! `likeness generate`: pictures from a prompt.

use std::io::Write;
use std::path::{Path, PathBuf};

use burn::tensor::{Device, Tensor, TensorData};
use likeness_diffusion::pipeline::{Pipeline, Request};
use likeness_diffusion::sampler::SamplerKind;
use likeness_diffusion::weights::{HostTensor, TensorFile, save};
use safetensors::Dtype;

use super::{BaseArgs, DEVICE_HELP};
use crate::exit::Usage;
use crate::meter::Meter;
use crate::png;

/// Arguments of `likeness generate`.
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(flatten)]
    base: BaseArgs,
    /// What the picture shows; as long as you like
    #[arg(long)]
    prompt: String,
    /// What it should not show
    #[arg(long, default_value = "")]
    negative: String,
    /// A LoRA file, with its strength behind `=` (1 unless given); may be repeated
    #[arg(long, value_name = "FILE[=STRENGTH]", value_parser = lora)]
    lora: Vec<(PathBuf, f64)>,
    /// Fold the LoRAs into the base first: the same pictures, faster
    #[arg(long)]
    merge: bool,
    #[command(flatten)]
    sampling: SamplingArgs,
    /// Seed of the first picture
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Pictures at once, with seeds from --seed on
    #[arg(long, value_name = "N", default_value_t = 1)]
    batch: usize,
    /// Start from the noise in this file (tensor `latents`), for comparing programs
    #[arg(long, value_name = "FILE")]
    latents: Option<PathBuf>,
    /// Save the last latents (tensor `latents`), for comparing programs
    #[arg(long, value_name = "FILE")]
    save_latents: Option<PathBuf>,
    /// A .png file, or a folder
    #[arg(long, value_name = "PATH", default_value = "pictures")]
    out: PathBuf,
    #[arg(long, value_name = "DEVICE", default_value = "auto", help = DEVICE_HELP)]
    device: String,
}

/// How pictures are sampled: shared with `likeness evaluate`.
#[derive(clap::Args, Debug, Clone)]
pub struct SamplingArgs {
    /// Width and height in pixels; what the base was trained on unless given
    #[arg(long, value_name = "WxH", value_parser = size)]
    pub size: Option<(usize, usize)>,
    /// Sampling steps
    #[arg(long, value_name = "N", default_value_t = 25)]
    pub steps: usize,
    /// Guidance scale (CFG)
    #[arg(long, value_name = "X", default_value_t = 7.0)]
    pub guidance: f64,
    /// Pull guided pictures back to natural contrast, 0 to 1 (0.7 for zero-SNR bases)
    #[arg(long, value_name = "X", default_value_t = 0.0)]
    pub guidance_rescale: f64,
    /// Sampler: dpm++-2m-karras, dpm++-2m, euler, euler-a, ddim or ddpm
    #[arg(long, value_name = "NAME", default_value = "dpm++-2m-karras", value_parser = sampler)]
    pub sampler: SamplerKind,
    /// Last layers of the text encoder that are left out (A1111 counts one more)
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub clip_skip: usize,
}

impl SamplingArgs {
    /// The request for one picture of `prompt`.
    pub fn request(
        &self,
        pipeline_side: usize,
        prompt: &str,
        negative: &str,
        seed: u64,
    ) -> Request {
        let (width, height) = self.size.unwrap_or((pipeline_side, pipeline_side));
        Request {
            prompt: prompt.to_owned(),
            negative: negative.to_owned(),
            width,
            height,
            steps: self.steps,
            guidance: self.guidance,
            guidance_rescale: self.guidance_rescale,
            sampler: self.sampler,
            seed,
            batch: 1,
            clip_skip: self.clip_skip,
        }
    }
}

/// `FILE` or `FILE=STRENGTH`.
fn lora(text: &str) -> Result<(PathBuf, f64), String> {
    let Some((path, strength)) = text.rsplit_once('=') else { return Ok((text.into(), 1.0)) };
    match strength.parse::<f64>() {
        Ok(strength) if strength.is_finite() => Ok((path.into(), strength)),
        _ => Err(format!("`{strength}` is not a strength; give a number such as 0.8")),
    }
}

/// Longest side of a picture in pixels: beyond it no memory would do.
const MAX_SIDE: usize = 8192;

/// `WxH`.
fn size(text: &str) -> Result<(usize, usize), String> {
    let parsed: Option<(usize, usize)> =
        text.split_once(['x', 'X']).and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?)));
    match parsed {
        Some((width, height)) if width.max(height) > MAX_SIDE => {
            Err(format!("sides above {MAX_SIDE} px are surely mistyped; give such as 512x768"))
        }
        Some(size) => Ok(size),
        None => Err("give a width and a height such as 512x768".to_owned()),
    }
}

fn sampler(text: &str) -> Result<SamplerKind, String> {
    SamplerKind::named(text).ok_or_else(|| {
        let names: Vec<_> = SamplerKind::ALL.iter().map(|(_, name)| *name).collect();
        format!("choose one of {}", names.join(", "))
    })
}

/// Draws, saves, and prints the files.
pub fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<()> {
    let checkpoint = args.base.open(&args.device)?;
    let device = likeness_diffusion::device(&args.device)?;
    let side = checkpoint.unet.sample_size * checkpoint.factor();
    let request = Request {
        batch: args.batch,
        ..args.sampling.request(side, &args.prompt, &args.negative, args.seed)
    };
    let targets = targets(&args.out, &request)?;
    let mut pipeline = Pipeline::load(&checkpoint, &device)?;
    pipeline.check(&request)?;
    let mut names = Vec::new();
    for (path, strength) in &args.lora {
        let adapter = pipeline.read_adapter(path)?;
        pipeline.attach(&adapter, *strength);
        names.push((stem(path), *strength));
    }
    if args.merge {
        pipeline.merge();
    }
    let start = match &args.latents {
        Some(path) => read_latents(path, pipeline.start_noise(&request).dims(), &device)?,
        None => pipeline.start_noise(&request),
    };
    let mut meter = Meter::new("sample", request.steps);
    let latents = pipeline.sample(&request, start, &mut |done| meter.set(done, "steps"))?;
    meter.finish();
    if let Some(path) = &args.save_latents {
        let host = HostTensor {
            shape: latents.dims().to_vec(),
            values: latents.to_data().iter::<f32>().collect(),
        };
        save(path, &[("latents".into(), host)], &Default::default(), Dtype::F32)?;
    }
    let base = stem(checkpoint.path());
    for (i, (picture, path)) in pipeline.decode(latents).iter().zip(&targets).enumerate() {
        png::write(path, picture, &png::parameters(&request, i, &base, &names))?;
        writeln!(out, "{}", path.display())?;
    }
    Ok(())
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// A file a picture; what is there already is not overwritten.
fn targets(out: &Path, request: &Request) -> anyhow::Result<Vec<PathBuf>> {
    let is_png = out.extension().is_some_and(|e| e.eq_ignore_ascii_case("png"));
    let seeds = (0..request.batch as u64).map(|i| request.seed.wrapping_add(i));
    if !is_png {
        return Ok(seeds.map(|seed| free(out, seed)).collect());
    }
    if request.batch > 1 {
        let reason = "`--out` is one .png file for several pictures; give a folder".to_owned();
        return Err(Usage(reason).into());
    }
    if out.exists() {
        let reason = format!("`{}` is there already; give another `--out`", out.display());
        return Err(Usage(reason).into());
    }
    Ok(vec![out.to_owned()])
}

/// The first free name for a picture of `seed` in `folder`.
fn free(folder: &Path, seed: u64) -> PathBuf {
    let name = |n: usize| match n {
        0 => folder.join(format!("seed-{seed}.png")),
        n => folder.join(format!("seed-{seed}-{n}.png")),
    };
    (0..).map(name).find(|path| !path.exists()).expect("numbers don't end before names do")
}

fn read_latents(path: &Path, want: [usize; 4], device: &Device) -> anyhow::Result<Tensor<4>> {
    let host = TensorFile::open(path)?.read("latents")?;
    let host = host.filter(|host| host.shape == want).ok_or_else(|| {
        Usage(format!(
            "`{}` has no tensor `latents` of shape {want:?}; make one of this size",
            path.display()
        ))
    })?;
    Ok(Tensor::from_data(TensorData::new(host.values, want), device))
}
