//! The colours below a chin and behind a head: enough to tell outfits and places apart.

use image::{Rgb, RgbImage};
use likeness_faces::Face;
use serde::{Deserialize, Serialize};

use crate::lab;
use crate::measures::Measures;

/// Colours around a face, in CIELAB: lightness, green to red, blue to yellow.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Scenery {
    /// The median colour of the clothes below the chin; `None` where too little of them is seen.
    pub outfit: Option<[f64; 3]>,
    /// The median colour beside and above the head; `None` where the face fills the picture.
    pub background: Option<[f64; 3]>,
    /// How much the lightness of the background differs from place to place: half of it lies
    /// within so much above and below the median.
    pub busy: f64,
}

const OUTFIT_SEEN: f64 = 0.4; // of the place below the chin has to be in the picture
const BACKGROUND_SEEN: f64 = 0.05; // of the picture
const MOST_PIXELS: usize = 4000; // a median of more says the same

impl Scenery {
    /// What is around `face` in `picture`, both of the same scale.
    pub fn of(picture: &RgbImage, face: &Face) -> Self {
        let [left, top, width, height] = face.bbox.map(f64::from);
        let (middle, chin) = (left + width / 2.0, top + height);
        let below = |x: f64, y: f64| {
            (x - middle).abs() <= 0.9 * width && (0.35..1.6).contains(&((y - chin) / height))
        };
        // As for back light: what is below the face beside it are shoulders.
        let behind = |x: f64, y: f64| {
            let beside = (x - middle).abs() > 0.9 * width || y < top - 0.5 * height;
            beside && y < chin
        };
        let outfit = colours(picture, below, OUTFIT_SEEN * 1.8 * width * 1.25 * height);
        let pixels = f64::from(picture.width()) * f64::from(picture.height());
        let background = colours(picture, behind, BACKGROUND_SEEN * pixels);
        let spread = |all: &[[f64; 3]]| {
            let light = sorted(all, 0);
            (light[light.len() * 3 / 4] - light[light.len() / 4]) / 2.0
        };
        Self {
            busy: background.as_deref().map_or(0.0, spread),
            outfit: outfit.as_deref().map(median),
            background: background.as_deref().map(median),
        }
    }

    /// Writes it down as measures.
    pub fn add_to(&self, measures: &mut Measures) {
        let colours = [("outfit", self.outfit), ("background", self.background)];
        for (of, colour) in colours {
            for (name, value) in ["light", "red", "yellow"].into_iter().zip(colour.iter().flatten())
            {
                measures.add(format!("{of}_{name}"), *value, "CIELAB", None, None);
            }
        }
        if self.background.is_some() {
            measures.add("background_busy", self.busy, "CIELAB", None, None);
        }
    }
}

/// The colours where `counts` says so; `None` of fewer pixels than `least`.
fn colours(
    picture: &RgbImage,
    counts: impl Fn(f64, f64) -> bool,
    least: f64,
) -> Option<Vec<[f64; 3]>> {
    let here = |(x, y, _): &(u32, u32, &Rgb<u8>)| counts(f64::from(*x) + 0.5, f64::from(*y) + 0.5);
    let pixels: Vec<&Rgb<u8>> =
        picture.enumerate_pixels().filter(here).map(|(.., pixel)| pixel).collect();
    let step = pixels.len().div_ceil(MOST_PIXELS).max(1);
    let enough = pixels.len() as f64 >= least.max(1.0);
    enough.then(|| pixels.into_iter().step_by(step).map(lab::of).collect())
}

fn median(colours: &[[f64; 3]]) -> [f64; 3] {
    [0, 1, 2].map(|axis| sorted(colours, axis)[colours.len() / 2])
}

fn sorted(colours: &[[f64; 3]], axis: usize) -> Vec<f64> {
    let mut values: Vec<f64> = colours.iter().map(|colour| colour[axis]).collect();
    values.sort_by(f64::total_cmp);
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    fn face() -> Face {
        Face { bbox: [80.0, 40.0, 40.0, 50.0], landmarks: [[0.0; 2]; 5], score: 1.0 }
    }

    #[test]
    fn a_red_shirt_before_a_blue_wall() {
        let picture = RgbImage::from_fn(200, 200, |x, y| match (x, y) {
            (_, 96..) => Rgb([180, 20, 30]),
            (75..125, 35..) => Rgb([200, 150, 120]),
            _ => Rgb([40, 60, 200]),
        });
        let Scenery { outfit, background, busy } = Scenery::of(&picture, &face());
        assert!(outfit.is_some_and(|[_, red, _]| red > 50.0), "{outfit:?}");
        assert!(background.is_some_and(|[.., yellow]| yellow < -50.0), "{background:?}");
        assert_eq!(busy, 0.0);
        let mut measures = Measures::default();
        Scenery { outfit: None, background, busy }.add_to(&mut measures);
        assert_eq!((measures.iter().count(), measures.get("outfit_light")), (4, None));
    }

    #[test]
    fn a_close_up_shows_neither_clothes_nor_place() {
        let face = Face { bbox: [0.0, 0.0, 200.0, 200.0], ..face() };
        let Scenery { outfit, background, .. } = Scenery::of(&RgbImage::new(200, 210), &face);
        assert_eq!((outfit, background), (None, None));
    }
}
