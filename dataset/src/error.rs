//! What can go wrong with a dataset.

use std::path::PathBuf;

use likeness_faces::FaceError;

use crate::decode::DecodeError;

/// An error of curating or reading a dataset. Each message ends with what to
/// do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatasetError {
    /// A file or folder could not be read.
    #[error("cannot read `{}`; check that it exists and that you may read it", path.display())]
    Read {
        /// What was being read.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A file could not be written.
    #[error("cannot write `{}`; check the folder's permissions and the free space", path.display())]
    Write {
        /// What was being written.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// An option cannot be.
    #[error("{name} is {value}, which is not possible; {remedy}")]
    Option {
        /// The option's name.
        name: &'static str,
        /// Its value.
        value: String,
        /// What it has to be.
        remedy: &'static str,
    },
    /// The photos folder has no picture that can be used.
    #[error(
        "no usable picture in `{}`: {found}; put .jpg, .png or .webp files into that folder itself",
        dir.display()
    )]
    NoPictures {
        /// The photos folder.
        dir: PathBuf,
        /// What was found instead.
        found: String,
    },
    /// The output folder is the photos folder.
    #[error("`{}` holds the photos and cannot be the dataset too; name another --out", dir.display())]
    OutIsPhotos {
        /// The folder.
        dir: PathBuf,
    },
    /// The output exists and is something else than a dataset.
    #[error(
        "`{}` exists and is not a dataset; name another --out, or pass --force to write into it",
        dir.display()
    )]
    NotADataset {
        /// The output.
        dir: PathBuf,
    },
    /// The output is the dataset of another character.
    #[error(
        "`{}` is a dataset with {field} `{theirs}`, not `{ours}`; name another --out, or pass --force to curate it anew",
        dir.display()
    )]
    OtherDataset {
        /// The output folder.
        dir: PathBuf,
        /// What differs.
        field: &'static str,
        /// The value on disk.
        theirs: String,
        /// The value that was asked for.
        ours: String,
    },
    /// A folder lacks the files of a dataset.
    #[error("`{}` is not a dataset, it has no {missing}; run `likeness curate` first", dir.display())]
    Incomplete {
        /// The folder.
        dir: PathBuf,
        /// The missing file.
        missing: &'static str,
    },
    /// A TOML file of the dataset is not valid.
    #[error("`{}` is not a valid character file; correct it, or curate again with --force", path.display())]
    Toml {
        /// The file.
        path: PathBuf,
        /// The parser's reason, with line and column.
        source: Box<toml::de::Error>,
    },
    /// The dataset's limits cannot be read.
    #[error("`{}` is not valid: {reason}", path.display())]
    Limits {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// A mask cannot be used.
    #[error("the mask `{}` cannot be used: {reason}; remove it, or correct it", path.display())]
    Mask {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// Too few photos to calibrate on.
    #[error(
        "{accepted} photos are accepted and {least} are needed to tell what is natural; keep more in `likeness curate review`, or curate more"
    )]
    TooFewAccepted {
        /// How many are accepted.
        accepted: usize,
        /// How many are needed.
        least: usize,
    },
    /// No photo for a character sheet.
    #[error("`{}` keeps no photo for a sheet; look at its report.html for the reasons", dir.display())]
    NoSheet {
        /// The dataset.
        dir: PathBuf,
    },
    /// A line of a JSON Lines file of the dataset is not valid.
    #[error("line {line} of `{}` is not valid; {remedy}", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What to do.
        remedy: &'static str,
        /// The parser's reason.
        source: serde_json::Error,
    },
    /// A file was written by another version of this program.
    #[error(
        "`{}` has version {found} and this program reads version {known}; curate again with --force, or update likeness",
        path.display()
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// The file's version.
        found: u32,
        /// The version this program reads.
        known: u32,
    },
    /// A photo changed since it was curated.
    #[error("`{}` changed since it was curated; curate again", path.display())]
    PhotoChanged {
        /// The photo.
        path: PathBuf,
    },
    /// A photo has no crop, since it could never be read.
    #[error(
        "`{path}` has no crop, since it could not be read; remove it, or put a readable copy in its place and curate again"
    )]
    NoCrop {
        /// The photo's path in the photos folder.
        path: String,
    },
    /// A photo cannot be decoded.
    #[error("cannot decode `{}`; replace the photo and curate again", path.display())]
    Decode {
        /// The photo.
        path: PathBuf,
        /// The reason.
        source: DecodeError,
    },
    /// The system gives no more threads.
    #[error("cannot start a thread; end other programs, or allow more processes")]
    Threads {
        /// The system's reason.
        source: std::io::Error,
    },
    /// Someone asked to stop before all photos were measured.
    #[error(
        "stopped: {measured} of {photos} photos are measured and kept in `{}`; curate again to go on",
        dir.display()
    )]
    Stopped {
        /// How many photos are measured.
        measured: usize,
        /// How many there are.
        photos: usize,
        /// The dataset's folder.
        dir: PathBuf,
    },
    /// A photo is not in the dataset.
    #[error("no photo of the dataset has the sha256 `{sha256}`; load the dataset again")]
    UnknownPhoto {
        /// The sha256 that was asked for.
        sha256: String,
    },
    /// A decision cannot be.
    #[error("the decision on `{path}` is not possible: {reason}; {remedy}")]
    Decision {
        /// The photo's path in the photos folder.
        path: String,
        /// Why not.
        reason: String,
        /// What to do.
        remedy: &'static str,
    },
    /// Something changed since it was read, so that nothing was written.
    #[error(
        "{what} changed meanwhile and nothing was written; look at it as it is now and decide again"
    )]
    ChangedMeanwhile {
        /// What changed.
        what: String,
    },
    /// A face model failed.
    #[error("cannot look for faces in `{path}`; check the face models with `likeness models`")]
    Faces {
        /// The photo's path in the photos folder.
        path: String,
        /// The reason.
        source: Box<FaceError>,
    },
    /// A network that cuts persons out failed.
    #[error("cannot tell the person in `{path}`; check the model and the TOML beside it")]
    Matte {
        /// The photo's path in the photos folder.
        path: String,
        /// The reason.
        source: Box<FaceError>,
    },
    /// The encoder of whole pictures cannot be used.
    #[error("cannot use the features of `{}`; check the model and the TOML beside it", path.display())]
    Features {
        /// The model.
        path: PathBuf,
        /// The reason.
        source: Box<FaceError>,
    },
    /// A reference shows no face, or none that it can be told by.
    #[error("`{}` cannot be a reference: {reason}; name a photo of the character alone", path.display())]
    Reference {
        /// The photo.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// A tagger failed.
    #[error("cannot tag `{path}`; write the captions without `--tagger`")]
    Tagger {
        /// The photo's path in the photos folder.
        path: String,
        /// The reason.
        source: Box<FaceError>,
    },
}
