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
            let space = if unit.is_empty() { "" } else { " " };
            let message = format!("{says} ({size:.2}{space}{unit}, limit {end})");
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
