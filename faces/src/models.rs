//! A detector and an encoder that work together.

use std::path::{Path, PathBuf};

use image::RgbImage;

use crate::card::{ModelCard, Portrayed, Region};
use crate::conditions;
use crate::detector::Detector;
use crate::encoder::Encoder;
use crate::error::FaceError;
use crate::face::Face;
use crate::fingerprint;
use crate::identity::Identity;
use crate::network::Network;
use crate::scene::SceneReader;
use crate::search::Found;

/// A face detector and an identity encoder, ready to run. Can be shared
/// between threads.
pub struct FaceModels {
    detector: Detector,
    encoder: Encoder,
    conditions: Option<SceneReader>,
    fingerprint: String,
}

impl FaceModels {
    /// Opens the detector and the encoder in `dir` or up to two levels below.
    pub fn open(dir: &Path) -> Result<Self, FaceError> {
        Self::load(dir, Found::in_folder(dir)?)
    }

    /// Opens the first of `dirs` that has both; `None` when none has a model.
    /// Folders that don't exist are passed over; a broken model is an error,
    /// and so are models that nothing describes where no others are.
    pub fn find(dirs: &[PathBuf]) -> Result<Option<Self>, FaceError> {
        let mut undescribed = None;
        for dir in dirs.iter().filter(|dir| dir.is_dir()) {
            let found = Found::in_folder(dir)?;
            if found.detector.is_some() && found.encoder.is_some() {
                return Self::load(dir, found).map(Some);
            }
            if undescribed.is_none() && !found.unknown.is_empty() {
                undescribed = Some(missing(dir, &found));
            }
        }
        undescribed.map_or(Ok(None), Err)
    }

    fn load(dir: &Path, found: Found) -> Result<Self, FaceError> {
        let lacking = missing(dir, &found);
        let (Some((detector, detector_bytes)), Some((encoder, encoder_bytes))) =
            (found.detector, found.encoder)
        else {
            return Err(lacking);
        };
        let mut readers = found.readers;
        readers.retain(|(card, _)| tells_conditions(card));
        let fingerprint =
            fingerprint::of(&detector, &encoder, readers.iter().map(|(card, _)| card));
        Ok(Self {
            detector: Detector::new(Network::load(detector, &detector_bytes)?, &detector_bytes)?,
            encoder: Encoder::new(Network::load(encoder, &encoder_bytes)?)?,
            conditions: match readers.is_empty() {
                true => None,
                false => Some(SceneReader::load(readers)?),
            },
            fingerprint,
        })
    }

    /// The faces in `image` in its pixels, largest first: of the card's `least_score`,
    /// overlapping by an IoU of at most 0.3.
    pub fn faces(&self, image: &RgbImage) -> Result<Vec<Face>, FaceError> {
        self.detector.faces(image)
    }

    /// Who `face` in `image` is.
    pub fn identity(&self, image: &RgbImage, face: &Face) -> Result<Identity, FaceError> {
        self.encoder.identity(image, face)
    }

    /// How sure the readers of faces beside the models are of each flaw of `face` in `image`: for each
    /// of [`conditions::ALL`] that they tell, by its name, a share of 0 to 1 of each label.
    pub fn conditions(
        &self,
        image: &RgbImage,
        face: &Face,
    ) -> Result<Vec<(&str, Vec<f32>)>, FaceError> {
        let Some(reader) = &self.conditions else {
            return Ok(Vec::new());
        };
        let shares = reader.shares(image, Some(face))?;
        let told = reader.axes().iter().zip(shares).filter(|(axis, _)| conditions::has(axis));
        Ok(told.filter_map(|(axis, shares)| Some((axis.name.as_str(), shares?))).collect())
    }

    /// The side of the square that the detector reads, in pixels.
    pub fn detector_side(&self) -> u32 {
        self.detector.network.card().input_size
    }

    /// Whether the detector knows faces of drawn or rendered characters, not of people.
    pub fn are_of_renders(&self) -> bool {
        self.detector.network.card().faces == Portrayed::Rendered
    }

    /// A sha256 in hex over the model files and how they are fed.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// The cosine below which this encoder takes two faces for two people.
    pub fn same_person_cosine(&self) -> f64 {
        self.encoder.network.card().same_person_cosine
    }

    /// The detector's and the encoder's card.
    pub fn describe(&self) -> Vec<ModelCard> {
        vec![self.detector.network.card().clone(), self.encoder.network.card().clone()]
    }
}

/// Whether a card's reader tells of some flaw of a face.
fn tells_conditions(card: &ModelCard) -> bool {
    card.looks_at == Region::Face && card.axes.iter().any(conditions::has)
}

fn missing(dir: &Path, found: &Found) -> FaceError {
    let missing = match (&found.detector, &found.encoder) {
        (None, None) => "detector and no face encoder",
        (None, Some(_)) => "detector",
        _ => "encoder",
    };
    FaceError::Missing { dir: dir.into(), missing: missing.into(), unknown: found.unknown.clone() }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().expect("a temporary folder")
    }

    fn describe(dir: &Path, stem: &str, kind: &str) {
        let text = format!(
            "kind = \"{kind}\"\ninput_size = 64\nchannels = \"rgb\"\nmean = 0\nscale = 1\n\
             output_dimension = 8\nlicence = \"MIT\"\nsource = \"a test\"\n"
        );
        fs::write(dir.join(stem).with_extension("toml"), text).expect("a description");
    }

    #[test]
    fn an_empty_or_absent_folder_has_no_models() {
        let dir = folder();
        let dirs = [dir.path().to_path_buf(), dir.path().join("absent")];
        assert!(FaceModels::find(&dirs).expect("nothing broken").is_none());
        let error = FaceModels::open(dir.path()).err().expect("nothing there");
        assert!(error.to_string().contains("likeness models pull"), "{error}");
    }

    #[test]
    fn an_unknown_model_is_named_with_the_keys_to_write() {
        let dir = folder();
        fs::create_dir(dir.path().join("sub")).expect("a subfolder");
        fs::write(dir.path().join("sub/mine.onnx"), b"something").expect("a file");
        let error = FaceModels::open(dir.path()).err().expect("nothing known");
        let text = error.to_string();
        assert!(text.contains("mine.onnx") && text.contains("mine.toml"), "{text}");
        assert!(text.contains("input_size") && text.contains("licence"), "{text}");
        assert!(FaceModels::find(&[dir.path().into()]).is_err());
    }

    #[test]
    fn a_file_that_is_no_model_is_a_clear_error() {
        let dir = folder();
        for (stem, kind) in [("a", "detector"), ("b", "encoder")] {
            fs::write(dir.path().join(stem).with_extension("onnx"), b"\x08\x07\x12").expect("file");
            describe(dir.path(), stem, kind);
        }
        let error = FaceModels::open(dir.path()).err().expect("broken models");
        assert!(matches!(error, FaceError::Model { .. }), "{error}");
        assert!(error.to_string().contains("a.onnx"), "{error}");
    }

    #[test]
    fn a_known_name_with_other_bytes_is_called_broken() {
        let dir = folder();
        fs::write(dir.path().join("yunet_n_640_640.onnx"), b"half").expect("a file");
        let error = FaceModels::find(&[dir.path().into()]).err().expect("a broken model");
        assert!(error.to_string().contains("download it again"), "{error}");
    }
}
