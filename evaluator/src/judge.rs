//! Who looks: finds the face in an image and says whose it is.

use image::RgbImage;
use likeness_faces::{Axis, FaceModels, Identity, SceneReader};

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

/// Tells what a picture shows beside the face.
pub trait Reader {
    /// What it tells.
    fn axes(&self) -> &[Axis];

    /// Of each axis the number of the label that `image` shows; `None` where it cannot be told.
    fn read(&mut self, image: &RgbImage) -> Result<Vec<Option<usize>>, Error>;
}

/// Who looks at the pictures; whoever is missing leaves something unmeasured.
#[derive(Default)]
pub struct Judges<'a> {
    /// Recognises the character.
    pub faces: Option<&'a mut dyn Judge>,
    /// Reads the scene.
    pub scenes: Option<&'a mut dyn Reader>,
}

/// A reader with what finds the faces that it looks at.
pub struct Scenes<'a> {
    /// The reader.
    pub reader: &'a SceneReader,
    /// Finds faces.
    pub faces: Option<&'a FaceModels>,
}

impl Reader for Scenes<'_> {
    fn axes(&self) -> &[Axis] {
        self.reader.axes()
    }

    fn read(&mut self, image: &RgbImage) -> Result<Vec<Option<usize>>, Error> {
        let faces = match self.faces {
            Some(models) if self.reader.looks_at_faces() => models.faces(image)?,
            _ => Vec::new(),
        };
        Ok(self.reader.read(image, faces.first())?)
    }
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
