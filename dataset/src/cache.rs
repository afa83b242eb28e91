//! What was measured on photos, kept in the dataset by their content.
//!
//! `cache/measures/KEY` holds one photo: a line with a sha256, then JSON. The
//! key is a sha256 over the photo's bytes and everything else that the values
//! depend on, so a stale entry cannot be found. The line is a sha256 over key
//! and JSON: an entry that is torn, changed or misnamed counts as not there, and
//! its photo is measured again.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use likeness_faces::FaceModels;

use crate::atomic;
use crate::character::{self, Character};
use crate::error::DatasetError;
use crate::hash::sha256_of_all;
use crate::measure::{self, Measured};
use crate::record::ImageRecord;

const FOLDER: &str = "cache/measures";

/// The cache of a dataset.
pub(crate) struct Cache<'a> {
    dataset: &'a Path,
    character: &'a Character,
    /// What the values depend on besides the photo.
    circumstances: String,
    /// Whether nothing is written. Default no.
    pub read_only: bool,
    begun: Mutex<bool>,
    writes: AtomicU64,
}

impl<'a> Cache<'a> {
    /// The cache in the folder `dataset` of `character`, for values that are
    /// measured with `models` on photos of at most `max_pixels`. Nothing is
    /// written before there is something to keep.
    pub fn new(
        dataset: &'a Path,
        character: &'a Character,
        max_pixels: u64,
        models: Option<&FaceModels>,
    ) -> Self {
        let models = models.map_or("none", FaceModels::fingerprint);
        let circumstances = format!("{} {max_pixels} {models}", measure::VERSION);
        let (begun, writes) = (Mutex::new(false), AtomicU64::new(0));
        Self { dataset, character, circumstances, read_only: false, begun, writes }
    }

    /// What was measured on the photo of this `sha256`, without its thumbnail.
    pub fn get(&self, sha256: &str) -> Option<Measured> {
        self.read(sha256).map(|measured| Measured { thumbnail: Vec::new(), ..measured })
    }

    /// The thumbnail of the photo of this `sha256`: a JPEG.
    pub fn thumbnail(&self, sha256: &str) -> Option<Vec<u8>> {
        self.read(sha256).map(|measured| measured.thumbnail)
    }

    /// Keeps `measured`, and gives it back as it will be read, to the last bit,
    /// but without its thumbnail, so that these don't pile up in memory.
    pub fn put(&self, sha256: &str, measured: Measured) -> Result<Measured, DatasetError> {
        if self.read_only {
            return Ok(Measured { thumbnail: Vec::new(), ..measured });
        }
        self.begin()?;
        let key = self.key(sha256);
        let body = serde_json::to_string(&measured).expect("numbers, texts and lists of them");
        let check = sha256_of_all([key.as_str(), &body]);
        let number = self.writes.fetch_add(1, Ordering::Relaxed);
        let entry = format!("{check}\n{body}");
        atomic::write_unsynced(&self.folder().join(&key), entry.as_bytes(), number)?;
        let measured = serde_json::from_str(&body).unwrap_or(measured); // NaN is not read back
        Ok(Measured { thumbnail: Vec::new(), ..measured })
    }

    /// Removes all entries but those of the photos of `records`. One that cannot be removed
    /// does no harm.
    pub fn keep_only(&self, records: &[ImageRecord]) {
        let used: HashSet<String> = records.iter().map(|record| self.key(&record.sha256)).collect();
        let entries = fs::read_dir(self.folder()).into_iter().flatten().flatten();
        for entry in entries.filter(|entry| entry.path().is_file()) {
            if !entry.file_name().to_str().is_some_and(|name| used.contains(name)) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    fn read(&self, sha256: &str) -> Option<Measured> {
        let key = self.key(sha256);
        let entry = fs::read_to_string(self.folder().join(&key)).ok()?;
        let (check, body) = entry.split_once('\n')?;
        let whole = check == sha256_of_all([key.as_str(), body]);
        whole.then(|| serde_json::from_str(body).ok()).flatten()
    }

    /// Makes the folder, and says whose it is where nothing does yet: it can
    /// then be gone on with, should this curation be cut off.
    fn begin(&self) -> Result<(), DatasetError> {
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        if !*begun {
            atomic::create_folder(self.dataset)?;
            if !self.dataset.join(character::FILE).exists() {
                self.character.write(self.dataset)?;
            }
            atomic::create_folder(&self.folder())?;
            *begun = true;
        }
        Ok(())
    }

    fn key(&self, sha256: &str) -> String {
        sha256_of_all([sha256, &self.circumstances])
    }

    /// Where the entries lie; not there before there is one.
    pub fn folder(&self) -> PathBuf {
        self.dataset.join(FOLDER)
    }
}

/// Bytes as base64 in JSON, elsewhere as they are.
pub(crate) mod base64_text {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        match to.is_human_readable() {
            true => to.serialize_str(&STANDARD.encode(bytes)),
            false => bytes.serialize(to),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        match from.is_human_readable() {
            true => STANDARD.decode(String::deserialize(from)?).map_err(D::Error::custom),
            false => Vec::deserialize(from),
        }
    }
}
