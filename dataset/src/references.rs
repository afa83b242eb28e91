//! Who the character is, by photos that a person named.

use std::path::Path;

use likeness_faces::{Face, FaceModels, Identity};

use crate::curate::CurateOptions;
use crate::decode;
use crate::error::DatasetError;
use crate::folder::Previous;
use crate::photos::Photos;
use crate::rules::OTHER_FACE_SHARE;

/// The identities of the references that the options name.
pub(crate) fn named(
    options: &CurateOptions,
    models: Option<&FaceModels>,
) -> Result<Vec<Identity>, DatasetError> {
    let Some(models) = models else {
        return match options.references.first() {
            Some(path) => Err(refused(path, "there are no face models to see who it is")),
            None => Ok(Vec::new()),
        };
    };
    options.references.iter().map(|path| identity(path, options.max_pixels, models)).collect()
}

/// The identities of those that an earlier curation's `character.toml` names, as far as they are
/// among `photos` and show one person.
pub(crate) fn known(photos: &Photos, previous: &Previous) -> Result<Vec<Identity>, DatasetError> {
    let mut known = Vec::new();
    for name in &previous.references {
        let Some(index) = photos.list().iter().position(|photo| photo.path == *name) else {
            continue;
        };
        if let Some(measured) = photos.measured(index)? {
            known.extend(measured.identity.filter(|_| !several(&measured.faces)));
        }
    }
    Ok(known)
}

/// Whether another face is so large that it is not clear whose photo it is.
fn several(faces: &[Face]) -> bool {
    let [main, second, ..] = faces else { return false };
    f64::from(second.area() / main.area().max(1.0)) >= OTHER_FACE_SHARE
}

fn identity(path: &Path, max_pixels: u64, models: &FaceModels) -> Result<Identity, DatasetError> {
    let photo = decode::decode(path, max_pixels)
        .map_err(|source| DatasetError::Decode { path: path.into(), source })?;
    let failed = |source| {
        let path = path.display().to_string();
        DatasetError::Faces { path, source: Box::new(source) }
    };
    let faces = models.faces(&photo.image).map_err(failed)?;
    let Some(main) = faces.first() else {
        return Err(refused(path, "no face was found in it"));
    };
    if several(&faces) {
        return Err(refused(path, "it shows several people"));
    }
    models.identity(&photo.image, main).map_err(failed)
}

fn refused(path: &Path, reason: &str) -> DatasetError {
    DatasetError::Reference { path: path.into(), reason: reason.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::set::testing::{photo, towards};

    #[test]
    fn known_references_are_those_of_one_person_that_are_still_there() {
        let [one, mut two] = [photo(&[(0.5, 100.0)]), photo(&[(1.0, 100.0), (2.0, 90.0)])];
        two.path = "two.jpg".into();
        let references = ["a.jpg", "two.jpg", "gone.jpg"].map(String::from).to_vec();
        let previous = Previous { references, ..Previous::default() };
        let photos = Photos::of([one, two]);
        assert_eq!(known(&photos, &previous).expect("readable"), [towards(0.5)]);
    }

    #[test]
    fn a_reference_without_models_is_refused() {
        let references = vec!["me.jpg".into()];
        let options = CurateOptions { references, ..CurateOptions::default() };
        let refused = named(&options, None).expect_err("no models").to_string();
        assert!(refused.contains("`me.jpg` cannot be a reference"), "{refused}");
        assert_eq!(named(&CurateOptions::default(), None).expect("none"), []);
    }
}
