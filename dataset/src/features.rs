//! Whether eyes and mouth are seen on an aligned face, without a model of them.
//!
//! All are contrasts of the light in doublings of the stored values, `log2 (x + 8)` (one is some 2.2
//! stops of a camera), so that skin's tone and the exposure make no difference. White and iris lie beside each other, so light changes along the row in an
//! open eye; lids and lashes of a closed one lie above each other. What has little deviation of any
//! kind is no eye, but a hand or hair before it. Features have detail of 1 to 3 px (`band`) where
//! skin, cloth and dark glass have none.

use image::RgbImage;
use serde::{Deserialize, Serialize};

use crate::luminance::Plane;
use crate::regions::{EYES, LIPS, LOW_CHEEKS, MOUTH, Region, percentile};

/// What is seen of eyes and mouth.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Features {
    /// How much light changes along the row in the eye where it does less, doublings a pixel.
    pub eyes_open: f64,
    /// As `eyes_open`, in the eye where it does more.
    pub either_eye_open: f64,
    /// The deviation of light in the eye that has less of it, doublings.
    pub eyes_clear: f64,
    /// The 90th percentile of detail in the eye that has more of it, doublings.
    pub eyes_seen: f64,
    /// The 90th percentile of detail in the half of the mouth that has less of it, doublings.
    pub mouth_seen: f64,
    /// How high the dark between the lips is, over the distance of the eyes.
    pub mouth_open: f64,
}

const FLOOR: f32 = 8.0; // levels of 255: what is darker is noise
const COARSE: usize = 9; // Gaussians of 1 px, which are one of 3
const DARK: f32 = 0.8; // doublings below the cheeks
const EYE_DISTANCE: f64 = 35.2; // of the template's 112

impl Features {
    /// Looks at an aligned face.
    pub fn of(aligned: &RgbImage) -> Self {
        let plane = Plane::of(aligned);
        let fine = plane.blurred();
        let mut coarse = fine.clone();
        (1..COARSE).for_each(|_| coarse = coarse.blurred());
        let light = doublings(&fine);
        let bands = light.values.iter().zip(doublings(&coarse).values);
        let bands = bands.map(|(fine, coarse)| (fine - coarse).abs()).collect();
        let band = Plane { values: bands, ..light };
        let open = EYES.map(|eye| change_along(&light, eye));
        let clear = EYES.map(|eye| deviation(&Region::values(&[eye], &light)));
        let detail =
            |regions: [Region; 2]| regions.map(|r| percentile(Region::values(&[r], &band), 0.9));
        let (seen, mouth) = (detail(EYES), detail(MOUTH));
        Self {
            eyes_open: open[0].min(open[1]),
            either_eye_open: open[0].max(open[1]),
            eyes_clear: clear[0].min(clear[1]),
            eyes_seen: seen[0].max(seen[1]),
            mouth_seen: mouth[0].min(mouth[1]),
            mouth_open: mouth_open(&doublings(&plane)),
        }
    }
}

/// A plane's values in doublings.
fn doublings(plane: &Plane) -> Plane {
    Plane { values: plane.values.iter().map(|value| (value + FLOOR).log2()).collect(), ..*plane }
}

/// The mean of the changes from a pixel to the next in the row.
fn change_along(light: &Plane, region: Region) -> f64 {
    let changes = region.places().map(|(x, y)| {
        let at = y * light.width + x;
        f64::from((light.values[at] - light.values[at.saturating_sub(1)]).abs())
    });
    let (sum, count) = changes.fold((0.0, 0.0), |(sum, n), change| (sum + change, n + 1.0));
    sum / f64::max(count, 1.0)
}

fn deviation(values: &[f32]) -> f64 {
    let count = values.len().max(1) as f64;
    let mean = values.iter().map(|value| f64::from(*value)).sum::<f64>() / count;
    let spread = values.iter().map(|value| (f64::from(*value) - mean).powi(2)).sum::<f64>();
    (spread / count).sqrt()
}

/// The rows from nose to chin whose middle is much darker than the cheeks.
fn mouth_open(light: &Plane) -> f64 {
    let cheeks = percentile(Region::values(&LOW_CHEEKS, light), 0.5) as f32;
    let values = Region::values(&[LIPS], light);
    let columns = LIPS.places().take_while(|(_, y)| Some(*y) == first_row()).count().max(1);
    let rows = values.chunks(columns).map(|row| percentile(row.to_vec(), 0.5) as f32);
    let (dark, all) = rows.fold((0.0, 0.0), |(dark, all), row| {
        (dark + f64::from(u8::from(row < cheeks - DARK)), all + 1.0)
    });
    dark / f64::max(all, 1.0) * 2.0 * LIPS.3 / EYE_DISTANCE
}

fn first_row() -> Option<usize> {
    LIPS.places().next().map(|(_, y)| y)
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;
    use crate::sharpness::FACE_SIDE;

    const SKIN: [u8; 3] = [190, 150, 125];

    /// A face with what `paint` puts on it, by the template's columns and rows.
    fn face(paint: impl Fn(f64, f64) -> Option<[u8; 3]>) -> Features {
        let place = |at: u32| f64::from(at) / f64::from(FACE_SIDE) * 112.0;
        Features::of(&RgbImage::from_fn(FACE_SIDE, FACE_SIDE, |x, y| {
            Rgb(paint(place(x), place(y)).unwrap_or(SKIN))
        }))
    }

    fn eye(x: f64, y: f64, middle: f64) -> Option<[u8; 3]> {
        let far = (x - middle).hypot((y - 51.6) * 1.8);
        match far {
            far if far > 7.5 => None,
            _ if (x - middle).hypot(y - 51.6) < 3.2 => Some([40, 30, 25]),
            _ => Some([225, 220, 215]),
        }
    }

    fn mouth(x: f64, y: f64) -> Option<[u8; 3]> {
        let lips = (42.0..70.0).contains(&x) && (89.0..96.0).contains(&y);
        let line = lips && (91.8..93.2).contains(&y);
        line.then_some([60, 25, 25]).or(lips.then_some([150, 80, 80]))
    }

    #[test]
    fn open_eyes_and_a_mouth_are_seen() {
        let found = face(|x, y| eye(x, y, 38.3).or(eye(x, y, 73.5)).or(mouth(x, y)));
        assert!(found.eyes_open > 0.05 && found.eyes_clear > 0.5, "{found:?}");
        assert!(found.eyes_seen > 0.3, "{found:?}");
        assert!(found.mouth_seen > 0.2 && found.mouth_open < 0.2, "{found:?}");
    }

    #[test]
    fn a_closed_eye_has_no_change_along_the_row() {
        let lid = |x: f64, y: f64| {
            let line = (x - 38.3).abs().min((x - 73.5).abs()) < 7.5 && (51.0..53.0).contains(&y);
            line.then_some([70, 45, 35])
        };
        let found = face(lid);
        assert!(found.either_eye_open < 0.02 && found.eyes_clear > 0.3, "{found:?}");
    }

    #[test]
    fn one_hidden_eye_is_told_and_so_are_two() {
        let one = face(|x, y| eye(x, y, 38.3));
        assert!(one.eyes_open < 0.01 && one.either_eye_open > 0.05, "{one:?}");
        assert!(one.eyes_clear < 0.05 && one.eyes_seen > 0.3, "{one:?}");
        let lenses = face(|_, y| (44.0..62.0).contains(&y).then_some([14; 3]));
        assert!(lenses.eyes_seen < 0.1, "{lenses:?}");
    }

    #[test]
    fn what_covers_half_of_the_mouth_is_seen() {
        let half = face(|x, y| mouth(x, y).filter(|_| x < 56.0));
        assert!(half.mouth_seen < 0.05, "{half:?}");
    }

    #[test]
    fn a_wide_open_mouth_is_high() {
        let open = |x: f64, y: f64| {
            let inside = (46.0..66.0).contains(&x) && (86.0..108.0).contains(&y);
            inside.then_some([30, 10, 10])
        };
        let found = face(open).mouth_open;
        assert!((0.5..0.7).contains(&found), "{found}");
    }

    #[test]
    fn exposure_makes_little_difference() {
        let shut = |scale: f64| {
            let dim = move |c: [u8; 3]| c.map(|v| (f64::from(v) * scale) as u8);
            face(move |x, y| Some(dim(eye(x, y, 38.3).unwrap_or(SKIN))))
        };
        let (bright, dark) = (shut(1.0), shut(0.5));
        assert!((bright.eyes_seen / dark.eyes_seen - 1.0).abs() < 0.25, "{bright:?} {dark:?}");
    }
}
