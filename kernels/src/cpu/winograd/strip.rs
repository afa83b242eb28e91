//! Some of a picture's tiles: in, multiplied, out.

use std::cell::RefCell;
use std::ops::Range;

use rayon::prelude::*;

use super::output::Output;
use super::transforms::{LANES, Lanes, of_output, of_patch};
use super::{NUMBERS, SIDE, Same};
use crate::cpu::product::Start;
use crate::cpu::room::Room;
use crate::cpu::simd::{Simd, Vectored};
use crate::cpu::tile::{DEPTH, Out, Tile};

thread_local! {
    /// A task's sums, kept for the next one.
    static SUMS: RefCell<Room> = const { RefCell::new(Room::new()) };
}

/// Panels that a task multiplies with the same kernels, which then come from the cache.
const GROUP: usize = 4;

/// Some of the tiles.
#[derive(Debug, Clone, Copy)]
pub struct Strip<'a> {
    /// The convolution.
    pub of: &'a Same<'a>,
    /// Vectors to use.
    pub simd: Simd,
    /// Tile of the products.
    pub tile: Tile,
    /// The strip's first tile.
    pub first: usize,
    /// How many there are.
    pub tiles: usize,
}

impl Strip<'_> {
    /// Panels of tiles.
    fn panels(&self) -> usize {
        self.tiles.div_ceil(self.tile.columns)
    }

    /// Picture, row and column of tile `t` of the strip, in pixels.
    #[inline(always)]
    fn corner(&self, t: usize) -> (usize, usize, usize) {
        let (rows, columns) = self.of.grid();
        let t = self.first + t;
        (t / (rows * columns), t / columns % rows * SIDE, t % columns * SIDE)
    }

    /// From one number of all tiles to the next: not a multiple of a page, as for the kernels.
    fn stride(&self) -> usize {
        self.panels() * self.of.read() * self.tile.columns + LANES
    }

    /// The tiles' numbers, packed as right sides: `[36, panels, channels, columns of a panel]`.
    pub fn transform(&self, out: &mut Room) {
        let (channels, columns) = (self.of.read(), self.tile.columns);
        let number = self.stride();
        let place = Output::new(out.take(NUMBERS * number));
        let groups = (self.panels() * columns).div_ceil(LANES);
        (0..groups * channels).into_par_iter().with_min_len(16).for_each(|task| {
            let (group, channel) = (task / channels, task % channels);
            let (panel, column) = (group * LANES / columns, group * LANES % columns);
            let at = (panel * channels + channel) * columns + column;
            self.simd.run(Patches { strip: self, channel, group, out: (place, at, number) });
        });
    }

    /// The 6 x 6 pixels under tile `t`, zeros beyond the picture, as one lane of `patch`.
    #[inline(always)]
    fn copy_patch(&self, channel: usize, t: usize, lane: usize, patch: &mut [Lanes; NUMBERS]) {
        let (height, width) = self.of.plane;
        let (image, y, x) = self.corner(t);
        let plane = (image * self.of.read() + channel) * height * width;
        let pixels = &self.of.x[plane..plane + height * width];
        if y > 0 && x > 0 && y + 5 <= height && x + 5 <= width {
            for row in 0..6 {
                let line = &pixels[(y + row - 1) * width + x - 1..][..6];
                for (column, pixel) in line.iter().enumerate() {
                    patch[row * 6 + column][lane] = *pixel;
                }
            }
            return;
        }
        for row in 0..6 {
            for column in 0..6 {
                let (y, x) = (y + row, x + column);
                let inside = (1..=height).contains(&y) && (1..=width).contains(&x);
                let pixel = if inside { pixels[(y - 1) * width + x - 1] } else { 0.0 };
                patch[row * 6 + column][lane] = pixel;
            }
        }
    }

    /// The products of some written channels, turned into pixels.
    pub fn multiply(
        &self,
        numbers: &[f32],
        kernels: &[f32],
        (row, rows): (usize, usize),
        start: Start,
        out: Output,
    ) {
        let step = self.step(rows);
        let parts = rows.div_ceil(step);
        let groups = self.panels().div_ceil(GROUP);
        (0..parts * groups).into_par_iter().for_each(|task| {
            let mut room = SUMS.take();
            let sums = room.take(NUMBERS * step * GROUP * self.tile.columns);
            let panels = task / parts * GROUP..(task / parts * GROUP + GROUP).min(self.panels());
            let from = task % parts * step;
            let high = step.min(rows - from);
            self.sums(numbers, kernels, panels.clone(), (from, high, rows), sums);
            let rows = (row + from, high, step);
            self.simd.run(Pixels { strip: self, sums, panels, rows, start, out });
            SUMS.set(room);
        });
    }

    /// Rows of a task.
    fn step(&self, rows: usize) -> usize {
        (self.tile.rows * 4).min(rows.next_multiple_of(self.tile.rows))
    }

    /// `[36, rows of a task, panels, columns of a panel]` products of `high` channels.
    fn sums(
        &self,
        numbers: &[f32],
        kernels: &[f32],
        panels: Range<usize>,
        (from, high, rows): (usize, usize, usize),
        sums: &mut [f32],
    ) {
        let Tile { rows: tile_rows, columns, .. } = self.tile;
        let (step, width) = (self.step(rows), panels.len() * columns);
        let (channels, all_rows) = (self.of.read(), rows.next_multiple_of(tile_rows));
        let blocks = channels.div_ceil(DEPTH);
        let number = self.of.kernel_stride(rows, &self.tile);
        sums[..NUMBERS * step * width].fill(0.0);
        for (n, sums) in sums.chunks_exact_mut(step * width).take(NUMBERS).enumerate() {
            for block in 0..blocks {
                let depth = DEPTH.min(channels - block * DEPTH);
                let left = n * number + (block * all_rows + from) * DEPTH;
                for (i, panel) in panels.clone().enumerate() {
                    let right = n * self.stride() + (panel * channels + block * DEPTH) * columns;
                    for first in (0..high).step_by(tile_rows) {
                        let rows = &mut sums[first * width..][..tile_rows * width];
                        let place = rows[i * columns..].as_mut_ptr();
                        let out = Out { place, stride: width };
                        let left = &kernels[left + first * DEPTH..];
                        // SAFETY: `rows` holds the tile's rows, and the panel's columns in each.
                        unsafe { self.tile.add(depth, left, &numbers[right..], out) };
                    }
                }
            }
        }
    }

    /// Pixels of one written channel from row `i` of the sums.
    #[inline(always)]
    fn pixels(
        &self,
        sums: &[f32],
        panels: &Range<usize>,
        (i, step, channel): (usize, usize, usize),
        start: Start,
        out: Output,
    ) {
        let width = panels.len() * self.tile.columns;
        let (height, across) = self.of.plane;
        let bias = if let Start::Rows(bias) = start { bias[channel] } else { 0.0 };
        let adds = matches!(start, Start::Output);
        for column in (0..width).step_by(LANES) {
            let mut m = [[0.0; LANES]; NUMBERS];
            for (n, m) in m.iter_mut().enumerate() {
                m.copy_from_slice(&sums[(n * step + i) * width + column..][..LANES]);
            }
            let y = of_output(&m);
            let first = panels.start * self.tile.columns + column;
            let tiles = LANES.min(self.tiles.saturating_sub(first));
            #[allow(clippy::needless_range_loop)] // a lane of each of 16 arrays
            for lane in 0..tiles {
                let (image, top, left) = self.corner(first + lane);
                let plane = (image * self.of.written() + channel) * height * across;
                for row in 0..SIDE.min(height - top) {
                    let at = plane + (top + row) * across + left;
                    for column in 0..SIDE.min(across - left) {
                        out.set(at + column, adds, y[row * SIDE + column][lane] + bias);
                    }
                }
            }
        }
    }
}

/// Up to 16 tiles of one channel on the way in.
struct Patches<'a> {
    strip: &'a Strip<'a>,
    channel: usize,
    group: usize,
    out: (Output, usize, usize), // place, of the first lane, from number to number
}

impl Vectored for Patches<'_> {
    #[inline(always)]
    fn run(self) {
        let mut patch = [[0.0; LANES]; NUMBERS];
        let first = self.group * LANES;
        for lane in 0..LANES.min(self.strip.tiles.saturating_sub(first)) {
            self.strip.copy_patch(self.channel, first + lane, lane, &mut patch);
        }
        let (place, at, number) = self.out;
        for (n, lanes) in of_patch(&patch).iter().enumerate() {
            place.write(n * number + at, lanes);
        }
    }
}

/// A panel's pixels of some written channels on the way out.
struct Pixels<'a> {
    strip: &'a Strip<'a>,
    sums: &'a [f32],
    panels: Range<usize>,
    rows: (usize, usize, usize), // first channel, how many, from number to number
    start: Start<'a>,
    out: Output,
}

impl Vectored for Pixels<'_> {
    #[inline(always)]
    fn run(self) {
        let (first, high, step) = self.rows;
        for i in 0..high {
            let channel = (i, step, first + i);
            self.strip.pixels(self.sums, &self.panels, channel, self.start, self.out);
        }
    }
}
