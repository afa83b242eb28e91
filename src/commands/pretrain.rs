//! `likeness pretrain`: the built-in base, trained from scratch on rendered characters.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use burn::tensor::Device;
use likeness_trainer::pretrain::config::PretrainConfig;
use likeness_trainer::pretrain::run::{Part, Pretrained, pretrain};

use super::DEVICE_HELP;
use super::train::View;
use crate::exit::INTERRUPTED;
use crate::interrupt::{self, STOP};
use crate::meter::note;
use crate::{base_measures, corpus};

/// Arguments of `likeness pretrain`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Pretraining file (TOML), such as configs/builtin.toml
    config: PathBuf,
    /// Where everything goes, in place of the file's
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Begin with this base's tokenizer and weights, of the same sizes
    #[arg(long, value_name = "PATH", value_parser = crate::builtin::parser())]
    from: Option<PathBuf>,
    /// Any value of the file, such as denoiser.train.steps=1000; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Make only this part: corpus, finder, identity, reader, face-reader, autoencoder, denoiser, base or measures; may be repeated
    #[arg(long, value_name = "PART", value_parser = part)]
    only: Vec<Made>,
    #[arg(long, value_name = "DEVICE", default_value = "auto", help = DEVICE_HELP)]
    device: String,
}

/// A part of a pretraining.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Made {
    Trained(Part),
    /// What all of it together does on held-out prompts.
    Measures,
}

/// The name of [`Made::Measures`].
const MEASURES: &str = "measures";

fn part(name: &str) -> Result<Made, String> {
    let found = Part::ALL.into_iter().find(|(each, _)| *each == name);
    match found {
        Some((_, part)) => Ok(Made::Trained(part)),
        None if name == MEASURES => Ok(Made::Measures),
        None => {
            let names = Part::ALL.map(|(each, _)| each).join(", ");
            Err(format!("no such part; choose of {names}, {MEASURES}"))
        }
    }
}

/// Renders the corpus if it is not there, trains every stage from where it was cut off, and says
/// where the base is.
pub fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let path = &args.config;
    let text = fs::read_to_string(path)
        .with_context(|| format!("cannot read `{}`; check the path", path.display()))?;
    let mut overrides: Vec<String> = Vec::new();
    for (key, value) in [("out", &args.out), ("from", &args.from)] {
        let quoted = |path: &PathBuf| toml::Value::String(path.to_string_lossy().into_owned());
        overrides.extend(value.as_ref().map(|path| format!("{key}={}", quoted(path))));
    }
    overrides.extend(args.set.iter().cloned());
    let config = PretrainConfig::parse(path, &text, &overrides).context("cannot start")?;
    let device = likeness_diffusion::device(&args.device)?;
    interrupt::catch()?;
    let all = Part::ALL.map(|(_, part)| Made::Trained(part)).into_iter().chain([Made::Measures]);
    let made: Vec<_> = if args.only.is_empty() { all.collect() } else { args.only.clone() };
    let part = |made: &Made| match made {
        Made::Trained(part) => Some(*part),
        Made::Measures => None,
    };
    let parts: Vec<Part> = made.iter().filter_map(part).collect();
    // Measures look at what was trained: they need no corpus.
    if !parts.is_empty() && !corpus::rendered(&config, &STOP)? {
        writeln!(out, "stopped in corpus; the same command goes on")?;
        return Ok(ExitCode::from(INTERRUPTED));
    }
    match trained(&config, &parts, &device)? {
        Pretrained::Finished(folder) => {
            if made.contains(&Made::Measures) {
                match base_measures::measured(&config, &device, &STOP)? {
                    Some(measures) => writeln!(out, "{measures:#}")?,
                    None => {
                        writeln!(out, "stopped in {MEASURES}; the same command begins it anew")?;
                        return Ok(ExitCode::from(INTERRUPTED));
                    }
                }
            }
            writeln!(out, "done  {}", folder.display())?;
            if parts.contains(&Part::Base) {
                let base = folder.join("base");
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

/// Trains `parts`, if any, with a meter.
fn trained(config: &PretrainConfig, parts: &[Part], device: &Device) -> anyhow::Result<Pretrained> {
    if parts.is_empty() {
        return Ok(Pretrained::Finished(config.out.clone()));
    }
    let mut view = View::default();
    let done = pretrain(
        config,
        parts,
        (device, &STOP),
        &mut |stage| note(&format!("stage {stage}")),
        &mut |event| view.show(event),
    );
    view.finish();
    done.with_context(|| format!("cannot train `{}`", config.out.display()))
}
