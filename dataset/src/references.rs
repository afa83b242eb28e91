//! Who the character is, by photos that a person named.

use std::path::{Path, PathBuf};

use likeness_faces::{FaceModels, Identity};

use crate::curate::CurateOptions;
use crate::decode;
use crate::error::DatasetError;
use crate::folder::Previous;
use crate::rules::OTHER_FACE_SHARE;

/// The identities of the references: of those that the options name, or else of those that an
/// earlier curation's `character.toml` does, as far as these are still there. None without models.
pub(crate) fn identities(
    options: &CurateOptions,
    photos: &Path,
    previous: &Previous,
    models: Option<&FaceModels>,
) -> Result<Vec<Identity>, DatasetError> {
    let Some(models) = models else {
        return match options.references.first() {
            Some(path) => Err(refused(path, "there are no face models to see who it is")),
            None => Ok(Vec::new()),
        };
    };
    let identity = |path: &PathBuf| identity(path, options.max_pixels, models);
    if options.references.is_empty() {
        let named: Vec<PathBuf> =
            previous.references.iter().map(|name| photos.join(name)).collect();
        let there = named.iter().filter(|path| path.is_file());
        return Ok(there.filter_map(|path| identity(path).ok()).collect());
    }
    options.references.iter().map(identity).collect()
}

fn identity(
    path: &PathBuf,
    max_pixels: u64,
    models: &FaceModels,
) -> Result<Identity, DatasetError> {
    let photo = decode::decode(path, max_pixels)
        .map_err(|source| DatasetError::Decode { path: path.clone(), source })?;
    let failed = |source| {
        let path = path.display().to_string();
        DatasetError::Faces { path, source: Box::new(source) }
    };
    let faces = models.faces(&photo.image).map_err(failed)?;
    let Some(main) = faces.first() else {
        return Err(refused(path, "no face was found in it"));
    };
    let second = faces.get(1).map_or(0.0, |face| f64::from(face.area() / main.area().max(1.0)));
    if second >= OTHER_FACE_SHARE {
        return Err(refused(path, "it shows several people"));
    }
    models.identity(&photo.image, main).map_err(failed)
}

fn refused(path: &Path, reason: &str) -> DatasetError {
    DatasetError::Reference { path: path.into(), reason: reason.into() }
}
