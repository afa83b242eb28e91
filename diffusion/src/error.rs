//! What can go wrong in reading models, prompts and adapters.

use std::path::PathBuf;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be read or written.
    #[error("cannot {action} `{}`; {}", path.display(), io_remedy(action))]
    Io {
        /// "read", "write", "open"...
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// A weight file whose header is wrong or promises bytes that are not there.
    #[error(
        "`{}` is not a whole safetensors file ({reason}); download or copy it again",
        path.display()
    )]
    BrokenFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A pickle: opening one runs code.
    #[error(
        "`{}` is a pickle, and opening a pickle runs the code in it; convert it to .safetensors with a tool you trust, or download the .safetensors file of the same model",
        path.display()
    )]
    Pickle {
        /// The file.
        path: PathBuf,
    },
    /// Names that a model lacks, does not know, or knows with another shape.
    #[error("the {component} in `{}` does not fit: {}; is it a model of another family?", path.display(), listing(missing, unused, misshapen))]
    Names {
        /// "unet", "vae", "text encoder" or "adapter".
        component: String,
        /// The file or folder.
        path: PathBuf,
        /// Wanted, but not in the file.
        missing: Vec<String>,
        /// In the file, but not wanted.
        unused: Vec<String>,
        /// `name: shape in the file, wanted shape`.
        misshapen: Vec<String>,
    },
    /// A JSON config that cannot be read or asks for what is not supported.
    #[error("`{}`: {reason}", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// The key and what is wrong with it, with the remedy.
        reason: String,
    },
    /// The checkpoint is of a family that this version cannot run.
    #[error("`{}` is {found}; this version trains and samples SD 1.x and SD 2.x checkpoints", path.display())]
    Family {
        /// The file or folder.
        path: PathBuf,
        /// What it looks like.
        found: String,
    },
    /// No checkpoint was found where one was expected.
    #[error(
        "`{}` is not a checkpoint: {reason}; give a diffusers folder (with model_index.json) or a .safetensors file",
        path.display()
    )]
    NotACheckpoint {
        /// The file or folder.
        path: PathBuf,
        /// What is missing.
        reason: String,
    },
    /// An adapter that cannot be used with this base.
    #[error("the adapter `{}` {reason}", path.display())]
    Adapter {
        /// The file.
        path: PathBuf,
        /// What is wrong, with the remedy.
        reason: String,
    },
    /// A request that makes no sense: a size, a step count, a rank...
    #[error("{0}")]
    Request(String),
}

impl Error {
    /// An [`Error::Io`] maker for `map_err`.
    pub fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }
}

/// What to do when a file could not be read or written: the end of such an error.
pub fn io_remedy(action: &str) -> &'static str {
    match action {
        "create" | "flush" | "remove" | "write" | "write in" => {
            "check that you may write there and that the disk has room"
        }
        _ => "check that it exists and that you may read it",
    }
}

/// Names shown of each kind; the rest is counted.
const SHOWN: usize = 12;

fn listing(missing: &[String], unused: &[String], misshapen: &[String]) -> String {
    let kinds = [("missing", missing), ("unknown", unused), ("of another shape", misshapen)];
    let mut parts = Vec::new();
    for (kind, names) in kinds.into_iter().filter(|(_, names)| !names.is_empty()) {
        let more = names.len().saturating_sub(SHOWN);
        let shown = names[..names.len().min(SHOWN)].join(", ");
        let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
        parts.push(format!("{} {kind}: {shown}{rest}", names.len()));
    }
    parts.join("; ")
}
