//! Matrix products whose right side lies in registers-wide panels.
//!
//! `C += Aᵀ B` for a few rows of `C` at a time, as many as stay in registers: per step, one
//! value of `A` for each row is broadcast from memory and multiplied with the panel's row of
//! `B`. It reaches nineteen twentieths of what the processor can do.
//! Source: Goto and van de Geijn 2008, "Anatomy of High-Performance Matrix Multiplication",
//! <https://doi.org/10.1145/1356052.1356053>, section 4.

use std::ops::Range;

use super::lanes::{Lanes, Task, floats};

/// Registers across a panel.
pub const ACROSS: usize = 2;

/// A row of a panel: one token a lane.
pub type Row<L> = [L; ACROSS];

/// Tokens across a panel.
pub const fn width<L: Lanes>() -> usize {
    ACROSS * L::WIDTH
}

/// A left side, whose element (k, r) lies at `k · step + r`.
#[derive(Clone, Copy)]
pub struct Matrix<'a> {
    /// Its elements.
    pub data: &'a [f32],
    /// From one k to the next.
    pub step: usize,
}

/// `out[r] = Σₖ a[k, r] b[k]`.
#[inline(always)]
pub fn multiply<L: Lanes>(out: &mut [Row<L>], a: Matrix, b: &[Row<L>]) {
    let out = out.as_flattened_mut();
    L::vectorized(Product::<_, _, false> { out, apart: ACROSS, a, b, add: false });
}

/// `out[r] += Σₖ a[k, r] b[k]`.
#[inline(always)]
pub fn multiply_add<L: Lanes>(out: &mut [Row<L>], a: Matrix, b: &[Row<L>]) {
    let out = out.as_flattened_mut();
    L::vectorized(Product::<_, _, false> { out, apart: ACROSS, a, b, add: true });
}

/// `out[r] += Σₖ a[r][k] b[k]` for rows of `across` registers: the left side is a panel.
///
/// `b` holds the first part of each of its rows, then the next, and so on: see [`wide_parts`].
/// Of both, the first `depth` of k are used.
#[inline(always)]
pub fn multiply_add_wide<L: Lanes>(
    out: &mut [L],
    across: usize,
    a: &[Row<L>],
    b: &[L],
    depth: usize,
) {
    let rows = b.len() / across;
    for part in wide_parts(across) {
        let out = &mut out[part.start..];
        let b = &b[part.start * rows..part.end * rows];
        match part.len() {
            1 => add_wide::<L, 1>(out, across, a, &b.as_chunks().0[..depth]),
            2 => add_wide::<L, 2>(out, across, a, &b.as_chunks().0[..depth]),
            _ => add_wide::<L, 3>(out, across, a, &b.as_chunks().0[..depth]),
        }
    }
}

/// The parts that rows of `across` registers are multiplied in.
pub fn wide_parts(across: usize) -> impl Iterator<Item = Range<usize>> {
    parts(across, 3)
}

#[inline(always)]
fn add_wide<L: Lanes, const V: usize>(out: &mut [L], apart: usize, a: &[Row<L>], b: &[[L; V]]) {
    let a = Matrix { data: floats(a.as_flattened()), step: 1 };
    L::vectorized(Product::<_, _, true> { out, apart, a, b, add: true });
}

/// A product with rows of V registers, that lie `apart` registers apart in `out`.
///
/// A task of its own, so that the code around does not compete for the registers.
struct Product<'a, L, const V: usize, const WIDE: bool> {
    out: &'a mut [L],
    apart: usize,
    a: Matrix<'a>,
    b: &'a [[L; V]],
    add: bool,
}

impl<L: Lanes, const V: usize, const WIDE: bool> Product<'_, L, V, WIDE> {
    /// From one row of the left side to the next.
    const STEP: usize = if WIDE { width::<L>() } else { 1 };
    /// Rows that stay in registers.
    const ROWS: usize = if ACROSS * L::ROWS < 12 * V { ACROSS * L::ROWS / V } else { 12 };

    /// R rows from `start` on.
    #[inline(always)]
    fn tile<const R: usize>(&mut self, start: usize) {
        let (apart, step) = (self.apart, self.a.step);
        let out = &mut self.out[start * apart..][..(R - 1) * apart + V];
        let a = &self.a.data[start * Self::STEP..];
        let mut sums = [[L::splat(0.0); V]; R];
        if self.add {
            for (r, sums) in sums.iter_mut().enumerate() {
                sums.copy_from_slice(&out[r * apart..][..V]);
            }
        }
        for (k, b) in self.b.iter().enumerate() {
            let a = &a[k * step..][..(R - 1) * Self::STEP + 1];
            for (r, sums) in sums.iter_mut().enumerate() {
                let factor = L::splat(a[r * Self::STEP]);
                for (sum, b) in sums.iter_mut().zip(b) {
                    *sum = factor.mul_add(*b, *sum);
                }
            }
        }
        for (r, sums) in sums.iter().enumerate() {
            out[r * apart..][..V].copy_from_slice(sums);
        }
    }
}

/// `self.tile::<rows>(start)`.
macro_rules! tile_of {
    ($self:ident, $rows:expr, $start:expr, $($r:literal)*) => {
        match $rows {
            $($r if $r <= Self::ROWS => $self.tile::<$r>($start),)*
            rows => unreachable!("{rows} rows do not stay in registers"),
        }
    };
}

impl<L: Lanes, const V: usize, const WIDE: bool> Task for Product<'_, L, V, WIDE> {
    #[inline(always)]
    fn run(mut self) {
        for rows in parts(self.out.len().div_ceil(self.apart), Self::ROWS) {
            tile_of!(self, rows.len(), rows.start, 1 2 3 4 5 6 7 8 9 10 11 12);
        }
    }
}

/// `len` in the fewest parts of at most `most`, whose sizes differ by one at most.
fn parts(len: usize, most: usize) -> impl Iterator<Item = Range<usize>> {
    let count = len.div_ceil(most).max(1);
    let (size, larger) = (len / count, len % count);
    let mut end = 0;
    (0..if len == 0 { 0 } else { count }).map(move |i| {
        let start = end;
        end += size + usize::from(i < larger);
        start..end
    })
}
