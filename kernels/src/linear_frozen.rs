//! A linear layer whose own weight never learns, with or without a low-rank update.
//!
//! And, for training from scratch, [`linear`]: one whose weight and bias learn where they are
//! tracked.
//!
//! `y = x Wᵀ + b + s (x Aᵀ) Bᵀ`, W `[d_out, d_in]` as weight files have it, in any
//! float type: it is widened as it is read, so half-precision weights stay half.
//! The update is one operation with the layer: `x` and `x Aᵀ` are kept, once, for
//! `dA = s (dy B)ᵀ x`, `dB = s dyᵀ (x Aᵀ)` and `dx = dy W + s (dy B) A`.
//! Source: Hu et al. 2021, <https://arxiv.org/abs/2106.09685>, section 4.1.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, TensorMetadata, backend_extension};
use burn::tensor::{Shape, Tensor};

use crate::primitives::{as_type_of, scaled};

/// `x Wᵀ + b` over `[.., d_in]`, for a frozen `weight` `[d_out, d_in]` and `bias` `[d_out]`.
///
/// Panics if `weight` or `bias` is tracked: its gradient would be lost.
pub fn linear_frozen<const D: usize>(
    x: Tensor<D>,
    weight: Tensor<2>,
    bias: Option<Tensor<1>>,
) -> Tensor<D> {
    let bias = frozen_bias(&x, &weight, bias);
    on_rows(x, weight.dims()[0], |x| {
        let (weight, bias) = (weight.into_dispatch(), bias.into_dispatch());
        Dispatch::frozen_linear(x.into_dispatch(), weight, bias)
    })
}

/// [`linear_frozen`], or if `weight` is tracked, the same with gradients of weight and bias.
pub fn linear<const D: usize>(
    x: Tensor<D>,
    weight: Tensor<2>,
    bias: Option<Tensor<1>>,
) -> Tensor<D> {
    if !weight.is_tracked() {
        return linear_frozen(x, weight, bias);
    }
    let bias = bias.unwrap_or_else(|| zeros(&x, weight.dims()[0]));
    on_rows(x, weight.dims()[0], |x| {
        let (weight, bias) = (weight.into_dispatch(), bias.into_dispatch());
        Dispatch::learned_linear(x.into_dispatch(), weight, bias)
    })
}

/// A low-rank update of a linear layer: `s (x Aᵀ) Bᵀ`.
#[derive(Debug, Clone)]
pub struct LinearUpdate {
    /// A, `[rank, d_in]`.
    pub down: Tensor<2>,
    /// B, `[d_out, rank]`.
    pub up: Tensor<2>,
    /// s, `alpha / rank` times the strength.
    pub scale: f64,
}

/// [`linear_frozen`] plus a low-rank update whose factors may learn.
pub fn lora_linear<const D: usize>(
    x: Tensor<D>,
    weight: Tensor<2>,
    bias: Option<Tensor<1>>,
    update: LinearUpdate,
) -> Tensor<D> {
    let bias = frozen_bias(&x, &weight, bias);
    let LinearUpdate { down, up, scale } = update;
    on_rows(x, weight.dims()[0], |x| {
        let [weight, down, up] = [weight, down, up].map(Tensor::into_dispatch);
        Dispatch::low_rank_linear(x.into_dispatch(), weight, bias.into_dispatch(), down, up, scale)
    })
}

/// The bias, or zeros: an extension takes no optional tensors.
fn frozen_bias<const D: usize>(
    x: &Tensor<D>,
    weight: &Tensor<2>,
    bias: Option<Tensor<1>>,
) -> Tensor<1> {
    assert!(
        !weight.is_tracked() && !bias.as_ref().is_some_and(Tensor::is_tracked),
        "a frozen layer's weight and bias have no gradient"
    );
    bias.unwrap_or_else(|| zeros(x, weight.dims()[0]))
}

/// A bias that changes nothing.
fn zeros<const D: usize>(x: &Tensor<D>, d_out: usize) -> Tensor<1> {
    Tensor::zeros([d_out], (&x.device().without_autodiff(), x.dtype()))
}

fn on_rows<const D: usize>(
    x: Tensor<D>,
    d_out: usize,
    f: impl FnOnce(Tensor<2>) -> Dispatched,
) -> Tensor<D> {
    let mut shape = x.dims();
    let d_in = shape[D - 1];
    let rows = x.reshape([shape.iter().product::<usize>() / d_in, d_in]);
    shape[D - 1] = d_out;
    Tensor::<2>::from_dispatch(f(rows)).reshape(shape)
}

type Dispatched = FloatTensor<Dispatch>;

/// The engine's side, over `[rows, d_in]`.
#[backend_extension(
    Flex: cfg(feature = "flex"),
    LibTorch: cfg(feature = "tch"),
    Cube: cfg(feature = "cubecl"),
    Fusion: cfg(feature = "cubecl"),
    Autodiff
)]
pub trait FrozenLinear: Backend {
    /// `x Wᵀ + b`.
    #[fusion(default)]
    fn frozen_linear(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        forward::<Self>(x, weight, bias)
    }

    /// `x Wᵀ + b`, with gradients of W and b.
    #[fusion(default)]
    fn learned_linear(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        Self::frozen_linear(x, weight, bias)
    }

    /// `dy W`.
    #[fusion(default)]
    fn frozen_linear_backward(
        grad: FloatTensor<Self>,
        weight: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        backward::<Self>(grad, weight)
    }

    /// `x Wᵀ + b + s (x Aᵀ) Bᵀ`.
    #[fusion(default)]
    fn low_rank_linear(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        down: FloatTensor<Self>,
        up: FloatTensor<Self>,
        scale: f64,
    ) -> FloatTensor<Self> {
        let low = Self::narrowed(x.clone(), down, scale);
        Self::plus_transposed(Self::frozen_linear(x, weight, bias), low, up)
    }

    /// `s x Aᵀ`.
    #[fusion(default)]
    fn narrowed(x: FloatTensor<Self>, down: FloatTensor<Self>, scale: f64) -> FloatTensor<Self> {
        narrow::<Self>(x, down, scale)
    }

    /// `y + a bᵀ`.
    #[fusion(default)]
    fn plus_transposed(
        y: FloatTensor<Self>,
        a: FloatTensor<Self>,
        b: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        add_transposed::<Self>(y, a, b)
    }

    /// `y + a b`.
    #[fusion(default)]
    fn plus_product(
        y: FloatTensor<Self>,
        a: FloatTensor<Self>,
        b: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        add_product::<Self>(y, a, b)
    }

    /// `aᵀ b`, for `[n, p]` and `[n, q]`.
    #[fusion(default)]
    fn crossed(a: FloatTensor<Self>, b: FloatTensor<Self>) -> FloatTensor<Self> {
        cross::<Self>(a, b)
    }
}

fn forward<B: Backend>(
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    bias: FloatTensor<B>,
) -> FloatTensor<B> {
    let (weight, bias) = (as_type_of::<B>(weight, &x), as_type_of::<B>(bias, &x));
    let [d_out] = bias.shape().dims();
    let bias = B::float_reshape(bias, Shape::from([1, d_out]));
    B::float_add(B::float_matmul(x, B::float_transpose(weight)), bias)
}

fn backward<B: Backend>(grad: FloatTensor<B>, weight: FloatTensor<B>) -> FloatTensor<B> {
    let weight = as_type_of::<B>(weight, &grad);
    B::float_matmul(grad, weight)
}

fn narrow<B: Backend>(x: FloatTensor<B>, down: FloatTensor<B>, scale: f64) -> FloatTensor<B> {
    let down = as_type_of::<B>(down, &x);
    scaled::<B>(B::float_matmul(x, B::float_transpose(down)), scale)
}

fn add_transposed<B: Backend>(
    y: FloatTensor<B>,
    a: FloatTensor<B>,
    b: FloatTensor<B>,
) -> FloatTensor<B> {
    let b = as_type_of::<B>(b, &a);
    B::float_add(y, B::float_matmul(a, B::float_transpose(b)))
}

fn add_product<B: Backend>(
    y: FloatTensor<B>,
    a: FloatTensor<B>,
    b: FloatTensor<B>,
) -> FloatTensor<B> {
    let b = as_type_of::<B>(b, &a);
    B::float_add(y, B::float_matmul(a, b))
}

fn cross<B: Backend>(a: FloatTensor<B>, b: FloatTensor<B>) -> FloatTensor<B> {
    B::float_matmul(B::float_transpose(a), b)
}

#[cfg(feature = "cubecl")]
impl FrozenLinear for crate::device::CubeEngine {}

#[cfg(any(feature = "flex", feature = "tch"))]
mod sliced;

mod tracked;

#[cfg(all(test, any(feature = "flex", feature = "tch")))]
mod tests;
