//! Everything that is measured on one photo.

use std::borrow::Cow;
use std::io::Cursor;
use std::path::Path;

use image::RgbImage;
use image::codecs::jpeg::JpegEncoder;
use likeness_faces::{Face, FaceError, FaceModels, Identity, Pose};
use serde::{Deserialize, Serialize};

use crate::bars::Bars;
use crate::cache::{self, Cache};
use crate::camera::{self, Camera};
use crate::compression::Compression;
use crate::condition::Condition;
use crate::decode::{self, DecodeError, Opened};
use crate::error::DatasetError;
use crate::exposure::{self, Exposure};
use crate::features::Features;
use crate::hash::sha256_hex;
use crate::lettering;
use crate::luminance::{Plane, fitted, fitted_from, halfway};
use crate::portrait::Portrait;
use crate::print::Print;
use crate::room::Room;
use crate::rules::PROMINENT_SHARE;
use crate::scenery::Scenery;
use crate::sharpness::{self, Sharpness};
use crate::skin::fineness;
use crate::tone::{FaceTone, Tone};

/// The version of what is measured. Raise it whenever the same photo would give
/// other values: what was measured before is then measured again.
pub(crate) const VERSION: u32 = 11;

const PICTURE_SIDE: u32 = 512; // the longer side that whole pictures are measured at
const THUMBNAIL_SIDE: u32 = 256;
const THUMBNAIL_QUALITY: u8 = 80;
const MOST_OTHERS: usize = 5; // faces beside the largest one that are measured

/// A photo file that was looked at.
pub(crate) struct Photo {
    /// The file name.
    pub path: String,
    /// Empty where the file could not be read.
    pub sha256: String,
    /// What was measured, or why it could not be decoded.
    pub measured: Result<Measured, String>,
    /// Whether it had been measured by an earlier curation.
    pub cached: bool,
}

/// What was measured on a decoded photo, as it is cached.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Measured {
    pub width: u32,
    pub height: u32,
    pub faces: Vec<Face>,
    pub picture: Look,
    pub camera: Camera,
    pub compression: Compression,
    pub tone: Tone,
    pub bars: Bars,
    /// How many letters stand in the longest row.
    pub lettering: f64,
    /// Of the first face, where there is one.
    pub face: Option<FaceLook>,
    pub identity: Option<Identity>,
    /// The other faces that may be the subject's.
    pub others: Vec<Person>,
    pub print: Print,
    /// When it was taken, in seconds since 1970 by the camera's clock.
    pub taken: Option<f64>,
    /// A JPEG of at most 256 px; empty while it lies in the cache.
    #[serde(with = "cache::base64_text")]
    pub thumbnail: Vec<u8>,
}

/// A face beside the first one.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Person {
    /// Its place among the photo's faces.
    pub face: usize,
    pub look: FaceLook,
    pub identity: Identity,
}

/// How a face looks.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct FaceLook {
    pub look: Look,
    pub pose: Pose,
    pub portrait: Portrait,
    pub features: Features,
    pub tone: FaceTone,
    /// How fine its skin is; `None` of rendered faces, which have no pores.
    pub skin: Option<f64>,
    /// How much brighter it is behind the face, in doublings.
    pub backlight: f64,
    /// The face's height over the picture's.
    pub share: f64,
    pub scenery: Scenery,
    /// What a reader says of it.
    #[serde(default)]
    pub condition: Condition,
}

/// How a face or a picture looks.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Look {
    pub sharpness: Sharpness,
    pub exposure: Exposure,
}

/// What photos are measured with.
pub(crate) struct Tools<'a> {
    /// Photos with more pixels are not decoded.
    pub max_pixels: u64,
    /// The face models, if there are any.
    pub models: Option<&'a FaceModels>,
    /// What was measured before.
    pub cache: &'a Cache<'a>,
    /// Room for files' bytes.
    pub files: Room,
    /// Room for pixels; who holds them waits for no file.
    pub pixels: Room,
}

/// Looks at the photo at `path`. That it cannot be decoded is a finding; only
/// failing face models and a disk that cannot be written are errors.
pub(crate) fn photo(path: &Path, tools: &Tools) -> Result<Photo, DatasetError> {
    let name = path.file_name().unwrap_or_default();
    let mut photo = Photo {
        path: name.to_string_lossy().into_owned(),
        sha256: String::new(),
        measured: Err("the file's name is not valid Unicode; rename it".into()),
        cached: false,
    };
    if name.to_str().is_none() {
        return Ok(photo);
    }
    photo.measured = match content(path, tools, &mut photo) {
        Ok(measured) => Ok(measured),
        Err(Failure::Photo(error)) => Err(in_words(&error)),
        Err(Failure::Run(error)) => return Err(error),
    };
    Ok(photo)
}

/// Why nothing was measured: a fault of the photo, or one that ends the run.
enum Failure {
    Photo(DecodeError),
    Run(DatasetError),
}

impl From<DecodeError> for Failure {
    fn from(error: DecodeError) -> Self {
        Self::Photo(error)
    }
}

fn content(path: &Path, tools: &Tools, photo: &mut Photo) -> Result<Measured, Failure> {
    let length = decode::length(path, tools.max_pixels)?;
    let _file = tools.files.take(length * 2); // decoders keep a copy
    let bytes = decode::read_file(path, length)?;
    photo.sha256 = sha256_hex(&bytes);
    if let Some(measured) = tools.cache.get(&photo.sha256) {
        photo.cached = true;
        return Ok(measured);
    }
    let mut opened = Opened::new(&bytes, tools.max_pixels)?;
    let _pixels = tools.pixels.take(opened.working_bytes());
    let taken = opened.taken();
    let (image, ..) = opened.pixels()?;
    let measured = measure(&bytes, &image, tools.models).map_err(|source| {
        Failure::Run(DatasetError::Faces { path: photo.path.clone(), source: Box::new(source) })
    })?;
    tools.cache.put(&photo.sha256, Measured { taken, ..measured }).map_err(Failure::Run)
}

fn measure(
    bytes: &[u8],
    image: &RgbImage,
    models: Option<&FaceModels>,
) -> Result<Measured, FaceError> {
    let sizes = Sizes::of(image);
    let faces = models.map_or(Ok(Vec::new()), |models| faces(image, &sizes.halfway, models))?;
    let identity = match (models, faces.first()) {
        (Some(models), Some(face)) => Some(models.identity(image, face)?),
        _ => None,
    };
    let others = others(&sizes, &faces, models)?;
    Ok(Measured { identity, others, ..of(bytes, &sizes, faces, models)? })
}

/// What is measured on `image`, whose file is `bytes` and whose `faces` are known, the main one
/// first; who they are is not. Readers of faces among the `models` are asked.
pub(crate) fn known(
    bytes: &[u8],
    image: &RgbImage,
    faces: Vec<Face>,
    models: Option<&FaceModels>,
) -> Result<Measured, FaceError> {
    of(bytes, &Sizes::of(image), faces, models)
}

/// An image, and what was made smaller of it.
struct Sizes<'a> {
    image: &'a RgbImage,
    /// At least 1024 pixels long where the image is.
    halfway: Cow<'a, RgbImage>,
    /// As whole pictures are measured.
    small: RgbImage,
}

impl<'a> Sizes<'a> {
    fn of(image: &'a RgbImage) -> Self {
        let halfway = halfway(image, PICTURE_SIDE);
        let small = fitted_from(&halfway, image.dimensions(), PICTURE_SIDE);
        Self { image, halfway, small }
    }
}

/// [`known`], of an image that was made smaller already.
fn of(
    bytes: &[u8],
    sizes: &Sizes,
    faces: Vec<Face>,
    models: Option<&FaceModels>,
) -> Result<Measured, FaceError> {
    let Sizes { image, halfway, small } = sizes;
    let main = faces.first();
    let plane = Plane::of(small);
    Ok(Measured {
        width: image.width(),
        height: image.height(),
        picture: Look {
            sharpness: sharpness::of_picture(small),
            exposure: exposure::of(small, |_, _| true),
        },
        camera: Camera::of(small),
        compression: Compression::of(bytes, image, main),
        tone: Tone::of(small, &plane),
        bars: Bars::of(&plane),
        lettering: lettering::of(halfway, &plane),
        face: main.map(|face| face_look(sizes, face, models)).transpose()?,
        identity: None,
        others: Vec::new(),
        print: Print::of(small),
        taken: None,
        thumbnail: thumbnail(small),
        faces,
    })
}

/// The faces in `image`, found in it `halfway` to being small where that has the detector's pixels.
fn faces(
    image: &RgbImage,
    halfway: &RgbImage,
    models: &FaceModels,
) -> Result<Vec<Face>, FaceError> {
    let longer = |image: &RgbImage| image.width().max(image.height());
    if longer(halfway) < models.detector_side() {
        return models.faces(image);
    }
    // Not that of the sides: what fills no square is left out at the right and below.
    let scale = (longer(image) / longer(halfway)) as f32;
    let mut faces = models.faces(halfway)?;
    for face in &mut faces {
        face.bbox = face.bbox.map(|value| value * scale);
        face.landmarks = face.landmarks.map(|place| place.map(|value| value * scale));
    }
    Ok(faces)
}

/// The faces beside the first that are large enough to be the subject's.
fn others(
    sizes: &Sizes,
    faces: &[Face],
    models: Option<&FaceModels>,
) -> Result<Vec<Person>, FaceError> {
    let (Some(models), Some(main)) = (models, faces.first()) else {
        return Ok(Vec::new());
    };
    let prominent = |face: &&Face| f64::from(face.area() / main.area().max(1.0)) >= PROMINENT_SHARE;
    let prominent = faces.iter().skip(1).take_while(prominent).take(MOST_OTHERS);
    let person = |(index, face): (usize, &Face)| {
        let identity = models.identity(sizes.image, face)?;
        let look = face_look(sizes, face, Some(models))?;
        Ok(Person { face: index + 1, look, identity })
    };
    prominent.enumerate().map(person).collect()
}

fn face_look(
    Sizes { image, small, .. }: &Sizes,
    face: &Face,
    models: Option<&FaceModels>,
) -> Result<FaceLook, FaceError> {
    let aligned = sharpness::aligned(image, face);
    let exposure = exposure::of(&aligned, sharpness::in_face);
    let scale = small.width() as f32 / image.width() as f32;
    let smaller = Face { bbox: face.bbox.map(|value| value * scale), ..face.clone() };
    Ok(FaceLook {
        condition: Condition::of(models, image, face)?,
        look: Look { sharpness: sharpness::of_face(&aligned), exposure },
        pose: Pose::of(&face.landmarks),
        portrait: Portrait::of(&aligned),
        features: Features::of(&aligned),
        tone: FaceTone::of(&aligned),
        skin: (!models.is_some_and(FaceModels::are_of_renders)).then(|| fineness(&aligned)),
        backlight: camera::backlight(small, &smaller, exposure.mean),
        share: f64::from(face.bbox[3]) / f64::from(image.height()),
        scenery: Scenery::of(small, &smaller),
    })
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
