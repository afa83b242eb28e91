//! Words that were printed over a picture, or stand in it: watermarks, captions, dates.
//!
//! Letters are strokes of one shade with a steep edge, of one height, in a row. Each pixel is set
//! against the mean around it (Sauvola and Pietikainen 2000,
//! <https://doi.org/10.1016/S0031-3203(99)00055-2>, without the deviation) and against a few levels;
//! connected pixels that are all brighter, or all darker, are a blot. A blot is a letter where it is made of strokes
//! (Epshtein et al. 2010, <https://doi.org/10.1109/CVPR.2010.5540041>, by area over outline), has
//! one shade and a steep edge all around. The measure is the longest row of letters of like height
//! and shade.

mod blots;
mod rows;

use std::ops::RangeInclusive;

use image::RgbImage;

use crate::luminance::Plane;
use blots::{Blot, Extent, blots};
use rows::Letter;

const REACH: usize = 12; // pixels around one that its mean is of: small letters
const BRIGHT: [f32; 3] = [185.0, 210.0, 232.0]; // levels that light ink is above
const DARK: [f32; 2] = [35.0, 65.0]; // levels that dark ink is below
const STEP: f32 = 14.0; // levels between ink and that mean
const FINE_LIGHT: f64 = 150.0; // levels that small light ink has at least: gravel is grey
const FINE_DARK: f64 = 60.0; // levels that small dark ink has at the most
const SIZES: RangeInclusive<usize> = 7..=150; // pixels of a letter's width and height
const FINE_SIZES: RangeInclusive<usize> = 7..=60; // of a letter of a date, in the larger picture
const LARGER: f64 = 1.3; // times as long: less shows no more
const FILL: RangeInclusive<f64> = 0.18..=0.78; // of a letter's box that is ink
const STROKE: f64 = 0.38; // the most of a letter's shorter side that a stroke is wide
const EDGE: f64 = 22.0; // levels between a letter's outline and what is outside, its step
// What share of the outline has at least half of that step, and by how much of it the ink deviates at the
// most. Ink of one shade may lie over something that is as light here and there.
const PRINTED: [(f64, f64); 2] = [(0.85, 0.25), (0.6, 0.1)];
const INSIDE: usize = 5; // one in so many pixels of a letter that has an inside
const MOST_LETTERS: usize = 400; // of a map, bounds the time
const SAME: f64 = 2.0; // pixels between the middles, and the sizes, of a letter in two maps

/// How many letters stand in the longest row of a picture: of 512 pixels, `plane`, and of up to four times as many,
/// `larger`, in which dates can be read.
pub(crate) fn of(larger: &RgbImage, plane: &Plane) -> f64 {
    let coarse = longest_row(plane, &SIZES, true);
    if f64::from(larger.width().max(larger.height()))
        < LARGER * plane.width.max(plane.height) as f64
    {
        return coarse;
    }
    coarse.max(longest_row(&Plane::of(larger), &FINE_SIZES, false))
}

/// The longest row of light letters or of dark ones; by fixed levels, too, if they are `levelled`.
fn longest_row(plane: &Plane, sizes: &RangeInclusive<usize>, levelled: bool) -> f64 {
    let mean = means(plane, REACH);
    let longest = |sign: f32, levels: &[f32]| {
        let mut found = Vec::new();
        let apart = plane.values.iter().zip(&mean).map(|(v, m)| sign * (v - m) > STEP);
        letters(plane, &apart.collect::<Vec<_>>(), sizes, &mut found);
        for level in levels.iter().filter(|_| levelled) {
            let ink = plane.values.iter().map(|value| sign * (value - level) > 0.0);
            letters(plane, &ink.collect::<Vec<_>>(), sizes, &mut found);
        }
        let is_ink = |letter: &Letter| match sign > 0.0 {
            true => letter.shade >= FINE_LIGHT,
            false => letter.shade <= FINE_DARK,
        };
        found.retain(|letter| levelled || is_ink(letter));
        rows::longest(&found)
    };
    longest(1.0, &BRIGHT).max(longest(-1.0, &DARK)) as f64
}

/// The mean of the square that reaches so far around every pixel: sums of its columns and of these,
/// each the one before with what comes and without what goes.
fn means(plane: &Plane, reach: usize) -> Vec<f32> {
    let (width, height) = (plane.width, plane.height);
    let row = |y: usize| &plane.values[y * width..(y + 1) * width];
    let mut columns = vec![0f64; width];
    (0..reach.min(height)).for_each(|y| {
        columns.iter_mut().zip(row(y)).for_each(|(sum, value)| *sum += f64::from(*value));
    });
    let mut means = Vec::with_capacity(width * height);
    for y in 0..height {
        if y + reach < height {
            let comes = row(y + reach);
            columns.iter_mut().zip(comes).for_each(|(sum, value)| *sum += f64::from(*value));
        }
        if let Some(gone) = y.checked_sub(reach + 1) {
            let goes = row(gone);
            columns.iter_mut().zip(goes).for_each(|(sum, value)| *sum -= f64::from(*value));
        }
        let rows = (y + reach + 1).min(height) - y.saturating_sub(reach);
        let mut sum: f64 = columns[..reach.min(width)].iter().sum();
        for x in 0..width {
            sum += columns.get(x + reach).copied().unwrap_or(0.0);
            sum -= x.checked_sub(reach + 1).map_or(0.0, |gone| columns[gone]);
            let across = (x + reach + 1).min(width) - x.saturating_sub(reach);
            means.push((sum / (rows * across) as f64) as f32);
        }
    }
    means
}

/// Adds the blots of `ink` that look like letters and are not in `found` yet.
fn letters(plane: &Plane, ink: &[bool], sizes: &RangeInclusive<usize>, found: &mut Vec<Letter>) {
    let fits = |extent: &Extent| {
        let [width, height] = extent.size();
        let fill = extent.area as f64 / (width * height) as f64;
        sizes.contains(&width) && sizes.contains(&height) && FILL.contains(&fill)
    };
    let before = found.len();
    for blot in blots(ink, plane.width, fits) {
        let Some(letter) = letter(plane, ink, &blot) else { continue };
        let is_it = |other: &Letter| {
            let far = |axis: usize| {
                let middle = (other.middle[axis] - letter.middle[axis]).abs();
                middle.max((other.size[axis] - letter.size[axis]).abs())
            };
            far(0).max(far(1)) <= SAME
        };
        if !found.iter().any(is_it) {
            found.push(letter);
        }
        if found.len() - before == MOST_LETTERS {
            break;
        }
    }
}

/// The blot as a letter, where it is one.
fn letter(plane: &Plane, ink: &[bool], blot: &Blot) -> Option<Letter> {
    let Extent { left, top, right, bottom, area } = blot.extent;
    let [width, height] = blot.extent.size().map(|side| side as f64);
    let beside = |at: &usize| neighbours(plane, *at).any(|beside| !ink[beside]);
    let outline: Vec<usize> = blot.places.iter().copied().filter(beside).collect();
    let stroke = 2.0 * area as f64 / outline.len().max(1) as f64;
    if stroke > STROKE * width.min(height) {
        return None;
    }
    let shade =
        blot.places.iter().map(|at| f64::from(plane.values[*at])).sum::<f64>() / area as f64;
    let middle = [(left + right) as f64 / 2.0, (top + bottom) as f64 / 2.0];
    let step = step(plane, &outline, shade)?;
    let uneven = unevenness(plane, &blot.places, &outline) / step.mean;
    let holds = |(steep, even): &(f64, f64)| step.steep >= *steep && uneven <= *even;
    let printed = step.mean >= EDGE && PRINTED.iter().any(holds);
    let size = [width, height];
    printed.then_some(Letter { middle, size, stroke, shade, step: step.mean, uneven })
}

/// The four pixels beside one.
fn neighbours(plane: &Plane, at: usize) -> impl Iterator<Item = usize> + use<> {
    let (width, height) = (plane.width, plane.height);
    let (x, y) = (at % width, at / width);
    let left = (x > 0).then(|| at - 1);
    let right = (x + 1 < width).then(|| at + 1);
    let above = (y > 0).then(|| at - width);
    let below = (y + 1 < height).then(|| at + width);
    [left, right, above, below].into_iter().flatten()
}

/// How a blot differs from what is around it.
struct Step {
    /// Levels, the mean along its outline.
    mean: f64,
    /// The share of the outline that has at least half of it.
    steep: f64,
}

fn step(plane: &Plane, outline: &[usize], shade: f64) -> Option<Step> {
    let (width, height) = (plane.width, plane.height);
    let far = |at: &usize| {
        let (x, y) = (at % width, at / width);
        let (left, right) = (x.saturating_sub(2), (x + 2).min(width - 1));
        let (top, bottom) = (y.saturating_sub(2), (y + 2).min(height - 1));
        let around = [(left, y), (right, y), (x, top), (x, bottom)];
        let far = around.map(|(x, y)| (shade - f64::from(plane.values[y * width + x])).abs());
        far.into_iter().fold(0.0, f64::max)
    };
    let steps: Vec<f64> = outline.iter().map(far).collect();
    let mean = steps.iter().sum::<f64>() / steps.len() as f64;
    let steep = steps.iter().filter(|step| **step > mean / 2.0).count() as f64;
    (mean > 0.0).then(|| Step { mean, steep: steep / steps.len() as f64 })
}

/// The deviation of the ink's levels. Where ink ends it is blended: its inside counts, if it has one.
fn unevenness(plane: &Plane, blot: &[usize], outline: &[usize]) -> f64 {
    let level = |at: &usize| f64::from(plane.values[*at]);
    let is_inside = |at: &&usize| outline.binary_search(at).is_err();
    let inside: Vec<f64> = blot.iter().filter(is_inside).map(level).collect();
    let levels = match inside.len() * INSIDE < blot.len() {
        true => blot.iter().map(level).collect(),
        false => inside,
    };
    let mean = levels.iter().sum::<f64>() / levels.len() as f64;
    (levels.iter().map(|level| (level - mean).powi(2)).sum::<f64>() / levels.len() as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use image::{Rgb, RgbImage};

    use super::*;
    use crate::luminance::fitted;
    use crate::testing::texture;

    const LETTERS: [[u8; 7]; 4] = [
        [0b01110, 0b10001, 0b10001, 0b11111, 0b10001, 0b10001, 0b10001],
        [0b11110, 0b10001, 0b11110, 0b10001, 0b10001, 0b10001, 0b11110],
        [0b10000, 0b10000, 0b10000, 0b10000, 0b10000, 0b10000, 0b11111],
        [0b11111, 0b10000, 0b11110, 0b10000, 0b10000, 0b10000, 0b11111],
    ];

    fn found(picture: &RgbImage) -> f64 {
        of(picture, &Plane::of(&fitted(picture, 512)))
    }

    #[test]
    fn means_are_those_of_the_squares_also_at_the_edges() {
        let plane = Plane::of(&texture(33, 21, 4));
        for (at, mean) in means(&plane, 12).into_iter().enumerate() {
            let (x, y) = (at % 33, at / 33);
            let inside = plane.places().zip(&plane.values);
            let inside = inside.filter(|((a, b), _)| a.abs_diff(x) <= 12 && b.abs_diff(y) <= 12);
            let inside: Vec<f32> = inside.map(|(_, value)| *value).collect();
            let truth = inside.iter().sum::<f32>() / inside.len() as f32;
            assert!((mean - truth).abs() < 1e-2, "{x} {y}: {mean} {truth}");
        }
    }

    /// `picture` with eight letters of cells of `cell` pixels, of `shade`, each lower by `fall`.
    fn lettered(picture: &RgbImage, cell: u32, shade: u8, fall: u32) -> f64 {
        let mut picture = picture.clone();
        for number in 0..8u32 {
            for (row, bits) in LETTERS[number as usize % 4].iter().enumerate() {
                for column in (0..5).filter(|column| bits >> (4 - column) & 1 == 1) {
                    let left = 20 + (number * 7 + column) * cell;
                    let top = 60 + (row as u32) * cell + number * fall;
                    for (x, y) in (0..cell).flat_map(|y| (0..cell).map(move |x| (x, y))) {
                        picture.put_pixel(left + x, top + y, Rgb([shade; 3]));
                    }
                }
            }
        }
        found(&picture)
    }

    #[test]
    fn words_are_counted_whatever_their_size_shade_and_slope() {
        let soft = image::imageops::blur(&texture(512, 400, 7), 6.0);
        for (cell, shade, fall) in [(2, 250, 0), (4, 255, 0), (7, 245, 12), (4, 10, 3)] {
            let found = lettered(&soft, cell, shade, fall);
            assert!((6.0..12.0).contains(&found), "{cell} {shade} {fall}: {found}");
        }
    }

    #[test]
    fn detail_windows_and_flat_pictures_are_no_words() {
        assert!(found(&texture(512, 400, 7)) <= 3.0);
        assert_eq!(found(&RgbImage::new(64, 64)), 0.0);
        let windows = RgbImage::from_fn(512, 400, |x, y| {
            Rgb([if x % 40 < 22 && y % 50 < 30 { 240 } else { 60 }; 3])
        });
        assert!(found(&windows) <= 3.0);
    }
}
