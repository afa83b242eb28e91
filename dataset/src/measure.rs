//! Everything that is measured on one photo.

use std::fs;
use std::io::Cursor;
use std::path::Path;

use image::RgbImage;
use image::codecs::jpeg::JpegEncoder;
use likeness_faces::{Face, FaceModels, Identity, Pose};

use crate::camera::{self, Camera};
use crate::decode::{self, DecodeError};
use crate::error::DatasetError;
use crate::exposure::{self, Exposure};
use crate::hash::sha256_hex;
use crate::luminance::fitted;
use crate::perceptual::Fingerprint;
use crate::portrait::Portrait;
use crate::sharpness::{self, Sharpness};

const PICTURE_SIDE: u32 = 512; // the longer side that whole pictures are measured at
const THUMBNAIL_SIDE: u32 = 256;
const THUMBNAIL_QUALITY: u8 = 80;

/// A photo file that was looked at.
pub(crate) struct Photo {
    /// The file name.
    pub path: String,
    /// Empty where the file could not be read.
    pub sha256: String,
    /// What was measured, or why it could not be decoded.
    pub measured: Result<Measured, String>,
}

/// What was measured on a decoded photo.
pub(crate) struct Measured {
    pub width: u32,
    pub height: u32,
    pub faces: Vec<Face>,
    pub picture: Look,
    pub camera: Camera,
    /// Of the main face, where there is one.
    pub face: Option<FaceLook>,
    pub identity: Option<Identity>,
    pub fingerprint: Fingerprint,
    /// A JPEG of at most 256 px.
    pub thumbnail: Vec<u8>,
}

/// How a face looks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FaceLook {
    pub look: Look,
    pub pose: Pose,
    pub portrait: Portrait,
    /// How much brighter it is behind the face, in stops.
    pub backlight: f64,
    /// The face's height over the picture's.
    pub share: f64,
}

/// How a face or a picture looks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look {
    pub sharpness: Sharpness,
    pub exposure: Exposure,
}

/// Looks at the photo at `path`. That it cannot be decoded is a finding; only
/// failing face models are an error.
pub(crate) fn photo(
    path: &Path,
    max_pixels: u64,
    models: Option<&FaceModels>,
) -> Result<Photo, DatasetError> {
    let name = path.file_name().unwrap_or_default();
    let Some(name) = name.to_str() else {
        let message = "the file's name is not valid Unicode; rename it".to_owned();
        let path = name.to_string_lossy().into_owned();
        return Ok(Photo { path, sha256: String::new(), measured: Err(message) });
    };
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) => {
            let measured = Err(in_words(&DecodeError::Read(error)));
            return Ok(Photo { path: name.into(), sha256: String::new(), measured });
        }
    };
    let measured = match decode::decode_bytes(&bytes, max_pixels) {
        Ok(photo) => Ok(measure(&photo.image, models).map_err(|source| DatasetError::Faces {
            path: name.into(),
            source: Box::new(source),
        })?),
        Err(error) => Err(in_words(&error)),
    };
    Ok(Photo { path: name.into(), sha256: sha256_hex(&bytes), measured })
}

fn measure(
    image: &RgbImage,
    models: Option<&FaceModels>,
) -> Result<Measured, likeness_faces::FaceError> {
    let faces = models.map_or(Ok(Vec::new()), |models| models.faces(image))?;
    let main = faces.first();
    let identity = match (models, main) {
        (Some(models), Some(face)) => Some(models.identity(image, face)?),
        _ => None,
    };
    let small = fitted(image, PICTURE_SIDE);
    Ok(Measured {
        width: image.width(),
        height: image.height(),
        picture: Look {
            sharpness: sharpness::of_picture(&small),
            exposure: exposure::of(&small, |_, _| true),
        },
        camera: Camera::of(&small),
        face: main.map(|face| face_look(image, &small, face)),
        identity,
        fingerprint: Fingerprint::of(image),
        thumbnail: thumbnail(&small),
        faces,
    })
}

fn face_look(image: &RgbImage, small: &RgbImage, face: &Face) -> FaceLook {
    let aligned = sharpness::aligned(image, face);
    let exposure = exposure::of(&aligned, sharpness::in_face);
    let scale = small.width() as f32 / image.width() as f32;
    let smaller = Face { bbox: face.bbox.map(|value| value * scale), ..face.clone() };
    FaceLook {
        look: Look { sharpness: sharpness::of_face(&aligned), exposure },
        pose: Pose::of(&face.landmarks),
        portrait: Portrait::of(&aligned),
        backlight: camera::backlight(small, &smaller, exposure.mean),
        share: f64::from(face.bbox[3]) / f64::from(image.height()),
    }
}

fn thumbnail(image: &RgbImage) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    JpegEncoder::new_with_quality(&mut bytes, THUMBNAIL_QUALITY)
        .encode_image(&fitted(image, THUMBNAIL_SIDE))
        .expect("a small RGB image can be encoded to memory");
    bytes.into_inner()
}

/// The error and its causes in one line.
fn in_words(error: &DecodeError) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error} ({cause})"),
        None => error.to_string(),
    }
}
