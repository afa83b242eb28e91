//! Limits from the photos that a person accepted, in place of the usual ones.
//!
//! What is natural for a set is what lies between the 5th and the 95th percentile of its accepted
//! photos: of a measure of which more is worse, the 95th becomes the limit for review, of another
//! one the 5th. A limit is only moved away from what is accepted, unless asked to tighten, too:
//! the 95th percentile of an even set lies so near that every other photo would be called odd.

mod own;

use std::path::Path;

use serde::Serialize;

use crate::dataset::{self, Dataset};
use crate::error::DatasetError;
use crate::limit::{self, Limit};
use crate::limits;
use crate::lock::Lock;
use crate::record::{ImageRecord, Verdict};

pub(crate) use own::OwnLimits;

/// The limits that can be calibrated: all of one number.
const CALIBRATED: [&Limit; 36] = [
    &limits::EYE_DISTANCE,
    &limits::BLEACHED,
    &limits::YAW,
    &limits::PITCH,
    &limits::ROLL,
    &limits::LIGHT_SIDE,
    &limits::SKIN_FINENESS,
    &limits::SKIN_HUE,
    &limits::SHADOW,
    &limits::BACKLIGHT,
    &limits::SHADOW_EDGE,
    &limits::HARD_LIGHT,
    &limits::COVER,
    &limits::EYES_SEEN,
    &limits::EYES_OPEN,
    &limits::EITHER_EYE_OPEN,
    &limits::EYES_CLEAR,
    &limits::FEATURES_SEEN,
    &limits::MOUTH_SEEN,
    &limits::MOUTH_OPEN,
    &limits::FACE_CONTRAST,
    &limits::READ_EYES_CLOSED,
    &limits::READ_COVERED,
    &limits::READ_HARD_SHADOW,
    &limits::READ_BACKLIT,
    &limits::READ_OVERDONE,
    &limits::NOISE,
    &limits::COLOURS,
    &limits::FRAME,
    &limits::BAR,
    &limits::LETTERING,
    &limits::LIFTED_BLACKS,
    &limits::WHITE_POINT,
    &limits::CRUSHED,
    &limits::JPEG_QUALITY,
    &limits::BLOCKS,
];
/// Fewer values have no 5th and 95th percentile to speak of.
const LEAST_PHOTOS: usize = 10;
const DECIMALS: f64 = 1e3;

/// What a calibration found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Calibration {
    /// How many accepted photos it stands on.
    pub accepted: usize,
    /// One a measure.
    pub limits: Vec<Change>,
    /// Photos whose verdict by the rules changes: file name, verdict now, and then.
    pub verdicts: Vec<(String, Verdict, Verdict)>,
}

/// A limit before and after.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// The measure.
    pub measure: &'static str,
    /// Its unit.
    pub unit: &'static str,
    /// Whether more is worse; otherwise less is.
    pub more_is_worse: bool,
    /// The 5th and 95th percentile of the accepted photos; none where too few have the measure.
    pub natural: Option<(f64, f64)>,
    /// The limit for review now, and the new one.
    pub review: (f64, f64),
    /// The limit for dropping now, and the new one, where there is one.
    pub drop: Option<(f64, f64)>,
}

/// Calibrates the dataset `dir` on its accepted photos: those that rules or a person keep without
/// review. With `tighten` limits also come nearer. Without `write` nothing is written; else
/// `limits.toml` is, which the next curation reads.
pub fn calibrate(
    dir: impl AsRef<Path>,
    tighten: bool,
    write: bool,
) -> Result<Calibration, DatasetError> {
    let dir = dir.as_ref();
    let dataset = Dataset::open(dir)?;
    let accepted: Vec<&ImageRecord> =
        dataset.images.iter().filter(|record| record.verdict == Verdict::Keep).collect();
    if accepted.len() < LEAST_PHOTOS {
        let (accepted, least) = (accepted.len(), LEAST_PHOTOS);
        return Err(DatasetError::TooFewAccepted { accepted, least });
    }
    let before = OwnLimits::read(dir)?;
    let mut after = OwnLimits::default();
    let changes = CALIBRATED.map(|limit| {
        let natural = natural(limit, &accepted);
        if let Some(natural) = natural {
            after.set(&moved(limit, natural, tighten), limit);
        }
        let (old, new) = (before.of(limit), after.of(limit));
        Change {
            measure: limit.measure,
            unit: limit.unit,
            more_is_worse: limit.more_is_worse,
            natural,
            review: (review(&old), review(&new)),
            drop: old.drop.zip(new.drop),
        }
    });
    let verdicts = dataset::read_records(dir)?.into_iter().filter_map(|record| {
        let (old, new) = (verdict(&record, &before), verdict(&record, &after));
        (old != new).then_some((record.path, old, new))
    });
    let verdicts = verdicts.collect();
    if write {
        let _lock = Lock::take(dir)?;
        after.write(dir, accepted.len())?;
    }
    Ok(Calibration { accepted: accepted.len(), limits: changes.into(), verdicts })
}

/// The limit for review.
fn review(limit: &Limit) -> f64 {
    limit.review.expect("what can be calibrated has one")
}

/// Takes the dataset's own limits away; whether there were any.
pub fn forget_calibration(dir: impl AsRef<Path>) -> Result<bool, DatasetError> {
    let dir = dir.as_ref();
    Dataset::open(dir)?;
    let _lock = Lock::take(dir)?;
    OwnLimits::remove(dir)
}

/// The 5th and 95th percentile of what is judged of the accepted photos, if there are enough.
fn natural(limit: &Limit, accepted: &[&ImageRecord]) -> Option<(f64, f64)> {
    let values = accepted.iter().filter_map(|record| record.measures.get(limit.measure));
    let mut values: Vec<f64> = values.map(|value| limit::judged(limit.measure, value)).collect();
    values.sort_by(f64::total_cmp);
    (values.len() >= LEAST_PHOTOS).then(|| (percentile(&values, 0.05), percentile(&values, 0.95)))
}

/// A percentile of sorted values, evenly between the two nearest (numpy's default).
fn percentile(sorted: &[f64], share: f64) -> f64 {
    let at = share * (sorted.len() - 1) as f64;
    let (low, high) = (at.floor() as usize, at.ceil() as usize);
    sorted[low] + (sorted[high] - sorted[low]) * (at - at.floor())
}

/// The limit with its review where the natural values end, and its drop as far beyond as before.
fn moved(limit: &Limit, (low, high): (f64, f64), tighten: bool) -> Limit {
    let end = match limit.more_is_worse {
        true => (high * DECIMALS).ceil() / DECIMALS,
        false => (low * DECIMALS).floor() / DECIMALS,
    };
    let usual = review(limit);
    let wider = if limit.more_is_worse { end > usual } else { end < usual };
    if !wider && !tighten {
        return *limit;
    }
    let by = end - usual;
    let drop = limit.drop.map(|drop| ((drop + by) * DECIMALS).round() / DECIMALS);
    Limit { review: Some(end), drop, ..*limit }
}

/// What the rules say of a record under `own` limits. What other rules said stays.
fn verdict(record: &ImageRecord, own: &OwnLimits) -> Verdict {
    let other = |rule: &str| CALIBRATED.iter().all(|limit| limit.rule != rule);
    let others = record.reasons.iter().any(|reason| other(&reason.rule));
    let mut worst = if others { record.verdict } else { Verdict::Keep };
    for limit in CALIBRATED.map(|limit| own.of(limit)) {
        let Some(value) = record.measures.get(limit.measure) else { continue };
        match limit.verdict(value) {
            Verdict::Drop => worst = Verdict::Drop,
            Verdict::Review if limits::is_overruled(&limit, &record.measures) => {}
            Verdict::Review if worst == Verdict::Keep => worst = Verdict::Review,
            _ => {}
        }
    }
    worst
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{jpeg, texture};
    use crate::tests::{Place, named};

    #[test]
    fn every_limit_of_one_number_can_be_calibrated() {
        // These two hang on more than their own number.
        let others = ["face_white", "picture_p99"];
        for limit in limits::ALL.iter().filter(|limit| limit.review.is_some()) {
            let named = CALIBRATED.iter().any(|other| other.measure == limit.measure);
            assert!(named != others.contains(&limit.measure), "{}", limit.measure);
        }
    }

    #[test]
    fn percentiles_are_those_of_numpy() {
        let values: Vec<f64> = (1..=20).map(f64::from).collect();
        assert!((percentile(&values, 0.05) - 1.95).abs() < 1e-9);
        assert!((percentile(&values, 0.95) - 19.05).abs() < 1e-9);
    }

    #[test]
    fn a_limit_moves_away_from_what_is_accepted_and_nearer_only_if_asked() {
        let to = |limit: &Limit, natural, tighten| {
            let moved = moved(limit, natural, tighten);
            (review(&moved), moved.drop)
        };
        let usual = (review(&limits::NOISE), limits::NOISE.drop);
        assert_eq!(to(&limits::NOISE, (0.5, 14.0), false), (14.0, Some(24.0)));
        assert_eq!(to(&limits::NOISE, (0.1, 0.5), false), usual);
        assert_eq!(to(&limits::NOISE, (0.1, 0.5), true), (0.5, Some(10.5)));
        assert_eq!(to(&limits::COLOURS, (0.8, 9.0), false), (0.8, None));
        assert_eq!(to(&limits::COLOURS, (3.0, 9.0), false), (review(&limits::COLOURS), None));
    }

    /// Twelve good photos and `grey` ones without colour.
    fn place(grey: u32) -> Place {
        let place = Place::with_photos(12);
        for seed in 0..grey {
            let mut picture = texture(600, 520, 40 + seed);
            picture.pixels_mut().for_each(|pixel| pixel.0 = [pixel.0[1]; 3]);
            place.put(&format!("grey{seed}.jpg"), &jpeg(&picture));
        }
        place
    }

    #[test]
    fn what_a_person_accepts_is_natural_to_the_next_curation() {
        let place = place(3);
        let summary = place.curate().expect("a curation");
        assert_eq!((summary.kept, summary.review), (15, 3));
        let none = calibrate(place.out(), false, true).expect("a calibration");
        assert!(none.verdicts.is_empty() && none.accepted == 12, "{none:?}");
        let line = |record: &&ImageRecord| {
            format!("{{\"sha256\":\"{}\",\"verdict\":\"keep\"}}\n", record.sha256)
        };
        let doubtful = summary.records.iter().filter(|r| r.verdict == Verdict::Review);
        let lines: String = doubtful.take(2).map(|record| line(&record)).collect();
        std::fs::write(place.out().join("decisions.jsonl"), lines).expect("decisions");
        let shown = calibrate(place.out(), false, false).expect("a look");
        assert_eq!(place.curate().expect("again").review, 1, "nothing was written");
        let done = calibrate(place.out(), false, true).expect("a calibration");
        assert_eq!(shown, done);
        assert_eq!((done.accepted, done.verdicts.len()), (14, 3));
        let moved = done.limits.iter().find(|change| change.measure == "colours");
        assert!(moved.is_some_and(|change| change.review.1 < change.review.0), "{done:?}");
        let again = place.curate().expect("with its own limits");
        assert_eq!(again.review, 0);
        let grey = named(&again.records, "grey2.jpg").measures.iter();
        let limit = grey
            .map(|measure| &measure.kind)
            .filter(|kind| kind.name == "colours")
            .find_map(|kind| kind.lowest);
        assert_eq!(limit, moved.map(|change| change.review.1));
        assert!(forget_calibration(place.out()).expect("forgotten"));
        assert!(!forget_calibration(place.out()).expect("nothing left"));
        assert_eq!(place.curate().expect("as usual").review, 1);
    }

    #[test]
    fn ten_accepted_photos_are_needed() {
        let place = Place::with_photos(9);
        place.curate().expect("a curation");
        let few = calibrate(place.out(), false, true).expect_err("too few").to_string();
        assert!(few.contains("9 photos") && few.contains("10"), "{few}");
    }
}
