//! `scores.json`: everything that was measured, and the images it stands on.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::bootstrap::Interval;
use crate::error::Error;
use crate::gallery::Nearest;
use crate::gate::{Gate, Thresholds};
use crate::painter::Arm;
use crate::plan::Recipe;
use crate::readings::Reading;
use crate::scale::Scale;
use crate::verdict::Verdict;

/// The version of `scores.json` that this crate writes and reads.
pub const SCORES_VERSION: u32 = 2;

/// The result of an evaluation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scores {
    /// Format version, [`SCORES_VERSION`].
    pub version: u32,
    /// The program and version that wrote this.
    pub tool: String,
    /// When, in the caller's words.
    pub generated_at: String,
    /// sha256 of `recipe`.
    pub plan_hash: String,
    /// What was painted, with the hashes of adapter and base.
    pub recipe: Recipe,
    /// The face encoder; scores of different encoders cannot be compared. `None` without one.
    pub encoder: Option<String>,
    /// What the adapter had to reach.
    pub thresholds: Thresholds,
    /// Whether it did.
    pub gate: Gate,
    /// The identity score; `None` where it could not be measured.
    pub identity: Option<IdentityScores>,
    /// What the class word shows of the character; `None` where it could not be measured.
    pub leak: Option<Leak>,
    /// Whether pictures show what is asked for, an axis each; empty without a reader.
    pub readings: Vec<Reading>,
    /// Base, class word with the adapter, and adapter.
    pub arms: Vec<ArmScores>,
    /// The scenes, in the suite's order.
    pub prompts: Vec<PromptScores>,
    /// The references, in the caller's order.
    pub references: Vec<ReferenceRecord>,
    /// Highest cosine between two references: an image closer to one of them than this may be a
    /// copy. `None` without a judge.
    pub closest_references: Option<f64>,
    /// What to know before trusting the numbers, in sentences.
    pub warnings: Vec<String>,
    /// What could not be measured and why, in sentences.
    pub unmeasured: Vec<String>,
    /// Every image: base, class, then adapter; by prompt, then seed.
    pub images: Vec<ImageRecord>,
}

impl Scores {
    /// Reads a `scores.json`.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let io = |source| Error::Io { path: path.to_owned(), source };
        let json = |source| Error::Json { path: path.to_owned(), source };
        let scores: Self =
            serde_json::from_slice(&std::fs::read(path).map_err(io)?).map_err(json)?;
        if scores.version != SCORES_VERSION {
            let (path, version) = (path.to_owned(), scores.version);
            return Err(Error::ScoresVersion { path, version });
        }
        Ok(scores)
    }

    /// The scores as indented JSON.
    pub fn to_json(&self) -> String {
        let mut text =
            serde_json::to_string_pretty(self).expect("string keys and numbers are always JSON");
        text.push('\n');
        text
    }

    /// The scores of one arm.
    pub fn arm(&self, arm: Arm) -> Option<&ArmScores> {
        self.arms.iter().find(|scores| scores.arm == arm)
    }
}

/// What the comparison of both arms says of identity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdentityScores {
    /// Floor and ceiling of the score.
    pub scale: Scale,
    /// Adapter minus base in NIS, paired by prompt and seed.
    pub difference: Interval,
    /// What that difference says.
    pub verdict: Verdict,
}

/// How much of the character the class word shows without the trigger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Leak {
    /// NIS with the adapter and the class word less that of the bare base, paired by prompt.
    pub difference: Interval,
}

/// One arm in numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArmScores {
    /// Which.
    pub arm: Arm,
    /// Images painted.
    pub images: usize,
    /// Images with a face; `None` without a judge.
    pub faces: Option<usize>,
    /// Share of images with a face, 0 to 1; `None` without a judge.
    pub face_rate: Option<Interval>,
    /// Mean raw cosine of the images with a face, -1 to 1; `None` without one.
    pub cosine: Option<f64>,
    /// Mean NIS, images without a face counted as 0; `None` where it could not be measured.
    pub nis: Option<Interval>,
}

/// One scene in numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PromptScores {
    /// The prompt's name.
    pub name: String,
    /// The prompt's text, with `{subject}`.
    pub text: String,
    /// Mean NIS of the bare base; `None` where it could not be measured.
    pub base_nis: Option<f64>,
    /// Mean NIS of the adapter; `None` where it could not be measured.
    pub adapter_nis: Option<f64>,
    /// Images of the bare base with a face; `None` without a judge.
    pub base_faces: Option<usize>,
    /// Images of the adapter with a face; `None` without a judge.
    pub adapter_faces: Option<usize>,
}

/// One reference.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReferenceRecord {
    /// Its name.
    pub name: String,
    /// Whether a face was found; `None` without a judge.
    pub face: Option<bool>,
    /// Cosine to the centroid of the other references; `None` without a face.
    pub leave_one_out: Option<f64>,
}

/// One image.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageRecord {
    /// Name of its prompt.
    pub prompt: String,
    /// The prompt as painted.
    pub text: String,
    /// Which of the prompt's seeds, from 1.
    pub replicate: usize,
    /// Seed of the start noise.
    pub seed: u64,
    /// Its arm.
    pub arm: Arm,
    /// The file, relative to this one.
    pub file: String,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Whether a face was found; `None` without a judge.
    pub face: Option<bool>,
    /// The face's box in pixels: left, top, width, height; `None` without a face.
    pub bbox: Option<[f32; 4]>,
    /// Cosine to the references' centroid, -1 to 1; `None` without a face.
    pub cosine: Option<f64>,
    /// NIS, 0 where no face was found; `None` where it could not be measured.
    pub nis: Option<f64>,
    /// The most alike reference; `None` without a face.
    pub nearest: Option<Nearest>,
}
