//! The run folder: whose it is, and what may be done with it.
//!
//! `run.toml` every resolved value, `manifest.json` hashes and versions,
//! `steps.jsonl`, `cache/`, `checkpoints/step-00500/`, `adapter.safetensors`.

use std::fs;
use std::path::{Path, PathBuf};

use likeness_diffusion::atomic;
use serde_json::json;

use crate::checkpoints::{self, Manifest};
use crate::config::RunConfig;
use crate::error::TrainError;
use crate::identity::Identity;
use crate::memory::Plan;

/// A run folder that is ours to write.
#[derive(Debug, Clone)]
pub struct RunFolder {
    path: PathBuf,
    /// The checkpoint to go on from, if one is wanted and there.
    pub from: Option<Manifest>,
}

const RUN_FILE: &str = "run.toml";
const MANIFEST: &str = "manifest.json";

impl RunFolder {
    /// Whether `config.out` could be claimed, changing nothing. With `resume`, goes on from its last checkpoint, whose identity must
    /// be `identity`; without, the folder must be new, empty, or hold a run that never saved.
    /// An adapter that outlived its checkpoints is never replaced.
    pub fn check(
        config: &RunConfig,
        identity: &Identity,
        resume: bool,
    ) -> Result<Self, TrainError> {
        let path = config.out.clone();
        let last = checkpoints::list(&path.join("checkpoints")).pop();
        let refuse = |reason: &str| {
            Err(TrainError::Folder { path: path.clone(), reason: reason.to_owned() })
        };
        if path.exists() && !path.is_dir() {
            return refuse("is a file; give another `out`");
        }
        let is_run = path.join(RUN_FILE).exists();
        let is_empty = fs::read_dir(&path).map_or(true, |mut entries| entries.next().is_none());
        if !is_run && !is_empty {
            return refuse("is not a run folder and not empty; give another `out`");
        }
        match (&last, resume) {
            (Some(last), _) if !last.identity.differences(identity).is_empty() => {
                let differences = last.identity.differences(identity);
                return Err(TrainError::OtherRun { path, differences });
            }
            (Some(_), false) => {
                return refuse(
                    "holds this run already; add --resume to go on, or give another `out`",
                );
            }
            (Some(last), true) if last.step > config.train.steps => {
                return refuse(
                    "has more steps than `train.steps`; raise them, or give another `out`",
                );
            }
            (None, _) if path.join(checkpoints::ADAPTER).exists() => {
                return refuse(
                    "holds a finished adapter.safetensors but none of its checkpoints; give another `out`",
                );
            }
            (None, true) if !is_run => {
                return refuse("holds no run to go on with; leave --resume out");
            }
            _ => {}
        }
        Ok(Self { path, from: last })
    }

    /// Claims `config.out`: [`RunFolder::check`], then the folder is made and swept.
    pub fn claim(
        config: &RunConfig,
        identity: &Identity,
        resume: bool,
    ) -> Result<Self, TrainError> {
        let claimed = Self::check(config, identity, resume)?;
        let path = &claimed.path;
        fs::create_dir_all(path).map_err(TrainError::io("create", path))?;
        [path.clone(), path.join("checkpoints")].iter().try_for_each(|folder| sweep(folder))?;
        Ok(claimed)
    }

    /// Writes what the run is made of.
    pub fn describe(
        &self,
        config: &RunConfig,
        identity: &Identity,
        plan: &Plan,
    ) -> Result<(), TrainError> {
        let toml = toml::to_string(config).expect("a run file is TOML");
        let text = format!("# Every resolved value of this run.\n{toml}");
        atomic::write(&self.path.join(RUN_FILE), text.as_bytes())?;
        let version = env!("CARGO_PKG_VERSION");
        let memory = json!({
            "checkpointing": plan.estimate.checkpointing,
            "reason": plan.reason,
            "predicted_training_mib": plan.estimate.training >> 20,
            "predicted_peak_mib": plan.estimate.peak() >> 20,
        });
        let manifest = json!({
            "version": 1, "likeness": version, "identity": identity, "memory": memory
        });
        let text = serde_json::to_vec_pretty(&manifest).expect("strings are JSON");
        Ok(atomic::write(&self.path.join(MANIFEST), &text)?)
    }

    /// Where latents and text states are kept.
    pub fn cache(&self) -> PathBuf {
        self.path.join("cache")
    }

    /// Where checkpoints lie.
    pub fn checkpoints(&self) -> PathBuf {
        self.path.join("checkpoints")
    }

    /// The steps' log.
    pub fn steps_log(&self) -> PathBuf {
        self.path.join("steps.jsonl")
    }

    /// The finished adapter.
    pub fn adapter(&self) -> PathBuf {
        self.path.join(checkpoints::ADAPTER)
    }

    /// Copies a checkpoint's adapter to its final name.
    pub fn publish(&self, checkpoint: &Path) -> Result<PathBuf, TrainError> {
        let from = checkpoint.join(checkpoints::ADAPTER);
        let bytes = fs::read(&from).map_err(TrainError::io("read", &from))?;
        atomic::write(&self.adapter(), &bytes)?;
        Ok(self.adapter())
    }
}

/// Removes what a process that was killed left half-written.
fn sweep(folder: &Path) -> Result<(), TrainError> {
    let paths =
        fs::read_dir(folder).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
    for path in paths.filter(|path| path.file_name().is_some_and(is_unfinished)) {
        let removed =
            if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        removed.map_err(TrainError::io("remove", &path))?;
    }
    Ok(())
}

fn is_unfinished(name: &std::ffi::OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".writing-")
}
