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
    Cube: cfg(any(feature = "cuda", feature = "wgpu", feature = "vulkan", feature = "metal")),
    Fusion: cfg(any(feature = "cuda", feature = "wgpu", feature = "vulkan", feature = "metal")),
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

    /// The gradients of γ and β for each sample, `[batch, channels, 2]`.
    #[fusion(default)]
    fn group_norm_affine_gradient(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        options: GroupNormOptions,
    ) -> FloatTensor<Self> {
        learned::affine_gradient::<Self>(x, gamma, beta, grad, options)
    }
}

#[cfg(any(feature = "cuda", feature = "wgpu", feature = "vulkan", feature = "metal"))]
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

fn forward<B: Backend>(
    x: FloatTensor<B>,
    gamma: FloatTensor<B>,
    beta: FloatTensor<B>,
    options: GroupNormOptions,
) -> FloatTensor<B> {
    let (shape, groups) = (x.shape(), options.groups);
    let x = B::float_reshape(x, grouped(&shape, groups));
    let x = Normalised::<B>::of(x, GROUP, options.epsilon).values;
    let gamma = a_channel::<B>(gamma, groups);
    let z = B::float_add(B::float_mul(x, gamma), a_channel::<B>(beta, groups));
    let y = match options.silu {
        true => B::float_mul(z.clone(), B::sigmoid(z)),
        false => z,
    };
    B::float_reshape(y, shape)
}

fn backward<B: Backend>(
    x: FloatTensor<B>,
    gamma: FloatTensor<B>,
    beta: FloatTensor<B>,
    grad: FloatTensor<B>,
    options: GroupNormOptions,
) -> FloatTensor<B> {
    let (shape, groups) = (x.shape(), options.groups);
    let x = B::float_reshape(x, grouped(&shape, groups));
    let mut d = B::float_reshape(grad, grouped(&shape, groups));
    let x = Normalised::<B>::of(x, GROUP, options.epsilon);
    let gamma = a_channel::<B>(gamma, groups);
    if options.silu {
        let z = B::float_mul(x.values.clone(), gamma.clone());
        let z = B::float_add(z, a_channel::<B>(beta, groups));
        d = B::float_mul(d, silu_slope::<B>(z));
    }
    B::float_reshape(x.backward(B::float_mul(d, gamma)), shape)
}

/// `σ (1 + z (1 - σ))` with `σ = sigmoid(z)`.
fn silu_slope<B: Backend>(z: FloatTensor<B>) -> FloatTensor<B> {
    let one = || burn::backend::Scalar::from(1.0);
    let s = B::sigmoid(z.clone());
    let rest = B::float_add_scalar(B::float_neg(s.clone()), one());
    B::float_mul(s, B::float_add_scalar(B::float_mul(z, rest), one()))
}

mod learned;

#[cfg(any(feature = "flex", feature = "tch"))]
mod sliced {

    use super::*;
    use crate::elementary::{silu, silu_slope};
    use crate::moments::Moments;
    use crate::slices::{InMemory, Parts, changed, elements, filled, sliceable};

    impl<S: InMemory> FrozenGroupNorm for S {
        fn frozen_group_norm(
            x: FloatTensor<S>,
            gamma: FloatTensor<S>,
            beta: FloatTensor<S>,
            options: GroupNormOptions,
        ) -> FloatTensor<S> {
            if !sliceable::<S>(&x) {
                return forward::<Self>(x, gamma, beta, options);
            }
            let (gamma, beta) = (S::contiguous(gamma), S::contiguous(beta));
            let groups =
                Groups::new(x.shape(), elements::<S>(&gamma), elements::<S>(&beta), options);
            changed::<S>(x, groups.size, groups)
        }

        fn frozen_group_norm_backward(
            x: FloatTensor<S>,
            gamma: FloatTensor<S>,
            beta: FloatTensor<S>,
            grad: FloatTensor<S>,
            options: GroupNormOptions,
        ) -> FloatTensor<S> {
            if !sliceable::<S>(&x) {
                return backward::<Self>(x, gamma, beta, grad, options);
            }
            let (x, gamma, beta) = (S::contiguous(x), S::contiguous(gamma), S::contiguous(beta));
            let groups =
                Groups::new(x.shape(), elements::<S>(&gamma), elements::<S>(&beta), options);
            changed::<S>(grad, groups.size, Slopes { groups, x: elements::<S>(&x) })
        }

        fn group_norm_affine_gradient(
            x: FloatTensor<S>,
            gamma: FloatTensor<S>,
            beta: FloatTensor<S>,
            grad: FloatTensor<S>,
            options: GroupNormOptions,
        ) -> FloatTensor<S> {
            if !sliceable::<S>(&x) {
                return learned::affine_gradient::<S>(x, gamma, beta, grad, options);
            }
            let [x, gamma, beta, grad] = [x, gamma, beta, grad].map(S::contiguous);
            let [batch, channels, ..]: [usize; 4] = x.shape().dims();
            let groups =
                Groups::new(x.shape(), elements::<S>(&gamma), elements::<S>(&beta), options);
            let sums = AffineSums { groups, x: elements::<S>(&x), grad: elements::<S>(&grad) };
            let of_a_group = 2 * channels / options.groups;
            filled::<S>(Shape::from([batch, channels, 2]), of_a_group, sums)
        }
    }

    /// Sums what γ and β of a group's channels learn.
    struct AffineSums<'a> {
        groups: Groups<'a>,
        x: &'a [f32],
        grad: &'a [f32],
    }

    impl Parts for AffineSums<'_> {
        #[inline(always)]
        fn part(&self, start: usize, sums: &mut [f32]) {
            let Groups { places, options, size, .. } = self.groups;
            let first = start / 2 * places; // two sums a channel
            let (x, d) = (&self.x[first..first + size], &self.grad[first..first + size]);
            let moments = Moments::of(x, options.epsilon);
            let channels = x.chunks_exact(places).zip(d.chunks_exact(places));
            let channels = channels.zip(self.groups.channels(first));
            for (((x, d), (gamma, beta)), sums) in channels.zip(sums.chunks_exact_mut(2)) {
                let both = match options.silu {
                    true => moments.along(x, d, |x| silu_slope(x * gamma + beta)),
                    false => moments.along(x, d, |_| 1.0),
                };
                sums.copy_from_slice(&both);
            }
        }
    }

    /// Groups of channels, one after the other.
    struct Groups<'a> {
        gamma: &'a [f32],
        beta: &'a [f32],
        places: usize, // of a channel
        size: usize,   // elements of a group
        options: GroupNormOptions,
    }

    impl<'a> Groups<'a> {
        fn new(shape: Shape, gamma: &'a [f32], beta: &'a [f32], options: GroupNormOptions) -> Self {
            let [_, channels, height, width] = shape.dims();
            let places = height * width;
            Self { gamma, beta, places, size: channels / options.groups * places, options }
        }

        /// γ and β of each channel of the group that begins at element `start`.
        #[inline(always)]
        fn channels(&self, start: usize) -> impl Iterator<Item = (f32, f32)> {
            let first = start / self.places % self.gamma.len();
            let (gamma, beta) = (&self.gamma[first..], &self.beta[first..]);
            gamma.iter().copied().zip(beta.iter().copied())
        }
    }

    /// Turns a group's x into y.
    impl Parts for Groups<'_> {
        #[inline(always)]
        fn part(&self, start: usize, group: &mut [f32]) {
            let moments = Moments::of(group, self.options.epsilon);
            let channels = group.chunks_exact_mut(self.places);
            for (x, (gamma, beta)) in channels.zip(self.channels(start)) {
                let affine = |x: f32| moments.normalise(x) * gamma + beta;
                match self.options.silu {
                    true => x.iter_mut().for_each(|x| *x = silu(affine(*x))),
                    false => x.iter_mut().for_each(|x| *x = affine(*x)),
                }
            }
        }
    }

    /// What the backward pass reads.
    struct Slopes<'a> {
        groups: Groups<'a>,
        x: &'a [f32],
    }

    /// Turns a group's dy into dx.
    impl Parts for Slopes<'_> {
        #[inline(always)]
        fn part(&self, start: usize, d: &mut [f32]) {
            let Groups { places, options, .. } = self.groups;
            let group = &self.x[start..start + d.len()];
            let moments = Moments::of(group, options.epsilon);
            let channels = group.chunks_exact(places).zip(d.chunks_exact_mut(places));
            for ((x, d), (gamma, beta)) in channels.zip(self.groups.channels(start)) {
                let slope = |x: f32| silu_slope(moments.normalise(x) * gamma + beta);
                match options.silu {
                    true => (d.iter_mut().zip(x)).for_each(|(d, x)| *d *= slope(*x) * gamma),
                    false => d.iter_mut().for_each(|d| *d *= gamma),
                }
            }
            moments.backward(group, d);
        }
    }
}

#[cfg(all(test, any(feature = "flex", feature = "tch")))]
mod tests;
