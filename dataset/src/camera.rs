//! What a camera, an app or a screen did to a picture: noise, one tint.

use image::RgbImage;
use likeness_faces::Face;
use serde::{Deserialize, Serialize};

use crate::lab;
use crate::luminance::Plane;

/// What is measured on a whole picture.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Camera {
    /// Standard deviation of the noise where there is least detail, of 255.
    pub noise: f64,
    /// How much colours differ that are equally light, in CIELAB.
    pub colours: f64,
    /// The mean blue over the mean lightness, in CIELAB; below 0 for yellow.
    pub blueness: f64,
}

const TILE: usize = 16; // pixels
const QUIET: f64 = 0.2; // of the tiles are taken as without detail
const SHADES: usize = 16; // classes of lightness
const COLOURED: f64 = 12.0; // lightness below which nothing has a colour: before black, skin alone would be a tint

impl Camera {
    /// Looks at a picture whose longer side was brought to 512 pixels.
    pub fn of(picture: &RgbImage) -> Self {
        let plane = Plane::of(picture);
        let (colours, blueness) = colours(picture);
        Self { noise: noise(&plane), colours, blueness }
    }
}

/// Immerkaer 1996, <https://doi.org/10.1006/cviu.1996.0060>, by tiles: the deviation in the tile
/// that only a fifth of them fall below, since detail looks like noise.
fn noise(plane: &Plane) -> f64 {
    let (width, height) = (plane.width, plane.height);
    if width < TILE + 2 || height < TILE + 2 {
        return 0.0;
    }
    let at = |x: usize, y: usize| f64::from(plane.values[y * width + x]);
    let left = |x: usize, y: usize| {
        let row = |y: usize| at(x - 1, y) - 2.0 * at(x, y) + at(x + 1, y);
        (row(y - 1) - 2.0 * row(y) + row(y + 1)).abs()
    };
    let mut tiles = Vec::new();
    for top in (1..height - TILE).step_by(TILE) {
        for start in (1..width - TILE).step_by(TILE) {
            let rows = (top..top + TILE).flat_map(|y| (start..start + TILE).map(move |x| (x, y)));
            tiles.push(rows.map(|(x, y)| left(x, y)).sum::<f64>() / (TILE * TILE) as f64);
        }
    }
    tiles.sort_by(f64::total_cmp);
    let quiet = tiles[(tiles.len() as f64 * QUIET) as usize];
    quiet * (std::f64::consts::PI / 2.0).sqrt() / 6.0
}

/// The deviation of chroma within classes of lightness, of what is not nearly black: a tint, or grey, has one chroma for
/// each; and the blueness.
fn colours(picture: &RgbImage) -> (f64, f64) {
    let (mut lightness, mut yellow) = (0f64, 0f64);
    let mut classes = [[0f64; 5]; SHADES]; // count, a, b, a^2, b^2
    for pixel in picture.pixels() {
        let [light, a, b] = lab::of(pixel);
        lightness += light;
        yellow += b;
        if light < COLOURED {
            continue;
        }
        let class = ((light / 100.0 * SHADES as f64) as usize).min(SHADES - 1);
        for (sum, value) in classes[class].iter_mut().zip([1.0, a, b, a * a, b * b]) {
            *sum += value;
        }
    }
    let spread = |[count, a, b, aa, bb]: &[f64; 5]| match *count {
        count if count > 0.0 => aa + bb - (a * a + b * b) / count,
        _ => 0.0,
    };
    let coloured: f64 = classes.iter().map(|class| class[0]).sum();
    let spread = classes.iter().map(spread).sum::<f64>().max(0.0);
    let all = f64::from(picture.width()) * f64::from(picture.height());
    ((spread / coloured.max(1.0)).sqrt(), -yellow / lightness.max(all).max(1.0))
}

/// How much brighter it is behind `face` than on it, in doublings: the background's upper quartile of
/// luminance over the face's mean, 0 to 1.
pub(crate) fn backlight(picture: &RgbImage, face: &Face, face_mean: f64) -> f64 {
    let plane = Plane::of(picture);
    let [_, _, width, height] = face.bbox;
    let [middle_x, middle_y] = face.center();
    let behind = |(column, row): (usize, usize)| {
        let (column, row) = (column as f32 + 0.5, row as f32 + 0.5);
        let beside = (column - middle_x).abs() > 0.9 * width || row < middle_y - height;
        beside && row < middle_y + 0.8 * height // below are shoulders
    };
    let places = plane.places().zip(&plane.values);
    let mut values: Vec<f32> =
        places.filter(|(place, _)| behind(*place)).map(|(_, value)| *value).collect();
    if values.len() < 50 {
        return 0.0;
    }
    values.sort_by(f32::total_cmp);
    let bright = f64::from(values[values.len() * 3 / 4]);
    ((bright + 1.0) / (face_mean * 255.0 + 1.0)).log2()
}

#[cfg(test)]
mod tests {
    use image::Rgb;
    use image::imageops::grayscale;

    use super::*;

    #[test]
    fn added_noise_is_measured() {
        let flat = |amount: i32| {
            let mut state = 1u32;
            RgbImage::from_fn(200, 200, |_, _| {
                let mut sum = 0;
                for _ in 0..12 {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    sum += (state >> 16) as i32 % 256;
                }
                // Twelve even numbers of 0 to 255 have a deviation of 256.
                Rgb([(128 + (sum - 1530) * amount / 256).clamp(0, 255) as u8; 3])
            })
        };
        let found = Camera::of(&flat(10)).noise;
        assert!((found - 10.0).abs() < 1.5, "{found}");
        assert!(Camera::of(&flat(0)).noise < 0.5);
    }

    #[test]
    fn grey_and_tinted_pictures_have_no_colours() {
        let colourful = RgbImage::from_fn(64, 64, |x, y| {
            Rgb([(x * 4) as u8, (y * 4) as u8, 255 - (x * 2 + y * 2) as u8])
        });
        assert!(Camera::of(&colourful).colours > 20.0);
        let gray = grayscale(&colourful);
        let tinted = RgbImage::from_fn(64, 64, |x, y| {
            let level = f64::from(gray.get_pixel(x, y)[0]);
            Rgb([level, level * 0.8, level * 0.5].map(|v| v as u8))
        });
        assert!(Camera::of(&tinted).colours < 2.0, "{:?}", Camera::of(&tinted));
    }

    #[test]
    fn black_around_a_subject_is_no_tint() {
        let lit = RgbImage::from_fn(64, 64, |x, y| {
            let inside = (24..40).contains(&x) && (24..40).contains(&y);
            let [r, g, b] = if (x + y) % 8 < 4 { [190, 120, 90] } else { [134, 140, 144] };
            Rgb(if inside { [r, g, b] } else { [9, 10, 8] })
        });
        assert!(Camera::of(&lit).colours > 5.0, "{:?}", Camera::of(&lit));
    }

    #[test]
    fn a_dark_face_before_a_bright_wall_is_backlit() {
        let picture = RgbImage::from_pixel(200, 200, Rgb([240; 3]));
        let face = Face { bbox: [80.0, 80.0, 40.0, 50.0], landmarks: [[0.0; 2]; 5], score: 1.0 };
        assert!(backlight(&picture, &face, 0.2) > 2.0);
        assert!(backlight(&picture, &face, 0.94).abs() < 0.1);
    }
}
