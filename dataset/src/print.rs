//! A small grey copy of a picture, by which two pictures are laid over each other.
//!
//! Means over any rectangle come from a summed-area table in constant time: Crow 1984,
//! <https://doi.org/10.1145/964965.808600>. Between its corners the table is bilinear, which is
//! exact for pixels of one value each.

use image::RgbImage;
use image::imageops::{self, FilterType};
use serde::{Deserialize, Serialize};

use crate::cache;
use crate::luminance::Plane;

/// The side of a print, whatever the picture's aspect.
pub(crate) const SIDE: usize = 64;

/// A grey copy of a picture on [`SIDE`] x [`SIDE`] pixels.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Print(#[serde(with = "cache::base64_text")] Vec<u8>);

/// A rectangle of a picture, in shares of its sides.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Window {
    pub x: f32,
    pub y: f32,
    pub width: f32,
    pub height: f32,
}

impl Window {
    /// All of a picture.
    pub const WHOLE: Self = Self { x: 0.0, y: 0.0, width: 1.0, height: 1.0 };
}

/// The sums of a print above and left of every corner of its pixels.
pub(crate) struct Sums(Vec<f32>); // [(SIDE + 1)^2]

impl Print {
    /// The print of a picture.
    pub fn of(picture: &RgbImage) -> Self {
        let side = SIDE as u32;
        let small = imageops::resize(picture, side, side, FilterType::Triangle);
        Self(Plane::of(&small).values.iter().map(|value| value.round() as u8).collect())
    }

    /// A print of one grey, for tests that look at other things.
    #[cfg(test)]
    pub fn flat() -> Self {
        Self(vec![128; SIDE * SIDE])
    }

    /// Its sums. A print of another size, which no photo of ours has, counts as black.
    pub fn sums(&self) -> Sums {
        let mut sums = vec![0f32; (SIDE + 1) * (SIDE + 1)];
        for y in 0..SIDE {
            let mut row = 0.0;
            for x in 0..SIDE {
                row += f32::from(self.0.get(y * SIDE + x).copied().unwrap_or(0));
                sums[(y + 1) * (SIDE + 1) + x + 1] = sums[y * (SIDE + 1) + x + 1] + row;
            }
        }
        Sums(sums)
    }
}

impl Sums {
    /// The means of the `N` x `N` cells of `window`; `None` where more than a tenth of a cell's
    /// width lies outside of the picture.
    pub fn cells<const N: usize>(&self, window: Window) -> [[Option<f32>; N]; N] {
        let span = |start: f32, length: f32| {
            move |step: usize| (start + length * step as f32 / N as f32) * SIDE as f32
        };
        let (across, down) = (span(window.x, window.width), span(window.y, window.height));
        let (slack_x, slack_y) = (window.width, window.height);
        let slack = 0.1 * SIDE as f32 / N as f32;
        let inside = |low: f32, high: f32, slack: f32| low >= -slack && high <= SIDE as f32 + slack;
        let columns: Vec<Corner> = (0..=N).map(|step| Corner::at(across(step))).collect();
        let mut above: Vec<f32> = self.row(Corner::at(down(0)), &columns);
        let mut cells = [[None; N]; N];
        for (y, row) in cells.iter_mut().enumerate() {
            let below = self.row(Corner::at(down(y + 1)), &columns);
            let in_rows = inside(down(y), down(y + 1), slack * slack_y);
            for (x, cell) in row.iter_mut().enumerate() {
                let area = (columns[x + 1].place - columns[x].place)
                    * (Corner::at(down(y + 1)).place - Corner::at(down(y)).place);
                if in_rows && inside(across(x), across(x + 1), slack * slack_x) && area > 0.0 {
                    *cell = Some((below[x + 1] - below[x] - above[x + 1] + above[x]) / area);
                }
            }
            above = below;
        }
        cells
    }

    /// The sums at a height, at each of `columns`.
    fn row(&self, y: Corner, columns: &[Corner]) -> Vec<f32> {
        let at = |x: usize, y: usize| self.0[y * (SIDE + 1) + x];
        let value = |x: &Corner| {
            let top = at(x.low, y.low) * (1.0 - x.part) + at(x.low + 1, y.low) * x.part;
            let next = at(x.low, y.low + 1) * (1.0 - x.part) + at(x.low + 1, y.low + 1) * x.part;
            top * (1.0 - y.part) + next * y.part
        };
        columns.iter().map(value).collect()
    }
}

/// A place between two corners of pixels.
#[derive(Clone, Copy)]
struct Corner {
    place: f32,
    low: usize,
    part: f32,
}

impl Corner {
    fn at(place: f32) -> Self {
        let place = place.clamp(0.0, SIDE as f32);
        let low = (place as usize).min(SIDE - 1);
        Self { place, low, part: place - low as f32 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::texture;

    #[test]
    fn cells_of_a_part_are_the_cells_of_that_part_cut_out() {
        let picture = texture(512, 512, 3);
        let part = imageops::crop_imm(&picture, 64, 128, 256, 320).to_image();
        let window = Window { x: 0.125, y: 0.25, width: 0.5, height: 0.625 };
        let seen = Print::of(&picture).sums().cells::<8>(window);
        let cut = Print::of(&part).sums().cells::<8>(Window::WHOLE);
        for (a, b) in seen.iter().flatten().zip(cut.iter().flatten()) {
            let (a, b) = (a.expect("inside"), b.expect("inside"));
            assert!((a - b).abs() < 6.0, "{a} {b}");
        }
    }

    #[test]
    fn what_lies_outside_of_the_picture_has_no_value() {
        let sums = Print::flat().sums();
        let cells = sums.cells::<4>(Window { x: -0.25, y: 0.0, width: 1.0, height: 1.0 });
        assert!(cells.iter().all(|row| row[0].is_none() && row[1..].iter().all(Option::is_some)));
        assert!((cells[2][2].expect("inside") - 128.0).abs() < 1e-3);
    }
}
