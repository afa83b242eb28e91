//! A 3 x 3 convolution with a quarter of the multiplications.
//!
//! Tiles of 4 x 4 output pixels and the 6 x 6 input pixels under them become 36
//! numbers each, in which a convolution is a product: `Y = Aᵀ [(G g Gᵀ) ∘ (Bᵀ d B)] A`,
//! summed over channels as 36 matrix products. The points of interpolation are
//! 0, ±3/4, ±3/2 and ∞: with them, rounding errors are within twice those of a
//! plain sum in f32, where the usual 0, ±1, ±2, ∞ make them three times as large.
//! Sources: Lavin and Gray 2016, <https://arxiv.org/abs/1509.09308>, section 4.3;
//! Barabasz et al. 2020, <https://arxiv.org/abs/1803.10986>, section 5 (the points).

use rayon::prelude::*;

use super::product::Start;
use super::simd::{Simd, Vectored};
use super::tile::{DEPTH, Out, Tile};
use super::values::Values;
use super::windows::Way;

mod transforms;
use transforms::{LANES, Lanes, of_kernel, of_output, of_patch};

/// Output pixels of a tile, a side.
const SIDE: usize = 4;
/// Numbers of a tile in the domain of products.
const NUMBERS: usize = 36;
/// f32 of tiles' numbers that are held at once: 32 MiB.
const STRIP: usize = 8 << 20;
/// Output channels whose kernels are held at once.
const BLOCK: usize = 160;

/// A 3 x 3 convolution with stride 1 and one zero around: the size is kept.
#[derive(Debug, Clone, Copy)]
pub struct Same<'a> {
    /// `[images, channels read, height, width]`.
    pub x: &'a [f32],
    /// `[c_out, c_in, 3, 3]`.
    pub weight: Values<'a>,
    /// Output and input channels of the weight.
    pub channels: (usize, usize),
    /// Pictures.
    pub images: usize,
    /// Height and width.
    pub plane: (usize, usize),
    /// Whether input becomes output, or the output's gradient the input's.
    pub way: Way,
}

impl Same<'_> {
    /// Whether this takes less work than the plain sum.
    pub fn pays(&self) -> bool {
        self.tiles() >= 32 && self.read() >= 32 && self.written() >= 32
    }

    /// Channels that are read.
    fn read(&self) -> usize {
        if self.way == Way::Forward { self.channels.1 } else { self.channels.0 }
    }

    /// Channels that are written.
    fn written(&self) -> usize {
        if self.way == Way::Forward { self.channels.0 } else { self.channels.1 }
    }

    fn grid(&self) -> (usize, usize) {
        (self.plane.0.div_ceil(SIDE), self.plane.1.div_ceil(SIDE))
    }

    fn tiles(&self) -> usize {
        self.images * self.grid().0 * self.grid().1
    }

    /// `out = start + W * x`, `[images, channels written, height, width]`.
    pub fn convolve(&self, start: Start, out: &mut [f32]) {
        self.convolve_with(Simd::best(), start, out);
    }

    fn convolve_with(&self, simd: Simd, start: Start, out: &mut [f32]) {
        let tile = Tile::best(simd, self.written().min(BLOCK));
        let width = tile.columns.max(LANES);
        let most = (STRIP / (NUMBERS * self.read())).max(width) / width * width;
        let mut numbers = Vec::new();
        let mut kernels = Vec::new();
        let out = Output { place: out.as_mut_ptr(), length: out.len() };
        for first in (0..self.tiles()).step_by(most) {
            let strip =
                Strip { of: self, simd, tile, first, tiles: most.min(self.tiles() - first) };
            strip.transform(&mut numbers);
            for row in (0..self.written()).step_by(BLOCK) {
                let rows = BLOCK.min(self.written() - row);
                self.kernels(simd, (row, rows), &tile, &mut kernels);
                strip.multiply(&numbers, &kernels, (row, rows), start, out);
            }
        }
    }

    /// Numbers of the kernels that write channels `row..row + rows`, packed as left sides:
    /// `[36, blocks of depth, rows of whole tiles, DEPTH]`.
    fn kernels(&self, simd: Simd, (row, rows): (usize, usize), tile: &Tile, out: &mut Vec<f32>) {
        let high = rows.next_multiple_of(tile.rows);
        let blocks = self.read().div_ceil(DEPTH);
        let number = blocks * high * DEPTH;
        out.resize(NUMBERS * number, 0.0);
        let place = Output { place: out.as_mut_ptr(), length: out.len() };
        let across = self.read().div_ceil(LANES);
        let groups = rows.div_ceil(LANES) * across;
        (0..groups).into_par_iter().with_min_len(8).for_each(|group| {
            let (rows_from, reads_from) = (group / across * LANES, group % across * LANES);
            let at = (reads_from / DEPTH * high + rows_from) * DEPTH + reads_from % DEPTH;
            simd.run(KernelBlock {
                of: self,
                rows: (row + rows_from, (rows - rows_from).min(LANES)),
                reads: (reads_from, (self.read() - reads_from).min(LANES)),
                out: (place, at, number),
            });
        });
    }

    /// Kernels of some written and read channels, as they lie in the file: a line each of the
    /// weight's output channels.
    #[inline(always)]
    fn read_kernels(
        &self,
        (row, rows): (usize, usize),
        (read, reads): (usize, usize),
        room: &mut [[f32; 9 * LANES]; LANES],
    ) {
        let (outputs, inputs) = match self.way {
            Way::Forward => ((row, rows), (read, reads)),
            Way::Backward => ((read, reads), (row, rows)),
        };
        for (i, line) in room.iter_mut().enumerate().take(outputs.1) {
            let start = ((outputs.0 + i) * self.channels.1 + inputs.0) * 9;
            self.weight.read(start, &mut line[..9 * inputs.1]);
        }
    }

    /// The nine numbers of the kernels from 16 read channels to written channel `i` of the room.
    #[inline(always)]
    fn kernel_lanes(&self, room: &[[f32; 9 * LANES]; LANES], i: usize) -> [Lanes; 9] {
        let mut kernel = [[0.0; LANES]; 9];
        for lane in 0..LANES {
            for (t, lanes) in kernel.iter_mut().enumerate() {
                lanes[lane] = match self.way {
                    Way::Forward => room[i][lane * 9 + t],
                    Way::Backward => room[lane][i * 9 + 8 - t],
                };
            }
        }
        kernel
    }
}

/// Kernels between up to 16 written and up to 16 read channels.
struct KernelBlock<'a> {
    of: &'a Same<'a>,
    rows: (usize, usize),        // first, how many
    reads: (usize, usize),       // first, how many
    out: (Output, usize, usize), // place, of the first row, from number to number
}

impl Vectored for KernelBlock<'_> {
    #[inline(always)]
    fn run(self) {
        let (place, at, number) = self.out;
        let mut room = [[0.0; 9 * LANES]; LANES];
        self.of.read_kernels(self.rows, self.reads, &mut room);
        for i in 0..self.rows.1 {
            let kernel = self.of.kernel_lanes(&room, i);
            for (n, lanes) in of_kernel(&kernel).iter().enumerate() {
                place.write(n * number + at + i * DEPTH, lanes);
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
    panel: usize,
    rows: (usize, usize, usize), // first channel, how many, from number to number
    start: Start<'a>,
    out: Output,
}

impl Vectored for Pixels<'_> {
    #[inline(always)]
    fn run(self) {
        let (first, high, step) = self.rows;
        for i in 0..high {
            self.strip.pixels(self.sums, self.panel, (i, step), first + i, self.start, self.out);
        }
    }
}

/// Memory that tasks write to in places that do not overlap.
#[derive(Debug, Clone, Copy)]
struct Output {
    place: *mut f32,
    length: usize,
}

// SAFETY: see above.
unsafe impl Sync for Output {}
// SAFETY: see above.
unsafe impl Send for Output {}

impl Output {
    /// Writes `values` from element `at` on.
    #[inline(always)]
    fn write(&self, at: usize, values: &[f32]) {
        assert!(at + values.len() <= self.length);
        // SAFETY: within the memory by the assertion, and no other task writes here.
        unsafe {
            std::ptr::copy_nonoverlapping(values.as_ptr(), self.place.add(at), values.len());
        }
    }

    /// Adds `value` to element `at`.
    #[inline(always)]
    fn set(&self, at: usize, add: bool, value: f32) {
        assert!(at < self.length);
        // SAFETY: within the memory by the assertion, and no other task writes here.
        unsafe {
            let place = self.place.add(at);
            *place = if add { *place + value } else { value };
        }
    }
}

/// Some of the tiles.
#[derive(Debug, Clone, Copy)]
struct Strip<'a> {
    of: &'a Same<'a>,
    simd: Simd,
    tile: Tile,
    first: usize,
    tiles: usize,
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

    /// The tiles' numbers, packed as right sides: `[36, panels, channels, columns of a panel]`.
    fn transform(&self, out: &mut Vec<f32>) {
        let (channels, columns) = (self.of.read(), self.tile.columns);
        let number = self.panels() * channels * columns;
        out.resize(NUMBERS * number, 0.0);
        let place = Output { place: out.as_mut_ptr(), length: out.len() };
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
    fn multiply(
        &self,
        numbers: &[f32],
        kernels: &[f32],
        (row, rows): (usize, usize),
        start: Start,
        out: Output,
    ) {
        let step = (self.tile.rows * 4).min(rows.next_multiple_of(self.tile.rows));
        let parts = rows.div_ceil(step);
        (0..parts * self.panels()).into_par_iter().for_each_init(Vec::new, |sums, task| {
            let (panel, from) = (task / parts, task % parts * step);
            let high = step.min(rows - from);
            self.sums(numbers, kernels, panel, (from, high, rows), sums);
            let rows = (row + from, high, step);
            self.simd.run(Pixels { strip: self, sums, panel, rows, start, out });
        });
    }

    /// `[36, rows of whole tiles, columns of a panel]` products of `high` channels and a panel.
    fn sums(
        &self,
        numbers: &[f32],
        kernels: &[f32],
        panel: usize,
        (from, high, rows): (usize, usize, usize),
        sums: &mut Vec<f32>,
    ) {
        let Tile { rows: tile_rows, columns, .. } = self.tile;
        let step = (tile_rows * 4).min(rows.next_multiple_of(tile_rows));
        let (channels, all_rows) = (self.of.read(), rows.next_multiple_of(tile_rows));
        let blocks = channels.div_ceil(DEPTH);
        sums.clear();
        sums.resize(NUMBERS * step * columns, 0.0);
        for (n, sums) in sums.chunks_exact_mut(step * columns).enumerate() {
            for block in 0..blocks {
                let depth = DEPTH.min(channels - block * DEPTH);
                let right = (n * self.panels() + panel) * channels + block * DEPTH;
                for first in (0..high).step_by(tile_rows) {
                    let left = ((n * blocks + block) * all_rows + from + first) * DEPTH;
                    let place = sums[first * columns..][..tile_rows * columns].as_mut_ptr();
                    let out = Out { place, stride: columns };
                    self.tile.add(depth, &kernels[left..], &numbers[right * columns..], out);
                }
            }
        }
    }

    /// Pixels of one written channel from row `i` of the sums.
    #[inline(always)]
    fn pixels(
        &self,
        sums: &[f32],
        panel: usize,
        (i, step): (usize, usize),
        channel: usize,
        start: Start,
        out: Output,
    ) {
        let columns = self.tile.columns;
        let (height, width) = self.of.plane;
        let bias = if let Start::Rows(bias) = start { bias[channel] } else { 0.0 };
        let adds = matches!(start, Start::Output);
        for column in (0..columns).step_by(LANES) {
            let mut m = [[0.0; LANES]; NUMBERS];
            for (n, m) in m.iter_mut().enumerate() {
                m.copy_from_slice(&sums[(n * step + i) * columns + column..][..LANES]);
            }
            let y = of_output(&m);
            let first = panel * columns + column;
            for lane in 0..LANES.min(self.tiles.saturating_sub(first)) {
                let (image, top, left) = self.corner(first + lane);
                let plane = (image * self.of.written() + channel) * height * width;
                for row in 0..SIDE.min(height - top) {
                    let at = plane + (top + row) * width + left;
                    for column in 0..SIDE.min(width - left) {
                        out.set(at + column, adds, y[row * SIDE + column][lane] + bias);
                    }
                }
            }
        }
    }
}
