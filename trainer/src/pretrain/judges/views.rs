//! What a judge is shown of a picture: a part of it, at the sharpness of some camera.

use burn::tensor::{Device, Tensor, TensorData};
use image::imageops::{self, FilterType};
use image::{Rgb, RgbImage};
use likeness_diffusion::noise;
use likeness_faces::align_with_margin;
use rayon::prelude::*;

use crate::pretrain::corpus::{Corpus, Label};

/// Picture `index` of `corpus`.
pub fn picture(corpus: &Corpus, index: usize) -> RgbImage {
    let side = corpus.side() as u32;
    RgbImage::from_raw(side, side, corpus.rgb(index).to_vec()).expect("three bytes a pixel")
}

/// How far off a detector's landmarks are: the whole face is moved, larger and turned, and each point is
/// by itself. Sizes are those of the built-in finder's errors on 600 held-out renders: a median of 6 % of
/// the face's size, 6 % of its scale and 3 degrees; of one in ten more than 16 %, 17 % and 7 degrees.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slip {
    shift: [f32; 2], // of the face's size, as its points'
    scale: f32,
    turn: f32, // radians
    points: [[f32; 2]; 5],
}

impl Slip {
    /// Landmarks as they are.
    pub const NONE: Self = Self { shift: [0.0; 2], scale: 1.0, turn: 0.0, points: [[0.0; 2]; 5] };

    /// One of a detector that errs `share` times as much.
    pub fn drawn(draws: &mut Draws, share: f32) -> Self {
        Self {
            shift: [0.27 * share * draws.rare(), 0.27 * share * draws.rare()],
            scale: (0.28 * share * draws.rare()).exp(),
            turn: (12.0 * share * draws.rare()).to_radians(),
            points: [[(); 2]; 5].map(|point| point.map(|()| 0.05 * share * draws.signed())),
        }
    }

    /// `landmarks` as they are found.
    fn of(&self, landmarks: [[f32; 2]; 5]) -> [[f32; 2]; 5] {
        let [right, left, _, mouth, _] = landmarks;
        let apart = |a: [f32; 2], b: [f32; 2]| (a[0] - b[0]).hypot(a[1] - b[1]);
        let size = apart(right, mouth).max(apart(right, left));
        let middle = [0, 1].map(|axis| landmarks.iter().map(|p| p[axis]).sum::<f32>() / 5.0);
        let (sin, cos) = (self.turn.sin() * self.scale, self.turn.cos() * self.scale);
        std::array::from_fn(|at| {
            let [x, y] = [0, 1].map(|axis| landmarks[at][axis] - middle[axis]);
            let turned = [cos * x - sin * y, sin * x + cos * y];
            let off = |axis: usize| size * (self.shift[axis] + self.points[at][axis]);
            [0, 1].map(|axis| middle[axis] + turned[axis] + off(axis))
        })
    }
}

/// The least share of a side that a sample of a small base keeps of its detail.
pub const SAMPLED: f32 = 0.3;
/// The same of what a small decoder makes of a picture.
pub const DECODED: f32 = 0.4;

/// The aligned face of picture `index` on so many pixels a side, with so much beyond each edge, as found
/// with these errors.
pub fn face(corpus: &Corpus, index: usize, look: (usize, f64), slip: &Slip) -> RgbImage {
    face_of(&picture(corpus, index), corpus.label(index), look, slip)
}

/// The same of `picture`, which shows what `label` says.
pub fn face_of(
    picture: &RgbImage,
    label: &Label,
    (side, margin): (usize, f64),
    slip: &Slip,
) -> RgbImage {
    align_with_margin(picture, &slip.of(label.landmarks), side as u32, margin)
}

/// Draws that are a function of (seed, purpose, step, place), one after the other.
pub struct Draws {
    values: std::vec::IntoIter<f32>,
}

impl Draws {
    /// As many as a view needs.
    pub fn new(seed: u64, purpose: &str, step: usize, place: usize) -> Self {
        let purpose = format!("{purpose} {place}");
        Self { values: noise::uniform(seed, &purpose, step as u64, 64).into_iter() }
    }

    /// Even within -1..1.
    pub fn signed(&mut self) -> f32 {
        self.values.next().expect("64 draws are enough for a view")
    }

    /// Within -1..1, mostly small: a median of 0.19, of one in ten more than 0.6.
    pub fn rare(&mut self) -> f32 {
        self.signed() * self.signed().abs()
    }

    /// Even within `from..to`.
    pub fn within(&mut self, from: f32, to: f32) -> f32 {
        from + (to - from) * (0.5 + 0.5 * self.signed())
    }

    /// Whether something of this chance happens.
    pub fn chance(&mut self, chance: f32) -> bool {
        self.within(0.0, 1.0) < chance
    }
}

/// `picture`, six times of ten, with the detail of a smaller one, down to the share `least` of its side.
pub fn coarse(picture: RgbImage, draws: &mut Draws, least: f32) -> RgbImage {
    if !draws.chance(0.6) {
        return picture;
    }
    let (width, height) = picture.dimensions();
    let kept = draws.within(least, 1.0);
    let [less_wide, less_high] =
        [width, height].map(|side| ((side as f32 * kept).round() as u32).max(1));
    let small = imageops::resize(&picture, less_wide, less_high, FilterType::Triangle);
    imageops::resize(&small, width, height, FilterType::CatmullRom)
}

/// `view` as another camera or a generator would have it: less sharp, down to this share of its side,
/// lighter or darker, noisy.
pub fn roughened(view: RgbImage, draws: &mut Draws, seed: u64, least: f32) -> RgbImage {
    let mut view = coarse(view, draws, least);
    let (gain, shift) = (draws.within(0.85, 1.15), draws.within(-12.0, 12.0));
    let grain = if draws.chance(0.5) { draws.within(0.0, 8.0) } else { 0.0 };
    let each = noise::normal(seed, "grain", draws.within(0.0, 1e6) as u64, view.len());
    for (value, drawn) in view.iter_mut().zip(each) {
        *value = (f32::from(*value) * gain + shift + grain * drawn).round().clamp(0.0, 255.0) as u8;
    }
    view
}

/// The part of `picture` with this middle and side in pixels, on `side` x `side` pixels; grey where
/// the picture ends.
pub fn part(picture: &RgbImage, middle: [f32; 2], width: f32, side: u32) -> RgbImage {
    let zoom = width / side as f32;
    let samples = (zoom.round() as u32).clamp(1, 4);
    RgbImage::from_fn(side, side, |x, y| {
        let mut sum = [0f32; 3];
        for sample in 0..samples * samples {
            let within = |n: u32| (n as f32 + 0.5) / samples as f32;
            let at = |pixel: u32, offset: f32, middle: f32| {
                (pixel as f32 + offset - side as f32 / 2.0) * zoom + middle - 0.5
            };
            let (u, v) = (within(sample % samples), within(sample / samples));
            let color =
                imageops::interpolate_bilinear(picture, at(x, u, middle[0]), at(y, v, middle[1]));
            let color = color.unwrap_or(Rgb([127; 3]));
            (0..3).for_each(|c| sum[c] += f32::from(color[c]));
        }
        Rgb(sum.map(|total| (total / (samples * samples) as f32).round() as u8))
    })
}

/// Views in [-1, 1], `[views, 3, side, side]`.
pub fn tensor(views: &[RgbImage], device: &Device) -> Tensor<4> {
    let (width, height) = views[0].dimensions();
    let plane = |view: &RgbImage, c: usize| -> Vec<f32> {
        view.pixels().map(|pixel| f32::from(pixel[c]) / 127.5 - 1.0).collect()
    };
    let planes = |view| (0..3).flat_map(move |c| plane(view, c));
    let values: Vec<f32> = views.par_iter().flat_map_iter(planes).collect();
    let shape = [views.len(), 3, height as usize, width as usize];
    Tensor::from_data(TensorData::new(values, shape), device)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FACE: [[f32; 2]; 5] =
        [[40.0, 40.0], [60.0, 40.0], [50.0, 50.0], [42.0, 60.0], [58.0, 60.0]];

    fn middle(points: &[[f32; 2]; 5]) -> [f32; 2] {
        [0, 1].map(|axis| points.iter().map(|point| point[axis]).sum::<f32>() / 5.0)
    }

    #[test]
    fn a_slip_moves_enlarges_and_turns_a_face_about_its_middle() {
        assert_eq!(Slip::NONE.of(FACE), FACE);
        let quarter = std::f32::consts::FRAC_PI_2;
        let slip = Slip { shift: [0.5, 0.0], scale: 2.0, turn: quarter, ..Slip::NONE };
        let found = slip.of(FACE);
        let (before, after) = (middle(&FACE), middle(&found));
        let size = 2f32.hypot(20.0); // right eye to right corner of the mouth
        assert!((after[0] - before[0] - 0.5 * size).abs() < 1e-3, "{before:?} {after:?}");
        // From the right eye to the left it went across, now it goes down, twice as far.
        let [dx, dy] = [0, 1].map(|axis| found[1][axis] - found[0][axis]);
        assert!(dx.abs() < 1e-3 && (dy - 40.0).abs() < 1e-3, "{dx} {dy}");
    }

    #[test]
    fn drawn_slips_are_as_large_as_a_finder_errs() {
        let shift = |at: usize| Slip::drawn(&mut Draws::new(1, "test", 0, at), 1.0).shift[0].abs();
        let mut shifts: Vec<f32> = (0..400).map(shift).collect();
        shifts.sort_by(f32::total_cmp);
        assert!((0.03..0.09).contains(&shifts[200]), "median {}", shifts[200]);
        assert!((0.12..0.22).contains(&shifts[360]), "of one in ten {}", shifts[360]);
    }
}
