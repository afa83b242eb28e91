//! How a model is fed and what it gives: from the catalogue, or from the TOML
//! beside the model file.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::catalog::Known;
use crate::error::FaceError;

/// What a model is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Finds faces and their landmarks; has YuNet's outputs.
    Detector,
    /// Turns an aligned face into an identity; fed like ArcFace.
    Encoder,
    /// Reads a picture or a face: one answer for each label of each axis.
    Reader,
    /// Turns a whole picture into a direction.
    Features,
    /// Tells a person from what is around.
    Matte,
}

/// Something that a reader tells of a picture, such as its place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Axis {
    /// What it is.
    pub name: String,
    /// The answers, as prompts say them.
    pub labels: Vec<String>,
    /// Share of true pictures that the reader reads right, 0 to 1; 1 where nobody measured it.
    #[serde(default = "certain")]
    pub accuracy: f64,
}

impl Axis {
    /// Below this accuracy an answer says more of the reader than of the picture.
    pub const TRUSTED: f64 = 0.8;

    /// An axis whose reader was not measured.
    pub fn new(name: &str, labels: Vec<String>) -> Self {
        Self { name: name.to_owned(), labels, accuracy: certain() }
    }

    /// Whether the reader can be believed.
    pub fn is_trusted(&self) -> bool {
        self.accuracy >= Self::TRUSTED
    }
}

fn certain() -> f64 {
    1.0
}

impl Kind {
    /// The word for it, as in the TOML.
    pub fn word(self) -> &'static str {
        match self {
            Self::Detector => "detector",
            Self::Encoder => "encoder",
            Self::Reader => "reader",
            Self::Features => "features",
            Self::Matte => "matte",
        }
    }
}

/// The order of the colour channels that a model reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channels {
    /// Red first.
    Rgb,
    /// Blue first.
    Bgr,
}

/// What of a picture a reader looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Region {
    /// All of it, as a square.
    #[default]
    Picture,
    /// The largest face, aligned, with the card's margin.
    Face,
}

/// Whose faces a detector knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Portrayed {
    /// Those of people, on photographs.
    #[default]
    Photographed,
    /// Those of drawn or rendered characters, whose skin has no pores.
    Rendered,
}

/// A model file and what there is to know about it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModelCard {
    /// The model's name.
    pub name: String,
    /// What it is for.
    pub kind: Kind,
    /// The model file.
    pub file: PathBuf,
    /// The file's sha256, in hex.
    pub sha256: String,
    /// The licence of the weights.
    pub licence: String,
    /// Where the model comes from.
    pub source: String,
    /// The side of the square it reads, in pixels.
    pub input_size: u32,
    /// The order of its colour channels.
    pub channels: Channels,
    /// It reads `(value - mean) / scale` of values 0 to 255.
    pub mean: f32,
    /// See `mean`.
    pub scale: f32,
    /// What a reader looks at.
    pub looks_at: Region,
    /// How much is seen beyond each edge of an aligned face's square, as a share of its side; below 0 so
    /// much less of it.
    pub margin: f64,
    /// The length of an encoder's answer; 0 for a detector.
    pub output_dimension: usize,
    /// Which channel of a matte's answer is the person.
    pub output_channel: usize,
    /// The cosine below which an encoder takes two faces for two people, or features two pictures
    /// for two subjects.
    pub same_person_cosine: f64,
    /// The score from which a detector has found a face, 0 to 1.
    pub least_score: f32,
    /// Whose faces a detector knows.
    pub faces: Portrayed,
    /// What a reader tells; empty for others.
    pub axes: Vec<Axis>,
}

/// The TOML beside `X.onnx`, called `X.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    kind: Kind,
    name: Option<String>,
    input_size: u32,
    channels: Channels,
    mean: f32,
    scale: f32,
    #[serde(default)]
    looks_at: Region,
    #[serde(default)]
    margin: f64,
    #[serde(default)]
    output_dimension: usize,
    #[serde(default)]
    output_channel: usize,
    licence: String,
    source: String,
    same_person_cosine: Option<f64>,
    least_score: Option<f32>,
    #[serde(default)]
    faces: Portrayed,
    #[serde(default)]
    axes: Vec<Axis>,
}

/// MobileFace V2 on photographs: impostors reach .30, the same person .48.
const USUAL_SAME_PERSON_COSINE: f64 = 0.35;
/// YuNet's score of what is surely a face.
pub(crate) const USUAL_LEAST_SCORE: f32 = 0.6;

impl ModelCard {
    /// The card of a model that the catalogue knows.
    pub(crate) fn known(file: PathBuf, known: &Known) -> Self {
        Self {
            name: known.name.into(),
            kind: known.kind,
            file,
            sha256: known.sha256.into(),
            licence: known.licence.into(),
            source: known.source.into(),
            input_size: known.input_size,
            channels: known.channels,
            mean: known.mean,
            scale: known.scale,
            looks_at: Region::Picture,
            margin: 0.0,
            output_dimension: known.output_dimension,
            output_channel: 0,
            same_person_cosine: known.same_person_cosine,
            least_score: USUAL_LEAST_SCORE,
            faces: Portrayed::Photographed,
            axes: Vec::new(),
        }
    }

    /// The card of `file` as the TOML at `description` gives it.
    pub(crate) fn read(
        file: PathBuf,
        sha256: String,
        description: &Path,
    ) -> Result<Self, FaceError> {
        let text = std::fs::read_to_string(description)
            .map_err(|source| FaceError::Read { path: description.into(), source })?;
        let said: Description = toml::from_str(&text).map_err(|source| FaceError::Card {
            path: description.into(),
            source: Box::new(source),
        })?;
        said.check().map_err(|what| FaceError::CardValue { path: description.into(), what })?;
        let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Self {
            name: said.name.unwrap_or(stem),
            kind: said.kind,
            file,
            sha256,
            licence: said.licence,
            source: said.source,
            input_size: said.input_size,
            channels: said.channels,
            mean: said.mean,
            scale: said.scale,
            looks_at: said.looks_at,
            margin: said.margin,
            output_dimension: said.output_dimension,
            output_channel: said.output_channel,
            same_person_cosine: said.same_person_cosine.unwrap_or(USUAL_SAME_PERSON_COSINE),
            least_score: said.least_score.unwrap_or(USUAL_LEAST_SCORE),
            faces: said.faces,
            axes: said.axes,
        })
    }
}

impl Description {
    fn check(&self) -> Result<(), String> {
        if self.scale == 0.0 || !self.scale.is_finite() || !self.mean.is_finite() {
            let (mean, scale) = (self.mean, self.scale);
            return Err(format!("mean {mean} and scale {scale} where scale may not be 0"));
        }
        if self.kind == Kind::Encoder && self.output_dimension == 0 {
            return Err("no output_dimension, which an encoder needs (512 is usual)".into());
        }
        if self.kind == Kind::Reader && self.axes.iter().all(|axis| axis.labels.is_empty()) {
            return Err("no axes, which a reader needs: [[axes]] with a name and labels".into());
        }
        if self.kind == Kind::Features
            && (self.output_dimension == 0 || self.same_person_cosine.is_none())
        {
            return Err("no output_dimension or no same_person_cosine, which features need".into());
        }
        if !(-0.25..=2.0).contains(&self.margin) {
            return Err(format!("margin {} where -0.25 to 2 are possible", self.margin));
        }
        if let Some(score) = self.least_score.filter(|score| !(0.05..1.0).contains(score)) {
            return Err(format!("least_score {score} where 0.05 to 1 are possible"));
        }
        let size = self.input_size;
        if !(16..=4096).contains(&size) {
            return Err(format!("input_size {size} where 16 to 4096 pixels are possible"));
        }
        if self.kind == Kind::Detector && !size.is_multiple_of(32) {
            return Err(format!("input_size {size} where a detector needs a multiple of 32"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "kind = \"encoder\"\ninput_size = 112\nchannels = \"rgb\"\nmean = 127.5\n\
        scale = 127.5\noutput_dimension = 512\nlicence = \"MIT\"\nsource = \"mine\"\n";

    fn read(text: &str) -> Result<ModelCard, FaceError> {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = dir.path().join("mine.toml");
        std::fs::write(&path, text).expect("a file in it");
        ModelCard::read(dir.path().join("mine.onnx"), String::new(), &path)
    }

    #[test]
    fn a_description_is_read_and_named_after_its_file() {
        let card = read(GOOD).expect("a good description");
        assert_eq!((card.name.as_str(), card.output_dimension), ("mine", 512));
        assert_eq!((card.same_person_cosine, card.least_score), (0.35, 0.6));
        let other = read(&format!("{GOOD}least_score = 0.4\n")).expect("a score");
        assert_eq!((other.least_score, other.faces), (0.4, Portrayed::Photographed));
        let rendered = read(&format!("{GOOD}faces = \"rendered\"\n")).expect("a word for it");
        assert_eq!(rendered.faces, Portrayed::Rendered);
        let error = read(&format!("{GOOD}least_score = 4\n")).expect_err("no score");
        assert!(error.to_string().contains("least_score 4"), "{error}");
    }

    #[test]
    fn a_misspelled_key_is_refused_with_the_keys_that_are() {
        let error = read(&GOOD.replace("licence", "license")).expect_err("an unknown key");
        assert!(error.to_string().contains("licence, source"), "{error}");
        let source = std::error::Error::source(&error).expect("the parser's reason");
        assert!(source.to_string().contains("license"), "{source}");
    }

    #[test]
    fn impossible_values_are_named() {
        let zero = read(&GOOD.replace("scale = 127.5", "scale = 0.0")).expect_err("scale 0");
        assert!(zero.to_string().contains("scale 0"), "{zero}");
        let none = read(&GOOD.replace("output_dimension = 512\n", "")).expect_err("no dimension");
        assert!(none.to_string().contains("output_dimension"), "{none}");
        let odd = GOOD.replace("encoder", "detector").replace("112", "100");
        assert!(read(&odd).expect_err("100 px").to_string().contains("multiple of 32"));
    }
}
