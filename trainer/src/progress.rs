//! What a run tells while it goes on, and how it is asked to stop.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::memory::Plan;
use crate::steps_log::StepRecord;

/// Something worth telling.
#[derive(Debug, Clone)]
pub enum Event<'a> {
    /// Latents and text states: photos done, of all.
    Caching {
        /// Photos done.
        done: usize,
        /// Photos in all.
        of: usize,
    },
    /// Pictures of the class: painted, of all.
    Painting {
        /// Pictures painted.
        done: usize,
        /// Pictures in all.
        of: usize,
    },
    /// It is clear how the run will be computed.
    Planned(&'a Plan),
    /// The run ended.
    Memory {
        /// What was predicted.
        plan: &'a Plan,
        /// The largest memory that the process had, MiB.
        measured_mib: f64,
    },
    /// Training starts.
    Starting {
        /// Steps taken before, by the run that is gone on with.
        from: usize,
        /// Steps in all.
        steps: usize,
        /// Layers that learn.
        layers: usize,
        /// Numbers that learn.
        parameters: usize,
    },
    /// A step was logged.
    Step(&'a StepRecord),
    /// A checkpoint was written.
    Saved(&'a Path),
}

/// Asks a run to stop after its current step.
#[derive(Debug, Default)]
pub struct Stop(AtomicBool);

impl Stop {
    /// A run that nobody asked to stop.
    pub const fn new() -> Self {
        Self(AtomicBool::new(false))
    }

    /// Asks.
    pub fn ask(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether someone asked.
    pub fn asked(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// The largest memory this process had, in MiB, where the system tells (Linux).
pub fn peak_memory_mib() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kib: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib / 1024.0)
}
