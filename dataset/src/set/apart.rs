//! Crops that leave the other people of a photo out.
//!
//! Where it is known whose photos they are, a photo of several people need not be lost: each other
//! face is cut off along the side that leaves most. What is left has to hold the character's head
//! and must not be enlarged.

use likeness_faces::Face;

use crate::bucket::Bucket;
use crate::crop::Crop;
use crate::curate::CurateOptions;
use crate::record::{ImageRecord, Reason, Verdict, rounded};
use crate::rules::OTHER_FACE_SHARE;
use crate::verdicts::Verdicts;

const HEAD: f32 = 1.6; // a face box grown by this holds hair, ears and chin

/// Left, top, right and bottom in pixels.
type Sides = [f32; 4];

impl Verdicts {
    /// Crops photos of several people to the character where that can be. Those are for review.
    pub(crate) fn crop_apart(&mut self, options: &CurateOptions) {
        let several = |reason: &Reason| reason.rule == "several people";
        for record in &mut self.records {
            if !record.reasons.iter().any(several) {
                continue;
            }
            let Some((crop, bucket)) = alone(record, options) else { continue };
            record.crop = Some(crop);
            record.bucket = Some(bucket);
            record.upscale = Some(rounded(crop.upscale(bucket)));
            // What was said of another crop.
            for said in [&mut record.notes, &mut record.reasons] {
                said.retain(|reason| !["enlarged", "head cut"].contains(&reason.rule.as_str()));
            }
            let doubt = |mut reason: Reason| {
                reason.message = "several people: cropped to the one whom the other photos show; look whether it is the right one".into();
                reason
            };
            let place = record.reasons.iter().position(several).expect("it was just seen");
            let reason = doubt(record.reasons.remove(place));
            match record.reasons.is_empty() {
                true => (record.verdict, record.reasons) = (Verdict::Review, vec![reason]),
                false => record.notes.push(reason),
            }
        }
    }
}

/// The largest crop that has the first face of `record` and no other prominent one, and its bucket.
fn alone(record: &ImageRecord, options: &CurateOptions) -> Option<(Crop, Bucket)> {
    let main = record.faces.first()?;
    let whole = [0.0, 0.0, record.width as f32, record.height as f32];
    let head = inside(sides(main.enlarged(HEAD)), whole);
    let prominent =
        |face: &&Face| f64::from(face.area() / main.area().max(1.0)) >= OTHER_FACE_SHARE;
    let mut left = whole;
    for other in record.faces.iter().skip(1).filter(prominent) {
        left = without(left, sides(other.bbox), head)?;
    }
    let [x, y, right, bottom] = left.map(|side| side as u32);
    let (width, height) = (right - x, bottom - y);
    let bucket = Bucket::nearest(width, height, options.resolution, options.bucket_step);
    let moved = [head[0] - left[0], head[1] - left[1], head[2] - left[0], head[3] - left[1]];
    let crop = largest(width, height, bucket, moved)?;
    (crop.upscale(bucket) <= 1.0).then_some((Crop { x: crop.x + x, y: crop.y + y, ..crop }, bucket))
}

fn sides([x, y, width, height]: [f32; 4]) -> Sides {
    [x, y, x + width, y + height]
}

fn inside([left, top, right, bottom]: Sides, whole: Sides) -> Sides {
    [left.max(whole[0]), top.max(whole[1]), right.min(whole[2]), bottom.min(whole[3])]
}

/// The largest part of `all` that has `head` and nothing of `other`.
fn without(all: Sides, other: Sides, head: Sides) -> Option<Sides> {
    let [left, top, right, bottom] = all;
    let cuts = [
        (other[2].ceil() <= head[0], [left.max(other[2].ceil()), top, right, bottom]),
        (other[3].ceil() <= head[1], [left, top.max(other[3].ceil()), right, bottom]),
        (other[0].floor() >= head[2], [left, top, right.min(other[0].floor()), bottom]),
        (other[1].floor() >= head[3], [left, top, right, bottom.min(other[1].floor())]),
    ];
    let area = |[left, top, right, bottom]: Sides| (right - left) * (bottom - top);
    let possible = cuts.into_iter().filter(|(possible, _)| *possible).map(|(_, part)| part);
    possible.max_by(|a, b| area(*a).total_cmp(&area(*b)))
}

/// The largest crop of the bucket's aspect in `width` x `height` pixels around `head`; `None` where
/// it would cut the head.
fn largest(width: u32, height: u32, bucket: Bucket, head: Sides) -> Option<Crop> {
    let aspect = bucket.aspect();
    let (wide, high) = (f64::from(width), f64::from(height));
    let crop_width = wide.min(high * aspect).floor().max(1.0);
    let crop_height = (crop_width / aspect).round().min(high).max(1.0);
    let start = |low: f32, high: f32, length: f64, side: u32| {
        let wanted = (f64::from(low) + f64::from(high) - length) / 2.0;
        wanted.round().clamp(0.0, f64::from(side) - length) as u32
    };
    let crop = Crop {
        x: start(head[0], head[2], crop_width, width),
        y: start(head[1], head[3], crop_height, height),
        width: crop_width as u32,
        height: crop_height as u32,
    };
    let holds = |start: u32, length: u32, low: f32, high: f32| {
        start as f32 <= low + 1.0 && (start + length) as f32 >= high - 1.0
    };
    let whole =
        holds(crop.x, crop.width, head[0], head[2]) && holds(crop.y, crop.height, head[1], head[3]);
    whole.then_some(crop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::set::testing::record;

    fn options() -> CurateOptions {
        CurateOptions { resolution: 512, ..CurateOptions::default() }
    }

    /// A photo of 2000 x 1500 px with faces of 200 x 260 px at these places.
    fn together(places: &[[f32; 2]]) -> ImageRecord {
        let mut record = record("a.jpg", &[]);
        (record.width, record.height) = (2000, 1500);
        let face =
            |[x, y]: &[f32; 2]| Face { bbox: [*x, *y, 200.0, 260.0], ..record.faces[0].clone() };
        record.faces = places.iter().map(face).collect();
        record.verdict = Verdict::Drop;
        record.reasons = vec![Reason::plain("several people", "two")];
        record
    }

    #[test]
    fn a_crop_has_the_character_and_nobody_else_and_fits_its_bucket() {
        for places in [
            [[300.0, 400.0], [1200.0, 420.0], [1700.0, 300.0]],
            [[1500.0, 500.0], [200.0, 500.0], [900.0, 500.0]],
            [[900.0, 1000.0], [900.0, 100.0], [1500.0, 100.0]],
        ] {
            let record = together(&places);
            let (crop, bucket) = alone(&record, &options()).expect("room enough");
            assert_eq!(crop.check(2000, 1500, bucket), Ok(()), "{crop:?}");
            let (right, bottom) = ((crop.x + crop.width) as f32, (crop.y + crop.height) as f32);
            for [x, y] in &places[1..] {
                let apart = x + 200.0 <= crop.x as f32
                    || *x >= right
                    || y + 260.0 <= crop.y as f32
                    || *y >= bottom;
                assert!(apart, "{crop:?} {places:?}");
            }
            let [x, y] = places[0];
            assert!(x >= crop.x as f32 && x + 200.0 <= right && y >= crop.y as f32);
        }
    }

    #[test]
    fn heads_that_touch_or_leave_too_little_are_not_cropped() {
        assert_eq!(alone(&together(&[[900.0, 500.0], [1080.0, 500.0]]), &options()), None);
        let small = [[0.0, 0.0], [330.0, 0.0], [0.0, 420.0]];
        assert_eq!(alone(&together(&small), &options()), None);
    }

    #[test]
    fn such_a_photo_is_for_review_unless_something_else_is_wrong() {
        let mut blurred = together(&[[300.0, 400.0], [1200.0, 420.0]]);
        blurred.reasons.push(Reason::plain("blurred", "it is"));
        let records = vec![together(&[[300.0, 400.0], [1200.0, 420.0]]), blurred];
        let mut verdicts = Verdicts::with(records);
        verdicts.crop_apart(&options());
        let [first, second] = &verdicts.records[..] else { panic!("two records") };
        assert_eq!(first.verdict, Verdict::Review);
        assert!(first.reasons[0].message.contains("cropped to the one"), "{first:?}");
        assert_eq!(second.verdict, Verdict::Drop);
        assert_eq!(second.reasons[0].rule, "blurred");
    }
}
