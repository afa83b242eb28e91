//! Turns a face upright onto a fixed square, so that encoders see every face
//! at the same place and size.
//!
//! The least-squares similarity from five landmarks to the template that
//! ArcFace-like encoders were trained on. In the plane a similarity is
//! `q = a p + b` over complex numbers, and on centred points the best `a` is
//! `sum(conj(p) q) / sum|p|^2`: Umeyama 1991, without its reflection,
//! <https://doi.org/10.1109/34.88573>. Template: Deng et al. 2018,
//! <https://arxiv.org/abs/1801.07698>.

use image::{Rgb, RgbImage};

use crate::shrink::shrunk_part;

/// Right eye, left eye, nose, right and left corner of the mouth on 112x112.
const TEMPLATE: [[f64; 2]; 5] = [
    [38.2946, 51.6963],
    [73.5318, 51.5014],
    [56.0252, 71.7366],
    [41.5493, 92.3655],
    [70.7299, 92.2041],
];
const TEMPLATE_SIDE: f64 = 112.0;
const MOST_SAMPLES: f64 = 32.0; // per output pixel and axis; bounds the time on absurd landmarks
const MOST_SHRUNK: f64 = 1024.0; // bounds the sums

/// A turn, a scale and a shift of the plane: `(x, y)` to
/// `(re x - im y + shift.0, im x + re y + shift.1)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Similarity {
    /// Scale times the cosine of the turn.
    pub re: f64,
    /// Scale times the sine of the turn.
    pub im: f64,
    /// Shift in x and y, in the target's pixels.
    pub shift: [f64; 2],
}

impl Similarity {
    /// The similarity that takes `from` nearest to `to`. Points that all
    /// coincide have no size to compare, so they are only shifted.
    pub fn between(from: &[[f64; 2]; 5], to: &[[f64; 2]; 5]) -> Self {
        let mean = |points: &[[f64; 2]; 5], axis: usize| {
            points.iter().map(|point| point[axis]).sum::<f64>() / 5.0
        };
        let (from_x, from_y, to_x, to_y) = (mean(from, 0), mean(from, 1), mean(to, 0), mean(to, 1));
        let (mut re, mut im, mut spread) = (0.0, 0.0, 0.0);
        for (p, q) in from.iter().zip(to) {
            let (px, py, qx, qy) = (p[0] - from_x, p[1] - from_y, q[0] - to_x, q[1] - to_y);
            re += px * qx + py * qy;
            im += px * qy - py * qx;
            spread += px * px + py * py;
        }
        let usable = spread > 1e-9 && re.hypot(im) > 1e-9;
        let (re, im) = if usable { (re / spread, im / spread) } else { (1.0, 0.0) };
        let shift = [to_x - (re * from_x - im * from_y), to_y - (im * from_x + re * from_y)];
        Self { re, im, shift }
    }

    /// Where `(x, y)` goes.
    pub fn apply(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        [self.re * x - self.im * y + self.shift[0], self.im * x + self.re * y + self.shift[1]]
    }

    /// The way back.
    pub fn inverse(&self) -> Self {
        let size = self.re * self.re + self.im * self.im;
        let (re, im) = (self.re / size, -self.im / size);
        let [x, y] = self.shift;
        Self { re, im, shift: [-(re * x - im * y), -(im * x + re * y)] }
    }

    /// How many times larger things get.
    pub fn scale(&self) -> f64 {
        self.re.hypot(self.im)
    }
}

/// The face with these `landmarks`, upright on 112x112 pixels; black where the
/// image ends.
pub fn align(image: &RgbImage, landmarks: &[[f32; 2]; 5]) -> RgbImage {
    align_to(image, landmarks, 112)
}

/// As [`align`], on `side` x `side` pixels. Bilinear, and where the face has
/// more pixels than the square, averaged over them.
pub fn align_to(image: &RgbImage, landmarks: &[[f32; 2]; 5], side: u32) -> RgbImage {
    align_with_margin(image, landmarks, side, 0.0)
}

/// As [`align_to`], of the template's square with `margin` of its side added at
/// each edge: hair, ears and chin.
pub fn align_with_margin(
    image: &RgbImage,
    landmarks: &[[f32; 2]; 5],
    side: u32,
    margin: f64,
) -> RgbImage {
    let zoom = f64::from(side) / (TEMPLATE_SIDE * (1.0 + 2.0 * margin));
    let to = TEMPLATE.map(|point| point.map(|value| (value + margin * TEMPLATE_SIDE) * zoom));
    let back = Similarity::between(&landmarks.map(|p| p.map(f64::from)), &to).inverse();
    let factor = back.scale().min(MOST_SHRUNK) as u32;
    if factor < 2 {
        return sampled(image, back, side);
    }
    // Averaged over whole pixels first, then sampled: as good and many times faster.
    let part = seen(image, back, side, factor);
    let [x, y] = [part[0], part[1]].map(|edge| f64::from(edge) + f64::from(factor - 1) / 2.0);
    let shrink = |value: f64| value / f64::from(factor);
    let shift = [shrink(back.shift[0] - x), shrink(back.shift[1] - y)];
    let back = Similarity { re: shrink(back.re), im: shrink(back.im), shift };
    sampled(&shrunk_part(image, part, factor), back, side)
}

/// The part of `image`, as left, top, width and height, that a square of `side`
/// pixels shows, with `margin` pixels around it.
fn seen(image: &RgbImage, back: Similarity, side: u32, margin: u32) -> [u32; 4] {
    let end = f64::from(side);
    let corners = [[0.0, 0.0], [end, 0.0], [0.0, end], [end, end]].map(|at| back.apply(at));
    let along = |axis: usize, length: u32| {
        let places = corners.map(|corner| corner[axis]);
        let least = places.iter().copied().fold(f64::INFINITY, f64::min) - f64::from(margin);
        let most = places.iter().copied().fold(f64::NEG_INFINITY, f64::max) + f64::from(margin);
        let start = least.floor().clamp(0.0, f64::from(length)) as u32;
        (start, (most.ceil().clamp(0.0, f64::from(length)) as u32).saturating_sub(start))
    };
    let ((left, width), (top, height)) = (along(0, image.width()), along(1, image.height()));
    [left, top, width, height]
}

/// A square of `side` pixels of what `back` takes into `image`: bilinear, and
/// averaged where several of its pixels become one.
fn sampled(image: &RgbImage, back: Similarity, side: u32) -> RgbImage {
    let samples = back.scale().round().clamp(1.0, MOST_SAMPLES) as u32;
    RgbImage::from_fn(side, side, |x, y| {
        let mut sum = [0.0f64; 3];
        for step in 0..samples * samples {
            let offset = |step: u32| (f64::from(step) + 0.5) / f64::from(samples) - 0.5;
            let at = [f64::from(x) + offset(step % samples), f64::from(y) + offset(step / samples)];
            let color = bilinear(image, back.apply(at));
            (0..3).for_each(|c| sum[c] += color[c]);
        }
        Rgb(sum.map(|total| (total / f64::from(samples * samples)).round() as u8))
    })
}

fn bilinear(image: &RgbImage, [x, y]: [f64; 2]) -> [f64; 3] {
    let (left, top) = (x.floor(), y.floor());
    let (right_share, bottom_share) = (x - left, y - top);
    let mut color = [0.0; 3];
    for (dx, dy) in [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)] {
        let (px, py) = (left + dx, top + dy);
        if px < 0.0 || py < 0.0 || px >= image.width().into() || py >= image.height().into() {
            continue;
        }
        let weight = (1.0 - (dx - right_share).abs()) * (1.0 - (dy - bottom_share).abs());
        let pixel = image.get_pixel(px as u32, py as u32);
        (0..3).for_each(|c| color[c] += weight * f64::from(pixel[c]));
    }
    color
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_similarity_is_recovered() {
        let known = Similarity { re: 1.7, im: -0.6, shift: [12.0, -30.0] };
        let from = TEMPLATE;
        let found = Similarity::between(&from, &from.map(|p| known.apply(p)));
        assert!((found.re - known.re).abs() < 1e-9 && (found.im - known.im).abs() < 1e-9);
        let there_and_back = found.inverse().apply(found.apply([3.0, 4.0]));
        assert!((there_and_back[0] - 3.0).abs() < 1e-9 && (there_and_back[1] - 4.0).abs() < 1e-9);
    }

    #[test]
    fn a_turned_picture_is_turned_back() {
        let pattern = |x: f64, y: f64| {
            let wave = |v: f64| (127.0 + 100.0 * v.sin()) as u8;
            Rgb([wave(x / 9.0), wave(y / 7.0), wave((x + y) / 11.0)])
        };
        let turn = Similarity { re: 2.4, im: 1.0, shift: [150.0, 20.0] };
        let picture = RgbImage::from_fn(500, 500, |x, y| {
            let [x, y] = turn.inverse().apply([x.into(), y.into()]);
            pattern(x, y)
        });
        let landmarks = TEMPLATE.map(|p| turn.apply(p).map(|v| v as f32));
        let upright = align(&picture, &landmarks);
        for (x, y, pixel) in upright.enumerate_pixels() {
            let expected = pattern(x.into(), y.into());
            let worst = (0..3).map(|c| pixel[c].abs_diff(expected[c])).max();
            assert!(worst.is_some_and(|off| off <= 8), "{x},{y}: {pixel:?} {expected:?}");
        }
    }

    #[test]
    fn a_large_face_comes_out_as_the_same_face_made_smaller() {
        let large = RgbImage::from_fn(1200, 1200, |x, y| {
            let wave = |v: u32| (127.0 + 100.0 * (f64::from(v) / 90.0).sin()) as u8;
            Rgb([wave(x), wave(y), wave(x + y)])
        });
        let small = crate::shrink::shrunk(&large, 5);
        let landmarks = TEMPLATE.map(|p| p.map(|v| (v * 9.7) as f32));
        // Places are those of pixels' middles: 2 is the middle of the first five.
        let smaller = landmarks.map(|p| p.map(|v| (v - 2.0) / 5.0));
        let (a, b) = (align(&large, &landmarks), align(&small, &smaller));
        let off =
            a.pixels().zip(b.pixels()).map(|(a, b)| a[0].abs_diff(b[0]).max(a[2].abs_diff(b[2])));
        assert!(off.max() <= Some(2));
    }

    #[test]
    fn a_margin_shows_more_around_the_same_face() {
        let picture =
            RgbImage::from_fn(300, 300, |x, y| Rgb([(x % 256) as u8, (y % 256) as u8, 0]));
        let landmarks = TEMPLATE.map(|p| p.map(|v| v as f32 + 60.0));
        let (close, wide) =
            (align(&picture, &landmarks), align_with_margin(&picture, &landmarks, 168, 0.25));
        for (x, y, pixel) in close.enumerate_pixels() {
            assert_eq!(wide.get_pixel(x + 28, y + 28), pixel, "{x},{y}");
        }
    }

    #[test]
    fn landmarks_that_coincide_or_lie_outside_do_not_panic() {
        let picture = RgbImage::from_pixel(20, 20, Rgb([255; 3]));
        assert_eq!(align(&picture, &[[5.0, 5.0]; 5]).dimensions(), (112, 112));
        let far = TEMPLATE.map(|p| p.map(|v| v as f32 + 1e6));
        assert!(align(&picture, &far).pixels().all(|pixel| pixel.0 == [0; 3]));
    }
}
