//! Whether two pictures are the same picture: one laid over the other where it fits best.
//!
//! pHash and its like compare whole pictures, so that cutting a tenth off a side looks like
//! another picture. Here a window of one picture is searched that shows what all of the other
//! shows, also in a mirror: first by means of 4 x 4 cells at 64 windows, then by moving the best
//! one in ever smaller steps. Windows have the aspect that the other picture has, so that only
//! place and scale are free. What decides is how well the steps of light between neighbouring
//! cells agree at the end, `sum g.g' / sqrt(sum g^2 sum g'^2)`: two shots of one scene have the
//! same light and dark places, but only one picture has the same edges at the same places.

use crate::print::{Print, SIDE, Sums, Window};

const COARSE: usize = 4; // cells along a side
const MIDDLE: usize = 16;
const FINE: usize = 32;
/// Spans of a side at which windows are tried: start and length.
const SPANS: [(f32, f32); 9] = [
    (0.0, 1.0),
    (0.0, 0.85),
    (0.075, 0.85),
    (0.15, 0.85),
    (0.0, 0.7),
    (0.1, 0.7),
    (0.15, 0.7),
    (0.2, 0.7),
    (0.3, 0.7),
];
const ASPECT: f32 = 1.13; // a window of an aspect that is further off than this factor is not tried
const COARSE_LEAST: f32 = 0.7; // correlation of 16 cells below which nothing is searched
const MIDDLE_START: f32 = 0.4; // of 256 cells, before the first step
const MIDDLE_LEAST: f32 = 0.75; // of 256 cells, after the large steps
const STEPS: [f32; 5] = [0.06, 0.03, 0.015, 0.0075, 0.004]; // shares of a side
const LARGE_STEPS: usize = 2;
const MIRROR: f64 = 0.1; // a mirror image has to fit better by so much: faces are nearly symmetric
const SHARED: f32 = 0.7; // the share of the cells that both pictures have to show

/// A picture ready to be compared with many, by few cells.
pub(crate) struct Sheet {
    aspect: f32, // width over height
    /// Means of [`COARSE`]^2 cells for each pair of spans, without their mean and of length 127.
    windows: Box<[[i8; COARSE * COARSE]]>,
    mirrored: [i8; COARSE * COARSE],
}

/// A picture that is looked at closely, by its print.
pub(crate) struct Close {
    sums: Sums,
    aspect: f32,
    whole: [Vec<f32>; 2], // MIDDLE^2 cells of all of it, and in a mirror
}

/// A window in which one picture may be seen in the other.
pub(crate) struct Start {
    /// Whether the first picture is looked for in the second.
    swapped: bool,
    mirrored: bool,
    window: Window,
}

/// How two pictures lie on each other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Overlay {
    /// Whether one had to be mirrored.
    pub mirrored: bool,
    /// How well light and dark agree, -1 to 1.
    pub light: f64,
    /// How well the steps of light agree, -1 to 1.
    pub edges: f64,
}

impl Sheet {
    /// Of the print of a picture of `width` x `height` pixels.
    pub fn new(print: &Print, width: u32, height: u32) -> Self {
        let sums = print.sums();
        let mut cells = Vec::with_capacity(SPANS.len() * SPANS.len()); // and no more: there may be thousands
        cells.extend(windows().map(|window| quantized(&sums.cells::<COARSE>(window))));
        let aspect = width.max(1) as f32 / height.max(1) as f32;
        Self { aspect, mirrored: mirror(&cells[0]), windows: cells.into() }
    }

    /// Where `self` and `other` may lie on each other; nowhere where they hardly can be one picture.
    pub fn starts(&self, other: &Self) -> Vec<Start> {
        let ways = [(false, false), (false, true), (true, false), (true, true)];
        let start = |(swapped, mirrored): (bool, bool)| {
            let (large, small) = if swapped { (other, self) } else { (self, other) };
            let (window, light) = large.coarse(small, mirrored);
            (light >= COARSE_LEAST).then_some(Start { swapped, mirrored, window })
        };
        ways.into_iter().filter_map(start).collect()
    }

    /// The same picture closely, by its `print`.
    pub fn closely(&self, print: &Print) -> Close {
        let sums = print.sums();
        let cells = sums.cells::<MIDDLE>(Window::WHOLE);
        let plain: Vec<f32> = cells.iter().flatten().map(|cell| cell.unwrap_or(0.0)).collect();
        let mirrored = plain.chunks(MIDDLE).flat_map(|row| row.iter().rev()).copied().collect();
        Close { sums, aspect: self.aspect, whole: [plain, mirrored] }
    }

    /// The best of the windows in which all of `small` may be seen, by few cells.
    fn coarse(&self, small: &Self, mirrored: bool) -> (Window, f32) {
        let seen = if mirrored { &small.mirrored } else { &small.windows[0] };
        let ratio = small.aspect / self.aspect;
        let fits = |window: &Window| {
            let off = window.width / window.height / ratio;
            *window == Window::WHOLE || (1.0 / ASPECT..=ASPECT).contains(&off)
        };
        let tried = windows().zip(&*self.windows).filter(|(window, _)| fits(window));
        tried
            .map(|(window, cells)| (window, dot(cells, seen)))
            .max_by(|a, b| a.1.total_cmp(&b.1))
            .unwrap_or((Window::WHOLE, 0.0))
    }
}

impl Close {
    /// How `self` and `other`, whose sheets said where to begin, lie on each other.
    pub fn over(&self, other: &Self, starts: &[Start]) -> Option<Overlay> {
        let overlay = |start: &Start| {
            let (large, small) = if start.swapped { (other, self) } else { (self, other) };
            large.holds(small, start.mirrored, start.window)
        };
        let fit = |found: &Overlay| found.edges - if found.mirrored { MIRROR } else { 0.0 };
        starts.iter().filter_map(overlay).max_by(|a, b| fit(a).total_cmp(&fit(b)))
    }

    /// Where all of `small` is seen, beginning with `window`.
    fn holds(&self, small: &Self, mirrored: bool, window: Window) -> Option<Overlay> {
        // Squeezed pictures are compared as they are.
        let ratio = small.aspect / self.aspect;
        let squeezed = window == Window::WHOLE && !(1.0 / ASPECT..=ASPECT).contains(&ratio);
        let start = if squeezed { window } else { with_ratio(window, ratio) };
        let (window, light) = self.searched(small, mirrored, start)?;
        let seen = self.sums.cells::<FINE>(window);
        let whole = small.sums.cells::<FINE>(Window::WHOLE);
        Some(Overlay { mirrored, light: f64::from(light), edges: edges(&seen, &whole, mirrored) })
    }

    /// Moves `window` to where `small` fits best, in ever smaller steps.
    fn searched(&self, small: &Self, mirrored: bool, window: Window) -> Option<(Window, f32)> {
        let wanted = &small.whole[usize::from(mirrored)];
        let light = |window: Window| correlation(&self.sums.cells::<MIDDLE>(window), wanted);
        let mut best = (window, light(window));
        if best.1 < MIDDLE_START {
            return None;
        }
        for (level, step) in STEPS.into_iter().enumerate() {
            loop {
                let tried = moves(best.0, step).into_iter().map(|window| (window, light(window)));
                match tried.max_by(|a, b| a.1.total_cmp(&b.1)) {
                    Some(found) if found.1 > best.1 => best = found,
                    _ => break,
                }
            }
            if level + 1 == LARGE_STEPS && best.1 < MIDDLE_LEAST {
                return None;
            }
        }
        Some(best)
    }
}

/// All windows that are tried, all of the picture first.
fn windows() -> impl Iterator<Item = Window> {
    SPANS.into_iter().flat_map(|(y, height)| {
        SPANS.into_iter().map(move |(x, width)| Window { x, y, width, height })
    })
}

/// `window` around its middle with that ratio of width to height, in shares; no side is over 1.
fn with_ratio(window: Window, ratio: f32) -> Window {
    let area = window.width * window.height;
    let (width, height) = ((area * ratio).sqrt(), (area / ratio).sqrt());
    let shrink = 1f32.min(1.0 / width.max(height));
    let (width, height) = (width * shrink, height * shrink);
    let x = (window.x + (window.width - width) / 2.0).clamp(0.0, 1.0 - width);
    let y = (window.y + (window.height - height) / 2.0).clamp(0.0, 1.0 - height);
    Window { x, y, width, height }
}

/// `window` moved by `step` to each side, made smaller and larger.
fn moves(window: Window, step: f32) -> [Window; 6] {
    let Window { x, y, width, height } = window;
    let scaled = |factor: f32| Window {
        x: x + width * (1.0 - factor) / 2.0,
        y: y + height * (1.0 - factor) / 2.0,
        width: width * factor,
        height: height * factor,
    };
    [
        Window { x: x - step, ..window },
        Window { x: x + step, ..window },
        Window { y: y - step, ..window },
        Window { y: y + step, ..window },
        scaled(1.0 - 2.0 * step),
        scaled(1.0 + 2.0 * step),
    ]
}

/// The cells without their mean, as a vector of length 127; a flat one is all zeros.
fn quantized(cells: &[[Option<f32>; COARSE]; COARSE]) -> [i8; COARSE * COARSE] {
    let mut values = [0f32; COARSE * COARSE];
    for (value, cell) in values.iter_mut().zip(cells.iter().flatten()) {
        *value = cell.unwrap_or(0.0);
    }
    let mean = values.iter().sum::<f32>() / values.len() as f32;
    let length = values.iter().map(|value| (value - mean).powi(2)).sum::<f32>().sqrt();
    let scale = if length > 1.0 { 127.0 / length } else { 0.0 };
    values.map(|value| ((value - mean) * scale).round() as i8)
}

fn mirror(cells: &[i8; COARSE * COARSE]) -> [i8; COARSE * COARSE] {
    std::array::from_fn(|at| cells[at / COARSE * COARSE + COARSE - 1 - at % COARSE])
}

fn dot(a: &[i8; COARSE * COARSE], b: &[i8; COARSE * COARSE]) -> f32 {
    let sum: i32 = a.iter().zip(b).map(|(&a, &b)| i32::from(a) * i32::from(b)).sum();
    sum as f32 / (127.0 * 127.0)
}

/// The correlation of the cells that are there with `wanted`; -1 where too few are.
fn correlation<const N: usize>(seen: &[[Option<f32>; N]; N], wanted: &[f32]) -> f32 {
    let (mut count, mut a, mut b, mut aa, mut bb, mut ab) = (0f32, 0f32, 0f32, 0f32, 0f32, 0f32);
    for (cell, y) in seen.iter().flatten().zip(wanted) {
        let Some(x) = cell else { continue };
        let (x, y) = (x - 128.0, y - 128.0); // so that squares stay small
        count += 1.0;
        a += x;
        b += y;
        aa += x * x;
        bb += y * y;
        ab += x * y;
    }
    if count < SHARED * (N * N) as f32 {
        return -1.0;
    }
    let spread = (aa - a * a / count).max(0.0) * (bb - b * b / count).max(0.0);
    if spread > 1.0 { (ab - a * b / count) / spread.sqrt() } else { 0.0 }
}

/// How well the steps from cell to cell agree.
fn edges<const N: usize>(
    seen: &[[Option<f32>; N]; N],
    whole: &[[Option<f32>; N]; N],
    mirrored: bool,
) -> f64 {
    let other = |x: usize, y: usize| whole[y][if mirrored { N - 1 - x } else { x }];
    let (mut aa, mut bb, mut ab) = (0f64, 0f64, 0f64);
    let mut add = |from: (usize, usize), to: (usize, usize)| {
        let step = |a: Option<f32>, b: Option<f32>| Some(f64::from(b? - a?));
        let seen = step(seen[from.1][from.0], seen[to.1][to.0]);
        let other = step(other(from.0, from.1), other(to.0, to.1));
        if let (Some(a), Some(b)) = (seen, other) {
            aa += a * a;
            bb += b * b;
            ab += a * b;
        }
    };
    for y in 0..N {
        for x in 0..N {
            if x + 1 < N {
                add((x, y), (x + 1, y));
            }
            if y + 1 < N {
                add((x, y), (x, y + 1));
            }
        }
    }
    let spread = (aa * bb).sqrt();
    if spread > 1.0 { ab / spread } else { 0.0 }
}

const _: () = assert!(FINE <= SIDE && MIDDLE <= SIDE, "cells are at least a pixel");

#[cfg(test)]
mod tests {
    use image::RgbImage;
    use image::imageops::{self, FilterType};

    use super::*;
    use crate::testing::texture;

    /// How two pictures lie on each other.
    fn over(a: &RgbImage, b: &RgbImage) -> Option<Overlay> {
        let (first, second) = (Print::of(a), Print::of(b));
        let (one, two) =
            (Sheet::new(&first, a.width(), a.height()), Sheet::new(&second, b.width(), b.height()));
        one.closely(&first).over(&two.closely(&second), &one.starts(&two))
    }

    #[test]
    fn a_part_a_flip_and_another_size_lie_on_the_whole() {
        let whole = texture(600, 450, 1);
        let part = imageops::crop_imm(&whole, 70, 20, 480, 400).to_image();
        let small = imageops::resize(&whole, 211, 157, FilterType::Triangle);
        let squeezed = imageops::resize(&whole, 300, 300, FilterType::Triangle);
        for other in [&part, &small, &squeezed, &imageops::flip_horizontal(&part)] {
            let found = over(&whole, other).expect("the same picture");
            assert!(found.edges > 0.9, "{found:?}");
            assert_eq!(Some(found), over(other, &whole));
        }
        let flipped = imageops::flip_horizontal(&whole);
        assert!(over(&whole, &flipped).is_some_and(|found| found.mirrored));
        assert!(over(&whole, &part).is_some_and(|found| !found.mirrored));
    }

    #[test]
    fn other_pictures_do_not_lie_on_each_other() {
        let pictures: Vec<_> = (0..12).map(|seed| texture(300, 300, seed * 31)).collect();
        for (index, one) in pictures.iter().enumerate() {
            for other in &pictures[..index] {
                assert!(over(one, other).is_none_or(|found| found.edges < 0.5));
            }
        }
    }

    #[test]
    fn a_picture_of_one_grey_is_like_none() {
        let flat = RgbImage::from_pixel(10, 10, image::Rgb([128; 3]));
        assert_eq!(over(&flat, &flat), None);
    }
}
