//! Who a dataset is about: `character.toml`.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::DatasetError;
use crate::sheet::SheetPhoto;
use crate::{FORMAT_VERSION, atomic};

/// The file's name in a dataset.
pub(crate) const FILE: &str = "character.toml";

/// Who a dataset is about and how it was cut.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Character {
    /// The version of this format.
    pub version: u32,
    /// The word that shall call the character.
    pub trigger: String,
    /// What the character is, such as "person", "dog" or "robot".
    pub class_word: String,
    /// The folder of the photos; a relative one starts from the dataset.
    pub photos: PathBuf,
    /// Photos (file names) that show best who it is; none means every kept one.
    #[serde(default)]
    pub references: Vec<String>,
    /// What always holds of the character, such as "green eyes": it belongs to the trigger, not
    /// into captions and prompts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub traits: Vec<String>,
    /// What taggers and captioners said of who it is, of at least half of the photos.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub traits_said: Vec<String>,
    /// The side in pixels of the square whose area the buckets have.
    pub resolution: u32,
    /// The step of the buckets' sides in pixels.
    pub bucket_step: u32,
    /// The fingerprint of the face models that were used, if any were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub face_models: Option<String>,
    /// The photos of the character sheet: those that `references` names, or the best of each view.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sheet: Vec<SheetPhoto>,
}

impl Character {
    /// Reads that of the dataset `dir`; its photos folder comes out absolute
    /// or relative to the working folder, ready to open.
    pub(crate) fn read(dir: &Path) -> Result<Self, DatasetError> {
        let mut character = Self::as_written(dir)?;
        character.photos = dir.join(&character.photos);
        Ok(character)
    }

    /// As [`Self::read`], with the photos folder as the file has it.
    pub(crate) fn as_written(dir: &Path) -> Result<Self, DatasetError> {
        let path = dir.join(FILE);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(DatasetError::Incomplete { dir: dir.into(), missing: FILE });
            }
            Err(source) => return Err(DatasetError::Read { path, source }),
        };
        let character: Self = toml::from_str(&text).map_err(|source| DatasetError::Toml {
            path: path.clone(),
            source: Box::new(source),
        })?;
        if character.version != FORMAT_VERSION {
            let (found, known) = (character.version, FORMAT_VERSION);
            return Err(DatasetError::Version { path, found, known });
        }
        Ok(character)
    }

    /// All that is known of who it is, a person's words first, each once.
    pub fn identity_words(&self) -> Vec<String> {
        let mut words = self.traits.clone();
        for said in &self.traits_said {
            if !words.iter().any(|known| known.eq_ignore_ascii_case(said)) {
                words.push(said.clone());
            }
        }
        words
    }

    /// Writes it into the dataset `dir`.
    pub(crate) fn write(&self, dir: &Path) -> Result<(), DatasetError> {
        let path = dir.join(FILE);
        let text = toml::to_string(self).map_err(|error| DatasetError::Write {
            path: path.clone(),
            source: std::io::Error::other(error),
        })?;
        atomic::write(&path, text.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sheet::SheetView;

    fn character() -> Character {
        Character {
            version: FORMAT_VERSION,
            trigger: "ohwx \"quoted\"".into(),
            class_word: "person".into(),
            photos: "../photos".into(),
            references: vec!["a.jpg".into()],
            traits: vec!["green eyes".into()],
            traits_said: vec!["Green eyes".into(), "freckles".into()],
            resolution: 512,
            bucket_step: 64,
            face_models: None,
            sheet: vec![SheetPhoto { path: "a.jpg".into(), view: SheetView::Front }],
        }
    }

    #[test]
    fn what_was_written_is_read_with_photos_found_from_the_dataset() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        character().write(dir.path()).expect("written");
        let read = Character::read(dir.path()).expect("read");
        assert_eq!(read.photos, dir.path().join("../photos"));
        assert_eq!((read.trigger, read.sheet), (character().trigger, character().sheet));
        let raw = Character::as_written(dir.path()).expect("read");
        assert_eq!(raw, character());
        assert_eq!(raw.identity_words(), ["green eyes", "freckles"]);
    }

    #[test]
    fn a_misspelled_key_another_version_and_no_file_are_errors() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let none = Character::read(dir.path()).expect_err("no file");
        assert!(none.to_string().contains("likeness curate"), "{none}");
        character().write(dir.path()).expect("written");
        let text = std::fs::read_to_string(dir.path().join(FILE)).expect("a file");
        let put = |text: String| std::fs::write(dir.path().join(FILE), text).expect("a file");
        put(text.replace("trigger", "triger"));
        assert!(matches!(Character::read(dir.path()), Err(DatasetError::Toml { .. })));
        put(text.replace("version = 1", "version = 9"));
        assert!(matches!(Character::read(dir.path()), Err(DatasetError::Version { found: 9, .. })));
    }
}
