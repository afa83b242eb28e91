//! The latents of every picture of a corpus, made once.

use burn::tensor::{Device, Tensor, TensorData};
use likeness_diffusion::vae::Vae;
use rayon::prelude::*;

use super::autoencoder::transform::Transform;
use super::corpus::Corpus;

/// Pictures encoded at once.
const CHUNK: usize = 100;

/// Pictures whose latents tell how much a channel varies.
const SAMPLED: usize = 1000;

/// Latents of every picture of a corpus, as the UNet sees them.
#[derive(Debug, Clone)]
pub struct Latents {
    /// Channels, height, width.
    pub shape: [usize; 3],
    values: Vec<f32>,
    variances: Vec<f32>, // of each channel
    /// What the autoencoder's means were multiplied with, for unit size.
    pub scaling: f64,
}

impl Latents {
    /// The means of `corpus` by `vae`, scaled to unit size.
    pub fn encoded(corpus: &Corpus, vae: &Vae, device: &Device) -> Self {
        let all: Vec<usize> = (0..corpus.held_out().end).collect();
        let (mut shape, mut values) = ([0; 3], Vec::new());
        for chunk in all.chunks(CHUNK) {
            let mean = vae.encode(corpus.pixels(chunk, device)).mean;
            let [_, channels, height, width] = mean.dims();
            shape = [channels, height, width];
            values.extend(mean.into_data().iter::<f32>());
        }
        Self::scaled(shape, values)
    }

    /// Those by `transform`, which is what a fresh encoder computes.
    pub fn transformed(corpus: &Corpus, transform: &Transform) -> Self {
        let side = corpus.side() / transform.side;
        let all = 0..corpus.held_out().end;
        let values = all.into_par_iter().flat_map_iter(|index| transform.latents(corpus, index));
        Self::scaled([transform.rows.len(), side, side], values.collect())
    }

    fn scaled(shape: [usize; 3], mut values: Vec<f32>) -> Self {
        let squares: f64 = values.iter().map(|x| f64::from(x * x)).sum();
        let scaling = (values.len() as f64 / squares).sqrt();
        values.iter_mut().for_each(|x| *x *= scaling as f32);
        let variances = variances(shape, &values);
        Self { shape, values, variances, scaling }
    }

    /// The mean square of each channel, of at most a thousand pictures.
    pub fn variances(&self) -> &[f32] {
        &self.variances
    }

    /// Those of picture `index`, channel by channel, row by row.
    pub fn of(&self, index: usize) -> &[f32] {
        let each = self.shape.iter().product::<usize>();
        &self.values[index * each..(index + 1) * each]
    }

    /// Those of some pictures, `[pictures, channels, h, w]`.
    pub fn at(&self, indices: &[usize], device: &Device) -> Tensor<4> {
        let [channels, height, width] = self.shape;
        let values: Vec<f32> = indices.iter().flat_map(|i| self.of(*i)).copied().collect();
        let shape = [indices.len(), channels, height, width];
        Tensor::from_data(TensorData::new(values, shape), device)
    }

    /// Squares of `side` latents of some pictures, each from a row and a column:
    /// `[pictures, channels, side, side]`.
    pub fn cut(&self, squares: &[(usize, [usize; 2])], side: usize, device: &Device) -> Tensor<4> {
        let [channels, height, width] = self.shape;
        let mut values = Vec::with_capacity(squares.len() * channels * side * side);
        for &(index, [top, left]) in squares {
            for line in 0..channels * side {
                let (channel, row) = (line / side, top + line % side);
                let from = ((index * channels + channel) * height + row) * width + left;
                values.extend_from_slice(&self.values[from..from + side]);
            }
        }
        let shape = [squares.len(), channels, side, side];
        Tensor::from_data(TensorData::new(values, shape), device)
    }
}

/// The mean square of each channel, of at most [`SAMPLED`] pictures.
fn variances([channels, height, width]: [usize; 3], values: &[f32]) -> Vec<f32> {
    let plane = height * width;
    let mut sums = vec![0f64; channels];
    let every = values.len().div_ceil(channels * plane).div_ceil(SAMPLED).max(1);
    let mut count = 0;
    for picture in values.chunks_exact(channels * plane).step_by(every) {
        for (sum, channel) in sums.iter_mut().zip(picture.chunks_exact(plane)) {
            *sum += channel.iter().map(|x| f64::from(x * x)).sum::<f64>();
        }
        count += plane;
    }
    sums.into_iter().map(|sum| (sum / count as f64) as f32).collect()
}
