//! Feature maps, and what a convolution sees of them.

use burn::tensor::{Device, Tensor, TensorData};
use likeness_diffusion::layers::doubled;
use likeness_diffusion::noise;
use rayon::prelude::*;

use super::named::Named;

/// Pictures that go through a convolution at once.
const CHUNK: usize = 25;

/// Feature maps of some pictures.
pub struct Maps {
    values: Vec<f32>,
    shape: [usize; 4],
}

impl Maps {
    /// Those of `shape`: pictures, channels, height, width.
    pub fn new(values: Vec<f32>, shape: [usize; 4]) -> Self {
        Self { values, shape }
    }

    /// Channels.
    pub fn channels(&self) -> usize {
        self.shape[1]
    }

    /// What the convolution `name` makes of them, after they are `doubled` if so.
    pub fn through(&self, weights: &Named, name: &str, twice: bool, device: &Device) -> Self {
        let [pictures, channels, height, width] = self.shape;
        let conv = weights.layer(name, device);
        let (mut values, mut shape) = (Vec::new(), [0; 4]);
        for chunk in self.values.chunks(CHUNK * channels * height * width) {
            let count = chunk.len() / (channels * height * width);
            let data = TensorData::new(chunk.to_vec(), [count, channels, height, width]);
            let x = Tensor::<4>::from_data(data, device);
            let y = conv.forward(if twice { doubled(x) } else { x });
            shape = y.dims();
            values.extend(y.into_data().iter::<f32>());
        }
        shape[0] = pictures;
        Self { values, shape }
    }

    /// Drawn places: picture, row, column.
    pub fn places(&self, count: usize, seed: u64, purpose: u64) -> Vec<[usize; 3]> {
        let [pictures, _, height, width] = self.shape;
        let place = |i: usize| {
            let index = noise::below(
                seed,
                &format!("place {purpose}"),
                i as u64,
                pictures * height * width,
            );
            [index / (height * width), index / width % height, index % width]
        };
        (0..count).into_par_iter().map(place).collect()
    }

    /// Drawn places of the maps when they are doubled.
    pub fn doubled_places(&self, count: usize, seed: u64, purpose: u64) -> Vec<[usize; 3]> {
        let [pictures, channels, height, width] = self.shape;
        let doubled =
            Self { values: Vec::new(), shape: [pictures, channels, 2 * height, 2 * width] };
        doubled.places(count, seed, purpose)
    }

    /// What a 3 x 3 convolution sees at a place of the maps repeated `times`: as its weights lie.
    pub fn around(&self, [picture, y, x]: [usize; 3], times: usize) -> Vec<f32> {
        let [_, channels, height, width] = self.shape;
        let seen = |i: usize| {
            let [channel, dy, dx] = tap(i);
            let (y, x) = ((y + dy).wrapping_sub(1), (x + dx).wrapping_sub(1));
            if y >= height * times || x >= width * times {
                return 0.0;
            }
            self.values[((picture * channels + channel) * height + y / times) * width + x / times]
        };
        (0..9 * channels).map(seen).collect()
    }
}

/// The tap of a 3 x 3 convolution that its weight number `index` is for.
pub fn tap(index: usize) -> [usize; 3] {
    [index / 9, index / 3 % 3, index % 3]
}
