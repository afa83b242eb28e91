//! How sharp a face or a picture is, whatever its exposure.
//!
//! `detail = sum (x - G x)^2 / sum (x - mean x)^2`: the share of the contrast
//! that a Gaussian `G` of 1 px takes away. `reblur = sum (L G x)^2 / sum (L
//! x)^2`: how much of the Laplacian `L` outlives that blur. A blurred picture
//! has little detail and hardly changes when it is blurred again (the second
//! after Crete et al. 2007, <https://doi.org/10.1117/12.702790>). `evenness`: of
//! the second differences' squares along the row, the column and both diagonals
//! the least over the most; a camera that moved leaves little along its way.
//! All are ratios, so brighter or darker makes no difference.

use image::RgbImage;
use likeness_faces::{Face, align_to};
use serde::{Deserialize, Serialize};

use crate::luminance::Plane;

/// The three measures.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sharpness {
    /// 0 to 1; more is sharper.
    pub detail: f64,
    /// 0 to 1; less is sharper.
    pub reblur: f64,
    /// 0 to 1; the least where everything is smeared along one direction.
    pub evenness: f64,
}

/// The side of an aligned face; its eyes are 81 px apart.
pub(crate) const FACE_SIDE: u32 = 256;
const TILES: usize = 8; // along each axis of a picture

/// Sums over some pixels.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    count: f64,
    value: f64,
    square: f64,
    removed: f64,    // (x - Gx)^2
    edge: f64,       // (Lx)^2
    edge_left: f64,  // (LGx)^2
    bends: [f64; 4], // second differences squared, along each direction
}

impl Sums {
    fn contrast(&self) -> f64 {
        (self.square - self.value * self.value / self.count.max(1.0)).max(0.0)
    }
}

/// The sharpness of an aligned face, inside [`in_face`].
pub(crate) fn of_face(aligned: &RgbImage) -> Sharpness {
    let plane = Plane::of(aligned);
    let sums = sums(&plane, 1, |x, y| in_face(x, y).then_some(0))[0];
    sharpness(&sums, sums.contrast())
}

/// The sharpness of a picture, where it is sharpest: the quarter of its tiles
/// with the most detail, since a soft background is no fault. A tile counts
/// with at least the median contrast, so that grain on a flat one is not taken
/// for detail.
pub(crate) fn of_picture(picture: &RgbImage) -> Sharpness {
    let plane = Plane::of(picture);
    let (width, height) = (plane.width, plane.height);
    let tile = |x: usize, y: usize| Some(y * TILES / height * TILES + x * TILES / width);
    let mut tiles = sums(&plane, TILES * TILES, tile);
    tiles.retain(|sums| sums.count > 0.0);
    tiles.sort_by(|a, b| a.contrast().total_cmp(&b.contrast()));
    let least = tiles.get(tiles.len() / 2).map_or(0.0, Sums::contrast);
    tiles.sort_by(|a, b| b.removed.total_cmp(&a.removed));
    tiles.truncate((TILES * TILES / 4).min(tiles.len()));
    let contrast = tiles.iter().map(|sums| sums.contrast().max(least)).sum();
    let mut all = Sums::default();
    for tile in &tiles {
        all.removed += tile.removed;
        all.edge += tile.edge;
        all.edge_left += tile.edge_left;
        (0..4).for_each(|way| all.bends[way] += tile.bends[way]);
    }
    sharpness(&all, contrast)
}

/// `face` of `image` upright on [`FACE_SIDE`] pixels.
pub(crate) fn aligned(image: &RgbImage, face: &Face) -> RgbImage {
    align_to(image, &face.landmarks, FACE_SIDE)
}

/// Whether a pixel of an aligned face is on the face: an ellipse from the brow
/// to the chin that leaves hair and background out.
pub(crate) fn in_face(x: usize, y: usize) -> bool {
    let side = f64::from(FACE_SIDE);
    let from = |at: usize, middle: f64, radius: f64| (at as f64 / side - middle) / radius;
    from(x, 0.5, 0.36).powi(2) + from(y, 0.56, 0.44).powi(2) <= 1.0
}

/// A flat area has no contrast to lose: it counts as without detail.
fn sharpness(sums: &Sums, contrast: f64) -> Sharpness {
    let ratio = |part: f64, whole: f64, none: f64| if whole > 1e-6 { part / whole } else { none };
    let (least, most) =
        sums.bends.iter().fold((f64::INFINITY, 0f64), |(l, m), bend| (l.min(*bend), m.max(*bend)));
    Sharpness {
        detail: ratio(sums.removed, contrast, 0.0),
        reblur: ratio(sums.edge_left, sums.edge, 1.0),
        evenness: ratio(least, most, 1.0),
    }
}

fn sums(plane: &Plane, groups: usize, group: impl Fn(usize, usize) -> Option<usize>) -> Vec<Sums> {
    let blurred = plane.blurred();
    let (edges, edges_left) = (plane.laplacian(), blurred.laplacian());
    let bends = plane.second_differences();
    let mut all = vec![Sums::default(); groups];
    for (index, (x, y)) in plane.places().enumerate() {
        let Some(sums) = group(x, y).and_then(|number| all.get_mut(number)) else {
            continue;
        };
        let value = f64::from(plane.values[index]);
        sums.count += 1.0;
        sums.value += value;
        sums.square += value * value;
        sums.removed += (value - f64::from(blurred.values[index])).powi(2);
        sums.edge += f64::from(edges[index]).powi(2);
        sums.edge_left += f64::from(edges_left[index]).powi(2);
        for (sum, bend) in sums.bends.iter_mut().zip(&bends) {
            *sum += f64::from(bend[index]).powi(2);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use image::imageops;

    use super::*;
    use crate::testing::texture;

    #[test]
    fn blur_lowers_detail_and_raises_reblur() {
        let sharp = texture(400, 300, 1);
        let soft = imageops::blur(&sharp, 2.0);
        let (before, after) = (of_picture(&sharp), of_picture(&soft));
        assert!(after.detail < before.detail / 5.0, "{before:?} {after:?}");
        assert!(after.reblur > before.reblur * 2.0, "{before:?} {after:?}");
    }

    #[test]
    fn motion_along_any_direction_takes_evenness() {
        let still = texture(300, 300, 4);
        assert!(of_picture(&still).evenness > 0.3, "{:?}", of_picture(&still));
        for (dx, dy) in [(1i32, 0i32), (0, 1), (1, 1), (1, -1)] {
            let moved = RgbImage::from_fn(300, 300, |x, y| {
                let at = |t: i32| {
                    let place = |at: u32, by: i32| (at as i32 + by * t).clamp(0, 299) as u32;
                    u32::from(still.get_pixel(place(x, dx), place(y, dy))[0])
                };
                image::Rgb([((-4..5).map(at).sum::<u32>() / 9) as u8; 3])
            });
            let found = of_picture(&moved);
            assert!(found.evenness < 0.1, "{dx} {dy} {found:?}");
        }
    }

    #[test]
    fn exposure_makes_no_difference() {
        let bright = texture(300, 300, 2);
        let mut dark = bright.clone();
        dark.pixels_mut().for_each(|pixel| pixel.0 = pixel.0.map(|value| value / 2));
        let (a, b) = (of_picture(&bright), of_picture(&dark));
        assert!((a.detail / b.detail - 1.0).abs() < 0.1, "{a:?} {b:?}");
    }

    #[test]
    fn a_soft_background_is_no_fault() {
        let sharp = texture(512, 512, 3);
        let mut portrait = imageops::blur(&sharp, 6.0);
        imageops::replace(
            &mut portrait,
            &*imageops::crop_imm(&sharp, 160, 160, 200, 200),
            160,
            160,
        );
        let (all, part) = (of_picture(&sharp), of_picture(&portrait));
        assert!(part.detail > all.detail / 2.0, "{all:?} {part:?}");
    }

    #[test]
    fn tiny_and_flat_pictures_do_not_panic() {
        assert_eq!(
            of_picture(&RgbImage::new(1, 1)),
            Sharpness { detail: 0.0, reblur: 1.0, evenness: 1.0 }
        );
        assert_eq!(of_face(&RgbImage::new(FACE_SIDE, FACE_SIDE)).detail, 0.0);
    }
}
