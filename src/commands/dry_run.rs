//! `likeness train --dry-run`: what a run would do. It writes nothing and loads no weight.

use std::io::Write;

use likeness_dataset::{BucketPlan, PhotoPlan};
use likeness_trainer::cache::Cache;
use likeness_trainer::memory::{Plan, gib};
use likeness_trainer::run_folder::RunFolder;
use likeness_trainer::{Machine, Prepared, RunConfig, steps_log};
use serde_json::{Value, json};

use crate::machine;

/// Everything that is told.
struct Outlook<'a> {
    config: &'a RunConfig,
    prepared: &'a Prepared<'a>,
    plan: Plan,
    from: usize,               // steps taken before
    to_encode: usize,          // photos and texts
    step_seconds: Option<f64>, // as this run's log has it
    layers: usize,
    parameters: usize,
    disk_bytes: u64, // of all checkpoints
    disk_free_bytes: Option<u64>,
}

/// Prints what `config` would do on `machine`; as one JSON object if asked.
pub fn run(
    config: &RunConfig,
    machine: &Machine<'_>,
    resume: bool,
    as_json: bool,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let prepared = Prepared::open(config, machine.engine)?;
    let outlook = look(config, &prepared, machine, resume)?;
    if as_json {
        writeln!(out, "{:#}", outlook.json())?;
        return Ok(());
    }
    write!(out, "{}\n{}", toml::to_string(config)?, outlook.text())?;
    Ok(())
}

fn look<'a>(
    config: &'a RunConfig,
    prepared: &'a Prepared<'a>,
    machine: &Machine<'_>,
    resume: bool,
) -> anyhow::Result<Outlook<'a>> {
    // Hashing the base takes seconds; a folder that is not there holds nothing to compare.
    let (mut from, mut cached) = (0, None);
    if config.out.exists() || resume {
        let (fingerprint, identity) = prepared.identity(machine.engine)?;
        let folder = RunFolder::check(config, &identity, resume)?;
        from = folder.from.as_ref().map_or(0, |manifest| manifest.step);
        let maker = prepared.maker(&fingerprint, machine.device);
        cached = Some(prepared.to_encode(&maker, &Cache::new(&folder.cache()))?);
    }
    let to_encode = match cached {
        Some(count) => count,
        None => {
            let maker = prepared.maker("", machine.device);
            prepared.to_encode(&maker, &Cache::new(&config.out.join("cache")))?
        }
    };
    let (layers, parameters) = prepared.predictor()?.learning();
    let train = &config.train;
    let saves = train.steps.saturating_sub(from).checked_div(train.save_every).unwrap_or(0) + 1;
    Ok(Outlook {
        plan: prepared.plan(to_encode > 0, machine)?,
        from,
        to_encode,
        step_seconds: step_seconds(config),
        layers,
        parameters,
        // A checkpoint holds the factors twice, and their moments.
        disk_bytes: (saves * parameters * 4 * 4) as u64,
        disk_free_bytes: machine::free_disk(&config.out),
        config,
        prepared,
    })
}

/// Seconds of a step, from the last line of this run's log.
fn step_seconds(config: &RunConfig) -> Option<f64> {
    let last = steps_log::read(&config.out.join("steps.jsonl")).pop()?;
    let photos = config.train.batch * config.train.accumulate;
    Some(photos as f64 / last.images_per_second).filter(|seconds| seconds.is_finite())
}

impl Outlook<'_> {
    fn photos(&self) -> usize {
        self.prepared.buckets.values().sum()
    }

    fn text(&self) -> String {
        let Self { config, prepared, plan, .. } = self;
        let (train, base) = (&config.train, &prepared.checkpoint);
        let seen = train.steps * train.batch * train.accumulate;
        let buckets = prepared.buckets.iter();
        let buckets: Vec<_> = buckets.map(|((w, h), count)| format!("{w}x{h} {count}")).collect();
        let from = match self.from {
            0 => String::new(),
            from => format!(", going on from step {from}"),
        };
        let time = match self.step_seconds {
            Some(seconds) => {
                let left = train.steps.saturating_sub(self.from) as f64 * seconds / 60.0;
                format!("{seconds:.2} s a step as this run's log has it, {left:.0} min in all")
            }
            None => "not known before this run's first step".to_owned(),
        };
        let estimate = &plan.estimate;
        let free = plan.free.map_or("not known".to_owned(), gib);
        let disk = self.disk_free_bytes.map_or("not known".to_owned(), gib);
        let mut lines = vec![
            format!("base: {} at `{}`", base.family().title(), base.path().display()),
            format!(
                "{} photos, each seen about {} times; buckets: {}",
                self.photos(),
                seen / self.photos().max(1),
                buckets.join(", ")
            ),
            format!(
                "{} steps{from}; {} numbers in {} layers",
                train.steps, self.parameters, self.layers
            ),
            format!("{} of the photos and texts have to be encoded first", self.to_encode),
            format!("checkpointing: {}, since {}", estimate.checkpointing.name(), plan.reason),
            format!(
                "memory: {} at its peak, {} while training, {} free",
                gib(estimate.peak()),
                gib(estimate.training),
                free
            ),
            format!("disk: {} of checkpoints, {disk} free", gib(self.disk_bytes)),
            format!("time: {time}"),
        ];
        let kept = || prepared.dataset.kept();
        lines.extend(
            BucketPlan::all(kept()).iter().map(|plan| format!("bucket {}", plan.in_words())),
        );
        lines.extend(kept().filter_map(PhotoPlan::of).map(|plan| {
            let (path, bucket) = (&plan.path, plan.bucket);
            format!("photo {path}: {} x {}, {}", bucket.width, bucket.height, plan.in_words())
        }));
        lines.extend(self.warnings());
        lines.iter().map(|line| format!("# {line}\n")).collect()
    }

    /// What would go wrong, with what to do.
    fn warnings(&self) -> Vec<String> {
        let memory = (self.plan.fits() == Some(false)).then(|| {
            "warning: it does not fit; close other programs, lower `train.batch`, or curate at a \
             smaller --resolution"
                .to_owned()
        });
        let full = self.disk_free_bytes.is_some_and(|free| free < self.disk_bytes);
        let disk = full.then(|| {
            "warning: the checkpoints do not fit the disk; raise `train.save_every`, or give \
             another `out`"
                .to_owned()
        });
        memory.into_iter().chain(disk).collect()
    }

    fn json(&self) -> Value {
        let Self { config, prepared, plan, .. } = self;
        let buckets = prepared.buckets.iter();
        let buckets = buckets
            .map(|((width, height), photos)| json!({ "width": width, "height": height, "photos": photos }));
        json!({
            "version": 1,
            "config": config,
            "base": { "family": prepared.checkpoint.family().title(), "path": prepared.checkpoint.path() },
            "photos": self.photos(),
            "buckets": buckets.collect::<Vec<_>>(),
            "bucket_plans": BucketPlan::all(prepared.dataset.kept()),
            "photo_plans": prepared.dataset.kept().filter_map(PhotoPlan::of).collect::<Vec<_>>(),
            "from_step": self.from,
            "layers": self.layers,
            "parameters": self.parameters,
            "to_encode": self.to_encode,
            "memory": memory(plan),
            "disk_bytes": self.disk_bytes,
            "disk_free_bytes": self.disk_free_bytes,
            "step_seconds": self.step_seconds,
            "warnings": self.warnings(),
        })
    }
}

/// A plan's memory, in bytes.
pub fn memory(plan: &Plan) -> Value {
    let estimate = &plan.estimate;
    json!({
        "checkpointing": estimate.checkpointing.name(),
        "reason": plan.reason,
        "peak_bytes": estimate.peak(),
        "free_bytes": plan.free,
        "fits": plan.fits(),
        "parts": estimate,
    })
}
