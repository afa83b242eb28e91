//! What the photos of a set show, and what is missing, in words that one can act on.
//!
//! The numbers wanted are a proposal for sets of 10 to 20: two of each angle, so that one may still
//! be dropped; three outfits and places, so that neither is learned with the face.

use serde::Serialize;

use crate::record::ImageRecord;
use crate::set::shown::{Axis, Shown};

/// What the kept photos of a set show.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Coverage {
    /// What photos differ in, as far as it was measured.
    pub axes: Vec<AxisCoverage>,
    /// What is missing.
    pub missing: Vec<Missing>,
}

/// How the photos differ in one thing.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AxisCoverage {
    /// "angle", "framing", "light", "tilt", "expression", "outfit" or "background".
    pub axis: &'static str,
    /// The classes, the most frequent first.
    pub classes: Vec<ClassCoverage>,
}

/// How many photos are of a class.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassCoverage {
    /// Its name, such as "profile facing left".
    pub class: String,
    /// How many kept photos have it.
    pub photos: usize,
}

/// Something that a set lacks.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Missing {
    /// In what.
    pub axis: &'static str,
    /// What is wanted, such as "profile facing left" or "another outfit".
    pub wanted: String,
    /// How many photos to add.
    pub shoot: usize,
    /// What a person reads.
    pub text: String,
}

/// Classes that a set should have: axis, class, how many, and how to get it.
const WANTED: [(Axis, &str, usize, &str); 14] = [
    (Axis::Angle, "front view", 2, ""),
    (Axis::Angle, "three-quarter view facing left", 2, "turn the head halfway to the side"),
    (Axis::Angle, "three-quarter view facing right", 2, "turn the head halfway to the side"),
    (Axis::Angle, "profile facing left", 2, "turn the head until the far eye is nearly hidden"),
    (Axis::Angle, "profile facing right", 2, "turn the head until the far eye is nearly hidden"),
    (Axis::Framing, "a close-up", 2, "the face fills more than half of the height"),
    (Axis::Framing, "a portrait", 2, "head and shoulders"),
    (Axis::Framing, "a half-figure photo", 2, "down to the waist"),
    (Axis::Framing, "a full-figure photo", 1, "from head to feet"),
    (Axis::Light, "even light", 2, "in open shade or facing a large window"),
    (Axis::Light, "light from the left", 1, "with a window to the picture's left"),
    (Axis::Light, "light from the right", 1, "with a window to the picture's right"),
    (Axis::Expression, "smiling", 2, ""),
    (Axis::Expression, "neutral", 2, "a calm face with closed lips"),
];
/// Axes on which it only matters that there are several classes, and what one is called.
const VARIED: [(Axis, &str); 2] = [(Axis::Outfit, "outfit"), (Axis::Background, "background")];
const LEAST_CLASSES: usize = 3;
const DOMINATES: f64 = 0.6; // the share of one outfit or place from which it is learned with the face
const LEAST_PHOTOS: usize = 4; // of which an axis is known, before anything is said of it
const KNOWN: f64 = 0.5; // the share of the photos of which an expression has to be known

impl Coverage {
    /// What `kept` show; `caption` reads the caption of one.
    pub(crate) fn of(
        kept: &[&ImageRecord],
        caption: &dyn Fn(&ImageRecord) -> Option<String>,
    ) -> Self {
        let shown = Shown::of(kept, caption);
        let mut coverage = Self::default();
        for axis in Axis::ALL {
            let counts = shown.counts(axis);
            let known: usize = counts.iter().map(|(_, photos)| photos).sum();
            if known == 0 {
                continue;
            }
            let class =
                |&(class, photos): &(&str, usize)| ClassCoverage { class: class.into(), photos };
            let classes = counts.iter().map(class).collect();
            coverage.axes.push(AxisCoverage { axis: axis.name(), classes });
            let told = known >= LEAST_PHOTOS
                && (axis != Axis::Expression || known as f64 >= KNOWN * kept.len() as f64);
            if told {
                coverage.missing.extend(missing_classes(axis, &counts));
                coverage.missing.extend(too_alike(axis, &counts, known));
            }
        }
        coverage
    }
}

fn missing_classes(axis: Axis, counts: &[(&str, usize)]) -> Vec<Missing> {
    let wanted = WANTED.iter().filter(|wanted| wanted.0 == axis);
    let missing = wanted.filter_map(|&(axis, class, least, how)| {
        let have = counts.iter().find(|(known, _)| *known == class).map_or(0, |(_, have)| *have);
        let shoot = least.checked_sub(have).filter(|shoot| *shoot > 0)?;
        let what = class.strip_prefix("a ").unwrap_or(class);
        let what = if axis == Axis::Expression { format!("{what} face") } else { what.to_owned() };
        let (have, more) = match have {
            0 => ("no".to_owned(), ""),
            have => (format!("only {have}"), " more"),
        };
        let how = if how.is_empty() { String::new() } else { format!(": {how}") };
        let text = format!("{have} {what}; shoot {shoot}{more}{how}");
        Some(Missing { axis: axis.name(), wanted: class.into(), shoot, text })
    });
    missing.collect()
}

fn too_alike(axis: Axis, counts: &[(&str, usize)], known: usize) -> Option<Missing> {
    let (_, what) = *VARIED.iter().find(|varied| varied.0 == axis)?;
    let &(class, most) = counts.first()?;
    let too_many = most as f64 > DOMINATES * known as f64;
    let few = LEAST_CLASSES.saturating_sub(counts.len());
    // So many that the most frequent one has no more than its share.
    let thinned = ((most as f64 / DOMINATES).ceil() as usize).saturating_sub(known);
    let shoot = if too_many { thinned.max(few).max(1) } else { few };
    let text = match (too_many, few) {
        (true, _) => format!(
            "{most} of {known} photos show one {what} ({class}), which is then learned with the face; shoot {shoot} with {}",
            others(what, shoot)
        ),
        (false, 0) => return None,
        (false, _) => format!(
            "only {} {what}{}; shoot {shoot} with {}",
            counts.len(),
            if counts.len() == 1 { "" } else { "s" },
            others(what, shoot)
        ),
    };
    Some(Missing { axis: axis.name(), wanted: format!("another {what}"), shoot, text })
}

fn others(what: &str, count: usize) -> String {
    if count == 1 { format!("another {what}") } else { format!("other {what}s") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::set::testing::record;

    fn texts(records: &[ImageRecord]) -> Vec<String> {
        let kept: Vec<&ImageRecord> = records.iter().collect();
        let missing = Coverage::of(&kept, &|_| None).missing;
        missing.into_iter().map(|missing| missing.text).collect()
    }

    fn turned(yaws: &[f64]) -> Vec<ImageRecord> {
        yaws.iter().map(|yaw| record("a.jpg", &[("yaw", *yaw)])).collect()
    }

    #[test]
    fn a_missing_angle_is_named_with_how_many_to_shoot() {
        let said = texts(&turned(&[0.0, 3.0, -40.0, -35.0, 40.0, 66.0, 70.0]));
        assert_eq!(
            said,
            [
                "only 1 three-quarter view facing right; shoot 1 more: turn the head halfway to the side",
                "no profile facing left; shoot 2: turn the head until the far eye is nearly hidden",
            ]
        );
    }

    #[test]
    fn a_set_that_has_all_lacks_nothing_and_what_is_unknown_is_not_asked_for() {
        let all = [0.0, 0.0, 40.0, 40.0, -40.0, -40.0, 70.0, 70.0, -70.0, -70.0];
        assert_eq!(texts(&turned(&all)), [""; 0]);
        assert_eq!(texts(&turned(&[0.0, 0.0])), [""; 0], "two photos say nothing");
        let unknown: Vec<ImageRecord> = (0..9).map(|_| record("a.jpg", &[])).collect();
        assert_eq!(texts(&unknown), [""; 0]);
    }

    #[test]
    fn one_outfit_in_most_photos_is_too_many() {
        let wearing = |red: f64| {
            record("a.jpg", &[("outfit_light", 40.0), ("outfit_red", red), ("outfit_yellow", 5.0)])
        };
        let mut photos: Vec<ImageRecord> = (0..9).map(|_| wearing(50.0)).collect();
        photos.push(wearing(-40.0));
        let said = texts(&photos);
        assert!(said[0].starts_with("9 of 10 photos show one outfit (red)"), "{said:?}");
        assert!(said[0].ends_with("shoot 5 with other outfits"), "{said:?}");
        let two: Vec<ImageRecord> =
            [50.0, 50.0, -40.0, -40.0].iter().map(|red| wearing(*red)).collect();
        assert_eq!(texts(&two), ["only 2 outfits; shoot 1 with another outfit"]);
    }

    #[test]
    fn expressions_count_where_captions_name_them() {
        let records = turned(&[0.0; 6]);
        let kept: Vec<&ImageRecord> = records.iter().collect();
        let said = Coverage::of(&kept, &|_| Some("mika smiling".into()));
        let expression = said.axes.iter().find(|axis| axis.axis == "expression").expect("known");
        assert_eq!(expression.classes, [ClassCoverage { class: "smiling".into(), photos: 6 }]);
        let wants = |text: &str| said.missing.iter().any(|missing| missing.text.starts_with(text));
        assert!(wants("no neutral face; shoot 2"), "{:?}", said.missing);
    }
}
