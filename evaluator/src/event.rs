//! What an evaluation tells while it runs.

use std::path::PathBuf;

/// One step of progress.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A reference was looked at.
    Reference {
        /// Its name.
        name: String,
        /// Whether it shows a face.
        face: bool,
    },
    /// An image is there.
    Image {
        /// Images so far.
        done: usize,
        /// Images in all.
        total: usize,
        /// Its file, relative to the output folder.
        file: String,
        /// Whether an interrupted run had painted it already.
        reused: bool,
        /// Cosine to the references' centroid; `None` without a face or a judge.
        cosine: Option<f64>,
    },
    /// A result was written.
    Written {
        /// The file.
        path: PathBuf,
    },
}
