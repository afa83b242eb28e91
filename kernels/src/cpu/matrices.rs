//! Dense matrices as sides of a product, as they lie in memory or transposed.

use std::ops::Range;

use super::product::{Left, Panel, Right};
use super::tile::DEPTH;
use super::turn::{LINES, turn};
use super::values::Values;

/// A matrix whose rows lie `stride` elements apart.
#[derive(Debug, Clone, Copy)]
pub struct Matrix<'a> {
    /// Its elements.
    pub values: Values<'a>,
    /// Elements from one row to the next.
    pub stride: usize,
}

/// The transpose of a [`Matrix`].
#[derive(Debug, Clone, Copy)]
pub struct Transposed<'a>(pub Matrix<'a>);

impl<'a> Matrix<'a> {
    /// f32 elements, rows `stride` apart.
    pub fn new(values: &'a [f32], stride: usize) -> Self {
        Self { values: Values::F32(values), stride }
    }
}

impl Left for Matrix<'_> {
    fn pack(&self, rows: Range<usize>, depth: Range<usize>, room: &mut [f32]) {
        for (row, room) in rows.zip(room.chunks_mut(DEPTH)) {
            self.values.read(row * self.stride + depth.start, &mut room[..depth.len()]);
        }
    }
}

impl Left for Transposed<'_> {
    fn pack(&self, rows: Range<usize>, depth: Range<usize>, room: &mut [f32]) {
        let mut column = [0.0; 256];
        for first in rows.clone().step_by(column.len()) {
            let column = &mut column[..(rows.end - first).min(256)];
            for (k, step) in depth.clone().enumerate() {
                self.0.values.read(step * self.0.stride + first, column);
                for (i, x) in column.iter().enumerate() {
                    room[(first - rows.start + i) * DEPTH + k] = *x;
                }
            }
        }
    }
}

impl Right for Matrix<'_> {
    fn pack(&self, depth: Range<usize>, _: usize, columns: Range<usize>, panel: Panel) {
        for (k, row) in depth.zip(panel.room.chunks_mut(panel.width)) {
            let start = k * self.stride + columns.start;
            match (self.values, <&mut [f32; 32]>::try_from(&mut row[..columns.len()])) {
                // The copy of a known length is two moves, not a call.
                (Values::F32(x), Ok(row)) => row.copy_from_slice(&x[start..start + 32]),
                _ => self.values.read(start, &mut row[..columns.len()]),
            }
        }
    }
}

impl Right for Transposed<'_> {
    fn pack(&self, depth: Range<usize>, _: usize, columns: Range<usize>, panel: Panel) {
        let mut lines = [[0.0; DEPTH]; LINES];
        for (i, some) in (0..panel.width).step_by(LINES).enumerate() {
            let wide = columns.len().saturating_sub(some).min(LINES);
            for (j, line) in lines.iter_mut().enumerate().take(wide) {
                let start = (columns.start + some + j) * self.0.stride + depth.start;
                self.0.values.read(start, &mut line[..depth.len()]);
            }
            turn(panel.simd, &lines, depth.len(), &mut panel.room[i * LINES..], panel.width);
        }
    }
}
