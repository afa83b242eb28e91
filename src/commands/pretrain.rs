//! `likeness pretrain`: the built-in base, trained from scratch on rendered characters.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use likeness_studio::{Character, IdentitySaid, Scene, Size, Wording, caption, render};
use likeness_trainer::pretrain::config::PretrainConfig;
use likeness_trainer::pretrain::corpus::Label;
use likeness_trainer::pretrain::run::{Pretrained, corpus_folder, pretrain};
use likeness_trainer::progress::Stop;
use rayon::prelude::*;

use super::DEVICE_HELP;
use super::train::View;
use crate::exit::INTERRUPTED;
use crate::meter::{Meter, note};

/// Seed of the corpus's first character and scene: far from those that people type.
const FIRST: u64 = 1_000_000;
/// Pictures rendered between two moves of the meter.
const AT_ONCE: usize = 256;

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
    #[arg(long, value_name = "DEVICE", default_value = "auto", help = DEVICE_HELP)]
    device: String,
}

/// Set by Ctrl-C.
static STOP: Stop = Stop::new();

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
    ctrlc::set_handler(|| STOP.ask()).context("cannot catch Ctrl-C")?;
    if !rendered(&config)? {
        writeln!(out, "stopped; the pictures are rendered anew by the next call")?;
        return Ok(ExitCode::from(INTERRUPTED));
    }
    let mut view = View::default();
    let done = pretrain(
        &config,
        &device,
        &STOP,
        &mut |stage| note(&format!("stage {stage}")),
        &mut |event| view.show(event),
    );
    view.finish();
    match done.with_context(|| format!("cannot train `{}`", config.out.display()))? {
        Pretrained::Finished(base) => {
            writeln!(out, "base  {}", base.display())?;
            let prompt = "a portrait of person, smiling, on a beach";
            writeln!(
                out,
                "next  likeness generate --base {} --prompt \"{prompt}\"",
                base.display()
            )?;
            Ok(ExitCode::SUCCESS)
        }
        Pretrained::Stopped(stage) => {
            writeln!(out, "stopped in {stage}; the same command goes on")?;
            Ok(ExitCode::from(INTERRUPTED))
        }
    }
}

/// Renders the corpus where it is not there; `false` if someone asked to stop.
fn rendered(config: &PretrainConfig) -> anyhow::Result<bool> {
    let folder = corpus_folder(&config.out);
    if folder.exists() {
        return Ok(true);
    }
    let parts = config.out.join(".writing-corpus");
    fs::create_dir_all(&parts).with_context(|| format!("cannot create `{}`", parts.display()))?;
    let create = |name: &str| {
        let path = parts.join(name);
        let file = File::create(&path);
        file.map(BufWriter::new).with_context(|| format!("cannot create `{}`", path.display()))
    };
    let (mut pixels, mut labels) = (create("pictures.rgb")?, create("pictures.jsonl")?);
    let (count, _) = config.pictures();
    let mut meter = Meter::new("render", count);
    for first in (0..count).step_by(AT_ONCE) {
        if STOP.asked() {
            return Ok(false);
        }
        let last = (first + AT_ONCE).min(count);
        let some: Vec<_> =
            (first..last).into_par_iter().map(|index| example(config, index)).collect();
        for (rgb, label) in some {
            let line = serde_json::to_string(&label).expect("words and numbers are JSON");
            pixels.write_all(&rgb).and_then(|()| writeln!(labels, "{line}")).with_context(
                || format!("cannot write in `{}`; is the disk full?", parts.display()),
            )?;
        }
        meter.set(last, "pictures");
    }
    meter.finish();
    for mut file in [pixels, labels] {
        file.flush().with_context(|| format!("cannot write in `{}`", parts.display()))?;
    }
    name(&parts, &folder)?;
    Ok(true)
}

fn name(parts: &Path, folder: &Path) -> anyhow::Result<()> {
    fs::rename(parts, folder).with_context(|| format!("cannot name `{}`", folder.display()))
}

/// Picture number `index` and what is known of it.
fn example(config: &PretrainConfig, index: usize) -> (Vec<u8>, Label) {
    let who = (index / config.corpus.pictures_each) as u64;
    let character = Character::from_seed(FIRST + who);
    let scene = Scene::sample(FIRST + index as u64);
    let picture = render(&character, &scene, Size::square(config.corpus.side as u32));
    let wordings = [
        (IdentitySaid::Partly, 0.0),
        (IdentitySaid::Unsaid, 0.1),
        (IdentitySaid::Partly, 0.25),
        (IdentitySaid::Fully, 0.4),
    ];
    let say = |(number, (identity, dropout))| {
        let wording = Wording::of("person").saying(identity).dropping(dropout);
        caption(&character, &scene, &wording.seeded(4 * index as u64 + number))
    };
    let captions = (0..).zip(wordings).map(say).collect();
    let hair = character.traits.hair_color as usize;
    let classes = vec![scene.place as usize, scene.expression as usize, scene.light as usize, hair];
    (picture.rgb, Label { character: who, captions, classes })
}
