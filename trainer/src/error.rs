//! What can go wrong in a training run.

use std::path::PathBuf;

use likeness_diffusion::io_remedy;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The run file is not what it should be.
    #[error("`{}` is not a valid run file: {reason}", path.display())]
    Config {
        /// The run file, or "--set".
        path: PathBuf,
        /// Line, key and remedy.
        reason: String,
    },
    /// A value makes no sense, alone or with another.
    #[error("`{key}` {reason}")]
    Value {
        /// The key, with its section.
        key: &'static str,
        /// What is wrong, with the remedy.
        reason: String,
    },
    /// The output folder holds something that must not be lost.
    #[error("`{}` {reason}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What it holds, with the remedy.
        reason: String,
    },
    /// The run to go on with was another one.
    #[error(
        "`{}` was trained otherwise: {}; go on with the same settings, or give another output folder",
        path.display(),
        differences.join("; ")
    )]
    OtherRun {
        /// The run folder.
        path: PathBuf,
        /// `field: then, now`.
        differences: Vec<String>,
    },
    /// The loss stopped being a number.
    #[error(
        "the loss is {loss} at step {step}{}; the last good checkpoint is kept: lower `train.learning_rate`, or set `train.clip`",
        blamed(module)
    )]
    NotFinite {
        /// The step, counted from 1.
        step: usize,
        /// The loss.
        loss: f32,
        /// The first block whose output was not finite.
        module: Option<String>,
    },
    /// A checkpoint that cannot be used.
    #[error("the checkpoint `{}` {reason}", path.display())]
    Checkpoint {
        /// Its folder.
        path: PathBuf,
        /// What is wrong, with the remedy.
        reason: String,
    },
    /// A file could not be read or written.
    #[error("cannot {action} `{}`; {}", path.display(), io_remedy(action))]
    Io {
        /// "read", "write"...
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The base model or an adapter file.
    #[error(transparent)]
    Model(#[from] likeness_diffusion::Error),
    /// The dataset.
    #[error(transparent)]
    Dataset(#[from] likeness_dataset::DatasetError),
}

impl TrainError {
    /// An [`TrainError::Io`] maker for `map_err`.
    pub fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }
}

fn blamed(module: &Option<String>) -> String {
    match module {
        Some(module) => format!(", first in `{module}`"),
        None => String::new(),
    }
}
