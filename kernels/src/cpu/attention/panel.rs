//! Tokens as the lanes of registers.

use std::ops::Range;
use std::sync::Mutex;

use rayon::prelude::*;

use super::lanes::{Lanes, floats};
use super::layout::{SharedRows, Tokens};
use super::product::{ACROSS, Matrix, Row};

/// Tokens that products step over while a panel stays near.
pub const BLOCK: usize = 64;

/// Lanes of the widest register.
const WIDEST: usize = 16;

/// Below every score, yet finite, so that differences are no NaN.
pub const MASKED: f32 = -1e30;

/// Tokens whose panels a thread holds at once: the more, the less often the others are read and
/// rearranged, as long as the panels stay in the second cache.
pub fn group(d_head: usize) -> usize {
    ((1 << 17) / d_head).clamp(BLOCK, 16 * BLOCK) / BLOCK * BLOCK
}

/// `[0, 0, ..]`.
#[inline(always)]
pub fn zero<L: Lanes>() -> Row<L> {
    [L::splat(0.0); ACROSS]
}

/// The ranges of at most `size` that follow each other in `range`.
pub fn pieces(range: Range<usize>, size: usize) -> impl Iterator<Item = Range<usize>> {
    let Range { start, end } = range;
    (start..end).step_by(size).map(move |start| start..(start + size).min(end))
}

/// Hands the tasks in their order to all threads, each of which makes itself one place to work in.
pub fn on_every_thread<T: Send, S>(
    tasks: Vec<T>,
    scratch: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, T) + Sync,
) {
    let threads = rayon::current_num_threads().min(tasks.len());
    let tasks = Mutex::new(tasks.into_iter());
    let next = || tasks.lock().expect("nothing panics while it holds the lock").next();
    (0..threads).into_par_iter().with_max_len(1).for_each(|_| {
        let mut scratch = scratch();
        while let Some(task) = next() {
            work(&mut scratch, task);
        }
    });
}

/// Row i of `out`, `[d_head, count]`, holds element i of each of `tokens`, times `factor`; zero
/// past the last token. `count` is a multiple of the lanes in a register.
#[inline(always)]
pub fn gather<L: Lanes>(
    out: &mut [f32],
    count: usize,
    x: Tokens,
    tokens: Range<usize>,
    factor: f32,
) {
    let factor = L::splat(factor);
    for first in (0..count).step_by(L::WIDTH) {
        for (start, out) in out.chunks_mut(L::WIDTH * count).enumerate() {
            let mut square = [L::splat(0.0); WIDEST];
            for (row, t) in square[..L::WIDTH].iter_mut().zip(tokens.clone().skip(first)) {
                *row = L::load(&x.row(t)[start * L::WIDTH..]).mul(factor);
            }
            transpose(&mut square);
            for (out, row) in out.chunks_exact_mut(count).zip(square) {
                row.store(&mut out[first..first + L::WIDTH]);
            }
        }
    }
}

/// Element i of each of `tokens` is row i of the panel, times `factors` by lane.
///
/// # Safety
///
/// Head and tokens are among those of `out`, and nobody else asks for them while it runs.
#[inline(always)]
pub unsafe fn scatter<L: Lanes>(
    panel: &[Row<L>],
    out: &SharedRows,
    head: usize,
    tokens: Range<usize>,
    factors: Row<L>,
) {
    for (v, factors) in floats(&factors).chunks_exact(L::WIDTH).enumerate() {
        for (start, rows) in panel.chunks(L::WIDTH).enumerate() {
            let mut square = [L::splat(0.0); WIDEST];
            for (row, lanes) in square.iter_mut().zip(rows) {
                *row = lanes[v];
            }
            transpose(&mut square);
            let tokens = tokens.clone().skip(v * L::WIDTH);
            for ((row, factor), t) in square.iter().zip(factors).zip(tokens) {
                // SAFETY: the caller alone asks for the token, and this is the only time now.
                let out = unsafe { out.row(head, t) };
                row.mul(L::splat(*factor)).store(&mut out[start * L::WIDTH..]);
            }
        }
    }
}

/// Makes lane j of row i lane i of row j, for as many rows as there are lanes.
///
/// Each round moves the top bit of a row's number to the bottom of the lane's.
#[inline(always)]
fn transpose<L: Lanes>(square: &mut [L; WIDEST]) {
    let half = L::WIDTH / 2;
    for _ in 0..L::WIDTH.ilog2() {
        let old = *square;
        for i in 0..half {
            [square[2 * i], square[2 * i + 1]] = old[i].zip(old[i + half]);
        }
    }
}

/// A block `[d_head, BLOCK]`, a left side that makes products by token.
pub struct ByToken(Vec<f32>);

impl ByToken {
    /// Room for a block.
    pub fn new(d_head: usize) -> Self {
        Self(vec![0.0; d_head * BLOCK])
    }

    /// Takes up other tokens.
    #[inline(always)]
    pub fn start<L: Lanes>(&mut self, x: Tokens, tokens: Range<usize>) {
        gather::<L>(&mut self.0, BLOCK, x, tokens, 1.0);
    }

    /// They as a left side.
    #[inline(always)]
    pub fn matrix(&self) -> Matrix<'_> {
        Matrix { data: &self.0, step: BLOCK }
    }
}

/// A block `[BLOCK, d_head]`, a left side that makes products by element.
///
/// In the tensor the tokens may be a power of two apart, and contend for the same places of the
/// cache.
pub struct ByElement {
    data: Vec<f32>,
    step: usize, // from one token to the next
}

impl ByElement {
    /// Room for a block.
    pub fn new(d_head: usize) -> Self {
        let step = d_head + if d_head.is_multiple_of(128) { 16 } else { 0 }; // a line of the cache
        Self { data: vec![0.0; BLOCK * step], step }
    }

    /// Takes up other tokens.
    #[inline(always)]
    pub fn start<L: Lanes>(&mut self, x: Tokens, tokens: Range<usize>) {
        for (row, t) in self.data.chunks_exact_mut(self.step).zip(tokens) {
            let x = x.row(t);
            for (row, x) in row[..x.len()].chunks_mut(L::WIDTH).zip(x.chunks(L::WIDTH)) {
                L::load(x).store(row);
            }
        }
    }

    /// They as a left side.
    #[inline(always)]
    pub fn matrix(&self) -> Matrix<'_> {
        Matrix { data: &self.data, step: self.step }
    }
}
