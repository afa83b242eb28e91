//! Whether an adapter may be handed on: thresholds, and what they decided.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::bootstrap::Interval;
use crate::error::Error;

/// What an adapter must reach.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Thresholds {
    /// The lower end of the adapter's mean NIS must reach this; 0 to 1, default 0.70.
    pub min_nis: f64,
    /// The share of the adapter's images with a face must reach this; 0 to 1, default 0.90.
    pub min_face_rate: f64,
    /// What the class word without the trigger may gain in mean NIS; 0 to 1, default 0.15.
    pub max_leak: f64,
    /// Least distance of ceiling and floor, as cosine, for a NIS to mean anything; default 0.05.
    pub min_separation: f64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self { min_nis: 0.70, min_face_rate: 0.90, max_leak: 0.15, min_separation: 0.05 }
    }
}

impl Thresholds {
    /// Refuses thresholds that nothing, or anything, would pass.
    pub fn check(&self) -> Result<(), Error> {
        for (name, value) in [
            ("min_nis", self.min_nis),
            ("min_face_rate", self.min_face_rate),
            ("max_leak", self.max_leak),
            ("min_separation", self.min_separation),
        ] {
            if !(0.0..=1.0).contains(&value) || (name == "min_separation" && value < 0.01) {
                return Err(Error::Plan {
                    problem: format!("threshold `{name}` cannot be `{value}`"),
                    remedy: "give a share between 0 and 1, and a separation of at least 0.01",
                });
            }
        }
        Ok(())
    }
}

/// What the gate decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Outcome {
    /// Every threshold is reached.
    Pass,
    /// A threshold is missed beyond doubt.
    Fail,
    /// A threshold lies inside its interval, or could not be measured.
    Inconclusive,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pass => "PASS",
            Self::Fail => "FAIL",
            Self::Inconclusive => "INCONCLUSIVE",
        })
    }
}

/// The gate's decision and its reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gate {
    /// What was decided.
    pub outcome: Outcome,
    /// Why, in words.
    pub reason: String,
}

impl Gate {
    /// Decides on the adapter's mean NIS, its face rate, and the leak where it was measured.
    ///
    /// The NIS passes by its lower end, face rate and leak by their means; each
    /// fails when its whole interval lies on the wrong side. A FAIL outweighs all else.
    pub fn decide(
        nis: &Interval,
        face_rate: &Interval,
        leak: Option<&Interval>,
        thresholds: &Thresholds,
    ) -> Self {
        let mut parts = vec![
            judge("mean NIS", nis, nis.low, thresholds.min_nis),
            judge("face rate", face_rate, face_rate.mean, thresholds.min_face_rate),
        ];
        parts.extend(leak.map(|leak| limit("leak", leak, thresholds.max_leak)));
        let any = |outcome| parts.iter().any(|(found, _)| *found == outcome);
        let outcome = [Outcome::Fail, Outcome::Inconclusive]
            .into_iter()
            .find(|outcome| any(*outcome))
            .unwrap_or(Outcome::Pass);
        let reasons: Vec<&str> = parts.iter().map(|(_, reason)| reason.as_str()).collect();
        Self { outcome, reason: reasons.join("; ") }
    }

    /// No decision, for want of a measure.
    pub fn unmeasured(reason: &str) -> Self {
        let reason = format!("identity could not be measured: {reason}");
        Self { outcome: Outcome::Inconclusive, reason }
    }
}

/// As [`judge`], of something that must not be above `most`.
fn limit(name: &str, interval: &Interval, most: f64) -> (Outcome, String) {
    let (outcome, words) = if interval.mean <= most {
        (Outcome::Pass, "stays within")
    } else if interval.low > most {
        (Outcome::Fail, "exceeds")
    } else {
        (Outcome::Inconclusive, "cannot be told from")
    };
    (outcome, format!("{name} {interval} {words} {most:.2}"))
}

fn judge(name: &str, interval: &Interval, decisive: f64, threshold: f64) -> (Outcome, String) {
    let (outcome, words) = if decisive >= threshold {
        (Outcome::Pass, "reaches")
    } else if interval.high < threshold {
        (Outcome::Fail, "misses")
    } else {
        (Outcome::Inconclusive, "cannot be told from")
    };
    (outcome, format!("{name} {interval} {words} {threshold:.2}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(nis: [f64; 3], rate: [f64; 3]) -> Outcome {
        let interval = |[low, mean, high]: [f64; 3]| Interval { mean, low, high };
        Gate::decide(&interval(nis), &interval(rate), None, &Thresholds::default()).outcome
    }

    #[test]
    fn a_gate_passes_fails_or_says_that_it_cannot_tell() {
        let (good, all) = ([0.75, 0.8, 0.85], [1.0, 1.0, 1.0]);
        assert_eq!(outcome(good, all), Outcome::Pass);
        assert_eq!(outcome([0.65, 0.72, 0.8], all), Outcome::Inconclusive);
        assert_eq!(outcome([0.2, 0.3, 0.4], all), Outcome::Fail);
        assert_eq!(outcome(good, [0.86, 0.95, 1.0]), Outcome::Pass);
        assert_eq!(outcome(good, [0.8, 0.88, 0.95]), Outcome::Inconclusive);
        assert_eq!(outcome([0.65, 0.72, 0.8], [0.1, 0.2, 0.3]), Outcome::Fail);
    }

    #[test]
    fn a_leak_that_is_proven_fails_and_one_that_may_be_none_does_not_pass() {
        let sure = Interval { mean: 1.0, low: 1.0, high: 1.0 };
        let outcome = |low, mean, high| {
            let leak = Interval { mean, low, high };
            Gate::decide(&sure, &sure, Some(&leak), &Thresholds::default()).outcome
        };
        assert_eq!(outcome(-0.1, 0.05, 0.2), Outcome::Pass);
        assert_eq!(outcome(0.1, 0.2, 0.3), Outcome::Inconclusive);
        assert_eq!(outcome(0.2, 0.3, 0.4), Outcome::Fail);
    }

    #[test]
    fn the_reason_says_the_numbers() {
        let nis = Interval { mean: 0.31, low: 0.2, high: 0.4 };
        let rate = Interval { mean: 1.0, low: 1.0, high: 1.0 };
        let gate = Gate::decide(&nis, &rate, None, &Thresholds::default());
        assert_eq!(
            gate.reason,
            "mean NIS 0.31 [0.20, 0.40] misses 0.70; face rate 1.00 [1.00, 1.00] reaches 0.90"
        );
    }

    #[test]
    fn senseless_thresholds_are_refused() {
        let bad = |t: Thresholds| t.check().is_err();
        assert!(bad(Thresholds { min_nis: f64::NAN, ..Default::default() }));
        assert!(bad(Thresholds { min_face_rate: 90.0, ..Default::default() }));
        assert!(bad(Thresholds { max_leak: 15.0, ..Default::default() }));
        assert!(bad(Thresholds { min_separation: 0.0, ..Default::default() }));
        Thresholds::default().check().expect("the defaults hold");
    }
}
