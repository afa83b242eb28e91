//! What a person overrode: `decisions.jsonl`, one line a decision.

use std::collections::HashMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::FORMAT_VERSION;
use crate::error::DatasetError;
use crate::record::{ImageRecord, Reason, Verdict};

/// The file's name in a dataset.
pub(crate) const FILE: &str = "decisions.jsonl";

/// A person's word on one photo. Of several on the same photo the last one
/// holds; taking its line away undoes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// The version of this format.
    #[serde(default = "version")]
    pub version: u32,
    /// The photo's sha256 in hex.
    pub sha256: String,
    /// What it shall be.
    pub verdict: Verdict,
    /// Why, in the person's words; may be empty.
    #[serde(default)]
    pub reason: String,
}

fn version() -> u32 {
    FORMAT_VERSION
}

/// The holding decision of each photo, by its sha256.
#[derive(Debug, Default)]
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
        let mut all = HashMap::new();
        for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let decision: Decision = serde_json::from_str(line).map_err(|source| {
                let remedy = "correct the line or take it away";
                DatasetError::Json { path: path.clone(), line: index + 1, remedy, source }
            })?;
            if decision.version != FORMAT_VERSION {
                let (found, known) = (decision.version, FORMAT_VERSION);
                return Err(DatasetError::Version { path, found, known });
            }
            all.insert(decision.sha256.to_ascii_lowercase(), decision);
        }
        Ok(Self(all))
    }

    /// The decision on a photo.
    pub fn of(&self, sha256: &str) -> Option<&Decision> {
        self.0.get(sha256)
    }

    /// Puts the person's word over the record's own verdict. A photo without a
    /// crop was never readable and stays dropped.
    pub fn apply(&self, record: &mut ImageRecord) {
        let Some(decision) = self.of(&record.sha256) else {
            return;
        };
        let keeps = decision.verdict != Verdict::Drop;
        if keeps && record.crop.is_none() {
            let message = "a person decided to keep it, but it cannot be read";
            record.notes.push(Reason::plain("decision", message));
            return;
        }
        let done = if keeps { "kept" } else { "dropped" };
        let why = match decision.reason.trim() {
            "" => String::new(),
            reason => format!(": {reason}"),
        };
        let overridden = std::mem::take(&mut record.reasons);
        record.notes.extend(overridden);
        record.reasons = vec![Reason::plain("decision", format!("{done} by a person{why}"))];
        record.verdict = decision.verdict;
    }
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
        assert_eq!(decisions.of("ab").map(|decision| decision.verdict), Some(Verdict::Keep));
        assert!(decisions.of("cd").is_none());
    }

    #[test]
    fn a_broken_line_is_named() {
        let error = decisions("{\"sha256\":\"a\",\"verdict\":\"keep\"}\nnonsense").err();
        let text = error.expect("a broken line").to_string();
        assert!(text.contains("line 2") && text.contains(FILE), "{text}");
    }
}
