//! One picture, judged by itself, with faces that are known.

use likeness_faces::{Face, FaceModels};

use crate::calibrate::OwnLimits;
use crate::decode::decode_bytes;
use crate::error::DatasetError;
use crate::judge::judge;
use crate::measure;
use crate::measures::Measures;
use crate::record::{Reason, Verdict};
use crate::rules::FaceRules;

/// What the rules say of one picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// Whether it is good to train on.
    pub verdict: Verdict,
    /// Why it is dropped, or what is doubtful.
    pub reasons: Vec<Reason>,
    /// What is worth knowing beside.
    pub notes: Vec<Reason>,
    /// What was measured.
    pub measures: Measures,
}

/// Judges the picture in `bytes`, of at most 100 million pixels, whose `faces` someone knows, the
/// main one first; its shorter side has to be `min_side` pixels. Readers of faces among the `models` are
/// asked, `path` is for messages.
pub fn judge_picture(
    path: &str,
    bytes: &[u8],
    faces: Vec<Face>,
    min_side: u32,
    models: Option<&FaceModels>,
) -> Result<Judged, DatasetError> {
    let photo = decode_bytes(bytes, 100_000_000)
        .map_err(|source| DatasetError::Decode { path: path.into(), source })?;
    let measured = measure::known(bytes, &photo.image, faces, models)
        .map_err(|source| DatasetError::Faces { path: path.into(), source: Box::new(source) })?;
    let (verdict, said) =
        judge(&measured, min_side, FaceRules::Apply, &OwnLimits::default()).verdict();
    Ok(Judged { verdict, reasons: said.reasons, notes: said.notes, measures: said.measures })
}
