//! Whether skin was smoothed.
//!
//! A smoothing filter takes the finest detail of the skin and leaves the coarser one, and the features.
//! `fineness` is the detail of 1 to 1.4 px of cheeks and forehead over that of 2 to 3 px, or its share of
//! the same ratio of eyes and mouth, whichever is more: a whole picture that is soft has fine features
//! no more than fine skin.

use image::RgbImage;

use crate::luminance::Plane;
use crate::regions::{EYES, LIP, MOUTH, Region, SKIN, percentile};

const FINE: (usize, usize) = (1, 2); // squares of the sigmas of a band, px
const COARSE: (usize, usize) = (4, 9);
const LEAST: f64 = 0.1; // levels of the coarse detail: less says nothing
/// How many times the ratio to the features counts: of 35 portraits with skin smoothed by 4 % of the distance
/// of the eyes the skin's own is at most .284, that to the features .614.
const RELATIVE: f64 = 0.47;

/// The fineness of the skin of an aligned face.
pub(crate) fn fineness(aligned: &RgbImage) -> f64 {
    let mut blurred = Plane::of(aligned);
    let mut at = Vec::with_capacity(COARSE.1 + 1);
    for _ in 0..COARSE.1 {
        let next = blurred.blurred();
        at.push(std::mem::replace(&mut blurred, next));
    }
    at.push(blurred);
    let band = |(from, to): (usize, usize)| {
        let apart = at[from].values.iter().zip(&at[to].values).map(|(a, b)| (a - b).abs());
        Plane { values: apart.collect(), ..at[0] }
    };
    let (fine, coarse) = (band(FINE), band(COARSE));
    let ratio = |regions: &[Region], share: f64| {
        let of = |band: &Plane| percentile(Region::values(regions, band), share);
        of(&fine) / of(&coarse).max(LEAST)
    };
    let drawn: Vec<Region> = EYES.iter().chain(&LIP).chain(&MOUTH).copied().collect();
    let skin = ratio(&SKIN, 0.5);
    skin.max(RELATIVE * skin / ratio(&drawn, 0.9).max(1e-3))
}

#[cfg(test)]
mod tests {
    use image::imageops;

    use super::*;
    use crate::sharpness::FACE_SIDE;
    use crate::testing::texture;

    #[test]
    fn smoothed_skin_is_less_fine_and_a_soft_picture_is_not() {
        let rough = texture(FACE_SIDE, FACE_SIDE, 3);
        let soft = imageops::blur(&rough, 3.2);
        let on_skin = |x: u32, y: u32| {
            SKIN.iter().any(|r| r.places().any(|at| at == (x as usize, y as usize)))
        };
        let smooth = RgbImage::from_fn(FACE_SIDE, FACE_SIDE, |x, y| {
            *if on_skin(x, y) { &soft } else { &rough }.get_pixel(x, y)
        });
        let [rough, smooth, soft] = [&rough, &smooth, &soft].map(fineness);
        assert!(smooth < 0.35 && rough > 0.45 && soft > 0.45, "{rough} {smooth} {soft}");
    }
}
