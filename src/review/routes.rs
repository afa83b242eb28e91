//! What the page can ask for, behind the token:
//!
//! | | | |
//! | --- | --- | --- |
//! | GET | ``, `review.css`, `*.js`, `icon.svg` | the page |
//! | GET | `api/state?revision=R` | everything, or that nothing changed since R |
//! | GET | `photo/SHA256?side=N` | a photo as a JPEG of at most N pixels |
//! | POST | `api/decision` | a line of `decisions.jsonl` |
//! | POST | `api/undo` | `{"revision": R}`: takes the last line away |
//!
//! An error is `{"error": reason}`.

use likeness_dataset::{DatasetError, Decision};
use serde::Deserialize;
use serde_json::json;

use super::Site;
use super::http::Answer;

/// Sides of previews in pixels: the strip's, and a large screen's.
const SIDES: std::ops::RangeInclusive<u16> = 64..=2048;

const FILES: [(&str, &str, &str); 7] = [
    ("", "text/html; charset=utf-8", include_str!("page/review.html")),
    ("review.css", "text/css; charset=utf-8", include_str!("page/review.css")),
    ("review.js", SCRIPT, include_str!("page/review.js")),
    ("store.js", SCRIPT, include_str!("page/store.js")),
    ("view.js", SCRIPT, include_str!("page/view.js")),
    ("crop.js", SCRIPT, include_str!("page/crop.js")),
    ("icon.svg", "image/svg+xml", include_str!("page/icon.svg")),
];
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// What undoing is asked with.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Undo {
    revision: String,
}

impl Site {
    /// The answer to `method` on `path`, which is behind the token.
    pub(super) fn route(&self, method: &str, path: &str, query: &str, body: &[u8]) -> Answer {
        let writes = matches!(path, "api/decision" | "api/undo");
        let file = FILES.iter().find(|(name, ..)| *name == path);
        let photo = path.strip_prefix("photo/");
        if !writes && file.is_none() && photo.is_none() && path != "api/state" {
            return Answer::refusal(404, "there is no such address");
        }
        let allowed = if writes { "POST" } else { "GET" };
        if method != allowed {
            return Answer::wrong_method(allowed);
        }
        let answer = match (path, file, photo) {
            (_, Some((_, kind, text)), _) => Ok(Answer::file(kind, *text)),
            (_, _, Some(sha256)) => self.photo(sha256, query),
            ("api/decision", ..) => self.decide(body),
            ("api/undo", ..) => self.undo(body),
            _ => self.state(query),
        };
        answer.unwrap_or_else(|error| refusal(&error))
    }

    fn state(&self, query: &str) -> Result<Answer, DatasetError> {
        let revision = self.review.revision()?;
        match value(query, "revision") == Some(&revision) {
            true => Ok(Answer::json(&json!({ "revision": revision, "unchanged": true }))),
            false => Ok(Answer::json(&self.review.read()?)),
        }
    }

    fn photo(&self, sha256: &str, query: &str) -> Result<Answer, DatasetError> {
        let side = value(query, "side").and_then(|side| side.parse().ok()).unwrap_or(2048);
        let side = side.clamp(*SIDES.start(), *SIDES.end());
        let make = || self.review.preview(sha256, side);
        let bytes = self.pictures.get(sha256, side, make)?;
        Ok(Answer::file("image/jpeg", bytes.to_vec()))
    }

    fn decide(&self, body: &[u8]) -> Result<Answer, DatasetError> {
        let decision: Decision = match serde_json::from_slice(body) {
            Ok(decision) => decision,
            Err(error) => return Ok(Answer::refusal(400, &format!("no decision: {error}"))),
        };
        let _writing = self.hold();
        Ok(Answer::json(&self.review.decide(decision)?))
    }

    fn undo(&self, body: &[u8]) -> Result<Answer, DatasetError> {
        let undo: Undo = match serde_json::from_slice(body) {
            Ok(undo) => undo,
            Err(error) => return Ok(Answer::refusal(400, &format!("no revision: {error}"))),
        };
        let _writing = self.hold();
        Ok(Answer::json(&self.review.undo(&undo.revision)?))
    }
}

/// The error with its causes.
fn refusal(error: &DatasetError) -> Answer {
    let status = match error {
        DatasetError::UnknownPhoto { .. } => 404,
        DatasetError::ChangedMeanwhile { .. } | DatasetError::PhotoChanged { .. } => 409,
        DatasetError::Decision { .. } => 422,
        _ => 500,
    };
    let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    let causes: String = causes.map(|cause| format!(" ({cause})")).collect();
    Answer::refusal(status, &format!("{error}{causes}"))
}

/// The value of `name` in a query; no value that is used needs escaping.
fn value<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.filter(|(key, _)| *key == name).map(|(_, value)| value).next()
}
