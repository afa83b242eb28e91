//! A person's review of a dataset: what there is to look at, decisions written
//! one by one, and taken back.
//!
//! Files are read again before each write and under a lock, so that several
//! reviews and a curation at the same time lose nothing.

use std::collections::HashMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::character::Character;
use crate::crop_choices::{self, CropChoice};
use crate::dataset::{self, Dataset};
use crate::decisions::{self, Decision};
use crate::error::DatasetError;
use crate::hash::sha256_of_all;
use crate::lock::Lock;
use crate::record::{ImageRecord, Verdict};
use crate::{FORMAT_VERSION, atomic, preview};

const LONGEST_CAPTION: usize = 2000; // characters; text encoders read about 300 of them

/// The review of the dataset in a folder.
#[derive(Debug, Clone)]
pub struct Review {
    dir: PathBuf,
}

/// A dataset as a person reviews it.
#[derive(Debug, Serialize)]
pub struct Reviewed {
    /// The word that calls the character.
    pub trigger: String,
    /// What the character is.
    pub class_word: String,
    /// Changes with every decision and every curation.
    pub revision: String,
    /// The photos by path, copies of the same file left out.
    pub photos: Vec<ReviewedPhoto>,
    /// How many copies were left out.
    pub copies: usize,
    /// The decision that undoing takes back.
    pub last: Option<Decision>,
}

/// A photo as a person reviews it.
#[derive(Debug, Serialize)]
pub struct ReviewedPhoto {
    /// What is known of it, decisions applied.
    #[serde(flatten)]
    pub record: ImageRecord,
    /// What the rules said.
    pub verdict_by_rules: Verdict,
    /// What a person said, of all decisions on it.
    pub decision: Option<Decision>,
    /// Its caption, where it has one.
    pub caption: Option<String>,
    /// Crops to choose from.
    pub crops: Vec<CropChoice>,
}

/// What a decision, or undoing one, changed.
#[derive(Debug, Serialize)]
pub struct Changed {
    /// The decision that was written or taken back.
    pub decision: Decision,
    /// Whether a caption stays as it is, since someone changed the file since
    /// the decision that was taken back.
    pub caption_stays: bool,
    /// The revision before: whoever saw another one has more to read.
    pub revision_before: String,
    /// The revision now.
    pub revision: String,
    /// The photo now, if it is still there.
    pub photo: Option<ReviewedPhoto>,
    /// The decision that undoing takes back next.
    pub last: Option<Decision>,
}

impl Review {
    /// The review of the dataset in `dir`, which is read once to see that it
    /// is one.
    pub fn open(dir: impl AsRef<Path>) -> Result<Self, DatasetError> {
        let dir = dir.as_ref().to_owned();
        Dataset::open(&dir)?;
        Ok(Self { dir })
    }

    /// Everything as it is now.
    pub fn read(&self) -> Result<Reviewed, DatasetError> {
        let revision = self.revision()?; // first: what changes from here on is a later revision
        let dataset = Dataset::open(&self.dir)?;
        let by_rules: HashMap<String, Verdict> = dataset::read_records(&self.dir)?
            .into_iter()
            .map(|record| (record.path, record.verdict))
            .collect();
        let copies = decisions::copies(&dataset.images);
        let shown = dataset.images.iter().zip(&copies).filter(|(_, copy)| !**copy);
        let photos = shown.map(|(record, _)| {
            let by_rules = by_rules.get(&record.path).copied();
            ReviewedPhoto::of(&dataset, record, by_rules.unwrap_or(record.verdict))
        });
        Ok(Reviewed {
            photos: photos.collect::<Result<_, DatasetError>>()?,
            copies: copies.iter().filter(|copy| **copy).count(),
            trigger: dataset.character.trigger.clone(),
            class_word: dataset.character.class_word.clone(),
            last: self.last()?,
            revision,
        })
    }

    /// A name for what the records and decisions are now.
    pub fn revision(&self) -> Result<String, DatasetError> {
        let records = read(&self.dir.join(dataset::RECORDS))?;
        Ok(sha256_of_all([records.as_str(), self.lines()?.as_str()]))
    }

    /// The photo with that sha256, upright, as a JPEG whose longer side is at
    /// most `side` pixels. A photo that changed since curation is an error.
    pub fn preview(&self, sha256: &str, side: u16) -> Result<Vec<u8>, DatasetError> {
        let unknown = || DatasetError::UnknownPhoto { sha256: sha256.into() };
        let found = match sha256 {
            "" => Vec::new(),
            _ => dataset::find_records(&self.dir, sha256)?,
        };
        let record = found.iter().find(|r| r.sha256 == sha256 && r.crop.is_some());
        let photos = Character::read(&self.dir)?.photos;
        Ok(preview::jpeg(&dataset::photo(&photos, record.ok_or_else(unknown)?)?, side))
    }

    /// Writes a decision down: a line at the end of `decisions.jsonl` and, of a
    /// caption, its file. `caption_was` has to be the caption that the person
    /// saw; if another one is there by now, nothing is written.
    pub fn decide(&self, decision: Decision) -> Result<Changed, DatasetError> {
        let _lock = Lock::take(&self.dir)?;
        let revision_before = self.revision()?;
        let dataset = Dataset::open(&self.dir)?;
        let record = photo(&dataset, &decision.sha256)?;
        let decision = checked(decision, &dataset, record)?;
        let before = self.lines()?;
        self.write_lines(&appended(&before, &decision))?;
        if let Some(text) = &decision.caption {
            let written = atomic::write(&dataset.caption_path(record)?, text.as_bytes());
            if written.is_err() {
                self.write_lines(&before)?; // a caption that is not there was not decided
            }
            written?;
        }
        self.changed(decision, false, revision_before)
    }

    /// Takes the last decision back, if it is still that of `revision`; `None`
    /// if there is none.
    pub fn undo(&self, revision: &str) -> Result<Option<Changed>, DatasetError> {
        let _lock = Lock::take(&self.dir)?;
        let revision_before = self.revision()?;
        if revision_before != revision {
            return Err(DatasetError::ChangedMeanwhile { what: "the dataset".into() });
        }
        let Some(decision) = self.last()? else {
            return Ok(None);
        };
        let caption_stays = !self.caption_back(&decision)?;
        let text = self.lines()?;
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        let kept = lines.iter().take(lines.len().saturating_sub(1));
        self.write_lines(&kept.map(|line| format!("{line}\n")).collect::<String>())?;
        self.changed(decision, caption_stays, revision_before).map(Some)
    }

    /// What there is to say after a write.
    fn changed(
        &self,
        decision: Decision,
        caption_stays: bool,
        revision_before: String,
    ) -> Result<Changed, DatasetError> {
        let dataset = Dataset::open(&self.dir)?;
        let found = match photo(&dataset, &decision.sha256) {
            Ok(record) => {
                let by_rules = dataset::find_records(&self.dir, &record.sha256)?;
                let by_rules = by_rules.iter().find(|rules| rules.path == record.path);
                let verdict = by_rules.map_or(record.verdict, |rules| rules.verdict);
                Some(ReviewedPhoto::of(&dataset, record, verdict)?)
            }
            Err(_) => None, // it is gone since
        };
        let (revision, last) = (self.revision()?, self.last()?);
        Ok(Changed { decision, caption_stays, revision_before, revision, photo: found, last })
    }

    /// Brings the caption before `decision` back; no, where its file is
    /// another one by now.
    fn caption_back(&self, decision: &Decision) -> Result<bool, DatasetError> {
        let Some(text) = &decision.caption else {
            return Ok(true);
        };
        let dataset = Dataset::open(&self.dir)?;
        let Ok(record) = photo(&dataset, &decision.sha256) else {
            return Ok(false); // the photo is gone since
        };
        match (&decision.caption_was, dataset.caption_text(record)) {
            (Some(was), Ok(now)) if now == *text => {
                atomic::write(&dataset.caption_path(record)?, was.as_bytes()).map(|()| true)
            }
            _ => Ok(false),
        }
    }

    fn lines(&self) -> Result<String, DatasetError> {
        read(&self.dir.join(decisions::FILE))
    }

    fn write_lines(&self, text: &str) -> Result<(), DatasetError> {
        atomic::write(&self.dir.join(decisions::FILE), text.as_bytes())
    }

    /// The last decision.
    fn last(&self) -> Result<Option<Decision>, DatasetError> {
        let path = self.dir.join(decisions::FILE);
        let text = self.lines()?;
        let last = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).last();
        last.map(|(index, line)| decisions::parse(line, &path, index + 1)).transpose()
    }
}

impl ReviewedPhoto {
    fn of(
        dataset: &Dataset,
        record: &ImageRecord,
        verdict_by_rules: Verdict,
    ) -> Result<Self, DatasetError> {
        Ok(Self {
            record: record.clone(),
            verdict_by_rules,
            decision: dataset.decision(record).cloned(),
            caption: caption(dataset, record)?,
            crops: crop_choices::choices(record),
        })
    }
}

/// The text of a file; none is empty.
fn read(path: &Path) -> Result<String, DatasetError> {
    match fs::read_to_string(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
        result => result.map_err(|source| DatasetError::Read { path: path.into(), source }),
    }
}

fn appended(before: &str, decision: &Decision) -> String {
    let end = if before.is_empty() || before.ends_with('\n') { "" } else { "\n" };
    let line = serde_json::to_string(decision).expect("a decision has only text and numbers");
    format!("{before}{end}{line}\n")
}

/// The photo with that sha256; of copies the one that is kept.
fn photo<'a>(dataset: &'a Dataset, sha256: &str) -> Result<&'a ImageRecord, DatasetError> {
    let copies = decisions::copies(&dataset.images);
    let mut shown = dataset.images.iter().zip(copies).filter(|(_, copy)| !copy);
    let found = shown.find(|(record, _)| !sha256.is_empty() && record.sha256 == sha256);
    found.map(|(record, _)| record).ok_or(DatasetError::UnknownPhoto { sha256: sha256.into() })
}

/// The caption as it is trained on; `None` where there is none.
fn caption(dataset: &Dataset, record: &ImageRecord) -> Result<Option<String>, DatasetError> {
    if record.caption_file.is_empty() {
        return Ok(None);
    }
    match dataset.caption(record) {
        Err(DatasetError::Read { source, .. }) if source.kind() == ErrorKind::NotFound => Ok(None),
        text => text.map(Some),
    }
}

/// The decision in the form that is written, if it can be.
fn checked(
    mut decision: Decision,
    dataset: &Dataset,
    record: &ImageRecord,
) -> Result<Decision, DatasetError> {
    let refuse = |reason: String, remedy: &'static str| {
        Err(DatasetError::Decision { path: record.path.clone(), reason, remedy })
    };
    let Decision { verdict, caption: text, crop, .. } = &decision;
    if verdict.is_none() && text.is_none() && crop.is_none() {
        return refuse("it says nothing".into(), "give a verdict, a caption or a crop");
    }
    let Some(bucket) = record.bucket else {
        return refuse("the photo cannot be read".into(), "put a readable copy in its place");
    };
    if let Some(Err(why)) = crop.map(|crop| crop.check(record.width, record.height, bucket)) {
        return refuse(why, "choose another part");
    }
    decision.version = FORMAT_VERSION;
    decision.reason = one_line(&decision.reason);
    let Some(text) = &decision.caption else {
        decision.caption_was = None;
        return Ok(decision);
    };
    let text = one_line(text);
    let seen = decision.caption_was.as_deref().unwrap_or_default().trim();
    if caption(dataset, record)?.unwrap_or_default() != seen {
        let what = format!("the caption of `{}`", record.path);
        return Err(DatasetError::ChangedMeanwhile { what });
    }
    if text.is_empty() || text.chars().count() > LONGEST_CAPTION {
        let reason = format!("the caption has {} characters", text.chars().count());
        return refuse(reason, "write 1 to 2000");
    }
    decision.caption_was = dataset.caption_text(record).ok();
    decision.caption = Some(text);
    Ok(decision)
}

/// The text without line breaks, other control characters and space around it.
fn one_line(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    plain.trim().to_owned()
}

#[cfg(test)]
mod tests;
