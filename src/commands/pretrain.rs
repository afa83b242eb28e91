//! `likeness pretrain`: the built-in base, trained from scratch on rendered characters.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use likeness_trainer::pretrain::config::PretrainConfig;
use likeness_trainer::pretrain::run::{Part, Pretrained, pretrain};

use super::DEVICE_HELP;
use super::train::View;
use crate::corpus;
use crate::exit::INTERRUPTED;
use crate::interrupt::{self, STOP};
use crate::meter::note;

/// Arguments of `likeness pretrain`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Pretraining file (TOML), such as configs/builtin.toml
    config: PathBuf,
    /// Where everything goes, in place of the file's
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Any value of the file, such as denoiser.train.steps=1000; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Train only this part: finder, identity, reader or base; may be repeated
    #[arg(long, value_name = "PART", value_parser = part)]
    only: Vec<Part>,
    #[arg(long, value_name = "DEVICE", default_value = "auto", help = DEVICE_HELP)]
    device: String,
}

fn part(name: &str) -> Result<Part, String> {
    let found = Part::ALL.into_iter().find(|(each, _)| *each == name);
    let names = Part::ALL.map(|(each, _)| each).join(", ");
    found.map(|(_, part)| part).ok_or_else(|| format!("no such part; choose of {names}"))
}

/// Renders the corpus if it is not there, trains every stage from where it was cut off, and says
/// where the base is.
pub fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let path = &args.config;
    let text = fs::read_to_string(path)
        .with_context(|| format!("cannot read `{}`; check the path", path.display()))?;
    let mut overrides: Vec<String> = Vec::new();
    if let Some(out) = &args.out {
        overrides.push(format!("out={}", toml::Value::String(out.to_string_lossy().into_owned())));
    }
    overrides.extend(args.set.iter().cloned());
    let config = PretrainConfig::parse(path, &text, &overrides).context("cannot start")?;
    let device = likeness_diffusion::device(&args.device)?;
    interrupt::catch()?;
    if !corpus::rendered(&config, &STOP)? {
        writeln!(out, "stopped in corpus; the same command goes on")?;
        return Ok(ExitCode::from(INTERRUPTED));
    }
    let all = Part::ALL.map(|(_, part)| part);
    let parts = if args.only.is_empty() { &all[..] } else { &args.only[..] };
    let mut view = View::default();
    let done = pretrain(
        &config,
        parts,
        (&device, &STOP),
        &mut |stage| note(&format!("stage {stage}")),
        &mut |event| view.show(event),
    );
    view.finish();
    match done.with_context(|| format!("cannot train `{}`", config.out.display()))? {
        Pretrained::Finished(made) => {
            writeln!(out, "done  {}", made.display())?;
            if parts.contains(&Part::Base) {
                let base = made.join("base");
                let prompt = "a portrait of person, smiling, on a beach";
                let base = base.display();
                writeln!(out, "next  likeness generate --base {base} --prompt \"{prompt}\"")?;
            }
            Ok(ExitCode::SUCCESS)
        }
        Pretrained::Stopped(stage) => {
            writeln!(out, "stopped in {stage}; the same command goes on")?;
            Ok(ExitCode::from(INTERRUPTED))
        }
    }
}
