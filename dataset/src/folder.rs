//! Checks that a dataset may be written where it shall be.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::character::{self, Character};
use crate::dataset;
use crate::error::DatasetError;
use crate::record::ImageRecord;

/// What an earlier curation left.
#[derive(Debug, Default)]
pub(crate) struct Previous {
    /// The sha256 of the caption that was last written into a file, by its name. The records
    /// themselves are not kept: there may be thousands.
    pub captions: HashMap<String, String>,
    pub references: Vec<String>,
    pub traits: Vec<String>,
}

impl Previous {
    /// The sha256 of the caption that was last written into `caption_file`.
    pub fn caption_written(&self, caption_file: &str) -> Option<&str> {
        self.captions.get(caption_file).map(String::as_str)
    }
}

/// Of the first record of each caption file.
fn captions(
    records: impl Iterator<Item = Result<ImageRecord, DatasetError>>,
) -> Result<HashMap<String, String>, DatasetError> {
    let mut captions = HashMap::new();
    for record in records {
        let ImageRecord { caption_file, caption_written_sha256, .. } = record?;
        captions.entry(caption_file).or_insert(caption_written_sha256);
    }
    Ok(captions)
}

/// Checks the folder `out` for a dataset of `photos` (absolute) with
/// `trigger`. It has to be absent, empty, or that very dataset; with `force`
/// anything but the photos folder will do.
pub(crate) fn check(
    out: &Path,
    photos: &Path,
    trigger: &str,
    force: bool,
) -> Result<Previous, DatasetError> {
    if !out.exists() {
        return Ok(Previous::default());
    }
    if absolute(out) == photos {
        return Err(DatasetError::OutIsPhotos { dir: out.into() });
    }
    match previous(out, photos, trigger) {
        Err(_) if force && out.is_dir() => Ok(with_force(out)),
        result => result,
    }
}

fn previous(out: &Path, photos: &Path, trigger: &str) -> Result<Previous, DatasetError> {
    let unreadable = |source| DatasetError::Read { path: out.into(), source };
    if !out.is_dir() {
        return Err(DatasetError::NotADataset { dir: out.into() });
    }
    if !out.join(character::FILE).exists() {
        return match fs::read_dir(out).map_err(unreadable)?.next() {
            None => Ok(Previous::default()),
            Some(_) => Err(DatasetError::NotADataset { dir: out.into() }),
        };
    }
    let character = Character::read(out)?;
    let other = |field, theirs: String, ours: String| {
        Err(DatasetError::OtherDataset { dir: out.into(), field, theirs, ours })
    };
    if character.trigger != trigger {
        return other("the trigger", character.trigger, trigger.into());
    }
    let theirs = absolute(&character.photos);
    if theirs != photos {
        let shown = |path: &Path| path.display().to_string();
        return other("photos in", shown(&theirs), shown(photos));
    }
    let captions = match dataset::records(out) {
        Err(DatasetError::Incomplete { .. }) => HashMap::new(), // a curation that was cut off
        records => captions(records?)?,
    };
    let Character { references, traits, .. } = character;
    Ok(Previous { captions, references, traits })
}

/// With `--force` whatever is still readable serves to keep edited captions.
fn with_force(out: &Path) -> Previous {
    let captions = dataset::records(out).and_then(captions).unwrap_or_default();
    Previous { captions, ..Previous::default() }
}

fn absolute(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.into())
}
