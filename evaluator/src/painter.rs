//! Who paints: one image a shot.

use image::RgbImage;
use serde::{Deserialize, Serialize};

use crate::error::Error;

/// One side of the comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Arm {
    /// The bare base, with the class word alone as the subject.
    Base,
    /// The base with the LoRA, with the class word alone: what shows of the character leaked.
    Class,
    /// The base with the LoRA, with the trigger before the class word.
    Adapter,
}

impl Arm {
    /// All arms, in the order in which they are painted.
    pub const ALL: [Self; 3] = [Self::Base, Self::Class, Self::Adapter];

    /// `base`, `class` or `adapter`, as in file names.
    pub fn name(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::Class => "class",
            Self::Adapter => "adapter",
        }
    }
}

/// What to paint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shot {
    /// The prompt, its subject filled in.
    pub prompt: String,
    /// The negative prompt; may be empty.
    pub negative: String,
    /// Seed of the start noise, below 2^32; the same for all arms of a prompt.
    pub seed: u64,
    /// With the adapter or without.
    pub arm: Arm,
}

/// Makes images.
pub trait Painter {
    /// Paints `shot`: the same shot always gives the same image.
    ///
    /// The noise that sampling starts from must follow from the seed alone,
    /// not from the arm, or the pairs are none.
    fn paint(&mut self, shot: &Shot) -> Result<RgbImage, Error>;
}
