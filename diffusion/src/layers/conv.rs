//! A convolution with low-rank updates.
//!
//! `y = W * x + b + Σ sᵢ Bᵢ * (Aᵢ * x)`: A has the base's kernel, stride and
//! padding, B is 1 x 1. Where W and b are frozen nothing is kept for their gradients;
//! the updates are a side path. W and b learn where they are tracked: when a model is
//! trained from scratch.

use burn::tensor::ops::ConvOptions;
use burn::tensor::{FloatDType, Tensor};
use likeness_kernels::{ConvUpdate, conv, lora_conv};

use super::{LayerShape, LowRank};
use crate::precision::cast;

/// What a convolution is, beside its weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConvShape {
    /// Input channels.
    pub c_in: usize,
    /// Output channels.
    pub c_out: usize,
    /// Kernel side, 1 or 3.
    pub kernel: usize,
    /// Stride, 1 or 2.
    pub stride: usize,
    /// Padding before and after each spatial dimension.
    pub padding: (usize, usize),
}

impl ConvShape {
    /// 3 x 3, stride 1, the size kept.
    pub fn same(c_in: usize, c_out: usize) -> Self {
        Self { c_in, c_out, kernel: 3, stride: 1, padding: (1, 1) }
    }

    /// 1 x 1: a linear layer over channels.
    pub fn pointwise(c_in: usize, c_out: usize) -> Self {
        Self { c_in, c_out, kernel: 1, stride: 1, padding: (0, 0) }
    }

    /// 3 x 3, stride 2, with the given padding: half the size.
    pub fn halving(channels: usize, padding: (usize, usize)) -> Self {
        Self { c_in: channels, c_out: channels, kernel: 3, stride: 2, padding }
    }

    fn options(&self) -> ConvOptions<2> {
        let mut options = ConvOptions::new([self.stride; 2], [0, 0], [1, 1], 1);
        options.padding = [self.padding; 2];
        options
    }
}

/// `[batch, c_in, height, width]` to `[batch, c_out, height', width']`.
#[derive(Debug, Clone)]
pub struct Conv2d {
    path: String,
    weight: Tensor<4>, // [c_out, c_in, k, k], in the file's float type
    bias: Option<Tensor<1>>,
    shape: ConvShape,
    computed_in: FloatDType,
    /// Side paths, in the order of the adapters.
    pub updates: Vec<LowRank<4>>,
}

impl Conv2d {
    /// A layer called `path` with `weight` `[c_out, c_in, k, k]` and `bias` `[c_out]`.
    pub fn new(path: String, weight: Tensor<4>, bias: Option<Tensor<1>>, shape: ConvShape) -> Self {
        Self { path, weight, bias, shape, computed_in: FloatDType::F32, updates: Vec::new() }
    }

    /// The same layer, computed in `dtype`: f32 at first.
    pub fn computed_in(self, dtype: FloatDType) -> Self {
        Self { computed_in: dtype, ..self }
    }

    /// The layer's path within its model, in diffusers' naming.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The weight's shape.
    pub fn shape(&self) -> LayerShape {
        let ConvShape { c_in, c_out, kernel, .. } = self.shape;
        LayerShape::Conv { c_in, c_out, kernel }
    }

    /// The weight, `[c_out, c_in, k, k]`.
    pub fn weight(&self) -> &Tensor<4> {
        &self.weight
    }

    /// `[batch, c_in, height, width]` to `[batch, c_out, height', width']`, in what it is computed in.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let (x, options) = (cast(x, self.computed_in), self.shape.options());
        let (weight, bias) = (self.weight.clone(), self.bias.clone());
        let Some((first, others)) = self.updates.split_first() else {
            return conv(x, weight, bias, options);
        };
        let LowRank { down, up, scale } = first.clone();
        let update = ConvUpdate { down, up, scale };
        let y = lora_conv(x.clone(), weight, bias, update, options.clone());
        others.iter().fold(y, |y, update| {
            let low = conv(x.clone(), update.down.clone(), None, options.clone());
            let pointwise = ConvOptions::new([1, 1], [0, 0], [1, 1], 1);
            y + conv(low * update.scale, update.up.clone(), None, pointwise)
        })
    }

    /// Folds the updates into the weight: the same function, one kernel.
    pub fn merge(&mut self) {
        if self.updates.is_empty() {
            return;
        }
        let mut weight = self.weight.clone().cast(FloatDType::F32);
        for update in self.updates.drain(..) {
            let [rank, c_in, k, _] = update.down.dims();
            let c_out = update.up.dims()[0];
            let down = update.down.reshape([rank, c_in * k * k]);
            let delta = update.up.reshape([c_out, rank]).matmul(down); // [c_out, c_in k k]
            weight = weight + delta.reshape([c_out, c_in, k, k]) * update.scale;
        }
        self.weight = weight;
    }
}
