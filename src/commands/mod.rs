//! One file a command: its arguments, and what it does with them.

pub mod caption;
pub mod convert;
pub mod curate;
pub mod demo;
pub mod doctor;
mod dry_run;
pub mod evaluate;
pub mod generate;
pub mod models;
pub mod pretrain;
pub mod prompt;
pub mod studio;
pub mod train;

use std::io::Write;
use std::process::ExitCode;

use likeness_diffusion::precision::Precision;

use crate::cli::Command;
use crate::exit::Usage;

/// Runs a command. Data goes to `out`, progress to stderr.
pub fn run(command: Command, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    match command {
        Command::Curate(args) => curate::run(&args, out),
        Command::Caption(args) => caption::run(&args, out),
        Command::Prompt(args) => prompt::run(&args, out),
        Command::Train(args) => train::run(&args, out),
        Command::Evaluate(args) => evaluate::run(&args, out).map(|()| ExitCode::SUCCESS),
        Command::Generate(args) => generate::run(&args, out).map(|()| ExitCode::SUCCESS),
        Command::Convert(args) => convert::run(&args, out).map(|()| ExitCode::SUCCESS),
        Command::Demo(args) => demo::run(&args, out).map(|()| ExitCode::SUCCESS),
        Command::Doctor(args) => doctor::run(&args, out),
        Command::Models(args) => models::run(&args, out).map(|()| ExitCode::SUCCESS),
        Command::Studio(args) => studio::run(&args, out).map(|()| ExitCode::SUCCESS),
        Command::Pretrain(args) => pretrain::run(&args, out),
    }
}

/// Arguments that name a base model and where to compute.
#[derive(clap::Args, Debug, Clone)]
pub struct BaseArgs {
    /// Base model: `builtin`, a diffusers folder or a .safetensors file (SD 1.x or 2.x)
    #[arg(long, value_name = "PATH", value_parser = crate::builtin::parser())]
    pub base: std::path::PathBuf,
    /// Diffusers folder whose configs describe a single file of unusual sizes
    #[arg(long, value_name = "DIR")]
    pub base_configs: Option<std::path::PathBuf>,
    /// What the base predicts, where its file does not say it
    #[arg(long, value_name = "epsilon|v_prediction", value_parser = prediction)]
    pub prediction: Option<likeness_diffusion::schedule::Prediction>,
    /// What the denoiser is computed in; auto is bf16 on NVIDIA GPUs and f32 elsewhere
    #[arg(long, value_name = "auto|f32|bf16", default_value = "auto", value_parser = precision)]
    pub precision: Precision,
}

impl BaseArgs {
    /// Opens the base, to be computed on `device` as `--device` names it.
    pub fn open(&self, device: &str) -> anyhow::Result<likeness_diffusion::checkpoint::Checkpoint> {
        use likeness_diffusion::checkpoint::Checkpoint;
        let mut checkpoint = Checkpoint::open(&self.base, self.base_configs.as_deref())?;
        if let Some(prediction) = self.prediction {
            checkpoint.schedule.prediction_type = prediction;
        }
        let resolved = self.precision.on(train::engine(device).as_str());
        checkpoint.precision = resolved.map_err(|reason| Usage(format!("--precision {reason}")))?;
        Ok(checkpoint)
    }
}

fn precision(text: &str) -> Result<Precision, String> {
    let found = Precision::ALL.iter().find(|(name, _)| *name == text);
    found.map(|(_, precision)| *precision).ok_or_else(|| "choose auto, f32 or bf16".into())
}

fn prediction(text: &str) -> Result<likeness_diffusion::schedule::Prediction, String> {
    use likeness_diffusion::schedule::Prediction;
    match text {
        "epsilon" => Ok(Prediction::Epsilon),
        "v_prediction" => Ok(Prediction::VPrediction),
        _ => Err("choose epsilon or v_prediction".into()),
    }
}

/// Help of `--device`, the same everywhere.
pub const DEVICE_HELP: &str =
    "Where to compute: auto, cpu, cuda[:N], vulkan, metal, wgpu, tch or tch:cuda[:N]";
