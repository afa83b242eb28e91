//! What a filter did to the tones: blacks lifted, whites lowered, both crushed, skin smoothed.
//!
//! `black_point` and `white_point` are the luminance that half a percent of a picture lies below,
//! and above: nearly every photo has something black and something white, a faded look has
//! neither. `crushed` is the lesser of the shares that are lost in black and in white: a dark room
//! loses one, a hard filter both. `contrast` is taken in stops, so that it is the same for dark
//! and for light skin. `texture` is the detail of 2 to 4 px on cheeks and forehead over that of
//! eyes and mouth: smoothing takes the first and leaves the second.

use image::RgbImage;
use serde::{Deserialize, Serialize};

use crate::luminance::Plane;
use crate::regions::{EYES, LIP, Region, SKIN, percentile};
use crate::sharpness::in_face;

/// The tones of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Tone {
    /// Luminance that 0.5 % lie below, 0 to 1.
    pub black_point: f64,
    /// Luminance that 0.5 % lie above, 0 to 1.
    pub white_point: f64,
    /// The lesser of the shares at 3 or below and at 252 or above, of 255.
    pub crushed: f64,
}

/// The tones of a face.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct FaceTone {
    /// The 95th percentile of the light over the 5th, stops.
    pub contrast: f64,
    /// Fine detail of the skin over that of eyes and mouth.
    pub texture: f64,
}

const POINT: f64 = 0.005;
const FLOOR: f64 = 5.0; // levels of 255 below which stops say nothing
const BANDS: (usize, usize) = (2, 9); // squares of the sigmas, px, of a band of detail

impl Tone {
    /// Looks at a whole picture.
    pub fn of(plane: &Plane) -> Self {
        let count = plane.values.len().max(1) as f64;
        let share = |counts: &dyn Fn(f32) -> bool| {
            plane.values.iter().filter(|value| counts(**value)).count() as f64 / count
        };
        let point = |share: f64| percentile(plane.values.clone(), share) / 255.0;
        Self {
            black_point: point(POINT),
            white_point: point(1.0 - POINT),
            crushed: share(&|value| value <= 3.5).min(share(&|value| value >= 251.5)),
        }
    }
}

impl FaceTone {
    /// Looks at an aligned face.
    pub fn of(aligned: &RgbImage) -> Self {
        let plane = Plane::of(aligned);
        let face = plane.places().zip(&plane.values).filter(|((x, y), _)| in_face(*x, *y));
        let face: Vec<f32> = face.map(|(_, value)| *value).collect();
        let light = |share: f64| percentile(face.clone(), share) + FLOOR;
        Self { contrast: (light(0.95) / light(0.05)).log2(), texture: texture(&plane) }
    }
}

fn texture(plane: &Plane) -> f64 {
    let mut blurred = plane.clone();
    let mut fine = Vec::new();
    for step in 1..=BANDS.1 {
        blurred = blurred.blurred();
        if step == BANDS.0 {
            fine = blurred.values.clone();
        }
    }
    let band: Vec<f32> = fine.iter().zip(&blurred.values).map(|(a, b)| (a - b).abs()).collect();
    let band = Plane { values: band, ..*plane };
    let drawn: Vec<Region> = EYES.iter().chain(&LIP).copied().collect();
    let skin = percentile(Region::values(&SKIN, &band), 0.5);
    skin / percentile(Region::values(&drawn, &band), 0.9).max(0.1)
}

#[cfg(test)]
mod tests {
    use image::{Rgb, imageops};

    use super::*;
    use crate::sharpness::FACE_SIDE;
    use crate::testing::texture as detail;

    fn graded(change: impl Fn(f64) -> f64) -> Tone {
        Tone::of(&Plane::of(&RgbImage::from_fn(256, 64, |x, _| {
            Rgb([change(f64::from(x)).clamp(0.0, 255.0) as u8; 3])
        })))
    }

    #[test]
    fn lifted_blacks_and_lowered_whites_are_seen() {
        let (whole, faded) = (graded(|v| v), graded(|v| 60.0 + v * 0.5));
        assert!(whole.black_point < 0.01 && whole.white_point > 0.99, "{whole:?}");
        assert!(faded.black_point > 0.22 && faded.white_point < 0.75, "{faded:?}");
    }

    #[test]
    fn crushing_takes_both_ends_and_a_dark_room_only_one() {
        assert!(graded(|v| (v - 128.0) * 2.0 + 128.0).crushed > 0.2);
        assert!(graded(|v| v - 128.0).crushed < 0.01);
    }

    #[test]
    fn contrast_is_the_same_on_dark_and_light_skin() {
        let of = |scale: f64| {
            FaceTone::of(&RgbImage::from_fn(FACE_SIDE, FACE_SIDE, |x, _| {
                Rgb([(scale * (0.5 + f64::from(x) / 512.0)) as u8; 3])
            }))
        };
        let (light, dark) = (of(230.0), of(90.0));
        assert!((light.contrast - dark.contrast).abs() < 0.1, "{light:?} {dark:?}");
    }

    #[test]
    fn smoothing_the_skin_takes_its_texture() {
        let rough = detail(FACE_SIDE, FACE_SIDE, 3);
        let soft = imageops::blur(&rough, 4.0);
        let on_skin = |x: u32, y: u32| {
            SKIN.iter().any(|r| r.places().any(|at| at == (x as usize, y as usize)))
        };
        let smooth = RgbImage::from_fn(FACE_SIDE, FACE_SIDE, |x, y| {
            *if on_skin(x, y) { &soft } else { &rough }.get_pixel(x, y)
        });
        let (before, after) = (FaceTone::of(&rough).texture, FaceTone::of(&smooth).texture);
        assert!(after < before / 2.0, "{before} {after}");
    }
}
