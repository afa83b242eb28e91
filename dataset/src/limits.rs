//! The limits of what is judged by one number, as a table.
//!
//! Where a rule came from: "portraits" are 67 photographs (press photos and official portraits),
//! "renders" 128 good ones of 16 characters of the studio and 16 of each flaw at full strength,
//! both found by a detector and measured by this code's formulas. Beyond `review` a person should
//! look; beyond `drop` the photo is not trained on.

use crate::judge::Judgement;
use crate::record::{Reason, Verdict};

/// What a number may be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limit {
    /// The measure's name.
    pub measure: &'static str,
    /// Its unit.
    pub unit: &'static str,
    /// The rule that it decides.
    pub rule: &'static str,
    /// Whether more is worse; otherwise less is.
    pub more_is_worse: bool,
    /// A person should look beyond this.
    pub review: f64,
    /// It is dropped beyond this, where there is such a limit.
    pub drop: Option<f64>,
    /// What a person reads, before the number.
    pub says: &'static str,
}

const WORSE_ABOVE: Limit = Limit {
    measure: "",
    unit: "",
    rule: "",
    more_is_worse: true,
    review: 0.0,
    drop: None,
    says: "",
};

/// Beyond three-quarter views little of a face is left to learn from; detectors lose it at 80.
pub(crate) const YAW: Limit = Limit {
    measure: "yaw",
    unit: "degrees",
    rule: "turned away",
    review: 60.0,
    says: "the head is turned far to the side",
    ..WORSE_ABOVE
};
/// OFIQ (ISO/IEC 29794-5) gives a head that is pitched by 30 degrees three quarters of its score;
/// portraits read -22 to 3, since five points guess pitch badly.
pub(crate) const PITCH: Limit = Limit {
    measure: "pitch",
    unit: "degrees",
    rule: "turned away",
    review: 35.0,
    says: "the head looks far up or down",
    ..WORSE_ABOVE
};
/// Portraits lean by at most 13 degrees.
pub(crate) const ROLL: Limit = Limit {
    measure: "roll",
    unit: "degrees",
    rule: "turned away",
    review: 30.0,
    says: "the head leans far over",
    ..WORSE_ABOVE
};
/// Portraits reach 1.07 but for one of 67, which has 1.8; renders in back light 2.4, a face as a
/// silhouette 2.7 at the median.
pub(crate) const BACKLIGHT: Limit = Limit {
    measure: "backlight",
    unit: "stops",
    rule: "backlit",
    review: 1.8,
    drop: Some(2.4),
    says: "the background is much brighter than the face",
    ..WORSE_ABOVE
};
/// Portraits reach .168 but for one of 67; hard shadows have .207 at the median, as have 4 % of
/// good renders, those in side light.
pub(crate) const SHADOW_EDGE: Limit = Limit {
    measure: "shadow_edge",
    unit: "stops/px",
    rule: "hard shadow",
    review: 0.2,
    says: "a hard shadow crosses the face",
    ..WORSE_ABOVE
};
/// Portraits reach 7.8, good renders in coloured light 24; masks have 33 at the median.
pub(crate) const COVER: Limit = Limit {
    measure: "cover",
    unit: "CIELAB",
    rule: "covered",
    review: 15.0,
    drop: Some(28.0),
    says: "mouth and chin have another colour than the skin, as behind a mask",
    ..WORSE_ABOVE
};
/// Portraits reach .5; dark glasses have .7 and more in six of ten, good renders in 2 %.
pub(crate) const EYES_DARK: Limit = Limit {
    measure: "eyes_dark",
    unit: "share",
    rule: "covered",
    review: 0.7,
    says: "both eyes are dark, as behind dark glasses",
    ..WORSE_ABOVE
};
/// Portraits reach 1.9, renders .2; strong noise has 45, and so has fine detail all over a picture
/// some 8.
pub(crate) const NOISE: Limit = Limit {
    measure: "noise",
    unit: "of 255",
    rule: "noisy",
    review: 10.0,
    drop: Some(20.0),
    says: "the picture is noisy",
    ..WORSE_ABOVE
};
/// Of portraits one, in black and white, has 2.6, all others 3.8 and more; tints have 1.2. Never
/// dropped for it: a drawn character may be black and white.
pub(crate) const COLOURS: Limit = Limit {
    measure: "colours",
    unit: "CIELAB",
    rule: "one tint",
    more_is_worse: false,
    review: 1.6,
    drop: None,
    says: "the picture has one tint or none: a filter, or black and white",
};
/// A frame of one colour would be learned with the face.
pub(crate) const FRAME: Limit = Limit {
    measure: "frame",
    unit: "share",
    rule: "framed",
    review: 0.015,
    says: "bars of one colour frame the picture; crop them away",
    ..WORSE_ABOVE
};

impl Judgement {
    /// Records `value`, and what `limit` says of it.
    pub fn limited(&mut self, limit: &Limit, value: f64) {
        let limit = self.own.of(limit);
        let Limit { measure, unit, rule, more_is_worse, review, drop, says } = limit;
        let size = if value.is_finite() { value } else { 0.0 };
        let ends = drop.unwrap_or(review);
        let (lowest, highest) = if more_is_worse { (None, Some(ends)) } else { (Some(ends), None) };
        self.measures.add(measure, size, unit, lowest, highest);
        let reason = |end: f64| {
            let message = format!("{says} ({size:.2} {unit}, limit {end})");
            Reason::measured(rule, message, size, end)
        };
        match limit.verdict(size) {
            Verdict::Drop => self.reasons.push(reason(ends)),
            Verdict::Review => self.doubts.push(reason(review)),
            Verdict::Keep => {}
        }
    }
}

impl Limit {
    /// What it says of a value.
    pub fn verdict(&self, value: f64) -> Verdict {
        let judged = judged(self.measure, value);
        let beyond = |end: f64| if self.more_is_worse { judged > end } else { judged < end };
        match self.drop {
            Some(end) if beyond(end) => Verdict::Drop,
            _ if beyond(self.review) => Verdict::Review,
            _ => Verdict::Keep,
        }
    }
}

/// What of a measure's value is judged.
pub(crate) fn judged(measure: &str, value: f64) -> f64 {
    if SIGNED.contains(&measure) { value.abs() } else { value }
}

/// Measures with two sides, judged by their size.
const SIGNED: [&str; 3] = ["yaw", "pitch", "roll"];

#[cfg(test)]
mod tests {
    use super::*;

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
}
