//! `likeness demo`: the whole main job on a character that does not exist, by the commands themselves.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, bail};
use clap::Parser;
use likeness_dataset::{Dataset, ImageRecord, Verdict};
use likeness_diffusion::atomic;
use likeness_evaluator::{Arm, Interval, Scores};
use likeness_trainer::pretrain::export::JUDGES;
use likeness_trainer::steps_log;
use serde_json::{Map, Value, json};

use super::DEVICE_HELP;
use crate::builtin;
use crate::cli::Cli;
use crate::demo::page::Shown;
use crate::demo::photos::{self, Kind, Photo};
use crate::demo::scenes;
use crate::exit::{INTERRUPTED, Usage};
use crate::meter::note;

/// The word that calls the character.
const TRIGGER: &str = "mika";
/// What pretraining calls everyone.
const CLASS: &str = "person";
/// Strength of the LoRA in the pictures that are judged: at 1 the photos' own places come through.
const STRENGTH: &str = "0.9";
/// How it is trained.
const PRESET: &str = include_str!("../../configs/demo.toml");

/// Arguments of `likeness demo`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// A base of `likeness pretrain`, which brings its judges
    #[arg(long, value_name = "DIR", default_value = builtin::NAME, value_parser = builtin::parser())]
    base: PathBuf,
    /// Folder for everything; new, or empty
    #[arg(long, value_name = "DIR", default_value = "likeness-demo")]
    out: PathBuf,
    /// The character: the same number is always the same face
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(..1_000_000))]
    seed: u64,
    /// Training steps, in place of the preset's
    #[arg(long, value_name = "N")]
    steps: Option<usize>,
    /// Pictures of each scene, with and without the LoRA
    #[arg(long, value_name = "N", default_value_t = 2)]
    pictures: usize,
    #[arg(long, value_name = "DEVICE", default_value = "auto", help = DEVICE_HELP)]
    device: String,
    /// Print one JSON object instead of text
    #[arg(long)]
    json: bool,
}

/// Renders, curates, trains, evaluates, and writes the page.
pub fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<()> {
    let folder = &args.out;
    if std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) {
        let text = format!("`{}` is not empty; give a new folder by --out", folder.display());
        return Err(Usage(text).into());
    }
    let judges = args.base.join(JUDGES);
    if !judges.is_dir() {
        let base = args.base.display();
        let text =
            format!("`{base}` has no folder `{JUDGES}`; give a base that `likeness pretrain` made");
        return Err(Usage(text).into());
    }
    let mut demo = Demo { args, commands: Vec::new(), seconds: Map::new() };
    let photos = demo.photos()?;
    demo.curate(&judges)?;
    demo.train()?;
    let scores = demo.evaluate()?;
    let records = demo.records()?;
    let page = demo.page(&photos, &records, &scores)?;
    if args.json {
        writeln!(out, "{}", demo.json(&photos, &records, &scores, &page))?;
        return Ok(());
    }
    let kept = records.iter().filter(|record| record.is_kept()).count();
    writeln!(out, "photos   {kept} of {} kept", records.len())?;
    if let Some(nis) = scores.arm(Arm::Adapter).and_then(|arm| arm.nis) {
        let Interval { mean, low, high } = nis;
        let scale = "0 a random character, 1 the photos among each other";
        writeln!(out, "identity {mean:.2} [{low:.2}, {high:.2}]: {scale}")?;
    }
    writeln!(out, "gate     {}: {}", scores.gate.outcome, scores.gate.reason)?;
    writeln!(out, "page     {}", page.display())?;
    writeln!(out, "next     likeness curate PHOTOS --trigger NAME --class woman")?;
    Ok(())
}

/// A demo on its way.
struct Demo<'a> {
    args: &'a Args,
    commands: Vec<String>,
    seconds: Map<String, Value>,
}

impl Demo<'_> {
    fn at(&self, name: &str) -> PathBuf {
        self.args.out.join(name)
    }

    /// Runs `likeness` with `words`; what it printed.
    fn likeness(&mut self, stage: &str, words: &[&str]) -> anyhow::Result<String> {
        let line: Vec<&str> = ["likeness"].iter().chain(words).copied().collect();
        note(&format!("\n$ {}", line.join(" ")));
        self.commands.push(line.join(" "));
        let started = Instant::now();
        let cli = Cli::try_parse_from(&line).context("the demo's own command line")?;
        let mut printed = Vec::new();
        if super::run(cli.command, &mut printed)? == ExitCode::from(INTERRUPTED) {
            bail!("stopped at `{stage}`; the same command begins anew");
        }
        self.took(stage, started);
        String::from_utf8(printed).context("the command's own output")
    }

    fn took(&mut self, stage: &str, since: Instant) {
        let seconds = (since.elapsed().as_secs_f64() * 10.0).round() / 10.0;
        self.seconds.insert(stage.to_owned(), seconds.into());
    }

    fn photos(&mut self) -> anyhow::Result<Vec<Photo>> {
        let started = Instant::now();
        let subject = format!("{TRIGGER} {CLASS}");
        let photos = photos::taken(self.args.seed, &subject, &self.at("photos"))?;
        self.took("photos", started);
        let truth = serde_json::to_string_pretty(&photos)?;
        atomic::write(&self.at("photos.json"), truth.as_bytes())?;
        Ok(photos)
    }

    fn curate(&mut self, judges: &Path) -> anyhow::Result<()> {
        let (photos, dataset) = (self.at("photos"), self.at("mika.dataset"));
        let [photos, dataset, judges] = [&photos, &dataset, judges].map(|path| text(path));
        let (photos, dataset, judges) = (photos?, dataset?, judges?);
        let side = self.side()?.to_string();
        let words = [
            "curate",
            photos,
            "--trigger",
            TRIGGER,
            "--class",
            CLASS,
            "--out",
            dataset,
            "--resolution",
            &side,
            "--bucket-step",
            "8",
            "--min-side",
            "256",
            "--models",
            judges,
        ];
        self.likeness("curate", &words).map(drop)
    }

    /// Pixels a side of the base's pictures.
    fn side(&self) -> anyhow::Result<usize> {
        let base = likeness_diffusion::checkpoint::Checkpoint::open(&self.args.base, None)?;
        Ok(base.unet.sample_size * base.factor())
    }

    fn train(&mut self) -> anyhow::Result<()> {
        let preset = self.at("demo.toml");
        atomic::write(&preset, PRESET.as_bytes())?;
        let (dataset, run) = (self.at("mika.dataset"), self.at("run"));
        let paths = [&preset, &self.args.base, &dataset, &run].map(|path| text(path));
        let [preset, base, dataset, run] = paths;
        let device = self.args.device.clone();
        // A short training warms up for a part of it.
        let steps = self.args.steps.map(|steps| {
            (steps.to_string(), format!("train.warmup_steps={}", (steps / 10).min(20)))
        });
        let mut words = vec![
            "train",
            preset?,
            "--base",
            base?,
            "--dataset",
            dataset?,
            "--out",
            run?,
            "--device",
            &device,
        ];
        if let Some((steps, warmup)) = &steps {
            words.extend(["--steps", steps, "--set", warmup]);
        }
        self.likeness("train", &words)?;
        if !self.at("run/adapter.safetensors").exists() {
            bail!("the training was stopped; delete `{}` and start again", self.args.out.display());
        }
        Ok(())
    }

    fn evaluate(&mut self) -> anyhow::Result<Scores> {
        let suite = self.at("scenes.toml");
        let scenes = toml::to_string(&scenes::suite(self.args.seed))?;
        atomic::write(&suite, scenes.as_bytes())?;
        let run = self.at("run");
        let [run, suite] = [&run, &suite].map(|path| text(path));
        let (device, pictures) = (self.args.device.clone(), self.args.pictures.to_string());
        let words = [
            "evaluate",
            run?,
            "--suite",
            suite?,
            "--seeds",
            &pictures,
            "--device",
            &device,
            "--steps",
            "20",
            "--guidance",
            "4",
            "--strength",
            STRENGTH,
            "--json",
        ];
        let printed = self.likeness("evaluate", &words)?;
        serde_json::from_str(&printed).context("the evaluation's own scores")
    }

    fn records(&self) -> anyhow::Result<Vec<ImageRecord>> {
        Ok(Dataset::open(self.at("mika.dataset"))?.images)
    }

    fn page(
        &self,
        photos: &[Photo],
        records: &[ImageRecord],
        scores: &Scores,
    ) -> anyhow::Result<PathBuf> {
        let steps = steps_log::read(&self.at("run/steps.jsonl"));
        let commands = &self.commands;
        let subject = &format!("{TRIGGER} {CLASS}");
        let shown =
            Shown { photos, records, steps: &steps, scores, subject, strength: STRENGTH, commands };
        let path = self.at("index.html");
        atomic::write(&path, shown.page().as_bytes())?;
        Ok(std::path::absolute(path)?)
    }

    /// What scripts read; docs/files.md says what each field means.
    fn json(
        &self,
        photos: &[Photo],
        records: &[ImageRecord],
        scores: &Scores,
        page: &Path,
    ) -> Value {
        let is = |name: &str, verdict: Verdict| {
            records.iter().any(|record| record.path == name && record.verdict == verdict)
        };
        let dropped = |name: &str| is(name, Verdict::Drop);
        let flawed = |verdict: Verdict| {
            let flawed = photos.iter().filter(|photo| matches!(photo.kind, Kind::Flawed(_)));
            flawed.filter(|photo| is(&photo.name, verdict)).count()
        };
        let pairs = photos.iter().filter(|photo| match &photo.kind {
            Kind::Duplicate(of) => dropped(&photo.name) || dropped(of),
            _ => false,
        });
        let pairs = pairs.count();
        // A good photo may go instead of its copy: that is no mistake.
        let copied = |name: &str| {
            photos
                .iter()
                .any(|p| matches!(&p.kind, Kind::Duplicate(of) if of == name && !dropped(&p.name)))
        };
        let good = photos.iter().filter(|photo| photo.kind == Kind::Good);
        let good = good.filter(|p| dropped(&p.name) && !copied(&p.name)).count();
        let scale = scores.identity.as_ref().map(|identity| identity.scale);
        let adapter = scores.arm(Arm::Adapter);
        let closed = adapter.and_then(|arm| arm.nis);
        let place = scores.readings.iter().find(|reading| reading.axis == "place");
        let steps = steps_log::read(&self.at("run/steps.jsonl"));
        let speeds: f64 = steps.iter().map(|step| step.images_per_second).sum();
        let total: f64 = self.seconds.values().filter_map(Value::as_f64).sum();
        let mut seconds = self.seconds.clone();
        seconds.insert("total".to_owned(), ((total * 10.0).round() / 10.0).into());
        json!({
            "seed": self.args.seed,
            "flawed": photos::FLAWS.len(),
            "flawed_dropped": flawed(Verdict::Drop),
            "flawed_reviewed": flawed(Verdict::Review),
            "good": photos::GOOD,
            "good_dropped": good,
            "duplicates": photos::DUPLICATES,
            "duplicates_dropped": pairs,
            "identity": {
                "floor": scale.map(|scale| scale.floor),
                "ceiling": scale.map(|scale| scale.ceiling),
                "adapter": adapter.and_then(|arm| arm.cosine),
                "closed": closed.map(|nis| nis.mean),
                "interval": closed.map(|nis| [nis.low, nis.high]),
            },
            "place_accuracy": place.map(|reading| {
                json!({ "base": reading.base.mean, "adapter": reading.adapter.mean })
            }),
            "strength": scores.recipe.settings.get("strength"),
            "leak": scores.leak.as_ref().map(|leak| leak.difference.mean),
            "gate": scores.gate.outcome,
            "seconds": seconds,
            "photos_per_second": speeds / steps.len().max(1) as f64,
            "page": page,
        })
    }
}

/// A path as a word of a command line.
fn text(path: &Path) -> anyhow::Result<&str> {
    let text = path.to_str();
    text.with_context(|| format!("`{}` is no Unicode text; give another path", path.display()))
}
