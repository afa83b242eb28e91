//! Evens the light of portraits of one person, so that they can be compared.
//!
//! In linear light and stops: light from a side is a slope across the face, which is fitted by
//! least squares to the face's columns and taken away; then each face is brought to the level of
//! the middle one of all. Levels come from the photos themselves and not from a constant, so that
//! no skin is made lighter or darker than it is in the others.

use image::RgbImage;

/// At most so many stops are taken away across half a face, and given or taken in all: beyond,
/// noise would be made visible.
const MOST_SLOPE: f64 = 0.75;
const MOST_LEVEL: f64 = 1.5;
const LEAST_LIGHT: f64 = 1e-3; // of 1; below it is black

/// A face in a picture: left, top, width and height in pixels.
pub(super) type Area = [f64; 4];

/// Evens the light of `faces`: pictures with where their face is, and whether light from a side is
/// taken away, too.
pub(super) fn even(faces: &mut [(&mut RgbImage, Area, bool)]) {
    let mut levels: Vec<f64> = Vec::new();
    for (picture, area, sides) in faces.iter_mut() {
        if *sides {
            let slope = slope(picture, *area).clamp(-MOST_SLOPE, MOST_SLOPE);
            let (middle, half) = (area[0] + area[2] / 2.0, (area[2] / 2.0).max(1.0));
            brighten(picture, |x| -slope * ((f64::from(x) - middle) / half).clamp(-1.0, 1.0));
        }
        levels.push(mean(&columns(picture, *area)));
    }
    let mut sorted = levels.clone();
    sorted.sort_by(f64::total_cmp);
    let Some(target) = sorted.get(sorted.len() / 2).copied() else { return };
    for ((picture, ..), level) in faces.iter_mut().zip(levels) {
        let stops = (target - level).clamp(-MOST_LEVEL, MOST_LEVEL);
        brighten(picture, |_| stops);
    }
}

/// The light of each column of the inner face in stops, from left to right.
fn columns(picture: &RgbImage, [x, y, width, height]: Area) -> Vec<f64> {
    let inner = |start: f64, length: f64, side: u32| {
        let at = |share: f64| (start + length * share).round().clamp(0.0, f64::from(side)) as u32;
        at(0.15)..at(0.85)
    };
    let rows = inner(y, height, picture.height());
    let light = |column: u32| {
        let sum: f64 = rows.clone().map(|row| luminance(picture.get_pixel(column, row).0)).sum();
        (sum / rows.len().max(1) as f64).max(LEAST_LIGHT).log2()
    };
    inner(x, width, picture.width()).map(light).collect()
}

/// Stops that the light rises from the middle of the face to its right edge.
fn slope(picture: &RgbImage, area: Area) -> f64 {
    let columns = columns(picture, area);
    let middle = (columns.len() as f64 - 1.0) / 2.0;
    let level = mean(&columns);
    let at = |index: usize| (index as f64 - middle) / (area[2] / 2.0).max(1.0);
    let (mut rise, mut spread) = (0.0, 0.0);
    for (index, light) in columns.iter().enumerate() {
        rise += at(index) * (light - level);
        spread += at(index).powi(2);
    }
    if spread > 0.0 { rise / spread } else { 0.0 }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// Makes each column brighter by so many stops.
fn brighten(picture: &mut RgbImage, stops: impl Fn(u32) -> f64) {
    let gains: Vec<f64> = (0..picture.width()).map(|x| stops(x).exp2()).collect();
    for (x, _, pixel) in picture.enumerate_pixels_mut() {
        pixel.0 = pixel.0.map(|value| encoded(linear(value) * gains[x as usize]));
    }
}

/// Relative luminance, BT.709, 0 to 1.
fn luminance(rgb: [u8; 3]) -> f64 {
    let [r, g, b] = rgb.map(linear);
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

/// An sRGB value as light, 0 to 1 (IEC 61966-2-1).
fn linear(value: u8) -> f64 {
    let value = f64::from(value) / 255.0;
    if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
}

/// Light as an sRGB value.
fn encoded(light: f64) -> u8 {
    let light = light.clamp(0.0, 1.0);
    let value =
        if light <= 0.0031308 { light * 12.92 } else { 1.055 * light.powf(1.0 / 2.4) - 0.055 };
    (value * 255.0).round() as u8
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    const FACE: Area = [20.0, 20.0, 60.0, 60.0];

    /// A face of `level` stops below white, rising by `slope` stops to its right edge.
    fn face(level: f64, slope: f64) -> RgbImage {
        RgbImage::from_fn(100, 100, |x, _| {
            let stops = level + slope * ((f64::from(x) - 50.0) / 30.0).clamp(-1.0, 1.0);
            Rgb([encoded(stops.exp2()); 3])
        })
    }

    #[test]
    fn light_from_a_side_and_other_levels_are_evened() {
        let (mut a, mut b, mut c) = (face(-2.0, 0.6), face(-3.0, -0.4), face(-2.4, 0.0));
        even(&mut [(&mut a, FACE, true), (&mut b, FACE, true), (&mut c, FACE, true)]);
        for picture in [&a, &b, &c] {
            assert!(slope(picture, FACE).abs() < 0.05, "{}", slope(picture, FACE));
            assert!((mean(&columns(picture, FACE)) + 2.4).abs() < 0.05);
        }
    }

    #[test]
    fn only_so_much_is_evened_and_turned_heads_keep_their_sides() {
        let (mut dark, mut usual, mut turned) = (face(-7.0, 0.0), face(-2.0, 0.0), face(-2.0, 0.6));
        let mut faces =
            [(&mut dark, FACE, true), (&mut usual, FACE, true), (&mut turned, FACE, false)];
        even(&mut faces);
        assert!((mean(&columns(&dark, FACE)) + 5.5).abs() < 0.1);
        assert!((slope(&turned, FACE) - 0.6).abs() < 0.05);
    }

    #[test]
    fn values_are_decoded_and_encoded_back() {
        assert!((0..=255).all(|value| encoded(linear(value)) == value));
    }
}
