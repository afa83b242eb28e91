//! A low-rank update of a layer, and how a trainer reaches the layers it adapts.
//!
//! `ΔW = s · B A` with `s = strength · alpha / rank`. For a convolution A has the
//! base's kernel, stride and padding and B is 1 x 1, as PEFT and kohya have it.
//! Source: Hu et al. 2021, <https://arxiv.org/abs/2106.09685>, section 4.1.

use burn::tensor::Tensor;

use super::{Conv2d, Linear};

/// The two factors of an update and its scale, shaped for a `D`-dimensional weight.
///
/// As files have them. Linear (`D` = 2): down `[rank, d_in]`, up `[d_out, rank]`. Convolution
/// (`D` = 4): down `[rank, c_in, k, k]`, up `[c_out, rank, 1, 1]`.
#[derive(Debug, Clone)]
pub struct LowRank<const D: usize> {
    /// A.
    pub down: Tensor<D>,
    /// B.
    pub up: Tensor<D>,
    /// `strength · alpha / rank`.
    pub scale: f64,
}

/// What a file says of an adaptable layer: its weight's shape as PyTorch has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LayerShape {
    /// A linear layer.
    Linear {
        /// Input features.
        d_in: usize,
        /// Output features.
        d_out: usize,
    },
    /// A convolution with a square kernel.
    Conv {
        /// Input channels.
        c_in: usize,
        /// Output channels.
        c_out: usize,
        /// Kernel side.
        kernel: usize,
    },
}

impl LayerShape {
    /// Shapes of A and B as files have them: `[rank, in, ..]` and `[out, rank, ..]`.
    pub fn factors(&self, rank: usize) -> (Vec<usize>, Vec<usize>) {
        match *self {
            Self::Linear { d_in, d_out } => (vec![rank, d_in], vec![d_out, rank]),
            Self::Conv { c_in, c_out, kernel } => {
                (vec![rank, c_in, kernel, kernel], vec![c_out, rank, 1, 1])
            }
        }
    }

    /// The largest rank that still is an update of lower rank or equal: `min(in, out)`.
    pub fn full_rank(&self) -> usize {
        match *self {
            Self::Linear { d_in, d_out } => d_in.min(d_out),
            Self::Conv { c_in, c_out, kernel } => (c_in * kernel * kernel).min(c_out),
        }
    }
}

/// A layer of a model that an adapter may change.
#[derive(Debug)]
pub enum LayerMut<'a> {
    /// A linear layer.
    Linear(&'a mut Linear),
    /// A convolution.
    Conv(&'a mut Conv2d),
}

impl LayerMut<'_> {
    /// The layer's path within its model, in diffusers' naming.
    pub fn path(&self) -> &str {
        match self {
            Self::Linear(layer) => layer.path(),
            Self::Conv(layer) => layer.path(),
        }
    }

    /// The weight's shape.
    pub fn shape(&self) -> LayerShape {
        match self {
            Self::Linear(layer) => layer.shape(),
            Self::Conv(layer) => layer.shape(),
        }
    }

    /// Removes every update.
    pub fn clear(&mut self) {
        match self {
            Self::Linear(layer) => layer.updates.clear(),
            Self::Conv(layer) => layer.updates.clear(),
        }
    }

    /// Folds every update into the weight, and removes it.
    pub fn merge(&mut self) {
        match self {
            Self::Linear(layer) => layer.merge(),
            Self::Conv(layer) => layer.merge(),
        }
    }
}
