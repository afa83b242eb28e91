//! Luminance planes and the few filters that measuring needs.

use std::borrow::Cow;

use image::RgbImage;
use likeness_faces::{factor_to, resized, shrunk};

/// Luminance of a picture, 0 to 255, row by row: BT.709 weights on the stored
/// (gamma) values.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Plane {
    pub width: usize,
    pub height: usize,
    pub values: Vec<f32>, // [height * width]
}

impl Plane {
    pub fn of(image: &RgbImage) -> Self {
        let luminance = |p: &image::Rgb<u8>| {
            0.2126 * f32::from(p[0]) + 0.7152 * f32::from(p[1]) + 0.0722 * f32::from(p[2])
        };
        Self {
            width: image.width() as usize,
            height: image.height() as usize,
            values: image.pixels().map(luminance).collect(),
        }
    }

    /// Blurred with [1 4 6 4 1] / 16 along both axes: a Gaussian of sigma 1 px.
    pub fn blurred(&self) -> Self {
        let (width, height) = (self.width, self.height);
        let mut across = vec![0.0; self.values.len()];
        let rows = self.values.chunks(width.max(1)).zip(across.chunks_mut(width.max(1)));
        for (row, out) in rows {
            for (x, value) in out.iter_mut().enumerate() {
                *value = match row.get(x.wrapping_sub(2)..x + 3) {
                    Some(&[a, b, c, d, e]) => weighted([a, b, c, d, e]),
                    _ => weighted([-2, -1, 0, 1, 2].map(|by| row[shifted(x, by, width)])),
                };
            }
        }
        let mut values = vec![0.0; across.len()];
        for (y, out) in values.chunks_mut(width.max(1)).enumerate() {
            let start = |by| shifted(y, by, height) * width;
            let [a, b, c, d, e] = [-2, -1, 0, 1, 2].map(|by| &across[start(by)..][..width]);
            for (x, value) in out.iter_mut().enumerate() {
                *value = weighted([a[x], b[x], c[x], d[x], e[x]]);
            }
        }
        Self { values, ..*self }
    }

    /// Four times the value less its neighbours; edges repeat.
    pub fn laplacian(&self) -> Vec<f32> {
        self.places()
            .map(|(x, y)| {
                let side = |by| self.at((shifted(x, by, self.width), y));
                let above = |by| self.at((x, shifted(y, by, self.height)));
                4.0 * self.at((x, y)) - side(-1) - side(1) - above(-1) - above(1)
            })
            .collect()
    }

    /// Twice the value less its neighbours on both sides, along the row, the column and both
    /// diagonals; edges repeat. A diagonal's steps are longer: its values are halved.
    pub fn second_differences(&self) -> [Vec<f32>; 4] {
        let along = |dx: isize, dy: isize, weight: f32| {
            let bend = |(x, y): (usize, usize)| {
                let at = |by: isize| {
                    self.at((shifted(x, by * dx, self.width), shifted(y, by * dy, self.height)))
                };
                weight * (2.0 * at(0) - at(-1) - at(1))
            };
            self.places().map(bend).collect()
        };
        [along(1, 0, 1.0), along(0, 1, 1.0), along(1, 1, 0.5), along(1, -1, 0.5)]
    }

    /// Every place as column and row, row by row.
    pub fn places(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let (width, height) = (self.width, self.height);
        (0..height).flat_map(move |y| (0..width).map(move |x| (x, y)))
    }

    fn at(&self, (x, y): (usize, usize)) -> f32 {
        self.values[y * self.width + x]
    }
}

/// Five neighbours in a row, the middle one counting most.
fn weighted([a, b, c, d, e]: [f32; 5]) -> f32 {
    (a + 4.0 * b + 6.0 * c + 4.0 * d + e) / 16.0
}

fn shifted(at: usize, by: isize, length: usize) -> usize {
    at.saturating_add_signed(by).min(length - 1)
}

/// `image` with its longer side brought down to `side` pixels; smaller ones
/// stay as they are.
pub(crate) fn fitted(image: &RgbImage, side: u32) -> RgbImage {
    fitted_from(&halfway(image, side), image.dimensions(), side)
}

/// `image` on the way to `side` pixels: its longer side has at least twice as many, and less than
/// four times unless it is a sliver, whose short side would vanish.
pub(crate) fn halfway(image: &RgbImage, side: u32) -> Cow<'_, RgbImage> {
    let (width, height) = image.dimensions();
    match factor_to(width.max(height), side).min(width.min(height)) {
        ..=1 => Cow::Borrowed(image),
        factor => Cow::Owned(shrunk(image, factor)),
    }
}

/// The rest of the way, of an image that had these dimensions.
pub(crate) fn fitted_from(halfway: &RgbImage, (width, height): (u32, u32), side: u32) -> RgbImage {
    let longer = width.max(height);
    if longer <= side {
        return halfway.clone();
    }
    let fit = |length: u32| {
        ((u64::from(length) * u64::from(side) + u64::from(longer) / 2) / u64::from(longer)).max(1)
    };
    resized(halfway, fit(width) as u32, fit(height) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flat_plane_has_no_laplacian_and_blurs_to_itself() {
        let plane = Plane::of(&RgbImage::from_pixel(5, 4, image::Rgb([100; 3])));
        assert!(plane.laplacian().iter().all(|value| value.abs() < 1e-3));
        assert!(plane.blurred().values.iter().all(|value| (value - 100.0).abs() < 1e-3));
    }

    #[test]
    fn fitting_keeps_the_aspect_and_never_enlarges() {
        assert_eq!(fitted(&RgbImage::new(400, 100), 200).dimensions(), (200, 50));
        assert_eq!(fitted(&RgbImage::new(4, 3), 200).dimensions(), (4, 3));
        assert_eq!(fitted(&RgbImage::new(5000, 1), 200).dimensions(), (200, 1));
    }
}
