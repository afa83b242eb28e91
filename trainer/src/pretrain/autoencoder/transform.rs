//! The linear map of pixel blocks to latents that keeps most of a picture.
//!
//! A block of f x f pixels becomes its coordinates along the directions in which blocks of the
//! corpus vary most (Karhunen and Loève; Jain 1989, *Fundamentals of Digital Image Processing*,
//! section 5.11). Each coordinate is divided by the square root of its standard deviation, so that
//! fine detail stays smaller than coarse shape, but not by as much as in pixels: noise of one size
//! then drowns the fine first, and a denoiser learns the coarse first.

use rayon::prelude::*;

use super::algebra::eigen;
use crate::pretrain::corpus::Corpus;

/// Pictures that the directions are found on, at most.
const PICTURES: usize = 500;

/// A block's mean and directions.
#[derive(Debug, Clone)]
pub struct Transform {
    /// Pixels a side of a block.
    pub side: usize,
    /// Of blocks: red, green and blue planes one after the other, row by row, in [-1, 1].
    pub mean: Vec<f32>,
    /// What a block, less its mean, is multiplied with for each latent channel.
    pub rows: Vec<Vec<f32>>,
    /// Standard deviation of each latent channel.
    pub deviations: Vec<f32>,
}

impl Transform {
    /// The `channels` best directions for blocks of `side` pixels.
    pub fn of(corpus: &Corpus, side: usize, channels: usize) -> Self {
        let n = 3 * side * side;
        let every = corpus.training().div_ceil(PICTURES);
        let pictures: Vec<usize> = (0..corpus.training()).step_by(every).collect();
        let sums = |index: &usize| {
            let (mut sum, mut squares, mut count) = (vec![0f64; n], vec![0f64; n * n], 0usize);
            for block in blocks(corpus, *index, side) {
                for i in 0..n {
                    sum[i] += f64::from(block[i]);
                    let row = &mut squares[i * n..i * n + i + 1];
                    row.iter_mut().zip(&block).for_each(|(s, x)| *s += f64::from(block[i] * x));
                }
                count += 1;
            }
            (sum, squares, count)
        };
        let (mut mean, mut covariance, mut count) = (vec![0f64; n], vec![0f64; n * n], 0);
        for some in pictures.chunks(32) {
            // In order, so that the sums are the same on any number of threads.
            for (sum, squares, blocks) in some.par_iter().map(sums).collect::<Vec<_>>() {
                mean.iter_mut().zip(sum).for_each(|(a, b)| *a += b);
                covariance.iter_mut().zip(squares).for_each(|(a, b)| *a += b);
                count += blocks;
            }
        }
        mean.iter_mut().for_each(|x| *x /= count as f64);
        for i in 0..n {
            for j in 0..=i {
                let value = covariance[i * n + j] / count as f64 - mean[i] * mean[j];
                (covariance[i * n + j], covariance[j * n + i]) = (value, value);
            }
        }
        let (values, vectors) = eigen(covariance, n);
        // A corpus may have fewer directions than there are channels.
        let root = |value: f64| value.max(1e-8).sqrt().sqrt();
        let row = |(value, vector): (&f64, &Vec<f64>)| {
            vector.iter().map(|x| (x / root(*value)) as f32).collect()
        };
        Self {
            side,
            mean: mean.into_iter().map(|x| x as f32).collect(),
            rows: values.iter().zip(&vectors).take(channels).map(row).collect(),
            deviations: values.iter().take(channels).map(|v| root(*v) as f32).collect(),
        }
    }

    /// The latents of picture `index`, channel by channel, row by row.
    pub fn latents(&self, corpus: &Corpus, index: usize) -> Vec<f32> {
        let places = (corpus.side() / self.side).pow(2);
        let mut latents = vec![0f32; self.rows.len() * places];
        for (place, block) in blocks(corpus, index, self.side).enumerate() {
            let apart: Vec<f32> = block.iter().zip(&self.mean).map(|(x, m)| x - m).collect();
            for (channel, row) in self.rows.iter().enumerate() {
                latents[channel * places + place] =
                    row.iter().zip(&apart).map(|(a, b)| a * b).sum();
            }
        }
        latents
    }
}

/// The blocks of a picture, row by row, each as [`Transform::mean`] is laid out.
fn blocks(corpus: &Corpus, index: usize, side: usize) -> impl Iterator<Item = Vec<f32>> {
    let (rgb, width) = (corpus.rgb(index), corpus.side());
    let across = width / side;
    (0..across * across).map(move |place| {
        let (top, left) = (place / across * side, place % across * side);
        let at = |i: usize| {
            let (channel, y, x) = (i / (side * side), i / side % side, i % side);
            f32::from(rgb[((top + y) * width + left + x) * 3 + channel]) / 127.5 - 1.0
        };
        (0..3 * side * side).map(at).collect()
    })
}
