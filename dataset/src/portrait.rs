//! How a face is lit, and what lies before it, on the aligned face.
//!
//! The face's regions are squares of the alignment's template, so no finer landmarks are needed.

use image::RgbImage;
use serde::{Deserialize, Serialize};

use crate::lab;
use crate::luminance::Plane;
use crate::regions::{BELOW_EYES, CHIN, LIP, LOW_CHEEKS, Region, SIDES, SKIN};
use crate::sharpness::{FACE_SIDE, in_face};

/// What is measured on an aligned face.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Portrait {
    /// Light on the viewer's left side of the face over that on the right one, in doublings of the stored values: the median of
    /// four pairs of places, for a beard or hair may darken one of them.
    pub light_side: f64,
    /// The share of the face that is darker than 40 % of its median.
    pub shadow: f64,
    /// The steepest change of light on the skin, in doublings a pixel: the 95th percentile.
    pub shadow_edge: f64,
    /// How far the colour below the eyes is from that of mouth, chin and cheeks, whichever is
    /// nearest, in CIELAB: beards leave a cheek, masks nothing.
    pub cover: f64,
}

const SHADOW: f32 = 0.4; // of the median

impl Portrait {
    /// Looks at an aligned face.
    pub fn of(aligned: &RgbImage) -> Self {
        let plane = Plane::of(aligned);
        let light = |region: Region| median(&mut Region::values(&[region], &plane)) + 1.0;
        let mut sides = SIDES.map(|[left, right]| (light(left) / light(right)).log2());
        sides.sort_by(f32::total_cmp);
        let whole = plane.places().zip(&plane.values).filter(|((x, y), _)| in_face(*x, *y));
        let whole: Vec<f32> = whole.map(|(_, value)| *value).collect();
        let middle = median(&mut whole.clone());
        let shaded = whole.iter().filter(|value| **value < SHADOW * middle).count();
        Self {
            light_side: f64::from((sides[1] + sides[2]) / 2.0),
            shadow: shaded as f64 / whole.len() as f64,
            shadow_edge: shadow_edge(&plane),
            cover: cover(aligned),
        }
    }
}

/// Of the light in doublings, smoothed over 3 px, how much it changes a pixel.
fn shadow_edge(plane: &Plane) -> f64 {
    let doublings = plane.values.iter().map(|value| (value + 4.0).log2()).collect();
    let mut doublings = Plane { values: doublings, ..*plane };
    for _ in 0..9 {
        doublings = doublings.blurred(); // nine Gaussians of 1 px are one of 3
    }
    let at = |x: usize, y: usize| doublings.values[y * doublings.width + x];
    let last = FACE_SIDE as usize - 1;
    let mut slopes: Vec<f32> = SKIN
        .iter()
        .flat_map(|region| region.places())
        .filter(|(x, y)| (1..last).contains(x) && (1..last).contains(y))
        .map(|(x, y)| {
            let across = (at(x + 1, y) - at(x - 1, y)) / 2.0;
            across.hypot((at(x, y + 1) - at(x, y - 1)) / 2.0)
        })
        .collect();
    slopes.sort_by(f32::total_cmp);
    f64::from(slopes[slopes.len() * 95 / 100])
}

fn cover(aligned: &RgbImage) -> f64 {
    let colour = |regions: &[Region]| {
        let places = regions.iter().flat_map(|region| region.places());
        let all: Vec<[f64; 3]> =
            places.map(|(x, y)| lab::of(aligned.get_pixel(x as u32, y as u32))).collect();
        [1, 2].map(|axis| {
            let mut values: Vec<f32> = all.iter().map(|lab| lab[axis] as f32).collect();
            f64::from(median(&mut values))
        })
    };
    let above = colour(&BELOW_EYES);
    let below = [colour(&LOW_CHEEKS), colour(&LIP), colour(&CHIN)];
    let far = below.map(|[a, b]| (a - above[0]).hypot(b - above[1]));
    far.into_iter().fold(f64::INFINITY, f64::min)
}

fn median(values: &mut [f32]) -> f32 {
    values.sort_by(f32::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    const SKIN_COLOUR: [u8; 3] = [200, 150, 120];

    fn face(pixel: impl Fn(f64, f64) -> [u8; 3]) -> Portrait {
        let side = f64::from(FACE_SIDE);
        Portrait::of(&RgbImage::from_fn(FACE_SIDE, FACE_SIDE, |x, y| {
            Rgb(pixel(f64::from(x) / side * 112.0, f64::from(y) / side * 112.0))
        }))
    }

    #[test]
    fn an_even_face_has_nothing_to_say() {
        let even = face(|_, _| SKIN_COLOUR);
        let Portrait { light_side, shadow, shadow_edge, cover } = even;
        assert_eq!([light_side, shadow, shadow_edge, cover], [0.0; 4]);
    }

    #[test]
    fn a_shadow_across_the_face_is_seen_on_its_side_and_at_its_edge() {
        let shaded = face(|x, _| if x < 60.0 { SKIN_COLOUR } else { [40, 30, 24] });
        assert!(shaded.light_side > 2.0 && shaded.shadow > 0.3, "{shaded:?}");
        // An edge between the regions is not on the skin that is looked at; one on a cheek is.
        let edge = face(|x, _| if x < 44.0 { SKIN_COLOUR } else { [40, 30, 24] });
        assert!(edge.shadow_edge > 0.2, "{edge:?}");
        let soft = face(|x, _| [200.0, 150.0, 120.0].map(|v: f64| (v * (0.6 + x / 300.0)) as u8));
        assert!(soft.shadow_edge < 0.05, "{soft:?}");
    }

    #[test]
    fn a_mask_covers_and_a_beard_does_not() {
        let mask = face(|_, y| if y < 70.0 { SKIN_COLOUR } else { [120, 180, 220] });
        assert!(mask.cover > 28.0, "{mask:?}");
        let beard = face(|_, y| if y < 88.0 { SKIN_COLOUR } else { [40, 26, 20] });
        assert!(beard.cover < 5.0, "{beard:?}");
    }
}
