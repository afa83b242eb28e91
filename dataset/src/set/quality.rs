//! How good a photo is beside the others: what the best of a burst and the best twenty are chosen by.

use crate::limit::Limit;
use crate::limits;
use crate::record::{ImageRecord, Verdict};

const CLOSED_EYES: f64 = 4.0; // as much as a sixteenth of the size
const DOUBTFUL: f64 = 1.0; // as much as half of the size

/// How good a photo is, in doublings of its size: the distance between the eyes, or the shorter
/// side without a face; sharpness counts half of that, and the size of the whole picture a
/// quarter, so that a part is not better than the whole. Closed eyes and doubts count against it.
pub(crate) fn quality(record: &ImageRecord) -> f64 {
    let measure = |name| record.measures.get(name);
    let pixels = f64::from(record.width) * f64::from(record.height);
    let size = measure("eye_distance").unwrap_or(pixels.sqrt());
    let detail = measure("face_detail").or(measure("picture_detail")).unwrap_or(0.0);
    let by =
        |limit: &Limit| measure(limit.measure).map(|value| limit.verdict(value) != Verdict::Keep);
    let closed = by(&limits::READ_EYES_CLOSED).or(by(&limits::EYES_OPEN)).unwrap_or(false);
    let against = [
        if closed { CLOSED_EYES } else { 0.0 },
        if record.verdict == Verdict::Review { DOUBTFUL } else { 0.0 },
    ];
    let doublings = |value: f64| value.max(1e-4).log2();
    doublings(size) + 0.5 * doublings(detail) + 0.25 * doublings(pixels)
        - against.iter().sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::set::testing::record;

    #[test]
    fn larger_sharper_open_eyed_and_undoubted_is_better() {
        let of = |eyes: f64, detail: f64, open: f64| {
            quality(&record(
                "a.jpg",
                &[("eye_distance", eyes), ("face_detail", detail), ("eyes_open", open)],
            ))
        };
        let usual = of(100.0, 0.05, 0.3);
        assert!(of(200.0, 0.05, 0.3) > usual && of(100.0, 0.01, 0.3) < usual);
        assert!(of(200.0, 0.05, 0.01) < usual);
        let mut doubtful = record("a.jpg", &[("eye_distance", 100.0), ("face_detail", 0.05)]);
        doubtful.verdict = Verdict::Review;
        assert!(quality(&doubtful) < usual);
    }

    #[test]
    fn a_part_of_a_picture_is_not_better_than_the_whole() {
        let whole = record("a.jpg", &[("eye_distance", 100.0), ("face_detail", 0.05)]);
        let mut part = record("b.jpg", &[("eye_distance", 100.0), ("face_detail", 0.0502)]);
        (part.width, part.height) = (700, 900);
        assert!(quality(&whole) > quality(&part));
    }
}
