//! What taggers and captioners said of each photo: `words.jsonl`, one line an answer.
//!
//! An answer belongs to a photo's bytes, its crop and the model and instruction that gave it. So
//! it is asked for once, and found again when the dataset is curated anew.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::FORMAT_VERSION;
use crate::crop::Crop;
use crate::error::DatasetError;
use crate::record::ImageRecord;

/// The file's name in a dataset.
pub(crate) const FILE: &str = "words.jsonl";

/// Who said something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// A tagger.
    Tags,
    /// A captioner.
    Description,
}

/// One answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Said {
    /// The version of this format.
    pub version: u32,
    /// The photo's sha256 in hex.
    pub sha256: String,
    /// The part of it that was shown.
    pub crop: Crop,
    /// Who said it.
    pub kind: Kind,
    /// The model's name, to read.
    pub model: String,
    /// A sha256 over model, instruction and thresholds.
    pub key: String,
    /// What was said.
    pub phrases: Vec<String>,
    /// Whether phrases that describe the identity go into the caption, too.
    pub keep_identity: bool,
    /// How long the answer took, where it was waited for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub seconds: Option<f64>,
    /// Tokens that the endpoint counted, where it told.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tokens: Option<u64>,
}

/// All answers of a dataset.
#[derive(Debug, Default)]
pub(crate) struct Words {
    path: PathBuf,
    said: Vec<Said>,
}

impl Words {
    /// Reads those of the dataset `dir`. A last line that was cut off is taken away, as it was never
    /// finished; another broken line is an error.
    pub fn read(dir: &Path) -> Result<Self, DatasetError> {
        let path = dir.join(FILE);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            Err(source) => return Err(DatasetError::Read { path, source }),
        };
        let whole = text.rfind('\n').map_or(0, |newline| newline + 1);
        let mut said = Vec::new();
        for (index, line) in text[..whole].lines().enumerate() {
            let one: Said = serde_json::from_str(line).map_err(|source| {
                let remedy = "take the line away, and it is asked for again";
                DatasetError::Json { path: path.clone(), line: index + 1, remedy, source }
            })?;
            if one.version != FORMAT_VERSION {
                let (found, known) = (one.version, FORMAT_VERSION);
                return Err(DatasetError::Version { path, found, known });
            }
            said.push(one);
        }
        if whole < text.len() {
            crate::atomic::write(&path, &text.as_bytes()[..whole])?;
        }
        Ok(Self { path, said })
    }

    /// What holds for `record`: the last answer of that kind for its photo and crop.
    pub fn of(&self, record: &ImageRecord, kind: Kind) -> Option<&Said> {
        self.said.iter().rev().find(|said| said.is_of(record, kind))
    }

    /// The answer that the model of `key` gave for `record`, even if another one holds now.
    pub fn known(&self, record: &ImageRecord, kind: Kind, key: &str) -> Option<&Said> {
        self.said.iter().rev().find(|said| said.key == key && said.is_of(record, kind))
    }

    /// The mean of a number over the answers of `key` that have it.
    pub fn mean(&self, key: &str, number: impl Fn(&Said) -> Option<f64>) -> Option<f64> {
        let numbers: Vec<f64> =
            self.said.iter().filter(|said| said.key == key).filter_map(number).collect();
        (!numbers.is_empty()).then(|| numbers.iter().sum::<f64>() / numbers.len() as f64)
    }

    /// Adds an answer, on the disk at once, so that an interruption loses none.
    pub fn add(&mut self, said: Said) -> Result<(), DatasetError> {
        let line = serde_json::to_string(&said).expect("an answer has only string keys") + "\n";
        let append = || {
            let mut file = OpenOptions::new().create(true).append(true).open(&self.path)?;
            file.write_all(line.as_bytes())?;
            file.sync_data()
        };
        append().map_err(|source| DatasetError::Write { path: self.path.clone(), source })?;
        self.said.push(said);
        Ok(())
    }
}

impl Said {
    fn is_of(&self, record: &ImageRecord, kind: Kind) -> bool {
        self.kind == kind && self.sha256 == record.sha256 && Some(self.crop) == record.crop
    }
}

#[cfg(test)]
pub(super) mod testing {
    use super::*;

    /// What was said of `record`.
    pub fn said(record: &ImageRecord, kind: Kind, phrases: Vec<String>, keep: bool) -> Said {
        Said {
            version: FORMAT_VERSION,
            sha256: record.sha256.clone(),
            crop: record.crop.expect("a crop"),
            kind,
            model: "a model".into(),
            key: "k".into(),
            phrases,
            keep_identity: keep,
            seconds: None,
            tokens: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::captions::testing::record;

    fn said(record: &ImageRecord, key: &str, phrase: &str) -> Said {
        let said = testing::said(record, Kind::Description, vec![phrase.into()], false);
        Said { key: key.into(), ..said }
    }

    #[test]
    fn the_last_answer_holds_and_none_is_forgotten() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let photo = record("a.jpg");
        let mut words = Words::read(dir.path()).expect("no words yet");
        words.add(said(&photo, "k1", "one")).expect("added");
        words.add(said(&photo, "k2", "two")).expect("added");
        let words = Words::read(dir.path()).expect("two answers");
        let holds = words.of(&photo, Kind::Description).expect("an answer");
        assert_eq!(holds.phrases, ["two"]);
        let known = words.known(&photo, Kind::Description, "k1").expect("an older answer");
        assert_eq!(known.phrases, ["one"]);
        assert!(words.of(&photo, Kind::Tags).is_none());
        let mut cropped = photo.clone();
        cropped.crop = Some(Crop { x: 1, y: 0, width: 8, height: 8 });
        assert!(words.of(&cropped, Kind::Description).is_none());
    }

    #[test]
    fn a_line_that_was_cut_off_is_taken_away_and_a_broken_one_is_named() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let photo = record("a.jpg");
        Words::read(dir.path()).expect("none").add(said(&photo, "k", "one")).expect("added");
        let path = dir.path().join(FILE);
        let whole = fs::read_to_string(&path).expect("a file");
        fs::write(&path, format!("{whole}{{\"version\":1,\"sha")).expect("a cut line");
        let mut words = Words::read(dir.path()).expect("the whole lines");
        words.add(said(&photo, "k", "two")).expect("added");
        assert_eq!(Words::read(dir.path()).expect("two").said.len(), 2);
        fs::write(&path, format!("nonsense\n{whole}")).expect("a broken line");
        let error = Words::read(dir.path()).expect_err("a broken line").to_string();
        assert!(error.contains("line 1") && error.contains(FILE), "{error}");
    }
}
