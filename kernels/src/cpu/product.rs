//! Matrix products whose sides are packed as they are used.
//!
//! The output is cut into blocks, one a task; a task goes down the depth, packs
//! the right side into panels as wide as a tile and the left side into rows, and
//! adds tile after tile. A side says itself how it is packed, so that a
//! convolution's windows, a transposed matrix and half-precision weights are
//! never written out whole.
//! Source: Goto and van de Geijn 2008, <https://doi.org/10.1145/1356052.1356053>.

use std::cell::RefCell;
use std::ops::Range;

use rayon::prelude::*;

use super::room::Room;
use super::simd::Simd;
use super::tile::{DEPTH, MOST, Out, Tile};

/// Rows of the left side that are packed at once: 180 KiB, which a second-level cache keeps.
const ROWS: usize = 120;
/// The most columns of a task: their panels are 1.1 MiB.
const COLUMNS: usize = 768;
/// Multiply-adds that are worth a task of their own.
const TASK: usize = 1 << 20;

/// The left side of a product, `[rows, depth]`.
pub trait Left: Sync {
    /// Writes row after row, [`DEPTH`] apart, to `room`.
    fn pack(&self, rows: Range<usize>, depth: Range<usize>, room: &mut [f32]);
}

/// The right side of a product, `[depth, groups x columns]`.
pub trait Right: Sync {
    /// Writes `width` numbers a step of the depth to `panel`: columns `columns` of `group`, then
    /// anything.
    fn pack(&self, depth: Range<usize>, group: usize, columns: Range<usize>, panel: Panel);
}

/// Room for the columns of a tile, step of the depth after step of the depth.
#[derive(Debug)]
pub struct Panel<'a> {
    /// `depth x width` numbers.
    pub room: &'a mut [f32],
    /// Columns of a tile.
    pub width: usize,
    /// Vectors to use.
    pub simd: Simd,
}

/// Sizes of a product: `groups` outputs of `[rows, columns]`, one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// Rows of the left side.
    pub rows: usize,
    /// Length of each sum.
    pub depth: usize,
    /// Outputs, which share the left side.
    pub groups: usize,
    /// Columns of one group of the right side.
    pub columns: usize,
}

/// What a product is added to.
#[derive(Debug, Clone, Copy)]
pub enum Start<'a> {
    /// Nothing.
    Zero,
    /// What the output holds.
    Output,
    /// One number a row.
    Rows(&'a [f32]),
    /// One number a column.
    Columns(&'a [f32]),
}

/// `out = start + left right`, `[groups, rows, columns]`.
pub fn product(sizes: Sizes, left: &impl Left, right: &impl Right, start: Start, out: &mut [f32]) {
    product_with(Simd::best(), sizes, left, right, start, out);
}

fn product_with(
    simd: Simd,
    sizes: Sizes,
    left: &impl Left,
    right: &impl Right,
    start: Start,
    out: &mut [f32],
) {
    assert_eq!(out.len(), sizes.groups * sizes.rows * sizes.columns, "{sizes:?}");
    let tile = Tile::best(simd, sizes.rows);
    let work = Work { simd, sizes, tile, left, right, start, out: Output(out.as_mut_ptr()) };
    let plan = Plan::new(&sizes, &tile, rayon::current_num_threads());
    match plan.tasks() {
        1 => work.block(plan.block(0)),
        tasks => (0..tasks).into_par_iter().for_each(|i| work.block(plan.block(i))),
    }
}

/// How the output is cut: every task has up to `rows` rows and `panels` panels.
#[derive(Debug)]
struct Plan {
    rows: (usize, usize),   // all, of a task
    panels: (usize, usize), // all, of a task
}

impl Plan {
    /// As few blocks as keep `threads` busy and panels in the cache.
    fn new(sizes: &Sizes, tile: &Tile, threads: usize) -> Self {
        let panels = sizes.groups * sizes.columns.div_ceil(tile.columns);
        let tiles = sizes.rows.div_ceil(tile.rows);
        let all = sizes.rows * sizes.depth * panels * tile.columns;
        let wanted = if threads == 1 { 1 } else { (all / TASK).clamp(1, 2 * threads) };
        let most = COLUMNS / tile.columns;
        // Cutting columns packs the left side again, cutting rows the right one.
        let across = wanted.min(panels).max(panels.div_ceil(most));
        let along = wanted.div_ceil(across).min(tiles);
        let by_rows = wanted.min(tiles);
        let panels_by_rows = wanted.div_ceil(by_rows).max(panels.div_ceil(most));
        let cost =
            |along: usize, across: usize| across * sizes.rows + along * panels * tile.columns;
        let (along, across) = match cost(by_rows, panels_by_rows) < cost(along, across) {
            true => (by_rows, panels_by_rows),
            false => (along, across),
        };
        Self {
            rows: (sizes.rows, tiles.div_ceil(along) * tile.rows),
            panels: (panels, panels.div_ceil(across)),
        }
    }

    fn tasks(&self) -> usize {
        self.rows.0.div_ceil(self.rows.1) * self.panels.0.div_ceil(self.panels.1)
    }

    /// Rows and panels of task `i`.
    fn block(&self, i: usize) -> (Range<usize>, Range<usize>) {
        let along = self.rows.0.div_ceil(self.rows.1);
        let (row, panel) = (i % along * self.rows.1, i / along * self.panels.1);
        let end = |start: usize, (all, step): (usize, usize)| (start + step).min(all);
        (row..end(row, self.rows), panel..end(panel, self.panels))
    }
}

#[derive(Debug, Clone, Copy)]
struct Output(*mut f32);

// SAFETY: tasks write blocks of the output that do not overlap.
unsafe impl Sync for Output {}

struct Work<'a, L, R> {
    simd: Simd,
    sizes: Sizes,
    tile: Tile,
    left: &'a L,
    right: &'a R,
    start: Start<'a>,
    out: Output,
}

thread_local! {
    /// A task's packed sides, kept for the next one: fresh pages cost more than the packing.
    static ROOM: RefCell<(Room, Room)> = const { RefCell::new((Room::new(), Room::new())) };
}

impl<L: Left, R: Right> Work<'_, L, R> {
    /// All sums of a block of rows and panels.
    fn block(&self, (rows, panels): (Range<usize>, Range<usize>)) {
        self.begin(&rows, &panels);
        let mut rooms = ROOM.take();
        let lefts = rooms.0.take((ROWS + MOST.0) * DEPTH);
        let rights = rooms.1.take(panels.len() * self.tile.columns * DEPTH);
        for from in (0..self.sizes.depth).step_by(DEPTH) {
            let depth = from..(from + DEPTH).min(self.sizes.depth);
            for (panel, room) in panels.clone().zip(rights.chunks_mut(self.tile.columns * DEPTH)) {
                self.pack_right(panel, depth.clone(), room);
            }
            let step = ROWS / self.tile.rows * self.tile.rows;
            for first in rows.clone().step_by(step) {
                let some = first..(first + step).min(rows.end);
                self.left.pack(some.clone(), depth.clone(), lefts);
                for (panel, right) in panels.clone().zip(rights.chunks(self.tile.columns * DEPTH)) {
                    self.tiles(&some, panel, depth.len(), lefts, right);
                }
            }
        }
        ROOM.set(rooms);
    }

    fn pack_right(&self, panel: usize, depth: Range<usize>, room: &mut [f32]) {
        let (group, columns) = self.columns(panel);
        let width = self.tile.columns;
        let room = &mut room[..depth.len() * width];
        self.right.pack(depth, group, columns, Panel { room, width, simd: self.simd });
    }

    /// Adds one panel's tiles to some rows of the output.
    fn tiles(&self, rows: &Range<usize>, panel: usize, depth: usize, left: &[f32], right: &[f32]) {
        let (group, columns) = self.columns(panel);
        let Sizes { rows: all_rows, columns: all_columns, .. } = self.sizes;
        for first in rows.clone().step_by(self.tile.rows) {
            let left = &left[(first - rows.start) * DEPTH..];
            let at = (group * all_rows + first) * all_columns + columns.start;
            // SAFETY: row `first` of `group` and its column are within the output.
            let place = unsafe { self.out.0.add(at) };
            let out = Out { place, stride: all_columns };
            let high = (rows.end - first).min(self.tile.rows);
            if high == self.tile.rows && columns.len() == self.tile.columns {
                // SAFETY: the whole tile lies within this task's block of the output.
                unsafe { self.tile.add(depth, left, right, out) };
            } else {
                self.part_of_tile(depth, left, right, out, (high, columns.len()));
            }
        }
    }

    /// At an edge of the output: the whole tile beside it, then the part that lies within.
    fn part_of_tile(
        &self,
        depth: usize,
        left: &[f32],
        right: &[f32],
        out: Out,
        (high, wide): (usize, usize),
    ) {
        let mut beside = [0.0f32; MOST.0 * MOST.1];
        let width = self.tile.columns;
        let whole = Out { place: beside.as_mut_ptr(), stride: width };
        // SAFETY: `beside` has room for the largest tile.
        unsafe { self.tile.add(depth, left, right, whole) };
        for (i, row) in beside.chunks(width).take(high).enumerate() {
            for (j, sum) in row[..wide].iter().enumerate() {
                // SAFETY: `high` rows and `wide` columns from `out.place` are within the output.
                unsafe { *out.place.add(i * out.stride + j) += sum };
            }
        }
    }

    /// Writes what the sums are added to.
    fn begin(&self, rows: &Range<usize>, panels: &Range<usize>) {
        if matches!(self.start, Start::Output) {
            return;
        }
        for panel in panels.clone() {
            let (group, columns) = self.columns(panel);
            for row in rows.clone() {
                let at = (group * self.sizes.rows + row) * self.sizes.columns + columns.start;
                // SAFETY: this part of the row is within the output, and only this task's.
                let part =
                    unsafe { std::slice::from_raw_parts_mut(self.out.0.add(at), columns.len()) };
                match self.start {
                    Start::Columns(bias) => part.copy_from_slice(&bias[columns.clone()]),
                    Start::Rows(bias) => part.fill(bias[row]),
                    _ => part.fill(0.0),
                }
            }
        }
    }

    /// Group and columns of a panel; panels do not cross groups.
    fn columns(&self, panel: usize) -> (usize, Range<usize>) {
        let Sizes { columns, .. } = self.sizes;
        let each = columns.div_ceil(self.tile.columns);
        let first = panel % each * self.tile.columns;
        (panel / each, first..(first + self.tile.columns).min(columns))
    }
}

#[cfg(test)]
mod tests;
