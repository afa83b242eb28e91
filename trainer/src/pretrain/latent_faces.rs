//! Faces out of latents, as pixels: what a reader is shown of what a denoiser believes.
//!
//! The picture that a linear map of each latent comes closest to, and of it the square around a face.
//! All of it is a product of matrices, so that gradients flow back to the latents at little cost.

use burn::tensor::{Device, Tensor, TensorData};

use super::autoencoder::algebra::solve;
use super::corpus::Corpus;
use super::latents::Latents;

/// Pictures that the map is fitted on, at most.
const PICTURES: usize = 200;
/// What the diagonal of the normal equations is raised by.
const RIDGE: f64 = 1e-6;
/// A side of a face's square in spreads of its landmarks.
const SPREADS: f32 = 3.0;

/// A square of a picture: its middle and its side, in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Square {
    /// Across and down.
    pub middle: [f32; 2],
    /// Its side.
    pub side: f32,
}

impl Square {
    /// That of the face of picture `index`.
    pub fn of(corpus: &Corpus, index: usize) -> Self {
        let (middle, spread) = corpus.label(index).middle();
        Self { middle, side: SPREADS * spread }
    }
}

/// What turns latents into faces.
pub struct LatentFaces {
    side: usize,      // pixels of a face
    factor: usize,    // pixels of a latent
    map: Tensor<2>,   // [channels, 3 factor²]
    plain: Tensor<2>, // [1, 3 factor²]: the block of no latent
}

impl LatentFaces {
    /// Faces of `side` pixels, by the best linear map of `latents` to the pixels of `corpus`.
    pub fn new(corpus: &Corpus, latents: &Latents, side: usize, device: &Device) -> Self {
        let [channels, height, width] = latents.shape;
        let factor = corpus.side() / height;
        let (unknowns, targets) = (channels + 1, 3 * factor * factor);
        let (mut a, mut b) = (vec![0f64; unknowns * unknowns], vec![0f64; unknowns * targets]);
        let every = corpus.training().div_ceil(PICTURES);
        for index in (0..corpus.training()).step_by(every) {
            let (rgb, values) = (corpus.rgb(index), latents.of(index));
            for place in 0..height * width {
                let z: Vec<f64> =
                    (0..unknowns)
                        .map(|c| {
                            if c < channels {
                                values[c * height * width + place].into()
                            } else {
                                1.0
                            }
                        })
                        .collect();
                let pixel = |target: usize| {
                    let (c, y, x) =
                        (target / factor / factor, target / factor % factor, target % factor);
                    let (row, column) = (place / width * factor + y, place % width * factor + x);
                    f64::from(rgb[(row * corpus.side() + column) * 3 + c]) / 127.5 - 1.0
                };
                let pixels: Vec<f64> = (0..targets).map(pixel).collect();
                for (i, z_i) in z.iter().enumerate() {
                    let products = |sums: &mut [f64], values: &[f64]| {
                        sums.iter_mut().zip(values).for_each(|(sum, x)| *sum += z_i * x);
                    };
                    products(&mut a[i * unknowns..(i + 1) * unknowns], &z);
                    products(&mut b[i * targets..(i + 1) * targets], &pixels);
                }
            }
        }
        (0..unknowns).for_each(|i| a[i * unknowns + i] *= 1.0 + RIDGE);
        (0..unknowns).for_each(|i| a[i * unknowns + i] += RIDGE);
        let solved: Vec<f32> =
            solve(a, b, unknowns, targets).into_iter().map(|x| x as f32).collect();
        let rows = |from: usize, to: usize| {
            let values = solved[from * targets..to * targets].to_vec();
            Tensor::from_data(TensorData::new(values, [to - from, targets]), device)
        };
        Self { side, factor, map: rows(0, channels), plain: rows(channels, unknowns) }
    }

    /// The `squares` of what `latents` `[pictures, channels, h, w]` show, `[pictures, 3, side, side]`,
    /// in [-1, 1] as far as they go.
    pub fn of(&self, latents: Tensor<4>, squares: &[Square]) -> Tensor<4> {
        let [pictures, channels, h, w] = latents.dims();
        let (f, side) = (self.factor, self.side);
        let blocks = latents.permute([0, 2, 3, 1]).reshape([pictures * h * w, channels]);
        let blocks = blocks.matmul(self.map.clone()) + self.plain.clone();
        let blocks: Tensor<6> = blocks.reshape([pictures, h, w, 3, f, f]);
        // Rows of pixels, each red, green and blue.
        let rows: Tensor<3> =
            blocks.permute([0, 1, 4, 3, 2, 5]).reshape([pictures, h * f, 3 * w * f]);
        let down = self.sampled(squares, 1, h * f, &rows.device());
        let rows: Tensor<4> = down.matmul(rows).reshape([pictures, side, 3, w * f]);
        let rows: Tensor<3> = rows.permute([0, 2, 1, 3]).reshape([pictures, 3 * side, w * f]);
        let across = self.sampled(squares, 0, w * f, &rows.device()).swap_dims(1, 2);
        rows.matmul(across).reshape([pictures, 3, side, side])
    }

    /// What each of `side` samples along `axis` of the squares takes of `length` pixels: linear between
    /// them, over as many as a sample covers; `[squares, side, length]`.
    fn sampled(
        &self,
        squares: &[Square],
        axis: usize,
        length: usize,
        device: &Device,
    ) -> Tensor<3> {
        let mut values = Vec::with_capacity(squares.len() * self.side * length);
        for square in squares {
            let step = square.side / self.side as f32;
            let reach = step.max(1.0);
            for sample in 0..self.side {
                let from = square.middle[axis] - square.side / 2.0 + (sample as f32 + 0.5) * step;
                let at = (from - 0.5).clamp(0.0, length as f32 - 1.0); // edges go on
                let start = values.len();
                let taken = |pixel: usize| (1.0 - (pixel as f32 - at).abs() / reach).max(0.0);
                values.extend((0..length).map(taken));
                let sum: f32 = values[start..].iter().sum();
                values[start..].iter_mut().for_each(|value| *value /= sum);
            }
        }
        let device = device.clone().without_autodiff();
        Tensor::from_data(TensorData::new(values, [squares.len(), self.side, length]), &device)
    }
}
