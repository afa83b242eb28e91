//! `likeness curate`: photos in, a dataset with a report out.

mod calibrate;
mod review;
mod sheet;

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context;
use likeness_dataset::{
    BucketPlan, CurateOptions, Dataset, DatasetError, Event, Framing, Summary, Verdict,
};
use likeness_faces::Matte;

use crate::exit::{INTERRUPTED, Usage};
use crate::interrupt::{self, STOP};
use crate::meter::{Meter, note};
use crate::{builtin, face_models, machine};

/// Arguments of `likeness curate`.
#[derive(clap::Args, Debug)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[command(after_help = "A folder of photos that is called like a command is written `./review`.")]
pub struct Args {
    #[command(flatten)]
    photos: Option<Photos>,
    #[command(subcommand)]
    action: Option<Action>,
}

/// What else there is to do with a dataset.
#[derive(clap::Subcommand, Debug)]
enum Action {
    /// Look through a dataset on a local page: verdicts, captions, crops
    Review(review::Args),
    /// Choose the photos that show best who it is, and draw them side by side in even light
    Sheet(sheet::Args),
    /// Take the limits from the photos that were accepted
    Calibrate(calibrate::Args),
}

/// Arguments of a curation.
#[derive(clap::Args, Debug)]
struct Photos {
    /// Folder of photos (JPEG, PNG, WebP), without its subfolders; they are only read
    photos: PathBuf,
    /// Trigger word: the made-up word that will call the character
    #[arg(long, value_name = "WORD")]
    trigger: String,
    /// What the character is
    #[arg(long = "class", value_name = "WORD", default_value = "person")]
    class_word: String,
    /// Folder of the dataset; TRIGGER.dataset unless given
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Side in pixels of the square whose area the buckets have
    #[arg(long, value_name = "PX", default_value_t = 512)]
    resolution: u32,
    /// Step of the buckets' sides in pixels
    #[arg(long, value_name = "PX", default_value_t = 64)]
    bucket_step: u32,
    /// Photos whose shorter side is below this are dropped
    #[arg(long, value_name = "PX", default_value_t = 512)]
    min_side: u32,
    /// How close photos with a face are cropped: auto comes closer where the face would be small
    #[arg(long, value_name = "auto|close-up|portrait|full", default_value = "auto", value_parser = framing)]
    framing: Framing,
    /// Enlarge photos that have too few pixels; else they are reviewed or dropped
    #[arg(long)]
    upscale: bool,
    /// What always holds of the character, such as "green eyes"; may be repeated
    #[arg(long = "trait", value_name = "WORDS")]
    traits: Vec<String>,
    /// A photo of the character alone, to tell other people by; may be given several times
    #[arg(long = "reference", value_name = "FILE", conflicts_with = "no_faces")]
    references: Vec<PathBuf>,
    /// Keep only the best set of so many photos, by quality and coverage together
    #[arg(long, value_name = "N")]
    choose: Option<usize>,
    /// Train on all photos equally often, even if most show one angle or outfit
    #[arg(long)]
    no_balance: bool,
    /// Folder of face models; `builtin` for pictures of `likeness studio`
    #[arg(long, value_name = "DIR", conflicts_with = "no_faces", value_parser = builtin::judges_parser())]
    models: Option<PathBuf>,
    /// Do not look for faces (toys, animals, drawings)
    #[arg(long)]
    no_faces: bool,
    /// Model file (ONNX) that encodes whole pictures, to find photos of another toy, animal or drawing
    #[arg(long, value_name = "FILE")]
    features: Option<PathBuf>,
    /// Replace a dataset of other photos or another trigger
    #[arg(long)]
    force: bool,
    /// Write a mask of the head for each kept photo, for `train.mask`; a mask that is there stays
    #[arg(long, conflicts_with = "dry_run")]
    masks: bool,
    /// Model file (ONNX) that cuts persons out: the masks show the whole person, not the head alone
    #[arg(long, value_name = "FILE", conflicts_with_all = ["masks", "dry_run"])]
    person_masks: Option<PathBuf>,
    /// Measure and judge, say what would be written, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Print one JSON object instead of text
    #[arg(long)]
    json: bool,
}

fn framing(text: &str) -> Result<Framing, String> {
    let found = Framing::ALL.iter().find(|(name, _)| *name == text);
    found
        .map(|(_, framing)| *framing)
        .ok_or_else(|| "choose auto, close-up, portrait or full".into())
}

/// Curates, or does what the subcommand says.
pub fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    match (&args.action, &args.photos) {
        (Some(Action::Review(args)), _) => review::run(args, out).map(|()| ExitCode::SUCCESS),
        (Some(Action::Sheet(args)), _) => sheet::run(args, out).map(|()| ExitCode::SUCCESS),
        (Some(Action::Calibrate(args)), _) => calibrate::run(args, out).map(|()| ExitCode::SUCCESS),
        (None, Some(photos)) => curate(photos, out),
        (None, None) => {
            Err(Usage("name a folder of photos; see `likeness curate --help`".into()).into())
        }
    }
}

/// The network that cuts persons out, opened before any work.
fn matte(file: &Path) -> anyhow::Result<Matte> {
    Ok(Matte::open(file).map_err(|error| {
        let why = anyhow::Error::from(error);
        Usage(format!("cannot use `--person-masks {}`: {why:#}", file.display()))
    })?)
}

/// Curates, and says what came out.
fn curate(args: &Photos, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let trigger = args.trigger.trim();
    if trigger.is_empty() || trigger.contains(['/', '\\']) {
        let reason = "`--trigger` must be a word without slashes; make one up, such as `mika`";
        return Err(Usage(reason.into()).into());
    }
    let models = match args.no_faces {
        true => None,
        false => face_models::find(args.models.as_deref())?,
    };
    if models.is_none() && !args.no_faces {
        note(face_models::HINT);
    }
    let matte = args.person_masks.as_deref().map(matte).transpose()?;
    let options = options(args, trigger);
    interrupt::catch()?;
    let mut view = View::default();
    let stopped = || STOP.asked();
    let models = models.as_ref();
    let summary = likeness_dataset::curate_until(&stopped, &options, models, &mut |e| view.show(e));
    view.finish();
    if let Err(DatasetError::Stopped { measured, photos, .. }) = summary {
        let dataset = options.out.display();
        if args.dry_run {
            writeln!(out, "stopped; {measured} of {photos} photos were measured, none is kept")?;
            return Ok(ExitCode::from(INTERRUPTED));
        }
        writeln!(out, "stopped; {measured} of {photos} photos are measured, kept in {dataset}")?;
        writeln!(out, "go on    the same command again: what is measured is not measured again")?;
        return Ok(ExitCode::from(INTERRUPTED));
    }
    let summary = summary.with_context(|| format!("cannot curate `{}`", args.photos.display()))?;
    if args.masks || matte.is_some() {
        let dataset = Dataset::open(&options.out)?;
        let count = match &matte {
            Some(matte) => dataset.write_person_masks(matte),
            None => dataset.write_masks(),
        };
        let count = count.context("cannot write the masks")?;
        note(&format!("{count} masks were written; those that were there stay"));
    }
    if args.json {
        let mut out = BufWriter::new(out); // written as it is made: it may be of thousands of photos
        serde_json::to_writer(&mut out, &summary).map_err(io::Error::from)?;
        writeln!(out)?;
        out.flush()?;
        return Ok(ExitCode::SUCCESS);
    }
    print(&summary, out)?;
    let dataset = options.out.display();
    if args.dry_run {
        let (records, captions) = would_write(&summary);
        writeln!(out, "\nwould write {dataset}: {records} records, {captions} captions, a report")?;
        writeln!(out, "nothing was written")?;
        return Ok(ExitCode::SUCCESS);
    }
    writeln!(out, "\nreport   {dataset}/report.html")?;
    if summary.review > 0 {
        writeln!(out, "look     likeness curate review {dataset} --open")?;
    }
    writeln!(out, "next     likeness train --base MODEL --dataset {dataset} --out runs/{trigger}")?;
    Ok(ExitCode::SUCCESS)
}

/// What `args` ask for.
fn options(args: &Photos, trigger: &str) -> CurateOptions {
    CurateOptions {
        photos: args.photos.clone(),
        out: args.out.clone().unwrap_or_else(|| format!("{trigger}.dataset").into()),
        trigger: trigger.to_owned(),
        class_word: args.class_word.trim().to_owned(),
        resolution: args.resolution,
        bucket_step: args.bucket_step,
        min_side: args.min_side,
        framing: args.framing,
        upscale: args.upscale,
        traits: args.traits.clone(),
        features: args.features.clone(),
        references: args.references.clone(),
        choose: args.choose,
        balance: !args.no_balance,
        force: args.force,
        dry_run: args.dry_run,
        memory_bytes: memory_bytes(),
        ..CurateOptions::default()
    }
}

/// Records, and captions: those of the photos that can be read.
fn would_write(summary: &Summary) -> (usize, usize) {
    let readable = summary.records.iter().filter(|record| record.crop.is_some());
    (summary.records.len(), readable.count())
}

/// Half of the free memory, 1 GiB at the least: what photos may take while they are decoded.
fn memory_bytes() -> u64 {
    let free = machine::main_memory().map(|memory| memory.available / 2);
    free.map_or(CurateOptions::default().memory_bytes, |half| half.max(1 << 30))
}

/// Progress: a bar with photos a second.
#[derive(Default)]
struct View {
    meter: Option<Meter>,
    /// When the first photo that was not in the cache came, and how many came since.
    fresh: Option<(Instant, usize)>,
}

impl View {
    fn show(&mut self, event: Event) {
        match event {
            Event::Found { photos } => self.meter = Some(Meter::new("curate", photos)),
            Event::Measured { done, photos, path, cached } => {
                let rate = if cached { None } else { self.rate() };
                let rate = rate.map_or(String::new(), |rate| format!("{rate:.1} photos/s  "));
                if let Some(meter) = &mut self.meter {
                    meter.set(done, format!("{rate}{path}"));
                }
                if done == photos {
                    crate::POOL.give_back(); // what comes next looks at no picture
                }
            }
            _ => {}
        }
    }

    /// Photos a second, once more than one was measured.
    fn rate(&mut self) -> Option<f64> {
        let (since, count) = self.fresh.get_or_insert_with(|| (Instant::now(), 0));
        *count += 1;
        let seconds = since.elapsed().as_secs_f64();
        (*count > 1 && seconds > 0.0).then(|| (*count - 1) as f64 / seconds)
    }

    fn finish(&self) {
        self.meter.iter().for_each(Meter::finish);
    }
}

fn print(summary: &Summary, out: &mut dyn Write) -> anyhow::Result<()> {
    let review = match summary.review {
        0 => String::new(),
        count => format!(" ({count} to review)"),
    };
    writeln!(out, "{} kept{review}, {} dropped", summary.kept, summary.dropped)?;
    for verdict in [Verdict::Drop, Verdict::Review] {
        for record in summary.records.iter().filter(|r| r.verdict == verdict) {
            let reasons: Vec<_> = record.reasons.iter().map(|r| r.message.as_str()).collect();
            writeln!(out, "  {} {}: {}", verdict.name(), record.path, reasons.join("; "))?;
        }
    }
    for plan in &summary.plan {
        writeln!(out, "  bucket {}", BucketPlan::in_words(plan))?;
    }
    for line in summary.unmeasured.iter().chain(&summary.advice) {
        writeln!(out, "  note: {line}")?;
    }
    for missing in &summary.coverage.missing {
        writeln!(out, "  {}: {}", missing.axis, missing.text)?;
    }
    Ok(())
}
