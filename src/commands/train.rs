//! `likeness train`: a LoRA from a dataset.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use likeness_trainer::config::{self, RunConfig};
use likeness_trainer::memory::gib;
use likeness_trainer::progress::Event;
use likeness_trainer::{Machine, Outcome, train};

use super::{DEVICE_HELP, dry_run};
use crate::builtin;
use crate::exit::INTERRUPTED;
use crate::interrupt::{self, STOP};
use crate::machine;
use crate::meter::{Meter, note};

/// Arguments of `likeness train`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Run file (TOML); without one, --base, --dataset and --out are needed
    config: Option<PathBuf>,
    /// Base model, in place of the run file's: `builtin`, a folder or a file
    #[arg(long, value_name = "PATH", value_parser = builtin::parser())]
    base: Option<PathBuf>,
    /// Dataset, in place of the run file's
    #[arg(long, value_name = "DIR")]
    dataset: Option<PathBuf>,
    /// Run folder, in place of the run file's
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Optimizer steps, in place of the run file's
    #[arg(long, value_name = "N")]
    steps: Option<usize>,
    /// Any value of the run file, such as adapter.rank=32; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Go on from the last checkpoint
    #[arg(long)]
    resume: bool,
    #[arg(long, value_name = "DEVICE", default_value = "auto", help = DEVICE_HELP)]
    device: String,
    /// Say what would be done, with which memory, and stop; nothing is written
    #[arg(long)]
    dry_run: bool,
    /// Print --dry-run as one JSON object
    #[arg(long, requires = "dry_run")]
    json: bool,
}

/// Trains, and says where the adapter is.
pub fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let config = resolve(args)?;
    let device = likeness_diffusion::device(&args.device)?;
    let engine = engine(&args.device);
    let machine = Machine {
        device: &device,
        engine: &engine,
        free_bytes: machine::memory_of(&engine).map(|memory| memory.available),
        own_memory: machine::in_main_memory(&engine),
    };
    if args.dry_run {
        let told = dry_run::run(&config, &machine, args.resume, args.json, out);
        return told.map(|()| ExitCode::SUCCESS);
    }
    interrupt::catch()?;
    let mut view = View::default();
    let outcome = train(&config, &machine, args.resume, &STOP, &mut |e| view.show(e))
        .with_context(|| format!("cannot train `{}`", config.out.display()));
    view.finish();
    let run = config.out.display();
    match outcome? {
        Outcome::Finished(adapter) => {
            writeln!(out, "adapter  {}", adapter.display())?;
            writeln!(out, "next     likeness evaluate {run}")?;
            Ok(ExitCode::SUCCESS)
        }
        Outcome::Stopped(checkpoint) => {
            writeln!(out, "stopped; saved {}", checkpoint.display())?;
            writeln!(out, "go on    likeness train {run}/run.toml --resume")?;
            Ok(ExitCode::from(INTERRUPTED))
        }
    }
}

/// What the run's identity calls the device named `name`: what `auto` comes to.
pub fn engine(name: &str) -> String {
    if name != "auto" {
        return name.to_owned();
    }
    let built = likeness_kernels::device::ENGINES.iter().find(|(_, built)| *built);
    match built {
        Some(("flex", _)) | None => "cpu".to_owned(),
        Some((name, _)) => (*name).to_owned(),
    }
}

fn resolve(args: &Args) -> anyhow::Result<RunConfig> {
    let (path, text) = match &args.config {
        Some(path) => {
            let text = std::fs::read_to_string(path).with_context(|| {
                format!("cannot read the run file `{}`; check the path", path.display())
            })?;
            (path.as_path(), text)
        }
        None => (Path::new("command line"), String::new()),
    };
    let mut overrides = Vec::new();
    for (key, value) in [("base", &args.base), ("dataset", &args.dataset), ("out", &args.out)] {
        let quoted = |path: &PathBuf| toml::Value::String(path.to_string_lossy().into_owned());
        overrides.extend(value.as_ref().map(|path| format!("{key}={}", quoted(path))));
    }
    overrides.extend(args.steps.map(|steps| format!("train.steps={steps}")));
    overrides.extend(args.set.iter().cloned());
    let mut config = config::parse(path, &text, &overrides).context("cannot start training")?;
    config.base = builtin::resolved(&config.base)?;
    // The saved run file must mean the same from any folder.
    let inputs = [&mut config.base, &mut config.dataset];
    for input in inputs.into_iter().chain(config.base_configs.as_mut()) {
        *input = std::path::absolute(&*input).context("cannot tell the working folder")?;
    }
    Ok(config)
}

/// The run's progress.
#[derive(Default)]
pub struct View {
    caching: Option<Meter>,
    painting: Option<Meter>,
    steps: Option<Meter>,
}

impl View {
    /// Shows an event.
    pub fn show(&mut self, event: Event) {
        match event {
            Event::Caching { done, of } => {
                let meter = self.caching.get_or_insert_with(|| Meter::new("encode", of));
                meter.set(done, "photos and captions");
                if done == of {
                    meter.finish();
                }
            }
            Event::Painting { done, of } => {
                let meter = self.painting.get_or_insert_with(|| Meter::new("paint", of));
                meter.set(done, "pictures of the class");
                if done == of {
                    meter.finish();
                }
            }
            Event::Planned(plan) => {
                let estimate = &plan.estimate;
                note(&format!(
                    "checkpointing {}, since {}; memory {} predicted, {} free",
                    estimate.checkpointing.name(),
                    plan.reason,
                    gib(estimate.peak()),
                    plan.free.map_or("not known".to_owned(), gib)
                ));
                if plan.fits() == Some(false) {
                    note("this may not fit; lower `train.batch`, or see `likeness doctor`");
                }
            }
            Event::Memory { plan, measured_mib } => {
                let (predicted, measured) = (plan.estimate.peak(), measured_mib * 1048576.0);
                let apart = (predicted as f64 / measured - 1.0) * 100.0;
                let measured = gib(measured as u64);
                let line = format!(
                    "memory {measured} at its peak; {} predicted, {apart:+.0} %",
                    gib(predicted)
                );
                self.steps.as_ref().map_or_else(|| note(&line), |meter| meter.say(&line));
            }
            Event::Starting { from, steps, layers, parameters } => {
                let more =
                    if from > 0 { format!(", going on from step {from}") } else { String::new() };
                note(&format!("training {parameters} numbers in {layers} layers{more}"));
                let mut meter = Meter::new("train", steps);
                meter.start_at(from);
                self.steps = Some(meter);
            }
            Event::Step(record) => {
                let memory = record.peak_memory_mib.map(|m| format!("  {:.1} GiB", m / 1024.0));
                let message = format!(
                    "loss {:.4}  {:.2} images/s{}",
                    record.loss,
                    record.images_per_second,
                    memory.unwrap_or_default()
                );
                if let Some(meter) = &mut self.steps {
                    meter.set(record.step, message);
                }
            }
            Event::Saved(path) => {
                if let Some(meter) = &self.steps {
                    meter.say(&format!("saved {}", path.display()));
                }
            }
        }
    }

    /// Takes the bars away.
    pub fn finish(&self) {
        self.caching.iter().chain(&self.steps).for_each(Meter::finish);
    }
}
