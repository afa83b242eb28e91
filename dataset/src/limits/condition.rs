//! The limits of what a reader of faces is sure of ([`crate::condition::Condition`]).
//!
//! Where it tells of a flaw, its word decides what is reviewed in place of the measures of that flaw.

use crate::limit::{Limit, WORSE_ABOVE};
use crate::measures::Measures;

const SOURCE: &str =
    "from here on it is more likely than not; how often it errs is up to the reader";

pub(crate) const READ_EYES_CLOSED: Limit = Limit {
    measure: "read_eyes_closed",
    unit: "share",
    rule: "eyes closed",
    review: Some(0.6),
    says: "an eye is closed, says the reader of faces",
    source: "of renders 92.5 % of closed eyes have more and .3 % of clean ones; at one half 93.0 and .8 %",
    ..WORSE_ABOVE
};

pub(crate) const READ_COVERED: Limit = Limit {
    measure: "read_covered",
    unit: "share",
    rule: "covered",
    review: Some(0.5),
    says: "something is before the face, says the reader of faces",
    source: SOURCE,
    ..WORSE_ABOVE
};

pub(crate) const READ_HARD_SHADOW: Limit = Limit {
    measure: "read_hard_shadow",
    unit: "share",
    rule: "hard shadow",
    review: Some(0.8),
    says: "a hard shadow crosses the face, says the reader of faces",
    source: "of renders 96.5 % of hard shadows have more and .3 % of clean ones; at one half 98.5 and .7 %",
    ..WORSE_ABOVE
};

pub(crate) const READ_BACKLIT: Limit = Limit {
    measure: "read_backlit",
    unit: "share",
    rule: "backlit",
    review: Some(0.85),
    says: "the light comes from behind, says the reader of faces",
    source: "of renders in back light, some are none the worse for it: 96 % of it as a flaw has more and .3 % of clean ones, at one half 97.5 and 1.2 %",
    ..WORSE_ABOVE
};

pub(crate) const READ_OVERDONE: Limit = Limit {
    measure: "read_overdone",
    unit: "share",
    rule: "extreme expression",
    review: Some(0.7),
    says: "the expression is overdone, says the reader of faces",
    source: "of renders 91.5 % of overdone expressions have more and .8 % of clean ones; at one half 94.5 and 1.3 %",
    ..WORSE_ABOVE
};

const READ: [&Limit; 5] =
    [&READ_EYES_CLOSED, &READ_COVERED, &READ_HARD_SHADOW, &READ_BACKLIT, &READ_OVERDONE];

/// Whether a reader has told of the flaw of `limit`, so that its measure is not reviewed.
pub(crate) fn is_overruled(limit: &Limit, measures: &Measures) -> bool {
    let same = |read: &Limit| {
        let shadows = read.rule == "hard shadow" && limit.rule == "one-sided light";
        read.measure != limit.measure && (read.rule == limit.rule || shadows)
    };
    READ.iter().any(|read| same(read) && measures.get(read.measure).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::Judgement;
    use crate::limits::{LIGHT_SIDE, MOUTH_SEEN, NOISE};

    #[test]
    fn a_reader_decides_what_is_reviewed_and_measures_what_is_dropped() {
        let said = |read: Option<f64>, mouth: f64| {
            let mut said = Judgement::default();
            said.read_or(read, &READ_COVERED, &[(&MOUTH_SEEN, mouth)]);
            assert_eq!(said.measures.get("mouth_seen"), Some(mouth));
            (said.reasons.len(), said.doubts.len())
        };
        assert_eq!(said(None, 0.05), (0, 1), "without a reader the measure decides");
        assert_eq!(said(Some(0.1), 0.05), (0, 0));
        assert_eq!(said(Some(0.9), 0.3), (0, 1));
        assert_eq!(said(Some(0.1), 0.01), (1, 0), "what is dropped stays dropped");
    }

    #[test]
    fn a_measure_is_overruled_by_what_was_read_of_its_flaw() {
        let mut measures = Measures::default();
        measures.add("read_hard_shadow", 0.1, "share", None, None);
        let overruled = [&LIGHT_SIDE, &MOUTH_SEEN, &NOISE, &READ_HARD_SHADOW]
            .map(|l| is_overruled(l, &measures));
        assert_eq!(overruled, [true, false, false, false]);
    }
}
