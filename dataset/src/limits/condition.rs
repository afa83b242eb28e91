//! The limits of what a reader of faces is sure of ([`crate::condition::Condition`]).
//!
//! Where it tells of a flaw, its word decides what is reviewed in place of the measures of that flaw.

use crate::limit::{Limit, WORSE_ABOVE};

const SOURCE: &str = "above it the reader errs on at most 1 % of renders without the flaw";

pub(crate) const READ_EYES_CLOSED: Limit = Limit {
    measure: "read_eyes_closed",
    unit: "share",
    rule: "eyes closed",
    review: Some(0.5),
    says: "an eye is closed, says the reader of faces",
    source: SOURCE,
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
    review: Some(0.5),
    says: "a hard shadow crosses the face, says the reader of faces",
    source: SOURCE,
    ..WORSE_ABOVE
};

pub(crate) const READ_BACKLIT: Limit = Limit {
    measure: "read_backlit",
    unit: "share",
    rule: "backlit",
    review: Some(0.5),
    says: "the light comes from behind, says the reader of faces",
    source: SOURCE,
    ..WORSE_ABOVE
};

pub(crate) const READ_OVERDONE: Limit = Limit {
    measure: "read_overdone",
    unit: "share",
    rule: "extreme expression",
    review: Some(0.5),
    says: "the expression is overdone, says the reader of faces",
    source: SOURCE,
    ..WORSE_ABOVE
};
