//! `steps.jsonl`: one line a logged step.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use likeness_diffusion::atomic;
use serde::{Deserialize, Serialize};

use crate::error::TrainError;

/// A line of `steps.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepRecord {
    /// The step, counted from 1.
    pub step: usize,
    /// Its loss, averaged over its batches.
    pub loss: f32,
    /// Its learning rate.
    pub learning_rate: f64,
    /// Global norm of its gradient before clipping.
    pub gradient_norm: f32,
    /// Photos a second since the line before.
    pub images_per_second: f64,
    /// Largest memory of the process so far, in MiB; absent where the system does not tell.
    pub peak_memory_mib: Option<f64>,
}

/// The open log.
pub struct StepsLog {
    path: PathBuf,
    file: File,
}

impl StepsLog {
    /// Opens the log at `path` and drops lines behind `step`: a resumed run takes them again.
    pub fn open(path: &Path, step: usize) -> Result<Self, TrainError> {
        let kept: Vec<_> = read(path).into_iter().filter(|line| line.step <= step).collect();
        let lines = kept.iter().map(line).collect::<String>();
        atomic::write(path, lines.as_bytes())?;
        let file = OpenOptions::new().append(true).open(path);
        let file = file.map_err(TrainError::io("open", path))?;
        Ok(Self { path: path.into(), file })
    }

    /// Adds a line.
    pub fn add(&mut self, record: &StepRecord) -> Result<(), TrainError> {
        self.file.write_all(line(record).as_bytes()).map_err(TrainError::io("write", &self.path))
    }
}

/// Every whole line of the log at `path`; none if there is no log.
pub fn read(path: &Path) -> Vec<StepRecord> {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

fn line(record: &StepRecord) -> String {
    serde_json::to_string(record).expect("numbers are JSON") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resumed_log_has_no_line_twice_and_none_half() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("steps.jsonl");
        let record = |step| StepRecord {
            step,
            loss: 0.5,
            learning_rate: 1e-4,
            gradient_norm: 1.0,
            images_per_second: 2.0,
            peak_memory_mib: None,
        };
        let mut log = StepsLog::open(&path, 0).expect("writable");
        (1..=5).for_each(|step| log.add(&record(step)).expect("writable"));
        log.file.write_all(b"{\"step\":6,\"lo").expect("writable");
        let mut log = StepsLog::open(&path, 3).expect("writable");
        log.add(&record(4)).expect("writable");
        let steps: Vec<_> = read(&path).iter().map(|line| line.step).collect();
        assert_eq!(steps, [1, 2, 3, 4]);
    }
}
