//! Words that were printed over a picture, or stand in it: watermarks, captions, dates.
//!
//! Letters are strokes of one shade with a steep edge, of one height, in a row. Each pixel is set
//! against the mean around it (Sauvola and Pietikainen 2000,
//! <https://doi.org/10.1016/S0031-3203(99)00055-2>, without the deviation) and against a few levels;
//! connected pixels that are all brighter, or all darker, are a blot. A blot is a letter where it is made of strokes
//! (Epshtein et al. 2010, <https://doi.org/10.1109/CVPR.2010.5540041>, by area over outline), has
//! one shade and a steep edge all around. The measure is the longest row of letters of like height
//! and shade.

use crate::luminance::Plane;

const REACH: usize = 12; // pixels around one that its mean is of: small letters
const BRIGHT: [f32; 3] = [185.0, 210.0, 232.0]; // levels that light ink is above
const DARK: [f32; 2] = [35.0, 65.0]; // levels that dark ink is below
const STEP: f32 = 14.0; // levels between ink and that mean
const SIZES: std::ops::RangeInclusive<usize> = 7..=150; // pixels of a letter's width and height
const FILL: std::ops::RangeInclusive<f64> = 0.18..=0.78; // of a letter's box that is ink
const STROKE: f64 = 0.38; // the most of a letter's shorter side that a stroke is wide
const EDGE: f64 = 22.0; // levels between a letter's outline and what is outside
const STEEP: f64 = 0.85; // of the outline has at least half of the mean step
const EVEN: f64 = 0.25; // the most of that step that the ink's deviation is
// With bends of 14 degrees and heights within 1.45 gravel and leaves were words in a tenth of real photos of toys, and hardly
// more watermarks were found.
const APART: f64 = 2.0; // heights between the middles of two letters
const IN_LINE: f64 = 0.99; // cosine of the angle that a row bends by, 8 degrees
const MOST_LETTERS: usize = 400; // bounds the time

/// A blot that may be a letter.
#[derive(Debug, Clone, Copy)]
struct Letter {
    middle: [f64; 2],
    size: [f64; 2],
    shade: f64,
}

/// How many letters stand in the longest row of a picture whose longer side has 512 pixels.
pub(crate) fn of(plane: &Plane) -> f64 {
    let mean = means(plane, REACH);
    let against = |sign: f32| {
        plane.values.iter().zip(&mean).map(|(v, m)| sign * (v - m) > STEP).collect::<Vec<_>>()
    };
    let ink = |counts: &dyn Fn(f32) -> bool| plane.values.iter().map(|v| counts(*v)).collect();
    let mut maps = vec![against(1.0), against(-1.0)];
    maps.extend(BRIGHT.map(|level| ink(&|value| value > level)));
    maps.extend(DARK.map(|level| ink(&|value| value < level)));
    let rows = maps.iter().map(|ink| longest_row(&letters(plane, ink)));
    rows.max().unwrap_or(0) as f64
}

/// The mean of the square that reaches so far around every pixel.
fn means(plane: &Plane, reach: usize) -> Vec<f32> {
    let (width, height) = (plane.width, plane.height);
    let mut sums = vec![0f64; (width + 1) * (height + 1)];
    for (x, y) in plane.places() {
        sums[(y + 1) * (width + 1) + x + 1] = f64::from(plane.values[y * width + x])
            + sums[y * (width + 1) + x + 1]
            + sums[(y + 1) * (width + 1) + x]
            - sums[y * (width + 1) + x];
    }
    let at = |x: usize, y: usize| sums[y * (width + 1) + x];
    plane
        .places()
        .map(|(x, y)| {
            let (left, right) = (x.saturating_sub(reach), (x + reach + 1).min(width));
            let (top, bottom) = (y.saturating_sub(reach), (y + reach + 1).min(height));
            let sum = at(right, bottom) - at(left, bottom) - at(right, top) + at(left, top);
            (sum / ((right - left) * (bottom - top)) as f64) as f32
        })
        .collect()
}

/// The blots of `ink` that look like letters.
fn letters(plane: &Plane, ink: &[bool]) -> Vec<Letter> {
    let mut seen = vec![false; ink.len()];
    let mut found = Vec::new();
    for start in 0..ink.len() {
        if ink[start] && !seen[start] {
            let blot = flooded(plane, ink, start, &mut seen);
            found.extend(letter(plane, ink, &blot));
        }
        if found.len() == MOST_LETTERS {
            break;
        }
    }
    found
}

/// The places of the blot at `start`.
fn flooded(plane: &Plane, ink: &[bool], start: usize, seen: &mut [bool]) -> Vec<usize> {
    let mut blot = vec![start];
    seen[start] = true;
    let mut next = 0;
    while next < blot.len() {
        for beside in touching(plane, blot[next]) {
            if ink[beside] && !seen[beside] {
                seen[beside] = true;
                blot.push(beside);
            }
        }
        next += 1;
    }
    blot
}

/// The eight pixels around one, since strokes meet at corners, too.
fn touching(plane: &Plane, at: usize) -> impl Iterator<Item = usize> + use<> {
    let (width, height) = (plane.width, plane.height);
    let (x, y) = (at % width, at / width);
    let columns = x.saturating_sub(1)..(x + 2).min(width);
    let rows = y.saturating_sub(1)..(y + 2).min(height);
    rows.flat_map(move |row| columns.clone().map(move |column| row * width + column))
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

/// The blot as a letter, where it is one.
fn letter(plane: &Plane, ink: &[bool], blot: &[usize]) -> Option<Letter> {
    let places = || blot.iter().map(|at| (at % plane.width, at / plane.width));
    let (left, right) = ends(places().map(|(x, _)| x))?;
    let (top, bottom) = ends(places().map(|(_, y)| y))?;
    let (width, height) = (right - left + 1, bottom - top + 1);
    if !SIZES.contains(&width) || !SIZES.contains(&height) {
        return None;
    }
    let area = blot.len() as f64;
    let outline: Vec<usize> = blot
        .iter()
        .copied()
        .filter(|at| neighbours(plane, *at).any(|beside| !ink[beside]))
        .collect();
    let stroke = 2.0 * area / outline.len().max(1) as f64;
    let shorter = width.min(height) as f64;
    if !FILL.contains(&(area / (width * height) as f64)) || stroke > STROKE * shorter {
        return None;
    }
    let shade = blot.iter().map(|at| f64::from(plane.values[*at])).sum::<f64>() / area;
    if !printed(plane, blot, &outline, shade) {
        return None;
    }
    let middle = [(left + right) as f64 / 2.0, (top + bottom) as f64 / 2.0];
    Some(Letter { middle, size: [width as f64, height as f64], shade })
}

fn ends(values: impl Iterator<Item = usize>) -> Option<(usize, usize)> {
    values.fold(None, |ends, value| match ends {
        None => Some((value, value)),
        Some((least, most)) => Some((least.min(value), most.max(value))),
    })
}

/// Whether the blot has one shade and a steep edge all around.
fn printed(plane: &Plane, blot: &[usize], outline: &[usize], shade: f64) -> bool {
    let (width, height) = (plane.width, plane.height);
    let steps: Vec<f64> = outline
        .iter()
        .map(|at| {
            let (x, y) = (at % width, at / width);
            let (left, right) = (x.saturating_sub(2), (x + 2).min(width - 1));
            let (top, bottom) = (y.saturating_sub(2), (y + 2).min(height - 1));
            let around = [(left, y), (right, y), (x, top), (x, bottom)];
            let far = around.map(|(x, y)| (shade - f64::from(plane.values[y * width + x])).abs());
            far.into_iter().fold(0.0, f64::max)
        })
        .collect();
    let mean = steps.iter().sum::<f64>() / steps.len().max(1) as f64;
    let steep = steps.iter().filter(|step| **step > mean / 2.0).count() as f64;
    let spread = blot.iter().map(|at| (f64::from(plane.values[*at]) - shade).powi(2)).sum::<f64>();
    let deviation = (spread / blot.len() as f64).sqrt();
    mean >= EDGE && steep >= STEEP * steps.len() as f64 && deviation <= EVEN * mean
}

/// The most letters that stand in one row.
fn longest_row(letters: &[Letter]) -> usize {
    let mut longest = 0;
    for (first, a) in letters.iter().enumerate() {
        for (second, b) in letters.iter().enumerate() {
            if first == second || !alike(a, b) {
                continue;
            }
            let way = [b.middle[0] - a.middle[0], b.middle[1] - a.middle[1]];
            let reach = APART * a.size[1].max(b.size[1]);
            if way[0] <= 0.0 || way[0].hypot(way[1]) > reach {
                continue;
            }
            longest = longest.max(2 + followers(letters, b, way));
        }
    }
    longest
}

/// How many letters go on from `last` along `way`.
fn followers(letters: &[Letter], last: &Letter, way: [f64; 2]) -> usize {
    let (mut last, mut count) = (last, 0);
    let length = way[0].hypot(way[1]);
    loop {
        let next = letters.iter().filter(|letter| alike(last, letter)).filter_map(|letter| {
            let [x, y] = [letter.middle[0] - last.middle[0], letter.middle[1] - last.middle[1]];
            let far = x.hypot(y);
            let along = (x * way[0] + y * way[1]) / (length * far.max(1e-9));
            let near = far > 0.7 * length && far < 1.5 * length;
            (near && along > IN_LINE).then_some((letter, far))
        });
        match next.min_by(|a, b| a.1.total_cmp(&b.1)) {
            Some((letter, _)) if count < MOST_LETTERS => (last, count) = (letter, count + 1),
            _ => return count,
        }
    }
}

/// Whether two letters may be of one word.
fn alike(a: &Letter, b: &Letter) -> bool {
    let heights = a.size[1].max(b.size[1]) / a.size[1].min(b.size[1]);
    heights <= 1.3 && (a.shade - b.shade).abs() <= 30.0
}

#[cfg(test)]
mod tests {
    use image::{Rgb, RgbImage};

    use super::*;
    use crate::testing::texture;

    const LETTERS: [[u8; 7]; 4] = [
        [0b01110, 0b10001, 0b10001, 0b11111, 0b10001, 0b10001, 0b10001],
        [0b11110, 0b10001, 0b11110, 0b10001, 0b10001, 0b10001, 0b11110],
        [0b10000, 0b10000, 0b10000, 0b10000, 0b10000, 0b10000, 0b11111],
        [0b11111, 0b10000, 0b11110, 0b10000, 0b10000, 0b10000, 0b11111],
    ];

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
        of(&Plane::of(&picture))
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
        assert!(of(&Plane::of(&texture(512, 400, 7))) <= 3.0);
        assert_eq!(of(&Plane::of(&RgbImage::new(64, 64))), 0.0);
        let windows = RgbImage::from_fn(512, 400, |x, y| {
            Rgb([if x % 40 < 22 && y % 50 < 30 { 240 } else { 60 }; 3])
        });
        assert!(of(&Plane::of(&windows)) <= 3.0);
    }
}
