//! `likeness evaluate`: does the LoRA keep the face?

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use likeness_dataset::captions::lint::{About, Finding, IDENTITY_WORD, Text, lint_prompts};
use likeness_dataset::{Character, Dataset};
use likeness_diffusion::checkpoint::Checkpoint;
use likeness_diffusion::pipeline::Pipeline;
use likeness_diffusion::precision::Precision;
use likeness_diffusion::tokenizer::Tokenizer;
use likeness_evaluator::{
    Arm, Event, Judge, Judges, Outcome, PipelinePainter, Plan, Prompt, Reader, Recipe, Reference,
    Scenes, Scores, Suite, Thresholds, evaluate,
};
use likeness_faces::{FaceModels, SceneReader};
use likeness_trainer::config::{self, RunConfig};
use likeness_trainer::pretrain::export::JUDGES;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::DEVICE_HELP;
use super::caption::window;
use super::generate::SamplingArgs;
use super::train;
use crate::meter::{Meter, note};
use crate::{builtin, face_models};

/// Arguments of `likeness evaluate`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Run folder of `likeness train`
    run: PathBuf,
    /// Another LoRA file to judge on this run's base and dataset
    #[arg(long, value_name = "FILE")]
    adapter: Option<PathBuf>,
    /// Strength of the LoRA
    #[arg(long, value_name = "X", default_value_t = 1.0)]
    strength: f64,
    /// Prompt suite: heldout, smoke, or a TOML file
    #[arg(long, value_name = "SUITE", default_value = "heldout")]
    suite: String,
    /// Pictures of each prompt and arm
    #[arg(long, value_name = "N", default_value_t = 2)]
    seeds: usize,
    /// Seed that all start noise follows from
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    #[command(flatten)]
    sampling: SamplingArgs,
    /// Folder of face models; a base that brings its own is judged by those unless given
    #[arg(long, value_name = "DIR", value_parser = builtin::judges_parser())]
    models: Option<PathBuf>,
    /// Folder of the evaluation; RUN/evaluation unless given
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Replace an evaluation of other settings
    #[arg(long)]
    force: bool,
    /// Allow prompts that resemble training captions
    #[arg(long)]
    allow_seen: bool,
    #[arg(long, value_name = "DEVICE", default_value = "auto", help = DEVICE_HELP)]
    device: String,
    /// Print one JSON object (scores.json) instead of text
    #[arg(long)]
    json: bool,
}

/// Evaluates, and says what came out.
pub fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut config = read_run(&args.run)?;
    // The run may have been trained on another device than this one.
    config.train.precision = Precision::Auto;
    let dataset = Dataset::open(&config.dataset)?;
    let checkpoint = likeness_trainer::base::open_base(&config, &train::engine(&args.device))?;
    let device = likeness_diffusion::device(&args.device)?;
    let path = args.adapter.clone().unwrap_or_else(|| args.run.join("adapter.safetensors"));
    let bytes = std::fs::read(&path).with_context(|| {
        format!("cannot read the adapter `{}`; finish the training first", path.display())
    })?;
    let plan = plan(args, &dataset, &checkpoint, format!("{:x}", Sha256::digest(bytes)))?;
    plan.check()?;
    say_what_fights(&plan, &dataset.character, checkpoint.tokenizer());
    let own = config.base.join(JUDGES);
    let own = own.is_dir().then_some(own.as_path());
    let models = face_models::find(args.models.as_deref().or(own))?;
    let reader = own.map(SceneReader::open).transpose()?.flatten();
    if models.is_none() {
        note(face_models::HINT);
    }
    let mut pipeline = Pipeline::load(&checkpoint, &device)?;
    let adapter = pipeline.read_adapter(&path)?;
    let side = checkpoint.unet.sample_size * checkpoint.factor();
    let template = args.sampling.request(side, "", "", 0);
    pipeline.check(&template)?;
    let mut painter = PipelinePainter::new(&mut pipeline, &adapter, args.strength, template);
    let references = references(&dataset)?;
    let folder = args.out.clone().unwrap_or_else(|| args.run.join("evaluation"));
    let mut judge = models.as_ref();
    let mut scenes = reader.as_ref().map(|reader| Scenes { reader, faces: models.as_ref() });
    let judges = Judges {
        faces: judge.as_mut().map(|judge: &mut &FaceModels| judge as &mut dyn Judge),
        scenes: scenes.as_mut().map(|scenes| scenes as &mut dyn Reader),
    };
    let mut meter = None;
    let scores = evaluate(&plan, &references, &mut painter, judges, &folder, &mut |event| {
        if let Event::Image { done, total, file, .. } = event {
            meter.get_or_insert_with(|| Meter::new("paint", total)).set(done, file);
        }
    })
    .context("cannot evaluate")?;
    if let Some(meter) = meter {
        meter.finish();
    }
    if args.json {
        writeln!(out, "{}", scores.to_json())?;
    } else {
        print(&scores, &folder, out)?;
    }
    Ok(())
}

fn read_run(run: &Path) -> anyhow::Result<RunConfig> {
    let path = run.join("run.toml");
    let text = std::fs::read_to_string(&path).with_context(|| {
        format!("`{}` is not a run folder; give one that `likeness train` made", run.display())
    })?;
    let mut config = config::parse(&path, &text, &[])?;
    config.base = builtin::resolved(&config.base)?;
    Ok(config)
}

fn plan(
    args: &Args,
    dataset: &Dataset,
    checkpoint: &Checkpoint,
    adapter_hash: String,
) -> anyhow::Result<Plan> {
    let suite = match Suite::builtin_names().any(|name| name == args.suite) {
        true => Suite::builtin(&args.suite)?,
        false if Path::new(&args.suite).exists() => Suite::load(Path::new(&args.suite))?,
        false => Suite::builtin(&args.suite)?, // its error names the built-in ones
    };
    let captions: Result<Vec<_>, _> = dataset.kept().map(|r| dataset.caption(r)).collect();
    let sampling = &args.sampling;
    let settings = BTreeMap::from([
        ("sampler".to_owned(), json!(sampling.sampler.name())),
        ("steps".to_owned(), json!(sampling.steps)),
        ("guidance".to_owned(), json!(sampling.guidance)),
        ("guidance_rescale".to_owned(), json!(sampling.guidance_rescale)),
        ("clip_skip".to_owned(), json!(sampling.clip_skip)),
        ("size".to_owned(), json!(sampling.size)),
        ("strength".to_owned(), json!(args.strength)),
    ]);
    Ok(Plan {
        recipe: Recipe {
            suite,
            seeds_per_prompt: args.seeds,
            seed: args.seed,
            trigger: dataset.character.trigger.clone(),
            class_word: dataset.character.class_word.clone(),
            adapter_hash,
            base_hash: checkpoint.fingerprint()?,
            settings,
        },
        captions: captions?,
        allow_seen: args.allow_seen,
        thresholds: Thresholds::default(),
        generated_at: jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M UTC").to_string(),
        force: args.force,
    })
}

/// Notes each prompt that describes the face, which is not held out then but told.
fn say_what_fights(plan: &Plan, character: &Character, tokenizer: &Tokenizer) {
    let Character { trigger, class_word, .. } = character;
    let traits = character.identity_words();
    let subject = format!("{trigger} {class_word}");
    let text = |prompt: &Prompt| Text { name: prompt.name.clone(), text: prompt.of(&subject) };
    let texts: Vec<_> = plan.recipe.suite.prompts.iter().map(text).collect();
    let count = |text: &str| tokenizer.encode(text).len();
    let about = About { trigger, class_word, traits: &traits };
    let found = lint_prompts(&texts, about, window(tokenizer, &count));
    for Finding { file, evidence, why, .. } in found.iter().filter(|f| f.rule == IDENTITY_WORD) {
        note(&format!("prompt `{file}` says `{evidence}`: {why}"));
    }
}

/// The character as the trainer saw it, the photos of its sheet first.
fn references(dataset: &Dataset) -> anyhow::Result<Vec<Reference>> {
    let Character { references: wanted, sheet, .. } = &dataset.character;
    let on_sheet = |path: &str| sheet.iter().position(|photo| photo.path == path);
    let mut chosen: Vec<_> =
        dataset.kept().filter(|r| wanted.is_empty() || wanted.contains(&r.path)).collect();
    chosen.sort_by_key(|record| on_sheet(&record.path).unwrap_or(usize::MAX));
    chosen
        .into_iter()
        .map(|record| Ok(Reference { name: record.path.clone(), image: dataset.pixels(record)? }))
        .collect()
}

fn print(scores: &Scores, folder: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    let gate = match scores.gate.outcome {
        Outcome::Pass => "PASS",
        Outcome::Fail => "FAIL",
        Outcome::Inconclusive => "INCONCLUSIVE",
    };
    writeln!(out, "{gate}: {}", scores.gate.reason)?;
    if let Some(identity) = &scores.identity {
        let (difference, verdict) = (&identity.difference, &identity.verdict);
        writeln!(out, "identity {difference:+} over the bare base: {verdict}")?;
    }
    for arm in Arm::ALL.into_iter().filter_map(|arm| scores.arm(arm)) {
        let nis = arm.nis.as_ref().map(|nis| format!("  identity {nis}"));
        let faces = arm.faces.map(|faces| format!("  faces {faces} of {}", arm.images));
        let (nis, faces) = (nis.unwrap_or_default(), faces.unwrap_or_default());
        writeln!(out, "{:<8} {} images{faces}{nis}", arm.arm.name(), arm.images)?;
    }
    if let Some(leak) = &scores.leak {
        writeln!(out, "leak     {:+} by the class word alone", leak.difference)?;
    }
    for reading in &scores.readings {
        let (base, adapter) = (reading.base.mean * 100.0, reading.adapter.mean * 100.0);
        writeln!(
            out,
            "{:<12} as asked in {adapter:.0} % of the adapter's, {base:.0} % of the base's",
            reading.axis
        )?;
    }
    for line in scores.warnings.iter().chain(&scores.unmeasured) {
        writeln!(out, "  note: {line}")?;
    }
    writeln!(out, "report   {}/report.html", folder.display())?;
    Ok(())
}
