//! A limit of one measure: what is judged by it, and what a person is told.

use crate::judge::Judgement;
use crate::record::{Reason, Verdict};

/// What a number may be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limit {
    /// The measure's name.
    pub measure: &'static str,
    /// Its unit.
    pub unit: &'static str,
    /// The values that it can have.
    pub range: &'static str,
    /// The rule that it decides.
    pub rule: &'static str,
    /// Whether more is worse; otherwise less is.
    pub more_is_worse: bool,
    /// A person should look beyond this, where there is such a limit.
    pub review: Option<f64>,
    /// It is dropped beyond this, where there is such a limit.
    pub drop: Option<f64>,
    /// What a person reads, before the number.
    pub says: &'static str,
    /// Where the numbers come from.
    pub source: &'static str,
}

/// Where less is worse.
pub(crate) const WORSE_BELOW: Limit = Limit { more_is_worse: false, ..WORSE_ABOVE };
/// Where more is worse.
pub(crate) const WORSE_ABOVE: Limit = Limit {
    measure: "",
    unit: "",
    range: "0 to 1",
    rule: "",
    more_is_worse: true,
    review: None,
    drop: None,
    says: "",
    source: "",
};

impl Judgement {
    /// Records `value`, and what `limit` says of it, or the dataset's own in its place.
    pub fn limited(&mut self, limit: &Limit, value: f64) {
        let limit = self.own.of(limit);
        let Limit { measure, unit, rule, more_is_worse, review, drop, says, .. } = limit;
        let size = if value.is_finite() { value } else { 0.0 };
        let ends = drop.or(review);
        let (lowest, highest) = if more_is_worse { (None, ends) } else { (ends, None) };
        self.measures.add(measure, size, unit, lowest, highest);
        let reason = |end: Option<f64>| {
            let end = end.expect("a limit that was passed is there");
            let message = format!("{says} ({}, limit {})", spoken(size, unit), spoken(end, unit));
            Reason::measured(rule, message, size, end)
        };
        match limit.verdict(size) {
            Verdict::Drop => self.reasons.push(reason(drop)),
            Verdict::Review => self.doubts.push(reason(review)),
            Verdict::Keep => {}
        }
    }

    /// Judges by what a reader is sure of where there is one; of the `measures` of the same flaw then only
    /// what is dropped counts.
    pub fn read_or(&mut self, read: Option<f64>, by: &Limit, measures: &[(&Limit, f64)]) {
        if let Some(share) = read {
            self.limited(by, share);
        }
        for (limit, value) in measures {
            let review = limit.review.filter(|_| read.is_none());
            self.limited(&Limit { review, ..**limit }, *value);
        }
    }
}

impl Limit {
    /// What it says of a value.
    pub fn verdict(&self, value: f64) -> Verdict {
        let judged = judged(self.measure, value);
        let beyond = |end: f64| if self.more_is_worse { judged > end } else { judged < end };
        match (self.drop, self.review) {
            (Some(end), _) if beyond(end) => Verdict::Drop,
            (_, Some(end)) if beyond(end) => Verdict::Review,
            _ => Verdict::Keep,
        }
    }
}

/// A value as a person reads it: to three digits, shares in percent, and with no unit that nobody
/// outside of this program knows.
fn spoken(value: f64, unit: &str) -> String {
    let (value, unit) = match unit {
        "share" => (value * 100.0, " %"),
        "px" => (value, " px"),
        "degrees" => (value, " degrees"),
        _ => (value, ""),
    };
    let whole = if value == 0.0 { 0.0 } else { value.abs().log10().floor() };
    let decimals = (2.0 - whole).clamp(0.0, 6.0) as usize;
    let digits = format!("{value:.decimals$}");
    let short =
        if decimals > 0 { digits.trim_end_matches('0').trim_end_matches('.') } else { &digits };
    format!("{short}{unit}")
}

/// What of a measure's value is judged.
pub(crate) fn judged(measure: &str, value: f64) -> f64 {
    if SIGNED.contains(&measure) { value.abs() } else { value }
}

/// Measures with two sides, judged by their size.
const SIGNED: [&str; 5] = ["yaw", "pitch", "roll", "light_side", "skin_hue"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{ALL, COLOURS, NOISE, YAW};

    #[test]
    fn a_number_is_kept_reviewed_or_dropped() {
        let said = |limit: &Limit, value: f64| {
            let mut said = Judgement::default();
            said.limited(limit, value);
            assert_eq!(said.measures.get(limit.measure), Some(value));
            (said.reasons.len(), said.doubts.len())
        };
        assert_eq!(said(&NOISE, 1.0), (0, 0));
        assert_eq!(said(&NOISE, 15.0), (0, 1));
        assert_eq!(said(&NOISE, 50.0), (1, 0));
        assert_eq!(said(&COLOURS, 9.0), (0, 0));
        assert_eq!(said(&COLOURS, 1.0), (0, 1));
        assert_eq!(said(&YAW, -70.0), (0, 1));
        assert_eq!(said(&YAW, 70.0), (0, 1));
        assert_eq!(said(&YAW, -30.0), (0, 0));
    }

    #[test]
    fn numbers_are_said_in_three_digits_and_shares_in_percent() {
        assert_eq!(spoken(0.029_71, "doublings/px"), "0.0297");
        assert_eq!(spoken(0.9, "share"), "90 %");
        assert_eq!(spoken(0.0, "share"), "0 %");
        assert_eq!(spoken(-66.123, "degrees"), "-66.1 degrees");
        assert_eq!(spoken(1234.5, "px"), "1234 px");
        assert_eq!(spoken(100.0, "of 255"), "100");
        let mut judged = Judgement::default();
        judged.limited(&YAW, -70.25);
        let said = "the head is turned far to the side (-70.2 degrees, limit 68 degrees)";
        assert_eq!(judged.doubts[0].message, said);
    }

    #[test]
    fn every_limit_of_the_table_is_said_in_full() {
        for limit in ALL {
            let Limit { measure, range, rule, says, source, review, drop, .. } = *limit;
            let texts = [measure, range, rule, says, source];
            assert!(texts.iter().all(|text| !text.is_empty()), "{limit:?}");
            assert!(review.or(drop).is_some(), "{measure} has no limit");
            if let (Some(review), Some(drop)) = (review, drop) {
                let order = if limit.more_is_worse { review < drop } else { review > drop };
                assert!(order, "{measure} is dropped before it is reviewed");
            }
        }
    }
}
