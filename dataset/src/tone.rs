//! What a filter did to the tones: blacks lifted, whites lowered, both crushed, skin smoothed.
//!
//! `black_point` and `white_point` are the luminance that half a percent of a picture lies below,
//! and above: nearly every photo has something black and something white, a faded look has
//! neither. A light picture without black still has colours that lack red, green or blue, unless a
//! filter lifted all three: `lifted_blacks` is the value that the least channel of half a percent
//! lies below. `crushed` is the lesser of the shares that are lost in black and in white: a dark
//! room loses one, a hard filter both. `contrast` is taken in doublings of the stored values, so
//! that it is the same for dark and for light skin. `tint` is how far the skin's colour is from that
//! of any skin in plain light; `skin_hue` how far its hue is, whatever its lightness and strength:
//! dark and light skin have one hue.

use image::RgbImage;
use serde::{Deserialize, Serialize};

use crate::lab;
use crate::luminance::Plane;
use crate::regions::{SKIN, percentile};
use crate::sharpness::in_face;

/// The tones of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Tone {
    /// Luminance that 0.5 % lie below, 0 to 1.
    pub black_point: f64,
    /// What the least channel of 0.5 % lies below, 0 to 1.
    pub lifted_blacks: f64,
    /// Luminance that 0.5 % lie above, 0 to 1.
    pub white_point: f64,
    /// The lesser of the shares at 3 or below and at 252 or above, of 255.
    pub crushed: f64,
}

/// The tones of a face.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct FaceTone {
    /// The 95th percentile of the light over the 5th, doublings of the stored values.
    pub contrast: f64,
    /// How far the skin's colour is from any in plain light, as a share of its lightness.
    pub tint: f64,
    /// Degrees of hue from skin in plain light: above 0 towards green, below towards red and blue;
    /// `None` of skin without colour.
    pub skin_hue: Option<f64>,
}

const POINT: f64 = 0.005;
const FLOOR: f64 = 5.0; // levels of 255 below which doublings say nothing
// Skin in plain light is red and yellow, its chroma .11 to .65 of its lightness in photographs, of ebony skin .76.
const PLAIN_CHROMA: f64 = 0.75;
/// The median hue of the skin of 66 portraits, in degrees of CIELAB.
const SKIN_HUE: f64 = 50.0;
const LEAST_CHROMA: f64 = 0.05; // as a share of lightness: with less there is no hue
const COLOURED: std::ops::RangeInclusive<f64> = 5.0..=97.0; // lightness: black and white have no hue

impl Tone {
    /// Looks at a whole picture, whose luminance is `plane`.
    pub fn of(picture: &RgbImage, plane: &Plane) -> Self {
        let count = plane.values.len().max(1) as f64;
        let share = |counts: &dyn Fn(f32) -> bool| {
            plane.values.iter().filter(|value| counts(**value)).count() as f64 / count
        };
        let point = |values: Vec<f32>, share: f64| percentile(values, share) / 255.0;
        let least = picture.pixels().map(|pixel| f32::from(pixel.0.into_iter().min().unwrap_or(0)));
        Self {
            black_point: point(plane.values.clone(), POINT),
            lifted_blacks: point(least.collect(), POINT),
            white_point: point(plane.values.clone(), 1.0 - POINT),
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
        let skin = skin(aligned);
        let contrast = (light(0.95) / light(0.05)).log2();
        Self { contrast, tint: tint(skin), skin_hue: hue(skin) }
    }
}

/// The medians of the skin's colour.
fn skin(aligned: &RgbImage) -> [f64; 3] {
    let places = SKIN.iter().flat_map(|region| region.places());
    let all: Vec<[f64; 3]> =
        places.map(|(x, y)| lab::of(aligned.get_pixel(x as u32, y as u32))).collect();
    [0, 1, 2].map(|axis| percentile(all.iter().map(|lab| lab[axis] as f32).collect(), 0.5))
}

fn tint([light, red, yellow]: [f64; 3]) -> f64 {
    let [red, yellow] = [red, yellow].map(|colour| colour / light.max(1.0));
    let beyond = red.hypot(yellow) - PLAIN_CHROMA;
    beyond.max(-red).max(-yellow).max(0.0)
}

fn hue([light, red, yellow]: [f64; 3]) -> Option<f64> {
    let coloured = COLOURED.contains(&light) && red.hypot(yellow) >= LEAST_CHROMA * light;
    let off = yellow.atan2(red).to_degrees() - SKIN_HUE;
    coloured.then(|| (off + 180.0).rem_euclid(360.0) - 180.0)
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;
    use crate::sharpness::FACE_SIDE;

    fn graded(change: impl Fn(f64) -> f64) -> Tone {
        toned(|x| [change(x).clamp(0.0, 255.0) as u8; 3])
    }

    fn toned(colour: impl Fn(f64) -> [u8; 3]) -> Tone {
        let picture = RgbImage::from_fn(256, 64, |x, _| Rgb(colour(f64::from(x))));
        Tone::of(&picture, &Plane::of(&picture))
    }

    #[test]
    fn lifted_blacks_and_lowered_whites_are_seen() {
        let (whole, faded) = (graded(|v| v), graded(|v| 60.0 + v * 0.5));
        assert!(whole.black_point < 0.01 && whole.white_point > 0.99, "{whole:?}");
        assert!(faded.black_point > 0.22 && faded.white_point < 0.75, "{faded:?}");
        assert!(whole.lifted_blacks < 0.01 && faded.lifted_blacks > 0.22, "{whole:?} {faded:?}");
    }

    #[test]
    fn a_light_picture_of_strong_colours_is_not_faded() {
        let light = toned(|x| if x < 128.0 { [60, 150, 230] } else { [250, 180, 20] });
        assert!(light.black_point > 0.4 && light.lifted_blacks < 0.1, "{light:?}");
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
    fn skin_of_any_tone_has_one_hue_and_filters_have_others() {
        let of = |colour: [u8; 3]| {
            let plain = RgbImage::from_pixel(FACE_SIDE, FACE_SIDE, Rgb(colour));
            FaceTone::of(&plain).skin_hue
        };
        for skin in [[236, 200, 180], [200, 150, 120], [110, 72, 52], [52, 34, 26]] {
            assert!(of(skin).is_some_and(|hue| hue.abs() < 15.0), "{skin:?} {:?}", of(skin));
        }
        assert!(of([150, 150, 190]).is_some_and(|hue| hue < -90.0), "blue");
        assert!(of([190, 140, 170]).is_some_and(|hue| hue < -40.0), "magenta");
        assert!(of([160, 175, 120]).is_some_and(|hue| hue > 40.0), "green");
        for none in [[128, 128, 128], [255, 252, 250], [3, 2, 2]] {
            assert_eq!(of(none), None, "{none:?}");
        }
    }

    #[test]
    fn skin_of_any_tone_has_no_tint_and_coloured_light_has() {
        let of = |colour: [u8; 3]| {
            FaceTone::of(&RgbImage::from_pixel(FACE_SIDE, FACE_SIDE, Rgb(colour))).tint
        };
        for skin in [[236, 200, 180], [200, 150, 120], [110, 72, 52], [52, 34, 26], [90, 90, 90]] {
            assert!(of(skin) < 0.02, "{skin:?} {}", of(skin));
        }
        assert!(of([80, 60, 48]) < 0.02, "light skin, three stops too dark");
        for lit in [[30, 34, 60], [90, 20, 10], [40, 80, 40]] {
            assert!(of(lit) > 0.1, "{lit:?} {}", of(lit));
        }
    }
}
