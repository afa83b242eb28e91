//! What a paired difference says, in a word.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::bootstrap::Interval;

/// Whether the adapter is more alike to the references than the bare base.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// The whole interval of the paired difference lies above 0.
    #[serde(rename = "improves")]
    Improves,
    /// The whole interval lies below 0.
    #[serde(rename = "worsens")]
    Worsens,
    /// The interval holds 0.
    #[serde(rename = "no difference")]
    NoDifference,
}

impl Verdict {
    /// Reads the interval of the paired difference, adapter minus base.
    pub fn of(difference: &Interval) -> Self {
        if difference.low > 0.0 {
            Self::Improves
        } else if difference.high < 0.0 {
            Self::Worsens
        } else {
            Self::NoDifference
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Improves => "improves",
            Self::Worsens => "worsens",
            Self::NoDifference => "no difference",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_interval_clear_of_zero_is_a_difference() {
        let verdict = |low, high| Verdict::of(&Interval { mean: (low + high) / 2.0, low, high });
        assert_eq!(verdict(0.01, 0.2), Verdict::Improves);
        assert_eq!(verdict(-0.2, -0.01), Verdict::Worsens);
        assert_eq!(verdict(-0.01, 0.2), Verdict::NoDifference);
        assert_eq!(verdict(0.0, 0.2), Verdict::NoDifference);
        assert_eq!(verdict(0.0, 0.0).to_string(), "no difference");
    }
}
