//! `likeness doctor`: what this machine and this binary have, and which runs fit.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use likeness_diffusion::adapter::{Preset, Targets};
use likeness_diffusion::checkpoint::Checkpoint;
use likeness_diffusion::unet::Checkpointing;
use likeness_kernels::device::ENGINES;
use likeness_trainer::memory::{self, Load, Plan, Predictor, gib};
use serde_json::{Value, json};

use super::{DEVICE_HELP, dry_run, train};
use crate::{builtin, face_models, machine};

/// Rank of the runs that are tried: a run file's default.
const RANK: usize = 16;
/// Free disk below which it warns: a base, its caches and a few checkpoints.
const LITTLE_DISK: u64 = 8 << 30;

/// Arguments of `likeness doctor`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Base model to look at: `builtin`, a diffusers folder or a .safetensors file
    #[arg(long, value_name = "PATH", value_parser = builtin::parser())]
    base: Option<PathBuf>,
    /// Diffusers folder whose configs describe a single file of unusual sizes
    #[arg(long, value_name = "DIR", requires = "base")]
    base_configs: Option<PathBuf>,
    /// Folder of face models; `builtin` for those that know pictures of `likeness studio`
    #[arg(long, value_name = "DIR", value_parser = builtin::judges_parser())]
    models: Option<PathBuf>,
    #[arg(long, value_name = "DEVICE", default_value = "auto", help = DEVICE_HELP)]
    device: String,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// How a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Fine,
    Note,
    Problem,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Fine => "ok",
            Self::Note => "note",
            Self::Problem => "problem",
        }
    }
}

/// Something that was looked at.
struct Finding {
    about: &'static str,
    state: State,
    text: String,
    remedy: Option<String>, // where it is not fine
}

impl Finding {
    fn fine(about: &'static str, text: String) -> Self {
        Self { about, state: State::Fine, text, remedy: None }
    }

    fn note(about: &'static str, text: String, remedy: impl Into<String>) -> Self {
        Self { about, state: State::Note, text, remedy: Some(remedy.into()) }
    }

    fn problem(about: &'static str, text: String, remedy: impl Into<String>) -> Self {
        Self { about, state: State::Problem, text, remedy: Some(remedy.into()) }
    }
}

/// Looks, and prints what was found. Fails (1) if something makes training impossible.
pub fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    likeness_diffusion::device(&args.device)?;
    let engine = train::engine(&args.device);
    let free = machine::memory_of(&engine).map(|memory| memory.available);
    let mut findings = vec![engines(&engine), cores(), main_memory()];
    findings.extend(gpus());
    findings.push(faces(args.models.as_deref()));
    findings.push(disk());
    let mut plans = Vec::new();
    match &args.base {
        None => findings.push(Finding::note(
            "base",
            "none given, so no run was tried".into(),
            "give --base FILE to see what it is and which runs fit",
        )),
        Some(path) => match look(path, args.base_configs.as_deref(), free) {
            Ok((finding, tried)) => {
                findings.push(finding);
                findings.extend(fitting(&tried));
                plans = tried;
            }
            Err(error) => {
                let text = format!("{error:#}");
                let (text, remedy) = text.rsplit_once("; ").unwrap_or((&text, "give another one"));
                findings.push(Finding::problem("base", text.to_owned(), remedy));
            }
        },
    }
    match args.json {
        true => writeln!(out, "{:#}", as_json(&findings, &plans))?,
        false => write!(out, "{}", as_text(&findings, &plans))?,
    }
    let failed = findings.iter().any(|finding| finding.state == State::Problem);
    Ok(ExitCode::from(u8::from(failed)))
}

fn engines(used: &str) -> Finding {
    let names = |built: bool| {
        let some = ENGINES.iter().filter(move |(_, is)| *is == built).map(|(name, _)| *name);
        some.collect::<Vec<_>>().join(", ")
    };
    let text =
        format!("{} built in; `{used}` is used; not built in: {}", names(true), names(false));
    Finding::fine("engines", text)
}

fn cores() -> Finding {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    Finding::fine("cpu", format!("{cores} cores, {}", machine::simd()))
}

fn main_memory() -> Finding {
    match machine::main_memory() {
        Some(memory) => {
            let (total, available) = (gib(memory.total), gib(memory.available));
            Finding::fine("memory", format!("{total}, {available} of it available"))
        }
        None => Finding::note(
            "memory",
            "the system does not tell".into(),
            "set `train.checkpointing = \"blocks\"` if a run does not fit",
        ),
    }
}

/// NVIDIA GPUs, and whether this binary can use them.
fn gpus() -> Vec<Finding> {
    let usable = ENGINES.iter().any(|(name, built)| *built && matches!(*name, "cuda" | "tch"));
    let one = |(name, memory): (String, machine::Memory)| {
        let text = format!("{name}, {}, {} of it free", gib(memory.total), gib(memory.available));
        match usable {
            true => Finding::fine("gpu", text),
            false => Finding::note(
                "gpu",
                format!("{text}; this binary cannot use it"),
                "build with `cargo build --release --features cuda`",
            ),
        }
    };
    machine::nvidia().into_iter().map(one).collect()
}

fn faces(given: Option<&Path>) -> Finding {
    let searched: Vec<_> =
        face_models::folders(given).iter().map(|f| f.display().to_string()).collect();
    match face_models::find(given) {
        Ok(Some(models)) => {
            let names: Vec<_> =
                models.describe().into_iter().map(|card| card.name.clone()).collect();
            Finding::fine("faces", names.join(", "))
        }
        Ok(None) => Finding::note(
            "faces",
            format!("no face models in {}", searched.join(", ")),
            "get them by `likeness models pull faces`",
        ),
        Err(error) => Finding::note(
            "faces",
            format!("{error:#}"),
            "remove the file, or give another folder by --models",
        ),
    }
}

fn disk() -> Finding {
    match machine::free_disk(Path::new(".")) {
        Some(free) if free < LITTLE_DISK => Finding::note(
            "disk",
            format!("{} free here", gib(free)),
            "make room, or give an `--out` on another disk",
        ),
        Some(free) => Finding::fine("disk", format!("{} free here", gib(free))),
        None => Finding::note(
            "disk",
            "the system does not tell".into(),
            "see to it that some GiB are free",
        ),
    }
}

/// A run that was tried.
struct Tried {
    pixels: [usize; 2], // height, width
    batch: usize,
    plan: Plan,
}

/// What the base at `path` is, and every run of it that is worth a look.
fn look(
    path: &Path,
    configs: Option<&Path>,
    free: Option<u64>,
) -> anyhow::Result<(Finding, Vec<Tried>)> {
    let base = Checkpoint::open(path, configs)?;
    let predictor = Predictor::new(&base, &Targets::preset(Preset::Attention, false), RANK)?;
    let side = base.unet.sample_size * base.factor();
    let text = format!("{} at `{}`, {side} px", base.family().title(), path.display());
    let mut tried = Vec::new();
    // At the base's own size, and half as much again.
    for latents in [base.unet.sample_size, base.unet.sample_size * 3 / 2].map(|n| [n, n]) {
        for batch in [1, 2] {
            for how in Checkpointing::ALL {
                let load = Load { batch, latents, tokens: base.tokenizer().window_length() };
                let plan = memory::choose(&predictor, load, true, Some(how), free);
                let pixels = latents.map(|n| n * base.factor());
                tried.push(Tried { pixels, batch, plan });
            }
        }
    }
    Ok((Finding::fine("base", text), tried))
}

/// Whether anything fits.
fn fitting(tried: &[Tried]) -> Option<Finding> {
    let fit = tried.iter().filter(|one| one.plan.fits() == Some(true)).count();
    let known = tried.iter().all(|one| one.plan.fits().is_some());
    let text = format!("{fit} of the {} runs below fit", tried.len());
    Some(match (known, fit) {
        (false, _) => Finding::note(
            "runs",
            "the device does not tell its memory, so which fit is not known".into(),
            "set `train.checkpointing = \"blocks\"` if a run does not fit",
        ),
        (true, 0) => Finding::problem(
            "runs",
            text,
            "close other programs, curate at a smaller --resolution, or use a larger machine",
        ),
        _ => Finding::fine("runs", text),
    })
}

fn as_text(findings: &[Finding], tried: &[Tried]) -> String {
    let mut text = String::new();
    for Finding { about, state, text: what, remedy } in findings {
        let remedy = remedy.as_ref().map(|remedy| format!("; {remedy}")).unwrap_or_default();
        text.push_str(&format!("{:<8} {:<8} {what}{remedy}\n", state.word(), about));
    }
    if !tried.is_empty() {
        text.push_str("\nsize       batch  checkpointing  training   peak       fits\n");
    }
    for Tried { pixels: [height, width], batch, plan } in tried {
        let fits = plan.fits().map_or("?", |fits| if fits { "yes" } else { "no" });
        text.push_str(&format!(
            "{:<10} {batch:<6} {:<14} {:<10} {:<10} {fits}\n",
            format!("{width}x{height}"),
            plan.estimate.checkpointing.name(),
            gib(plan.estimate.training),
            gib(plan.estimate.peak()),
        ));
    }
    text
}

fn as_json(findings: &[Finding], tried: &[Tried]) -> Value {
    let findings: Vec<_> = findings
        .iter()
        .map(|f| {
            json!({ "about": f.about, "state": f.state.word(), "text": f.text, "remedy": f.remedy })
        })
        .collect();
    let runs: Vec<_> = tried
        .iter()
        .map(|Tried { pixels: [height, width], batch, plan }| {
            let memory = dry_run::memory(plan);
            json!({ "width": width, "height": height, "batch": batch, "memory": memory })
        })
        .collect();
    json!({ "version": 1, "findings": findings, "runs": runs })
}
