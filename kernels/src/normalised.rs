//! Normalisation and its gradient in an engine's primitives.
//!
//! `x̂ = (x - mean) / √(variance + ε)` over some dimensions, and
//! `dx = (d - mean(d) - x̂ mean(d x̂)) / √(variance + ε)` for the gradient `d` of x̂.
//! Source: Ioffe and Szegedy 2015, <https://arxiv.org/abs/1502.03167>, section 3.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Scalar};

/// A tensor that has been normalised over `dims`.
pub struct Normalised<B: Backend> {
    /// x̂.
    pub values: FloatTensor<B>,
    scale: FloatTensor<B>, // 1 / √(variance + ε)
    dims: &'static [usize],
}

impl<B: Backend> Normalised<B> {
    /// `x` normalised over `dims`.
    pub fn of(x: FloatTensor<B>, dims: &'static [usize], epsilon: f64) -> Self {
        let centred = B::float_sub(x.clone(), mean::<B>(x, dims));
        let variance = mean::<B>(B::float_mul(centred.clone(), centred.clone()), dims);
        let epsilon: Scalar = epsilon.into();
        let scale = B::float_recip(B::float_sqrt(B::float_add_scalar(variance, epsilon)));
        let values = B::float_mul(centred, scale.clone());
        Self { values, scale, dims }
    }

    /// The gradient of `x` for the gradient `d` of x̂.
    pub fn backward(self, d: FloatTensor<B>) -> FloatTensor<B> {
        let along_x = mean::<B>(B::float_mul(d.clone(), self.values.clone()), self.dims);
        let centred = B::float_sub(d.clone(), mean::<B>(d, self.dims));
        let across = B::float_sub(centred, B::float_mul(self.values, along_x));
        B::float_mul(across, self.scale)
    }
}

/// One dimension after the other: means of means of equal counts, so f32 loses little.
fn mean<B: Backend>(x: FloatTensor<B>, dims: &[usize]) -> FloatTensor<B> {
    dims.iter().fold(x, |x, &dim| B::float_mean_dim(x, dim))
}
