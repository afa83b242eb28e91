//! `likeness train`: a LoRA from a dataset.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use likeness_dataset::Dataset;
use likeness_trainer::config::{self, RunConfig};
use likeness_trainer::progress::{Event, Stop};
use likeness_trainer::{Outcome, train};

use super::DEVICE_HELP;
use crate::exit::INTERRUPTED;
use crate::meter::{Meter, note};

/// Arguments of `likeness train`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Run file (TOML); without one, --base, --dataset and --out are needed
    config: Option<PathBuf>,
    /// Base model, in place of the run file's
    #[arg(long, value_name = "PATH")]
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
    /// Print the resolved run file and what would be trained, and stop
    #[arg(long)]
    dry_run: bool,
}

/// Set by Ctrl-C.
static STOP: Stop = Stop::new();

/// Trains, and says where the adapter is.
pub fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let config = resolve(args)?;
    if args.dry_run {
        return dry_run(&config, out).map(|()| ExitCode::SUCCESS);
    }
    let device = likeness_diffusion::device(&args.device)?;
    ctrlc::set_handler(|| STOP.ask()).context("cannot catch Ctrl-C")?;
    let mut view = View::default();
    let engine = args.device.as_str();
    let engine = if engine == "auto" { engine_of(&device) } else { engine.to_owned() };
    let outcome = train(&config, &device, &engine, args.resume, &STOP, &mut |e| view.show(e))
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

/// What `auto` came to, for the run's identity.
fn engine_of(device: &impl std::fmt::Debug) -> String {
    let built = likeness_kernels::device::ENGINES.iter().find(|(_, built)| *built);
    let name = built.map_or_else(|| format!("{device:?}"), |(name, _)| (*name).to_owned());
    if name == "flex" { "cpu".to_owned() } else { name }
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
    // The saved run file must mean the same from any folder.
    let inputs = [&mut config.base, &mut config.dataset];
    for input in inputs.into_iter().chain(config.base_configs.as_mut()) {
        *input = std::path::absolute(&*input).context("cannot tell the working folder")?;
    }
    Ok(config)
}

fn dry_run(config: &RunConfig, out: &mut dyn Write) -> anyhow::Result<()> {
    let dataset = Dataset::open(&config.dataset)?;
    let checkpoint = likeness_trainer::base::open_base(config)?;
    let (photos, train) = (dataset.kept().count(), &config.train);
    let seen = train.steps * train.batch * train.accumulate;
    write!(out, "{}", toml::to_string(config)?)?;
    writeln!(
        out,
        "\n# base: {} at `{}`",
        checkpoint.family().title(),
        checkpoint.path().display()
    )?;
    writeln!(out, "# {photos} photos, each seen about {} times", seen / photos.max(1))?;
    Ok(())
}

/// The run's progress.
#[derive(Default)]
struct View {
    caching: Option<Meter>,
    steps: Option<Meter>,
}

impl View {
    fn show(&mut self, event: Event) {
        match event {
            Event::Caching { done, of } => {
                let meter = self.caching.get_or_insert_with(|| Meter::new("encode", of));
                meter.set(done, "photos and captions");
                if done == of {
                    meter.finish();
                }
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

    fn finish(&self) {
        self.caching.iter().chain(&self.steps).for_each(Meter::finish);
    }
}
