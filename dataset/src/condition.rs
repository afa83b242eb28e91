//! What a reader of faces says of a face's flaws, where the face models have one.

use image::RgbImage;
use likeness_faces::{Face, FaceError, FaceModels, conditions};
use serde::{Deserialize, Serialize};

/// How sure the reader is of each flaw, 0 to 1; `None` of what it does not tell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Condition {
    /// That an eye is closed.
    pub eyes_closed: Option<f64>,
    /// That something is before the face, or the eyes are hidden.
    pub covered: Option<f64>,
    /// That a hard shadow crosses the face.
    pub hard_shadow: Option<f64>,
    /// That the light comes from behind.
    pub backlit: Option<f64>,
    /// That the expression is overdone.
    pub overdone: Option<f64>,
}

impl Condition {
    /// Reads `face` in `image`.
    pub fn of(
        models: Option<&FaceModels>,
        image: &RgbImage,
        face: &Face,
    ) -> Result<Self, FaceError> {
        let told = models.map_or(Ok(Vec::new()), |models| models.conditions(image, face))?;
        let sure = |(name, labels): conditions::Condition, of: &[&str]| {
            let (_, shares) = told.iter().find(|(told, _)| *told == name)?;
            let of_these = labels.iter().zip(shares).filter(|(label, _)| of.contains(*label));
            Some(of_these.map(|(_, share)| f64::from(*share)).sum())
        };
        Ok(Self {
            eyes_closed: sure(conditions::EYES, &["one closed", "closed"]),
            covered: sure(conditions::COVER, &["a hand", "a mask", "dark glasses"]),
            hard_shadow: sure(conditions::FACE_LIGHT, &["a hard shadow"]),
            backlit: sure(conditions::FACE_LIGHT, &["from behind"]),
            overdone: sure(conditions::STRENGTH, &["overdone"]),
        })
    }
}
