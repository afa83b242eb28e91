//! What an engine does to tensors that do not lie in this machine's memory, or are not f32.
//!
//! Each function is one of an operation's, in the engine's primitives unless the engine has better.

use burn::backend::Backend;
use burn::backend::tensor::FloatTensor;
use burn::tensor::ops::{ConvOptions, PadMode};

use crate::group_norm::{self, GroupNormOptions};
use crate::layer_norm;

#[cfg(feature = "tch")]
mod libtorch;

/// Pixels before and after each of two dimensions.
pub type Edges = [(usize, usize); 2];

/// An engine's way with tensors that lie elsewhere.
pub trait Elsewhere: Backend {
    /// `x` with zeros around its last two dimensions.
    fn padded(x: FloatTensor<Self>, edges: Edges) -> FloatTensor<Self> {
        let around = [(0, 0), (0, 0), edges[0], edges[1]];
        Self::float_pad(x, &around, PadMode::Constant(0.0))
    }

    /// `Σ dy ⊗ windows(x)`, the gradient of a convolution's weight like `weight`.
    fn weight_gradient(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        options: ConvOptions<2>,
    ) -> FloatTensor<Self> {
        Self::conv2d_weight_backward(x, weight, grad, options)
    }

    /// `f(γ x̂ + β)`, over groups of channels.
    fn group_norm(
        x: FloatTensor<Self>,
        [gamma, beta]: [FloatTensor<Self>; 2],
        options: GroupNormOptions,
    ) -> FloatTensor<Self> {
        group_norm::forward::<Self>(x, gamma, beta, options)
    }

    /// The gradient of its `x`.
    fn group_norm_backward(
        x: FloatTensor<Self>,
        [gamma, beta]: [FloatTensor<Self>; 2],
        grad: FloatTensor<Self>,
        options: GroupNormOptions,
    ) -> FloatTensor<Self> {
        group_norm::backward::<Self>(x, gamma, beta, grad, options)
    }

    /// The gradients of its γ and β, `[parts, channels, 2]`, to be summed over the parts.
    fn group_norm_affine(
        x: FloatTensor<Self>,
        [gamma, beta]: [FloatTensor<Self>; 2],
        grad: FloatTensor<Self>,
        options: GroupNormOptions,
    ) -> FloatTensor<Self> {
        group_norm::affine_gradient::<Self>(x, gamma, beta, grad, options)
    }

    /// The gradient of a layer normalisation's `x`.
    fn layer_norm_backward(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        epsilon: f64,
    ) -> FloatTensor<Self> {
        layer_norm::backward::<Self>(x, gamma, grad, epsilon)
    }
}

#[cfg(feature = "flex")]
impl Elsewhere for burn::backend::Flex {}

#[cfg(test)]
mod tests;
