//! A 3 x 3 convolution with a quarter of the multiplications.
//!
//! Tiles of 4 x 4 output pixels and the 6 x 6 input pixels under them become 36
//! numbers each, in which a convolution is a product: `Y = Aᵀ [(G g Gᵀ) ∘ (Bᵀ d B)] A`,
//! summed over channels as 36 matrix products. The points of interpolation are
//! 0, ±3/4, ±3/2 and ∞: with them, rounding errors are within twice those of a
//! plain sum in f32, where the usual 0, ±1, ±2, ∞ make them three times as large.
//! Sources: Lavin and Gray 2016, <https://arxiv.org/abs/1509.09308>, section 4.3;
//! Barabasz et al. 2020, <https://arxiv.org/abs/1803.10986>, section 5 (the points).

use std::cell::RefCell;

use rayon::prelude::*;

use super::product::Start;
use super::room::Room;
use super::simd::{Simd, Vectored};
use super::tile::{DEPTH, Tile};
use super::values::Values;
use super::windows::Way;

mod output;
mod strip;
mod transforms;

use output::Output;
use strip::Strip;
use transforms::{LANES, Lanes, of_kernel};

/// Output pixels of a tile, a side.
const SIDE: usize = 4;
/// Numbers of a tile in the domain of products.
const NUMBERS: usize = 36;
/// f32 of tiles' numbers that are held at once: 32 MiB.
const STRIP: usize = 8 << 20;
/// Output channels whose kernels are held at once.
const BLOCK: usize = 160;

thread_local! {
    /// Numbers of tiles and of kernels, kept for the next convolution.
    static ROOMS: RefCell<(Room, Room)> = const { RefCell::new((Room::new(), Room::new())) };
}

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
        let (mut numbers, mut kernels) = ROOMS.take();
        let out = Output::new(out);
        for first in (0..self.tiles()).step_by(most) {
            let strip =
                Strip { of: self, simd, tile, first, tiles: most.min(self.tiles() - first) };
            strip.transform(&mut numbers);
            for row in (0..self.written()).step_by(BLOCK) {
                let rows = BLOCK.min(self.written() - row);
                self.kernels(simd, (row, rows), &tile, &mut kernels);
                strip.multiply(numbers.kept(), kernels.kept(), (row, rows), start, out);
            }
        }
        ROOMS.set((numbers, kernels));
    }

    /// From one number of all kernels of a block of `rows` to the next: not a multiple of a page,
    /// so that 36 numbers of one kernel do not want the same lines of the cache.
    fn kernel_stride(&self, rows: usize, tile: &Tile) -> usize {
        self.read().div_ceil(DEPTH) * rows.next_multiple_of(tile.rows) * DEPTH + LANES
    }

    /// Numbers of the kernels that write channels `row..row + rows`, packed as left sides:
    /// `[36, blocks of depth, rows of whole tiles, DEPTH]`.
    fn kernels(&self, simd: Simd, (row, rows): (usize, usize), tile: &Tile, out: &mut Room) {
        let high = rows.next_multiple_of(tile.rows);
        let number = self.kernel_stride(rows, tile);
        let place = Output::new(out.take(NUMBERS * number));
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

#[cfg(test)]
mod tests;
