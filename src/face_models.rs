//! Where face models are looked for.

use std::path::{Path, PathBuf};

use anyhow::Context;
use likeness_faces::FaceModels;

/// Environment variable that names a folder of models.
const VARIABLE: &str = "LIKENESS_MODELS";

/// The folders that are searched, best first: `--models`, `LIKENESS_MODELS`, the user's cache.
pub fn folders(given: Option<&Path>) -> Vec<PathBuf> {
    if let Some(given) = given {
        return vec![given.to_owned()];
    }
    std::env::var_os(VARIABLE).map(PathBuf::from).into_iter().chain(cache()).collect()
}

/// The folder that models are pulled into.
pub fn cache() -> Option<PathBuf> {
    dirs::cache_dir().map(|cache| cache.join("likeness").join("models"))
}

/// The face models, if there are any.
pub fn find(given: Option<&Path>) -> anyhow::Result<Option<FaceModels>> {
    let models = match given {
        // Asked for by name: not to find them is an error.
        Some(folder) => Some(FaceModels::open(folder).map_err(anyhow::Error::from)),
        None => FaceModels::find(&folders(None)).map_err(anyhow::Error::from).transpose(),
    };
    models.transpose().context("cannot open the face models")
}

/// What to tell someone without face models.
pub const HINT: &str =
    "no face models found, so faces are not measured; get them by `likeness models pull faces`";
