//! A convolution whose own weight never learns, with or without a low-rank update.
//!
//! `y = W * x + b`, so `dx = Wᵀ * dy`: only the weight and the shape of `x` are
//! needed. burn's autodiff keeps `x` for the gradient of `W` even where nobody
//! asks for it. A low-rank update adds `s B (A * x)`, A with W's kernel, stride and
//! padding and B 1 x 1; then `x` and `A * x` are kept, once. W may be of any float
//! type: it is widened as it is read.
//! Sources: Dumoulin and Visin 2016, <https://arxiv.org/abs/1603.07285>, section 4;
//! Hu et al. 2021, <https://arxiv.org/abs/2106.09685>, section 4.1.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, TensorMetadata, backend_extension};
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Shape, Tensor};

use crate::primitives::{as_type_of, scaled};

/// Convolves `[batch, c_in, height, width]` with a frozen `weight` `[c_out, c_in / groups, k, k]`
/// and `bias` `[c_out]`.
///
/// Padding may differ before and after a dimension. Panics if `weight` or `bias` is tracked: its
/// gradient would be lost.
pub fn conv_frozen(
    x: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    options: ConvOptions<2>,
) -> Tensor<4> {
    let bias = frozen_bias(&x, &weight, bias);
    Tensor::from_dispatch(Dispatch::frozen_conv2d(
        x.into_dispatch(),
        weight.into_dispatch(),
        bias.into_dispatch(),
        options,
    ))
}

/// [`conv_frozen`], or if `weight` is tracked, the same with gradients of weight and bias.
pub fn conv(
    x: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    options: ConvOptions<2>,
) -> Tensor<4> {
    if !weight.is_tracked() {
        return conv_frozen(x, weight, bias, options);
    }
    let bias = bias.unwrap_or_else(|| zeros(&x, weight.dims()[0])).into_dispatch();
    let [x, weight] = [x, weight].map(Tensor::into_dispatch);
    Tensor::from_dispatch(Dispatch::learned_conv2d(x, weight, bias, options))
}

/// A low-rank update of a convolution: `s B (A * x)`.
#[derive(Debug, Clone)]
pub struct ConvUpdate {
    /// A, `[rank, c_in, k, k]`.
    pub down: Tensor<4>,
    /// B, `[c_out, rank, 1, 1]`.
    pub up: Tensor<4>,
    /// s, `alpha / rank` times the strength.
    pub scale: f64,
}

/// What a convolution with a low-rank update does, beside its tensors.
#[derive(Debug, Clone)]
pub struct LowRankOptions {
    /// Stride and padding, of the weight and of A.
    pub conv: ConvOptions<2>,
    /// s.
    pub scale: f64,
}

/// [`conv_frozen`] plus a low-rank update whose factors may learn.
pub fn lora_conv(
    x: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    update: ConvUpdate,
    options: ConvOptions<2>,
) -> Tensor<4> {
    let bias = frozen_bias(&x, &weight, bias).into_dispatch();
    let [x, weight, down, up] = [x, weight, update.down, update.up].map(Tensor::into_dispatch);
    let options = LowRankOptions { conv: options, scale: update.scale };
    Tensor::from_dispatch(Dispatch::low_rank_conv2d(x, weight, bias, down, up, options))
}

/// The bias, or zeros: an extension takes no optional tensors.
fn frozen_bias(x: &Tensor<4>, weight: &Tensor<4>, bias: Option<Tensor<1>>) -> Tensor<1> {
    assert!(
        !weight.is_tracked() && !bias.as_ref().is_some_and(Tensor::is_tracked),
        "a frozen convolution's weight and bias have no gradient"
    );
    bias.unwrap_or_else(|| zeros(x, weight.dims()[0]))
}

/// A bias that changes nothing.
fn zeros(x: &Tensor<4>, c_out: usize) -> Tensor<1> {
    Tensor::zeros([c_out], (&x.device().without_autodiff(), x.dtype()))
}

/// The engine's side.
#[backend_extension(
    Flex: cfg(feature = "flex"),
    LibTorch: cfg(feature = "tch"),
    Cube: cfg(feature = "cubecl"),
    Fusion: cfg(feature = "cubecl"),
    Autodiff
)]
pub trait FrozenConv: Backend {
    /// `W * x + b`.
    #[fusion(default)]
    fn frozen_conv2d(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        options: ConvOptions<2>,
    ) -> FloatTensor<Self> {
        forward::<Self>(x, weight, bias, options)
    }

    /// `W * x + b`, with gradients of W and b.
    #[fusion(default)]
    fn learned_conv2d(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        options: ConvOptions<2>,
    ) -> FloatTensor<Self> {
        Self::frozen_conv2d(x, weight, bias, options)
    }

    /// `Wᵀ * dy`, the gradient of an input of `shape`.
    #[fusion(default)]
    fn frozen_conv2d_backward(
        grad: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        shape: Shape,
        options: ConvOptions<2>,
    ) -> FloatTensor<Self> {
        backward::<Self>(grad, weight, shape, options)
    }

    /// The gradient of a weight like `weight`.
    #[fusion(default)]
    fn conv2d_weight_gradient(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        options: ConvOptions<2>,
    ) -> FloatTensor<Self> {
        weight_backward::<Self>(x, weight, grad, options)
    }

    /// `W * x + b + s B (A * x)`.
    #[fusion(default)]
    fn low_rank_conv2d(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        down: FloatTensor<Self>,
        up: FloatTensor<Self>,
        options: LowRankOptions,
    ) -> FloatTensor<Self> {
        let LowRankOptions { conv: options, scale } = options;
        let low = Self::narrowed_conv2d(x.clone(), down, options.clone(), scale);
        Self::plus_pointwise(Self::frozen_conv2d(x, weight, bias, options), low, up)
    }

    /// `s A * x`.
    #[fusion(default)]
    fn narrowed_conv2d(
        x: FloatTensor<Self>,
        down: FloatTensor<Self>,
        options: ConvOptions<2>,
        scale: f64,
    ) -> FloatTensor<Self> {
        narrow::<Self>(x, down, options, scale)
    }

    /// `y + B * low`, B 1 x 1.
    #[fusion(default)]
    fn plus_pointwise(
        y: FloatTensor<Self>,
        low: FloatTensor<Self>,
        up: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        add_pointwise::<Self>(y, low, up)
    }
}

/// Options of a 1 x 1 convolution.
fn pointwise() -> ConvOptions<2> {
    ConvOptions::new([1, 1], [0, 0], [1, 1], 1)
}

fn forward<B: Backend>(
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    bias: FloatTensor<B>,
    options: ConvOptions<2>,
) -> FloatTensor<B> {
    let (weight, bias) = (as_type_of::<B>(weight, &x), as_type_of::<B>(bias, &x));
    B::conv2d(x, weight, Some(bias), options)
}

fn backward<B: Backend>(
    grad: FloatTensor<B>,
    weight: FloatTensor<B>,
    shape: Shape,
    options: ConvOptions<2>,
) -> FloatTensor<B> {
    let weight = as_type_of::<B>(weight, &grad);
    // burn's function asks for x itself, and reads its shape only.
    let (device, dtype) = (grad.device(), grad.dtype().into());
    B::conv2d_x_backward(B::float_empty(shape, &device, dtype), weight, grad, options)
}

fn weight_backward<B: Backend>(
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    grad: FloatTensor<B>,
    options: ConvOptions<2>,
) -> FloatTensor<B> {
    B::conv2d_weight_backward(x, weight, grad, options)
}

fn narrow<B: Backend>(
    x: FloatTensor<B>,
    down: FloatTensor<B>,
    options: ConvOptions<2>,
    scale: f64,
) -> FloatTensor<B> {
    let down = as_type_of::<B>(down, &x);
    scaled::<B>(B::conv2d(x, down, None, options), scale)
}

fn add_pointwise<B: Backend>(
    y: FloatTensor<B>,
    low: FloatTensor<B>,
    up: FloatTensor<B>,
) -> FloatTensor<B> {
    let up = as_type_of::<B>(up, &low);
    B::float_add(y, B::conv2d(low, up, None, pointwise()))
}

#[cfg(feature = "cubecl")]
impl FrozenConv for crate::device::CubeEngine {}

#[cfg(any(feature = "flex", feature = "tch"))]
mod sliced;

mod tracked;

#[cfg(all(test, any(feature = "flex", feature = "tch")))]
mod tests;
