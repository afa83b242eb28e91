//! What can go wrong with faces and their models.

use std::path::PathBuf;

/// The cause that another library gave.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// An error of the face stack. Each message ends with what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FaceError {
    /// A file or folder could not be read.
    #[error("cannot read `{}`; check that it exists and that you may read it", path.display())]
    Read {
        /// What was being read.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The TOML beside a model is not a model description.
    #[error(
        "`{}` does not describe a face model; the keys are kind, input_size, channels, mean, scale, output_dimension, licence, source (and name, same_person_cosine)",
        path.display()
    )]
    Card {
        /// The TOML file.
        path: PathBuf,
        /// The parser's reason, with line and column.
        source: Box<toml::de::Error>,
    },
    /// The TOML beside a model has a value that cannot be.
    #[error("`{}` has {what}; correct that line", path.display())]
    CardValue {
        /// The TOML file.
        path: PathBuf,
        /// The key and its value, and what it has to be.
        what: String,
    },
    /// A file bears the name of a model in the catalogue but has other bytes.
    #[error(
        "`{}` is not the {name} that its name says (it is broken or another version); download it again, or write `{}` beside it",
        path.display(),
        path.with_extension("toml").display()
    )]
    OtherBytes {
        /// The model file.
        path: PathBuf,
        /// The catalogue's name for it.
        name: &'static str,
    },
    /// A folder lacks a detector or an encoder.
    #[error("found no face {missing} in `{}`{}", dir.display(), remedy(unknown))]
    Missing {
        /// The folder that was searched.
        dir: PathBuf,
        /// "detector", "encoder" or "detector and no face encoder".
        missing: String,
        /// ONNX files there that neither the catalogue nor a TOML describes.
        unknown: Vec<PathBuf>,
    },
    /// A tagger, its list of tags or the TOML beside it cannot be used.
    #[error("`{}` {what}", path.display())]
    Tagger {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, with the remedy.
        what: String,
    },
    /// A model file is not a model that can be run.
    #[error("cannot load `{}` as an ONNX model; download it again, or remove it", path.display())]
    Model {
        /// The model file.
        path: PathBuf,
        /// The reason the ONNX reader gave.
        source: Cause,
    },
    /// A model gives something else than its description says.
    #[error(
        "`{}` gives {found} where {expected} was expected; correct the TOML beside it, or use another model",
        path.display()
    )]
    Output {
        /// The model file.
        path: PathBuf,
        /// What came out.
        found: String,
        /// What should have.
        expected: String,
    },
    /// A model failed while it ran.
    #[error("`{}` failed on an image; download the model again", path.display())]
    Run {
        /// The model file.
        path: PathBuf,
        /// The engine's reason.
        source: Cause,
    },
}

fn remedy(unknown: &[PathBuf]) -> String {
    let Some(first) = unknown.first() else {
        return "; run `likeness models pull`, or name a folder that has one".into();
    };
    let names: Vec<String> = unknown.iter().map(|path| format!("`{}`", path.display())).collect();
    format!(
        ", only {} of unknown kind; write `{}` beside it with the keys kind = \"detector\" or \"encoder\", input_size, channels = \"rgb\" or \"bgr\", mean, scale, output_dimension, licence and source",
        names.join(", "),
        first.with_extension("toml").display()
    )
}
