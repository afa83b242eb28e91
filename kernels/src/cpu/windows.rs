//! A convolution's windows as the right side of a product, packed as they are used.
//!
//! `out[o, p] = Σ_(c, t) W[o, (c, t)] x[c, place(t, p)]`: for each tap t of the
//! kernel, output pixel p reads one input pixel or the padding. The gradient of
//! the input is the same sum with the output's gradient as input, the weight's
//! channels exchanged, and other places.
//! Source: Dumoulin and Visin 2016, <https://arxiv.org/abs/1603.07285>, sections 2 and 4.

use std::ops::Range;

use super::product::{Left, Panel, Right};
#[cfg(target_arch = "x86_64")]
use super::simd::Simd;
use super::tile::DEPTH;
use super::values::Values;

/// Sizes of a convolution of planes with a square kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Geometry {
    /// Height and width of the input.
    pub input: (usize, usize),
    /// Height and width of the output.
    pub output: (usize, usize),
    /// Kernel side.
    pub kernel: usize,
    /// Input pixels from one window to the next.
    pub stride: usize,
    /// Zeros before the first row and before the first column.
    pub padding: (usize, usize),
}

/// Which way the windows are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Output pixels read input pixels.
    Forward,
    /// Input pixels read the output pixels that they were part of.
    Backward,
}

/// The windows of `[groups, channels, height, width]`.
#[derive(Debug, Clone, Copy)]
pub struct Windows<'a> {
    /// What is read: the input, or on the way back the output's gradient.
    pub x: &'a [f32],
    /// Its channels.
    pub channels: usize,
    /// Sizes.
    pub geometry: Geometry,
    /// Direction.
    pub way: Way,
}

/// A convolution's weight `[c_out, c_in, taps]` with its channels exchanged:
/// `[c_in, (c_out, taps)]`.
#[derive(Debug, Clone, Copy)]
pub struct Exchanged<'a> {
    /// The weight.
    pub values: Values<'a>,
    /// Input channels.
    pub c_in: usize,
    /// Numbers of the kernel.
    pub taps: usize,
}

impl Geometry {
    /// Where tap `(ky, kx)` of the window of pixel `(y, x)` is in the plane that is read.
    fn place(&self, way: Way, (ky, kx): (usize, usize), (y, x): (usize, usize)) -> Option<usize> {
        let along = |at: usize, tap: usize, padding: usize, size: usize| match way {
            Way::Forward => (at * self.stride + tap).checked_sub(padding).filter(|at| *at < size),
            Way::Backward => {
                let at = (at + padding).checked_sub(tap)?;
                (at % self.stride == 0).then_some(at / self.stride).filter(|at| *at < size)
            }
        };
        let (height, width) = self.read_plane(way);
        let (y, x) = (along(y, ky, self.padding.0, height), along(x, kx, self.padding.1, width));
        y.zip(x).map(|(y, x)| y * width + x)
    }

    pub(super) fn read_plane(&self, way: Way) -> (usize, usize) {
        if way == Way::Forward { self.input } else { self.output }
    }

    fn written_plane(&self, way: Way) -> (usize, usize) {
        if way == Way::Forward { self.output } else { self.input }
    }
}

/// Columns `lanes` of a panel read `first, first + 1, ..` of a plane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Run {
    lanes: Range<usize>,
    first: usize,
}

impl Windows<'_> {
    /// What some output pixels read by `tap`; the others lie in the padding.
    pub(super) fn runs(&self, tap: usize, columns: Range<usize>) -> Vec<Run> {
        if self.geometry.stride == 1 {
            return self.shifted_rows(tap, columns);
        }
        let width = self.geometry.written_plane(self.way).1;
        let taps = (tap / self.geometry.kernel, tap % self.geometry.kernel);
        let (mut y, mut x) = (columns.start / width, columns.start % width);
        let mut runs: Vec<Run> = Vec::with_capacity(8);
        for lane in 0..columns.len() {
            if let Some(at) = self.geometry.place(self.way, taps, (y, x)) {
                match runs.last_mut() {
                    Some(run) if run.lanes.end == lane && run.first + run.lanes.len() == at => {
                        run.lanes.end += 1;
                    }
                    _ => runs.push(Run { lanes: lane..lane + 1, first: at }),
                }
            }
            x += 1;
            if x == width {
                (y, x) = (y + 1, 0);
            }
        }
        runs
    }

    /// [`Windows::runs`] of stride 1: rows of the plane, shifted.
    fn shifted_rows(&self, tap: usize, columns: Range<usize>) -> Vec<Run> {
        let Geometry { kernel, padding, .. } = self.geometry;
        let (height, width) = self.geometry.read_plane(self.way);
        let across = self.geometry.written_plane(self.way).1;
        let shift = |tap: usize, padding: usize| match self.way {
            Way::Forward => tap as isize - padding as isize,
            Way::Backward => padding as isize - tap as isize,
        };
        let (down, right) = (shift(tap / kernel, padding.0), shift(tap % kernel, padding.1));
        let mut runs: Vec<Run> = Vec::with_capacity(columns.len() / across + 2);
        let mut column = columns.start;
        while column < columns.end {
            let (y, start) = (column / across, column % across);
            let length = (across - start).min(columns.end - column);
            let lane = column - columns.start;
            column += length;
            let y = y as isize + down;
            let first = start.max((-right).max(0) as usize);
            let last = (start + length).min((width as isize - right).max(0) as usize);
            if !(0..height as isize).contains(&y) || first >= last {
                continue;
            }
            let at = y as usize * width + (first as isize + right) as usize;
            let lanes = lane + first - start..lane + last - start;
            match runs.last_mut() {
                Some(run) if run.lanes.end == lanes.start && run.first + run.lanes.len() == at => {
                    run.lanes.end = lanes.end;
                }
                _ => runs.push(Run { lanes, first: at }),
            }
        }
        runs
    }
}

impl Right for Windows<'_> {
    fn pack(&self, depth: Range<usize>, group: usize, columns: Range<usize>, panel: Panel) {
        let (height, width) = self.geometry.read_plane(self.way);
        let (plane, taps) = (height * width, self.geometry.kernel * self.geometry.kernel);
        let runs: Vec<_> = (0..taps).map(|tap| self.runs(tap, columns.clone())).collect();
        let images = &self.x[group * self.channels * plane..][..self.channels * plane];
        #[cfg(target_arch = "x86_64")]
        if panel.simd == Simd::Avx512 && x86::worth_it(&runs) {
            return x86::copy_runs(&runs, images, plane, depth.start, panel.room);
        }
        for (k, row) in depth.zip(panel.room.chunks_exact_mut(panel.width)) {
            let image = &images[k / taps * plane..][..plane];
            copy_runs(&runs[k % taps], image, row);
        }
    }
}

/// What `runs` read of `image`, and zeros between.
pub(super) fn copy_runs(runs: &[Run], image: &[f32], row: &mut [f32]) {
    if runs.iter().map(|run| run.lanes.len()).sum::<usize>() < row.len() {
        row.fill(0.0);
    }
    for Run { lanes, first } in runs {
        match lanes.len() {
            1 => row[lanes.start] = image[*first],
            some => row[lanes.clone()].copy_from_slice(&image[*first..first + some]),
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::Run;

    /// Columns of a panel.
    const WIDTH: usize = 32;
    /// Masked loads a row up to which they beat plain copies.
    const WORTH: usize = 8;

    /// Lanes of one half of a row that are read at once, from `first` less the lane.
    #[derive(Debug, Clone, Copy)]
    struct Load {
        lanes: __mmask16,
        first: isize,
    }

    /// Whether few enough loads make up each row.
    pub fn worth_it(runs: &[Vec<Run>]) -> bool {
        runs.iter().all(|runs| runs.len() <= WORTH)
    }

    fn loads(runs: &[Run], half: usize) -> Vec<Load> {
        let within = |run: &Run| {
            let lanes = run.lanes.start.max(16 * half)..run.lanes.end.min(16 * half + 16);
            let bits = lanes.fold(0u32, |bits, lane| bits | 1 << (lane - 16 * half));
            let first = run.first as isize + 16 * half as isize - run.lanes.start as isize;
            (bits != 0).then_some(Load { lanes: bits as __mmask16, first })
        };
        runs.iter().filter_map(within).collect()
    }

    /// Rows of 32 from step `start` of the depth on.
    pub fn copy_runs(
        runs: &[Vec<Run>],
        images: &[f32],
        plane: usize,
        start: usize,
        room: &mut [f32],
    ) {
        for run in runs.iter().flatten() {
            assert!(run.first + run.lanes.len() <= plane && run.lanes.end <= WIDTH);
        }
        let taps: Vec<_> = runs.iter().map(|runs| [loads(runs, 0), loads(runs, 1)]).collect();
        let last = start + room.len() / WIDTH;
        assert!(last.div_ceil(taps.len()) * plane <= images.len());
        // SAFETY: AVX-512 is there, or this set of vectors would not have been chosen; every lane
        // that is loaded lies within a plane, by the first assertion, and every plane within
        // `images`, by the second.
        unsafe { copy_loads(&taps, images, plane, start, room) }
    }

    #[target_feature(enable = "avx512f")]
    unsafe fn copy_loads(
        taps: &[[Vec<Load>; 2]],
        images: &[f32],
        plane: usize,
        start: usize,
        room: &mut [f32],
    ) {
        let (mut image, mut tap) = (start / taps.len() * plane, start % taps.len());
        for row in room.chunks_exact_mut(WIDTH) {
            for (loads, out) in taps[tap].iter().zip(row.chunks_exact_mut(16)) {
                let mut v = _mm512_setzero_ps();
                for Load { lanes, first } in loads {
                    // Lanes that are not loaded may lie anywhere.
                    let place = images.as_ptr().wrapping_add(image).wrapping_offset(*first);
                    // SAFETY: the caller holds that the lanes of the mask lie within `images`.
                    v = unsafe { _mm512_mask_loadu_ps(v, *lanes, place) };
                }
                // SAFETY: a chunk of 16.
                unsafe { _mm512_storeu_ps(out.as_mut_ptr(), v) };
            }
            tap += 1;
            if tap == taps.len() {
                (image, tap) = (image + plane, 0);
            }
        }
    }
}

impl Left for Exchanged<'_> {
    fn pack(&self, rows: Range<usize>, depth: Range<usize>, room: &mut [f32]) {
        let mut kernels = vec![0.0; rows.len() * self.taps];
        for output in depth.start / self.taps..depth.end.div_ceil(self.taps) {
            self.values.read((output * self.c_in + rows.start) * self.taps, &mut kernels);
            // The taps that are within the block.
            let base = output * self.taps;
            let taps = depth.start.saturating_sub(base)..(depth.end - base).min(self.taps);
            let at = base + taps.start - depth.start;
            for (kernel, row) in kernels.chunks_exact(self.taps).zip(room.chunks_mut(DEPTH)) {
                let (from, to) = (&kernel[taps.clone()], &mut row[at..at + taps.len()]);
                match (<&[f32; 9]>::try_from(from), <&mut [f32; 9]>::try_from(&mut *to)) {
                    (Ok(from), Ok(to)) => *to = *from,
                    _ => to.copy_from_slice(from),
                }
            }
        }
    }
}
