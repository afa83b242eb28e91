//! Who is seen: an identity that no scene changes.

pub(crate) mod describe;
pub(crate) mod looks;
mod numbers;
pub(crate) mod traits;

use serde::{Deserialize, Serialize};

use traits::Traits;

/// A character: a seed and the traits that follow from it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Character {
    /// What it was drawn from.
    pub seed: u64,
    /// What it looks like; free to change, the seed is not read again but for freckles.
    pub traits: Traits,
}

impl Character {
    /// The character of `seed`.
    pub fn from_seed(seed: u64) -> Self {
        Self { seed, traits: Traits::drawn(seed) }
    }
}
