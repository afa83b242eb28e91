//! What is known of one photo: a line of `images.jsonl`.

use likeness_faces::Face;
use serde::{Deserialize, Serialize};

use crate::bucket::Bucket;
use crate::crop::Crop;
use crate::measures::Measures;

/// Whether a photo is trained on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It is.
    Keep,
    /// It is, but a person should look first: a measure is doubtful.
    Review,
    /// It is not.
    Drop,
}

impl Verdict {
    /// Its word in the files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Review => "review",
            Self::Drop => "drop",
        }
    }
}

/// A rule that spoke about a photo.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reason {
    /// The rule's name, such as "blurred".
    pub rule: String,
    /// What a person reads.
    pub message: String,
    /// The measured value, where one was measured.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub value: Option<f64>,
    /// The limit that the value crossed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub threshold: Option<f64>,
}

impl Reason {
    /// A reason that rests on no number.
    pub fn plain(rule: &str, message: impl Into<String>) -> Self {
        Self { rule: rule.into(), message: message.into(), value: None, threshold: None }
    }

    /// A reason whose `value` crossed `threshold`.
    pub fn measured(rule: &str, message: impl Into<String>, value: f64, threshold: f64) -> Self {
        let value = Some(rounded(value));
        Self { value, threshold: Some(threshold), ..Self::plain(rule, message) }
    }
}

/// To six decimals: more is noise, and these are read back as they were.
pub(crate) fn rounded(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

/// What is known of one photo.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageRecord {
    /// The version of this format.
    pub version: u32,
    /// The photo's file name in the photos folder.
    pub path: String,
    /// The sha256 of the file in hex; empty where it could not be read.
    pub sha256: String,
    /// Width in pixels after EXIF orientation; 0 where it could not be decoded.
    pub width: u32,
    /// Height in pixels after EXIF orientation; 0 where it could not be decoded.
    pub height: u32,
    /// Whether it is trained on.
    pub verdict: Verdict,
    /// Why it is dropped, what is doubtful, or which person's decision kept it.
    pub reasons: Vec<Reason>,
    /// What is worth knowing but is no reason to drop it.
    #[serde(default)]
    pub notes: Vec<Reason>,
    /// What was measured.
    pub measures: Measures,
    /// The faces in it in pixels after EXIF orientation, largest first.
    pub faces: Vec<Face>,
    /// The part that is trained on, in pixels after EXIF orientation.
    pub crop: Option<Crop>,
    /// The size that the crop is brought to.
    pub bucket: Option<Bucket>,
    /// How many times larger the bucket is than the crop; above 1 is upscaled.
    pub upscale: Option<f64>,
    /// The path of the photo that was kept in place of this one.
    pub duplicate_of: Option<String>,
    /// How often it is trained on beside the other photos, 1 unless some angle or
    /// outfit is in too many of them.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub weight: f64,
    /// The caption's file name in `captions/`; empty where there is none.
    pub caption_file: String,
    /// The sha256 of the caption as it was last written here: another one on
    /// disk is a person's edit.
    pub caption_written_sha256: String,
}

fn one() -> f64 {
    1.0
}

fn is_one(weight: &f64) -> bool {
    *weight == 1.0
}

impl ImageRecord {
    /// Whether it is trained on.
    pub fn is_kept(&self) -> bool {
        self.verdict != Verdict::Drop
    }
}
