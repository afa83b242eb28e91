//! Small things that several operations ask of an engine's primitives.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Scalar, TensorMetadata};
use burn::tensor::{DType, FloatDType};

/// `x` in the float type of `like`.
pub fn as_type_of<B: Backend>(x: FloatTensor<B>, like: &FloatTensor<B>) -> FloatTensor<B> {
    if x.dtype() == like.dtype() { x } else { B::float_cast(x, like.dtype().into()) }
}

/// `x` in f32: sums over many numbers of 8 bits each would say little.
pub fn widened<B: Backend>(x: FloatTensor<B>) -> FloatTensor<B> {
    if x.dtype() == DType::F32 { x } else { B::float_cast(x, FloatDType::F32) }
}

/// `x`, which is f32, in the float type `like`.
pub fn narrowed<B: Backend>(x: FloatTensor<B>, like: DType) -> FloatTensor<B> {
    if like == DType::F32 { x } else { B::float_cast(x, like.into()) }
}

/// `scale x`.
pub fn scaled<B: Backend>(x: FloatTensor<B>, scale: f64) -> FloatTensor<B> {
    if scale == 1.0 { x } else { B::float_mul_scalar(x, Scalar::from(scale)) }
}
