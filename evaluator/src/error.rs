//! What can go wrong in an evaluation.

use std::path::PathBuf;

use likeness_faces::FaceError;

/// Why an evaluation stopped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder could not be read or written.
    #[error("cannot use `{}`; check that it exists and that its disk has room", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file of ours does not hold what it should.
    #[error("`{}` is not a file of this evaluation; delete it and run again", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// What the parser said.
        source: serde_json::Error,
    },
    /// A `scores.json` is of another version.
    #[error("`{}` is of version {version}, which is not known; evaluate again", path.display())]
    ScoresVersion {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: u32,
    },
    /// An image could not be encoded or decoded.
    #[error("cannot encode or decode the image `{}`; delete it and run again", path.display())]
    Image {
        /// The image file, or the file that it was meant for.
        path: PathBuf,
        /// What the codec said.
        source: image::ImageError,
    },
    /// A prompt suite is not TOML of the expected form.
    #[error("`{name}` is not a valid prompt suite; compare it with the built-in `smoke` suite")]
    SuiteSyntax {
        /// The suite's file or built-in name.
        name: String,
        /// What the parser said, with the line.
        source: Box<toml::de::Error>,
    },
    /// A prompt suite parses, but one of its values cannot be used.
    #[error("prompt suite `{name}`: {problem}; {remedy}")]
    Suite {
        /// The suite's name.
        name: String,
        /// What is wrong, naming the prompt.
        problem: String,
        /// What to do about it.
        remedy: &'static str,
    },
    /// There is no built-in suite of that name.
    #[error(
        "there is no built-in prompt suite `{0}`; use `heldout` or `smoke`, or give a TOML file"
    )]
    UnknownSuite(String),
    /// Some prompts resemble captions that were trained on.
    #[error(
        "prompts that resemble training captions are not held out: {0}; replace them in the suite, or \
         allow them and read the scores as those of trained scenes"
    )]
    NotHeldOut(String),
    /// A value of the plan cannot be used.
    #[error("evaluation plan: {problem}; {remedy}")]
    Plan {
        /// What is wrong.
        problem: String,
        /// What to do about it.
        remedy: &'static str,
    },
    /// Too few references show a face to know how alike the character is to itself.
    #[error(
        "a face was found in {found} of {given} references, and the ceiling of the score needs at least \
         2; give more photos that show the face, or evaluate without a face model"
    )]
    TooFewReferences {
        /// References with a face.
        found: usize,
        /// References in all.
        given: usize,
    },
    /// The output folder belongs to something else.
    #[error("`{}` {holds}; choose another folder, or force this one to be replaced", path.display())]
    ForeignFolder {
        /// The folder.
        path: PathBuf,
        /// What was found in it.
        holds: String,
    },
    /// A face model gave a number that is none.
    #[error(
        "the face model gave a number that is not finite for `{0}`; check the model file's sha256 and \
         the input range in its TOML"
    )]
    NotFinite(String),
    /// The face models failed.
    #[error("cannot look for faces in `{name}`; check the face models")]
    Faces {
        /// The image looked at.
        name: String,
        /// What the face models said.
        source: Box<Error>,
    },
    /// The face stack's own error.
    #[error(transparent)]
    FaceStack(#[from] FaceError),
    /// The painter failed.
    #[error("cannot paint `{name}`; run again to go on from the images that are there")]
    Painting {
        /// The image that was being painted.
        name: String,
        /// What the painter said.
        source: Box<Error>,
    },
    /// An error of whatever stands behind a [`crate::Painter`] or a [`crate::Judge`].
    #[error(transparent)]
    Foreign(Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// Wraps the error of a painter or a judge that is not ours.
    pub fn foreign(source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Foreign(Box::new(source))
    }
}
