//! Small things that several operations ask of an engine's primitives.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Scalar, TensorMetadata};

/// `x` in the float type of `like`.
pub fn as_type_of<B: Backend>(x: FloatTensor<B>, like: &FloatTensor<B>) -> FloatTensor<B> {
    if x.dtype() == like.dtype() { x } else { B::float_cast(x, like.dtype().into()) }
}

/// `scale x`.
pub fn scaled<B: Backend>(x: FloatTensor<B>, scale: f64) -> FloatTensor<B> {
    if scale == 1.0 { x } else { B::float_mul_scalar(x, Scalar::from(scale)) }
}
