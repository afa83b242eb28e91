//! Who looks: finds the face in an image and says whose it is.

use image::RgbImage;
use likeness_faces::{FaceModels, Identity};

use crate::error::Error;

/// The face that a judge saw.
#[derive(Debug, Clone)]
pub struct Sighting {
    /// Who it looks like.
    pub identity: Identity,
    /// The face's box in pixels: left, top, width, height.
    pub bbox: [f32; 4],
}

/// Recognises faces.
pub trait Judge {
    /// The largest face of `image`, or `None` where none is found.
    fn look(&mut self, image: &RgbImage) -> Result<Option<Sighting>, Error>;

    /// Names the encoder, so that scores of different encoders are never compared.
    fn fingerprint(&self) -> String;
}

impl Judge for &FaceModels {
    fn look(&mut self, image: &RgbImage) -> Result<Option<Sighting>, Error> {
        let faces = self.faces(image)?;
        let Some(face) = faces.first() else {
            return Ok(None);
        };
        Ok(Some(Sighting { identity: self.identity(image, face)?, bbox: face.bbox }))
    }

    fn fingerprint(&self) -> String {
        FaceModels::fingerprint(self).to_owned()
    }
}
