//! A convolution's windows turned over: a line of pixels for each number of the kernel.
//!
//! The gradient of a weight is `dW[o, (c, t)] = Σ_p dy[o, p] x[c, place(t, p)]`: a
//! product whose depth runs over the output's pixels.

use std::ops::Range;

use super::product::{Panel, Right};
use super::tile::DEPTH;
use super::turn::{LINES, turn};
use super::windows::{Windows, copy_runs};

/// The windows of one image, `[pixels, (channels, taps)]`.
#[derive(Debug, Clone, Copy)]
pub struct WindowLines<'a>(pub Windows<'a>);

impl Right for WindowLines<'_> {
    fn pack(&self, depth: Range<usize>, _: usize, columns: Range<usize>, panel: Panel) {
        let windows = &self.0;
        let (height, width) = windows.geometry.read_plane(windows.way);
        let taps = windows.geometry.kernel * windows.geometry.kernel;
        let runs: Vec<_> = (0..taps).map(|tap| windows.runs(tap, depth.clone())).collect();
        let mut lines = [[0.0; DEPTH]; LINES];
        for (i, some) in (0..panel.width).step_by(LINES).enumerate() {
            let columns = (columns.start + some).min(columns.end)..columns.end;
            for (line, column) in lines.iter_mut().zip(columns) {
                let image = &windows.x[column / taps * height * width..][..height * width];
                copy_runs(&runs[column % taps], image, &mut line[..depth.len()]);
            }
            turn(panel.simd, &lines, depth.len(), &mut panel.room[i * LINES..], panel.width);
        }
    }
}
