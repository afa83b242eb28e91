//! What a person overrode: `decisions.jsonl`, one line a decision.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use serde::de::Error as _;
use serde::{Deserialize, Serialize};

use crate::FORMAT_VERSION;
use crate::crop::Crop;
use crate::error::DatasetError;
use crate::record::{ImageRecord, Reason, Verdict, rounded};

/// The file's name in a dataset.
pub(crate) const FILE: &str = "decisions.jsonl";

/// A person's word on one photo: a line of `decisions.jsonl`. Of several lines
/// on the same photo the last verdict, the last caption and the last crop hold;
/// taking a line away undoes it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// The version of this format.
    #[serde(default = "version")]
    pub version: u32,
    /// The photo's sha256 in hex.
    pub sha256: String,
    /// What it shall be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// Why that verdict, in the person's words; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// What its caption shall be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caption: Option<String>,
    /// The bytes of the caption's file before, which undoing brings back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caption_was: Option<String>,
    /// Which part shall be trained on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crop: Option<Crop>,
}

/// Creates the file in the dataset `dir` where there is none.
pub(crate) fn create(dir: &Path) -> Result<(), DatasetError> {
    let path = dir.join(FILE);
    match std::fs::File::create_new(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            Err(DatasetError::Write { path, source: error })
        }
        _ => Ok(()),
    }
}

fn version() -> u32 {
    FORMAT_VERSION
}

impl Decision {
    /// Lays the later decision `other` on the same photo over this one.
    fn overlay(&mut self, other: Self) {
        if other.verdict.is_some() {
            self.verdict = other.verdict;
            self.reason = other.reason;
        }
        self.caption = other.caption.or(self.caption.take());
        self.crop = other.crop.or(self.crop);
    }
}

/// What holds of all decisions, by the photos' sha256.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Decisions(HashMap<String, Decision>);

impl Decisions {
    /// Reads those of the dataset `dir`; without the file there are none.
    pub fn read(dir: &Path) -> Result<Self, DatasetError> {
        let path = dir.join(FILE);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(source) => return Err(DatasetError::Read { path, source }),
        };
        let mut all: HashMap<String, Decision> = HashMap::new();
        for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let mut decision = parse(line, &path, index + 1)?;
            decision.sha256.make_ascii_lowercase();
            match all.get_mut(&decision.sha256) {
                Some(before) => before.overlay(decision),
                None => {
                    all.insert(decision.sha256.clone(), decision);
                }
            }
        }
        Ok(Self(all))
    }

    /// What was decided on a photo.
    pub fn of(&self, sha256: &str) -> Option<&Decision> {
        self.0.get(sha256)
    }

    /// The verdict on a photo, where there is one.
    pub fn verdict_of(&self, sha256: &str) -> Option<Verdict> {
        self.of(sha256)?.verdict
    }

    /// The caption of a photo, where one was decided.
    pub fn caption_of(&self, sha256: &str) -> Option<&str> {
        self.of(sha256)?.caption.as_deref()
    }

    /// `record` with the crop that a person chose: what its caption is about.
    pub fn with_crop(&self, record: &ImageRecord) -> ImageRecord {
        let mut record = record.clone();
        if let Some(crop) = self.of(&record.sha256).and_then(|decision| decision.crop) {
            set_crop(&mut record, crop);
        }
        record
    }

    /// Puts the person's word over the records of a set, and gives back those that it is about as
    /// they were, by their places. A copy of the very
    /// same file stays dropped: the decision is about the one that was kept.
    pub fn apply(&self, records: &mut [ImageRecord]) -> BTreeMap<usize, ImageRecord> {
        let (copies, mut before) = (copies(records), BTreeMap::new());
        for (index, (record, copy)) in records.iter_mut().zip(copies).enumerate() {
            let Some(decision) = self.of(&record.sha256) else {
                continue;
            };
            before.insert(index, record.clone());
            if let Some(verdict) = decision.verdict.filter(|v| !copy || *v == Verdict::Drop) {
                set_verdict(record, verdict, &decision.reason);
            }
            if let Some(crop) = decision.crop {
                set_crop(record, crop);
            }
        }
        before
    }
}

/// Which records are copies of the same file as the one that was kept.
pub(crate) fn copies(records: &[ImageRecord]) -> Vec<bool> {
    let by_path: HashMap<&str, &str> =
        records.iter().map(|record| (record.path.as_str(), record.sha256.as_str())).collect();
    let is_copy = |record: &ImageRecord| {
        let kept = record.duplicate_of.as_deref().and_then(|of| by_path.get(of));
        kept.is_some_and(|sha256| *sha256 == record.sha256)
    };
    records.iter().map(is_copy).collect()
}

/// The decision in line `number` of the file `path`.
pub(crate) fn parse(line: &str, path: &Path, number: usize) -> Result<Decision, DatasetError> {
    let decides = |decision: Decision| {
        let something = decision.verdict.is_some() || decision.caption.is_some();
        match something || decision.crop.is_some() {
            true => Ok(decision),
            false => Err(serde_json::Error::custom("it has no verdict, caption or crop")),
        }
    };
    let decision = serde_json::from_str(line).and_then(decides).map_err(|source| {
        let remedy = "correct the line or take it away";
        DatasetError::Json { path: path.into(), line: number, remedy, source }
    })?;
    if decision.version != FORMAT_VERSION {
        let (found, known) = (decision.version, FORMAT_VERSION);
        return Err(DatasetError::Version { path: path.into(), found, known });
    }
    Ok(decision)
}

/// A photo without a crop was never readable and stays dropped.
fn set_verdict(record: &mut ImageRecord, verdict: Verdict, reason: &str) {
    if verdict != Verdict::Drop && record.crop.is_none() {
        let message = "a person decided to keep it, but it cannot be read";
        record.notes.push(Reason::plain("decision", message));
        return;
    }
    let done = match verdict {
        Verdict::Keep => "kept",
        Verdict::Review => "put aside for review",
        Verdict::Drop => "dropped",
    };
    let why = match reason.trim() {
        "" => String::new(),
        reason => format!(": {reason}"),
    };
    let overridden = std::mem::take(&mut record.reasons);
    record.notes.extend(overridden);
    record.reasons = vec![Reason::plain("decision", format!("{done} by a person{why}"))];
    record.verdict = verdict;
}

/// A crop holds as long as it fits the photo and its bucket's aspect.
fn set_crop(record: &mut ImageRecord, crop: Crop) {
    let (Some(_), Some(bucket)) = (record.crop, record.bucket) else {
        return;
    };
    if let Err(why) = crop.check(record.width, record.height, bucket) {
        let message = format!("the crop that a person chose is not used: {why}; choose it again");
        record.notes.push(Reason::plain("decision", message));
        return;
    }
    record.crop = Some(crop);
    record.upscale = Some(rounded(crop.upscale(bucket)));
    record.notes.retain(|note| note.rule != "enlarged");
    record.notes.extend(crop.enlarged(bucket));
    record.notes.push(Reason::plain("decision", "the crop was chosen by a person"));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decisions(text: &str) -> Result<Decisions, DatasetError> {
        let dir = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(dir.path().join(FILE), text).expect("a file in it");
        Decisions::read(dir.path())
    }

    #[test]
    fn the_last_word_on_a_photo_holds() {
        let text = "{\"sha256\":\"AB\",\"verdict\":\"drop\",\"reason\":\"x\"}\n\n\
                    {\"sha256\":\"ab\",\"verdict\":\"keep\"}\n";
        let decisions = decisions(text).expect("two decisions");
        assert_eq!(decisions.verdict_of("ab"), Some(Verdict::Keep));
        assert_eq!(decisions.of("ab").map(|decision| decision.reason.as_str()), Some(""));
        assert!(decisions.of("cd").is_none());
    }

    #[test]
    fn verdict_caption_and_crop_hold_each_by_itself() {
        let text = "{\"sha256\":\"ab\",\"caption\":\"one\"}\n\
                    {\"sha256\":\"ab\",\"verdict\":\"drop\",\"reason\":\"blurred\"}\n\
                    {\"sha256\":\"ab\",\"crop\":{\"x\":1,\"y\":2,\"width\":30,\"height\":40}}\n\
                    {\"sha256\":\"ab\",\"caption\":\"two\",\"caption_was\":\"one\"}\n";
        let decisions = decisions(text).expect("four decisions");
        let holds = decisions.of("ab").expect("one photo");
        assert_eq!((holds.verdict, holds.reason.as_str()), (Some(Verdict::Drop), "blurred"));
        assert_eq!(holds.caption.as_deref(), Some("two"));
        assert_eq!(holds.crop, Some(Crop { x: 1, y: 2, width: 30, height: 40 }));
    }

    #[test]
    fn a_broken_line_is_named() {
        let nothing = "{\"sha256\":\"a\",\"reason\":\"none\"}";
        for (broken, why) in [("nonsense", "expected"), (nothing, "no verdict, caption or crop")] {
            let text = format!("{{\"sha256\":\"a\",\"verdict\":\"keep\"}}\n{broken}");
            let error = decisions(&text).expect_err("a broken line");
            let shown = error.to_string();
            assert!(shown.contains("line 2") && shown.contains(FILE), "{shown}");
            let cause = std::error::Error::source(&error).expect("a cause").to_string();
            assert!(cause.contains(why), "{cause}");
        }
    }
}
