//! Which photos show best who it is: one a view, by quality and pose.
//!
//! A photo's quality for a view is a product of shares, each 1 at its best: `cos^2` of how far the
//! head is from the view's angle (OFIQ's mapping of head pose, ISO/IEC 29794-5), `e / (e + 70)` of
//! the pixels between the eyes over `cos(yaw)` (70 is the middle of OFIQ's scale), `d / (d + .0065)`
//! of the face's detail (sharp faces have .0065 and more, `rules.rs`), half as much a stop of side
//! light and of back light, and what no shadow, mask or dark glass covers. Doubtful photos count
//! half.

use super::{SheetPhoto, SheetView};
use crate::captions;
use crate::limits;
use crate::record::{ImageRecord, Verdict};

/// The views that a sheet has, in its order.
pub(super) const VIEWS: [SheetView; 4] =
    [SheetView::Front, SheetView::ThreeQuarter, SheetView::Profile, SheetView::FullBody];

/// Degrees of yaw from which a head is in three-quarter view, and in profile: as captions say it.
const THREE_QUARTER: f64 = 28.0;
const PROFILE: f64 = 52.0;
/// A front view is rather taken below this.
const FRONT: f64 = 15.0;
const LEAST: usize = 2;
const MOST: usize = 4;
const EYES_PX: f64 = 70.0;
const FACE_DETAIL: f64 = 0.0065;
const PICTURE_DETAIL: f64 = 0.008;

/// The photos of the sheet: those that are `named`, or the best of the kept ones.
pub(super) fn choose(records: &[ImageRecord], named: &[String]) -> Vec<SheetPhoto> {
    if !named.is_empty() {
        let find = |name: &String| {
            records.iter().find(|record| record.path == *name && record.crop.is_some())
        };
        let photo =
            |record: &ImageRecord| SheetPhoto { path: record.path.clone(), view: view(record) };
        return named.iter().filter_map(find).map(photo).collect();
    }
    let kept: Vec<&ImageRecord> = records.iter().filter(|record| record.is_kept()).collect();
    let mut chosen: Vec<SheetPhoto> = Vec::new();
    for wanted in VIEWS {
        let free = |record: &&&ImageRecord| !chosen.iter().any(|photo| photo.path == record.path);
        let fits = kept.iter().filter(free).filter(|record| view(record) == wanted);
        let best = best(fits.copied(), |record| quality(record, wanted));
        chosen.extend(best.map(|record| SheetPhoto { path: record.path.clone(), view: wanted }));
    }
    let most = if chosen.is_empty() { MOST } else { LEAST };
    while chosen.len() < most {
        let free = |record: &&&ImageRecord| !chosen.iter().any(|photo| photo.path == record.path);
        let rest = kept.iter().filter(free).copied();
        let Some(record) = best(rest, |record| quality(record, view(record))) else { break };
        chosen.push(SheetPhoto { path: record.path.clone(), view: view(record) });
    }
    chosen
}

/// The record of the greatest `quality`; of equal ones the first.
fn best<'a>(
    records: impl Iterator<Item = &'a ImageRecord>,
    quality: impl Fn(&ImageRecord) -> f64,
) -> Option<&'a ImageRecord> {
    records
        .fold(None, |best: Option<(f64, &ImageRecord)>, record| {
            let found = quality(record);
            match best {
                Some((before, _)) if before >= found => best,
                _ => Some((found, record)),
            }
        })
        .map(|(_, record)| record)
}

/// What a photo shows.
fn view(record: &ImageRecord) -> SheetView {
    match record.measures.get("yaw").map(f64::abs) {
        _ if captions::shows_the_figure(record) => SheetView::FullBody,
        None => SheetView::Photo,
        Some(yaw) if yaw < THREE_QUARTER => SheetView::Front,
        Some(yaw) if yaw < PROFILE => SheetView::ThreeQuarter,
        Some(_) => SheetView::Profile,
    }
}

/// How well a photo shows a view, 0 to 1.
fn quality(record: &ImageRecord, wanted: SheetView) -> f64 {
    let doubt = if record.verdict == Verdict::Review { 0.5 } else { 1.0 };
    let measure = |name: &str, none: f64| record.measures.get(name).unwrap_or(none);
    let share = |value: f64, middle: f64| value / (value + middle);
    if wanted == SheetView::Photo {
        let side = f64::from(record.width.min(record.height));
        return doubt * share(side, 512.0) * share(measure("picture_detail", 0.0), PICTURE_DETAIL);
    }
    let yaw = measure("yaw", 0.0).abs();
    let off = match wanted {
        SheetView::ThreeQuarter => yaw - (THREE_QUARTER + PROFILE) / 2.0,
        SheetView::Profile => (yaw - 75.0).min(0.0),
        SheetView::Front if yaw < FRONT => 0.0,
        _ => yaw,
    };
    let turned = |degrees: f64| degrees.to_radians().cos().max(0.0).powi(2);
    let eyes = measure("eye_distance", 0.0) / yaw.to_radians().cos().max(0.2);
    let doublings = measure("light_side", 0.0).abs() + measure("backlight", 0.0).max(0.0);
    let most = limits::COVER.drop.or(limits::COVER.review).expect("there is one");
    let covered = (measure("cover", 0.0) / most).clamp(0.0, 1.0);
    doubt
        * turned(off)
        * turned(measure("pitch", 0.0))
        * turned(measure("roll", 0.0))
        * share(eyes, EYES_PX)
        * share(measure("face_detail", 0.0), FACE_DETAIL)
        * (-doublings).exp2()
        * (1.0 - measure("shadow", 0.0)).max(0.0)
        * (1.0 - covered).max(0.01)
        * measure("same_person", 1.0).clamp(0.01, 1.0)
}

#[cfg(test)]
mod tests {
    use likeness_faces::Face;

    use super::*;
    use crate::captions::testing::record;

    /// A kept photo of a face of `height` px of 1000.
    fn photo(path: &str, yaw: f64, height: f32, detail: f64) -> ImageRecord {
        let mut record = record(path);
        let bbox = [300.0, 60.0, height * 0.75, height];
        record.faces = vec![Face { bbox, landmarks: [[0.0; 2]; 5], score: 0.9 }];
        let mut add = |name, value| record.measures.add(name, value, "", None, None);
        add("faces", 1.0);
        add("face_share", f64::from(height) / 1000.0);
        add("yaw", yaw);
        add("eye_distance", f64::from(height) * 0.42);
        add("face_detail", detail);
        record
    }

    fn chosen(records: &[ImageRecord], named: &[&str]) -> Vec<(String, &'static str)> {
        let named: Vec<String> = named.iter().map(|name| (*name).to_owned()).collect();
        let photos = choose(records, &named);
        photos.into_iter().map(|photo| (photo.path, photo.view.name())).collect()
    }

    fn told(expected: &[(&str, &'static str)]) -> Vec<(String, &'static str)> {
        expected.iter().map(|(path, view)| ((*path).to_owned(), *view)).collect()
    }

    #[test]
    fn the_best_photo_of_each_view_is_chosen() {
        let mut lit = photo("lit.jpg", 3.0, 400.0, 0.02);
        lit.measures.add("light_side", 2.0, "doublings", None, None);
        let mut doubtful = photo("doubtful.jpg", 2.0, 400.0, 0.02);
        doubtful.verdict = Verdict::Review;
        let records = [
            lit,
            doubtful,
            photo("front.jpg", -8.0, 380.0, 0.02),
            photo("soft.jpg", 0.0, 380.0, 0.003),
            photo("turned.jpg", 29.0, 400.0, 0.02),
            photo("turned-more.jpg", -41.0, 400.0, 0.02),
            photo("side.jpg", 70.0, 300.0, 0.02),
            photo("far.jpg", 5.0, 100.0, 0.01),
            ImageRecord { verdict: Verdict::Drop, ..photo("dropped.jpg", 0.0, 600.0, 0.05) },
        ];
        let best = [
            ("front.jpg", "front"),
            ("turned-more.jpg", "three-quarter"),
            ("side.jpg", "profile"),
            ("far.jpg", "full body"),
        ];
        assert_eq!(chosen(&records, &[]), told(&best));
    }

    #[test]
    fn what_a_person_named_is_kept_in_their_order() {
        let records = [photo("a.jpg", 0.0, 400.0, 0.02), photo("b.jpg", 60.0, 300.0, 0.002)];
        let named = chosen(&records, &["b.jpg", "gone.jpg", "a.jpg"]);
        assert_eq!(named, told(&[("b.jpg", "profile"), ("a.jpg", "front")]));
    }

    #[test]
    fn one_view_gives_two_photos_and_no_faces_four() {
        let fronts: Vec<_> =
            (0..5).map(|i| photo(&format!("{i}.jpg"), 0.0, 400.0, 0.01 + f64::from(i))).collect();
        assert_eq!(chosen(&fronts, &[]), told(&[("4.jpg", "front"), ("3.jpg", "front")]));
        let toys: Vec<_> = (0..6)
            .map(|i| {
                let mut toy = record(&format!("{i}.jpg"));
                toy.measures.add("picture_detail", f64::from(i) * 0.01, "share", None, None);
                toy
            })
            .collect();
        let paths: Vec<_> = chosen(&toys, &[]).into_iter().map(|(path, _)| path).collect();
        assert_eq!(paths, ["5.jpg", "4.jpg", "3.jpg", "2.jpg"]);
    }
}
