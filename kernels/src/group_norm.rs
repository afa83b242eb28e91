//! Group normalisation, with or without SiLU after it.
//!
//! `y = f(γ x̂ + β)`, x̂ normalised over groups of channels and `f` SiLU or nothing.
//! Only `x` is kept for the backward pass, which normalises it again: burn's
//! autodiff keeps some six tensors of its size. On the CPU the sums run in f64.
//! γ and β are frozen, or learn where they are tracked.
//! Source: Wu and He 2018, <https://arxiv.org/abs/1803.08494>, section 3.1.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, TensorMetadata, backend_extension};
use burn::tensor::{Shape, Slice, Tensor};

use crate::normalised::Normalised;
use crate::primitives::{narrowed, widened};

/// What a group normalisation does, beside its scale and shift.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GroupNormOptions {
    /// Groups of channels; they divide the channels.
    pub groups: usize,
    /// Added to the variance.
    pub epsilon: f64,
    /// Whether SiLU follows.
    pub silu: bool,
}

/// Normalises `[batch, channels, height, width]` over `groups` of channels.
///
/// `gamma` and `beta` are `[channels]`, and learn where `gamma` is tracked.
pub fn group_norm(
    x: Tensor<4>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    groups: usize,
    epsilon: f64,
) -> Tensor<4> {
    let silu = false;
    apply(x, gamma, beta, GroupNormOptions { groups, epsilon, silu })
}

/// [`group_norm`], then `x σ(x)`.
pub fn group_norm_silu(
    x: Tensor<4>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    groups: usize,
    epsilon: f64,
) -> Tensor<4> {
    let silu = true;
    apply(x, gamma, beta, GroupNormOptions { groups, epsilon, silu })
}

fn apply(x: Tensor<4>, gamma: Tensor<1>, beta: Tensor<1>, options: GroupNormOptions) -> Tensor<4> {
    let ([_, channels, _, _], groups) = (x.dims(), options.groups);
    assert!(
        groups > 0 && channels.is_multiple_of(groups),
        "{channels} channels do not make {groups} groups"
    );
    assert_eq!([gamma.dims(), beta.dims()], [[channels]; 2]);
    let learns = gamma.is_tracked();
    assert!(learns || !beta.is_tracked(), "a shift learns only beside its scale");
    let (x, gamma, beta) = (x.into_dispatch(), gamma.into_dispatch(), beta.into_dispatch());
    Tensor::from_dispatch(match learns {
        true => Dispatch::learned_group_norm(x, gamma, beta, options),
        false => Dispatch::frozen_group_norm(x, gamma, beta, options),
    })
}

/// The engine's side of [`group_norm`].
#[backend_extension(
    Flex: cfg(feature = "flex"),
    LibTorch: cfg(feature = "tch"),
    Cube: cfg(feature = "cubecl"),
    Fusion: cfg(feature = "cubecl"),
    Autodiff
)]
pub trait FrozenGroupNorm: Backend {
    /// `f(γ x̂ + β)` over `[batch, channels, height, width]`.
    #[fusion(default)]
    fn frozen_group_norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        options: GroupNormOptions,
    ) -> FloatTensor<Self> {
        forward::<Self>(x, gamma, beta, options)
    }

    /// The gradient of `x` for the output's gradient `grad`.
    #[fusion(default)]
    fn frozen_group_norm_backward(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        options: GroupNormOptions,
    ) -> FloatTensor<Self> {
        backward::<Self>(x, gamma, beta, grad, options)
    }

    /// `f(γ x̂ + β)`, with gradients of γ and β.
    #[fusion(default)]
    fn learned_group_norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        options: GroupNormOptions,
    ) -> FloatTensor<Self> {
        Self::frozen_group_norm(x, gamma, beta, options)
    }

    /// The gradients of γ and β, `[parts, channels, 2]`, to be summed over the parts.
    #[fusion(default)]
    fn group_norm_affine_gradient(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        options: GroupNormOptions,
    ) -> FloatTensor<Self> {
        affine_gradient::<Self>(x, gamma, beta, grad, options)
    }
}

#[cfg(feature = "cubecl")]
impl FrozenGroupNorm for crate::device::CubeEngine {}

impl<B: FrozenGroupNorm, C: CheckpointStrategy> FrozenGroupNorm for Autodiff<B, C> {
    fn frozen_group_norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        options: GroupNormOptions,
    ) -> FloatTensor<Self> {
        let (x, node) = x.into_parts();
        let (gamma, beta) = (gamma.into_primitive(), beta.into_primitive());
        match GroupNormBackward.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => {
                let state = (x.clone(), gamma.clone(), beta.clone(), options);
                prepared.finish(state, B::frozen_group_norm(x, gamma, beta, options))
            }
            OpsKind::UnTracked(prepared) => {
                prepared.finish(B::frozen_group_norm(x, gamma, beta, options))
            }
        }
    }

    fn learned_group_norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        options: GroupNormOptions,
    ) -> FloatTensor<Self> {
        learned::track::<B, C>(x, gamma, beta, options)
    }
}

#[derive(Debug)]
struct GroupNormBackward;

impl<B: FrozenGroupNorm> Backward<B, 1> for GroupNormBackward {
    type State = (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>, GroupNormOptions);

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let [node] = ops.parents;
        let grad = grads.consume::<B>(&ops.node);
        let (x, gamma, beta, options) = ops.state;
        if let Some(node) = node {
            let grad = B::frozen_group_norm_backward(x, gamma, beta, grad, options);
            grads.register::<B>(node.id, grad);
        }
    }
}

/// Dimensions of a group in `[batch, groups, channels of a group, places]`.
const GROUP: &[usize] = &[3, 2];

/// `[batch, channels, height, width]` as `[batch, groups, channels of a group, places]`.
fn grouped(shape: &Shape, groups: usize) -> Shape {
    let [batch, channels, height, width] = shape.dims();
    Shape::from([batch, groups, channels / groups, height * width])
}

/// `[channels]` as `[1, groups, channels of a group, 1]`.
fn a_channel<B: Backend>(x: FloatTensor<B>, groups: usize) -> FloatTensor<B> {
    let [channels] = x.shape().dims();
    B::float_reshape(x, Shape::from([1, groups, channels / groups, 1]))
}

/// [`FrozenGroupNorm::frozen_group_norm`] in an engine's primitives.
pub(crate) fn forward<B: Backend>(
    x: FloatTensor<B>,
    gamma: FloatTensor<B>,
    beta: FloatTensor<B>,
    options: GroupNormOptions,
) -> FloatTensor<B> {
    let (shape, groups, like) = (x.shape(), options.groups, x.dtype());
    let x = B::float_reshape(widened::<B>(x), grouped(&shape, groups));
    let x = Normalised::<B>::of(x, GROUP, options.epsilon).values;
    let gamma = a_channel::<B>(gamma, groups);
    let z = B::float_add(B::float_mul(x, gamma), a_channel::<B>(beta, groups));
    let y = match options.silu {
        true => B::float_mul(z.clone(), B::sigmoid(z)),
        false => z,
    };
    B::float_reshape(narrowed::<B>(y, like), shape)
}

/// [`FrozenGroupNorm::frozen_group_norm_backward`] in an engine's primitives.
pub(crate) fn backward<B: Backend>(
    x: FloatTensor<B>,
    gamma: FloatTensor<B>,
    beta: FloatTensor<B>,
    grad: FloatTensor<B>,
    options: GroupNormOptions,
) -> FloatTensor<B> {
    let (shape, groups, like) = (x.shape(), options.groups, x.dtype());
    let x = B::float_reshape(widened::<B>(x), grouped(&shape, groups));
    let mut d = B::float_reshape(widened::<B>(grad), grouped(&shape, groups));
    let x = Normalised::<B>::of(x, GROUP, options.epsilon);
    let gamma = a_channel::<B>(gamma, groups);
    if options.silu {
        let z = B::float_mul(x.values.clone(), gamma.clone());
        let z = B::float_add(z, a_channel::<B>(beta, groups));
        d = B::float_mul(d, silu_slope::<B>(z));
    }
    B::float_reshape(narrowed::<B>(x.backward(B::float_mul(d, gamma)), like), shape)
}

/// `σ (1 + z (1 - σ))` with `σ = sigmoid(z)`.
fn silu_slope<B: Backend>(z: FloatTensor<B>) -> FloatTensor<B> {
    let one = || burn::backend::Scalar::from(1.0);
    let s = B::sigmoid(z.clone());
    let rest = B::float_add_scalar(B::float_neg(s.clone()), one());
    B::float_mul(s, B::float_add_scalar(B::float_mul(z, rest), one()))
}

mod learned;
pub(crate) use learned::affine_gradient;

#[cfg(any(feature = "flex", feature = "tch"))]
mod sliced;

#[cfg(all(test, any(feature = "flex", feature = "tch")))]
mod tests;
