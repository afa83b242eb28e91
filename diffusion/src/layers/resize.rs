//! Nearest-neighbour enlargement.

use burn::tensor::Tensor;
use burn::tensor::module::interpolate;
use burn::tensor::ops::{InterpolateMode, InterpolateOptions};

/// `[batch, channels, h, w]` to `[batch, channels, 2 h, 2 w]`.
pub fn doubled(x: Tensor<4>) -> Tensor<4> {
    let [_, _, height, width] = x.dims();
    enlarged(x, [2 * height, 2 * width])
}

/// To `size` (height, width): output place `i` is input place `⌊i · in / out⌋`.
pub fn enlarged(x: Tensor<4>, size: [usize; 2]) -> Tensor<4> {
    interpolate(x, InterpolateOptions::new(InterpolateMode::Nearest).with_output_size(size))
}
