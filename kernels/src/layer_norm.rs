//! Layer normalisation.
//!
//! `y = γ x̂ + β`, x̂ normalised over the last dimension. Only `x` is kept for the
//! backward pass, which normalises it again. On the CPU the sums run in f64.
//! γ and β are frozen, or learn where they are tracked.
//! Source: Ba et al. 2016, <https://arxiv.org/abs/1607.06450>, section 3.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, TensorMetadata, backend_extension};
use burn::tensor::{Shape, Slice, Tensor};

use crate::normalised::Normalised;
use crate::primitives::{narrowed, widened};

/// Normalises the last dimension of `[.., width]`.
///
/// `gamma` and `beta` are `[width]`, and learn where `gamma` is tracked.
pub fn layer_norm<const D: usize>(
    x: Tensor<D>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    epsilon: f64,
) -> Tensor<D> {
    let width = x.dims()[D - 1];
    assert_eq!([gamma.dims(), beta.dims()], [[width]; 2]);
    let learns = gamma.is_tracked();
    assert!(learns || !beta.is_tracked(), "a shift learns only beside its scale");
    let shape = x.dims();
    let rows = x.reshape([shape.iter().product::<usize>() / width.max(1), width]);
    let (x, gamma, beta) = (rows.into_dispatch(), gamma.into_dispatch(), beta.into_dispatch());
    let rows: Tensor<2> = Tensor::from_dispatch(match learns {
        true => Dispatch::learned_layer_norm(x, gamma, beta, epsilon),
        false => Dispatch::frozen_layer_norm(x, gamma, beta, epsilon),
    });
    rows.reshape(shape)
}

/// The engine's side of [`layer_norm`], over `[rows, width]`.
#[backend_extension(
    Flex: cfg(feature = "flex"),
    LibTorch: cfg(feature = "tch"),
    Cube: cfg(feature = "cubecl"),
    Fusion: cfg(feature = "cubecl"),
    Autodiff
)]
pub trait FrozenLayerNorm: Backend {
    /// `γ x̂ + β`.
    #[fusion(default)]
    fn frozen_layer_norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f64,
    ) -> FloatTensor<Self> {
        forward::<Self>(x, gamma, beta, epsilon)
    }

    /// The gradient of `x` for the output's gradient `grad`.
    #[fusion(default)]
    fn frozen_layer_norm_backward(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        epsilon: f64,
    ) -> FloatTensor<Self> {
        backward::<Self>(x, gamma, grad, epsilon)
    }

    /// `γ x̂ + β`, with gradients of γ and β.
    #[fusion(default)]
    fn learned_layer_norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f64,
    ) -> FloatTensor<Self> {
        Self::frozen_layer_norm(x, gamma, beta, epsilon)
    }

    /// The gradients of γ and β, `[parts, 2, width]`, to be summed over the parts.
    #[fusion(default)]
    fn layer_norm_affine_gradient(
        x: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        epsilon: f64,
    ) -> FloatTensor<Self> {
        learned::affine_gradient::<Self>(x, grad, epsilon)
    }
}

#[cfg(feature = "cubecl")]
impl FrozenLayerNorm for crate::device::CubeEngine {}

impl<B: FrozenLayerNorm, C: CheckpointStrategy> FrozenLayerNorm for Autodiff<B, C> {
    fn frozen_layer_norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f64,
    ) -> FloatTensor<Self> {
        let (x, node) = x.into_parts();
        let (gamma, beta) = (gamma.into_primitive(), beta.into_primitive());
        match LayerNormBackward.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => {
                let state = (x.clone(), gamma.clone(), epsilon);
                prepared.finish(state, B::frozen_layer_norm(x, gamma, beta, epsilon))
            }
            OpsKind::UnTracked(prepared) => {
                prepared.finish(B::frozen_layer_norm(x, gamma, beta, epsilon))
            }
        }
    }

    fn learned_layer_norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f64,
    ) -> FloatTensor<Self> {
        learned::track::<B, C>(x, gamma, beta, epsilon)
    }
}

#[derive(Debug)]
struct LayerNormBackward;

impl<B: FrozenLayerNorm> Backward<B, 1> for LayerNormBackward {
    type State = (FloatTensor<B>, FloatTensor<B>, f64);

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let [node] = ops.parents;
        let grad = grads.consume::<B>(&ops.node);
        let (x, gamma, epsilon) = ops.state;
        if let Some(node) = node {
            let grad = B::frozen_layer_norm_backward(x, gamma, grad, epsilon);
            grads.register::<B>(node.id, grad);
        }
    }
}

/// The normalised dimension of `[rows, width]`.
const ROW: &[usize] = &[1];

/// `[width]` as `[1, width]`.
fn a_row<B: Backend>(x: FloatTensor<B>) -> FloatTensor<B> {
    let [width] = x.shape().dims();
    B::float_reshape(x, Shape::from([1, width]))
}

fn forward<B: Backend>(
    x: FloatTensor<B>,
    gamma: FloatTensor<B>,
    beta: FloatTensor<B>,
    epsilon: f64,
) -> FloatTensor<B> {
    let like = x.dtype();
    narrowed::<B>(B::layer_norm(widened::<B>(x), gamma, Some(beta), epsilon), like)
}

/// [`FrozenLayerNorm::frozen_layer_norm_backward`] in an engine's primitives.
pub(crate) fn backward<B: Backend>(
    x: FloatTensor<B>,
    gamma: FloatTensor<B>,
    grad: FloatTensor<B>,
    epsilon: f64,
) -> FloatTensor<B> {
    let like = x.dtype();
    let grad = B::float_mul(widened::<B>(grad), a_row::<B>(gamma));
    narrowed::<B>(Normalised::<B>::of(widened::<B>(x), ROW, epsilon).backward(grad), like)
}

mod learned;

#[cfg(any(feature = "flex", feature = "tch"))]
mod sliced {

    use super::*;
    use crate::moments::Moments;
    use crate::slices::{InMemory, Parts, changed, elements, filled, sliceable, task_of_rows};

    impl<S: InMemory> FrozenLayerNorm for S {
        fn frozen_layer_norm(
            x: FloatTensor<S>,
            gamma: FloatTensor<S>,
            beta: FloatTensor<S>,
            epsilon: f64,
        ) -> FloatTensor<S> {
            if !sliceable::<S>(&x) {
                return forward::<Self>(x, gamma, beta, epsilon);
            }
            let (gamma, beta) = (S::contiguous(gamma), S::contiguous(beta));
            let (gamma, beta) = (elements::<S>(&gamma), elements::<S>(&beta));
            changed::<S>(x, task_of_rows(gamma.len()), Rows { gamma, beta, epsilon })
        }

        fn frozen_layer_norm_backward(
            x: FloatTensor<S>,
            gamma: FloatTensor<S>,
            grad: FloatTensor<S>,
            epsilon: f64,
        ) -> FloatTensor<S> {
            if !sliceable::<S>(&x) {
                return S::layer_norm_backward(x, gamma, grad, epsilon);
            }
            let (x, gamma) = (S::contiguous(x), S::contiguous(gamma));
            let (x, gamma) = (elements::<S>(&x), elements::<S>(&gamma));
            changed::<S>(grad, task_of_rows(gamma.len()), Slopes { gamma, x, epsilon })
        }

        fn layer_norm_affine_gradient(
            x: FloatTensor<S>,
            grad: FloatTensor<S>,
            epsilon: f64,
        ) -> FloatTensor<S> {
            if !sliceable::<S>(&x) {
                return learned::affine_gradient::<S>(x, grad, epsilon);
            }
            let [rows, width] = x.shape().dims();
            let (x, grad) = (S::contiguous(x), S::contiguous(grad));
            let part = task_of_rows(width);
            let (x, grad) = (elements::<S>(&x), elements::<S>(&grad));
            let shape = Shape::from([(rows * width).div_ceil(part), 2, width]);
            filled::<S>(shape, 2 * width, AffineSums { x, grad, epsilon, width, part })
        }
    }

    /// Sums what γ and β learn of some rows.
    struct AffineSums<'a> {
        x: &'a [f32],
        grad: &'a [f32],
        epsilon: f64,
        width: usize,
        part: usize, // elements of a task's rows
    }

    impl Parts for AffineSums<'_> {
        #[inline(always)]
        fn part(&self, start: usize, sums: &mut [f32]) {
            let first = start / (2 * self.width) * self.part;
            let end = (first + self.part).min(self.x.len());
            let (scale, shift) = sums.split_at_mut(self.width);
            scale.fill(0.0);
            shift.fill(0.0);
            let rows = self.x[first..end].chunks_exact(self.width);
            for (x, d) in rows.zip(self.grad[first..end].chunks_exact(self.width)) {
                let moments = Moments::of(x, self.epsilon);
                for (((x, d), scale), shift) in x.iter().zip(d).zip(&mut *scale).zip(&mut *shift) {
                    *scale += d * moments.normalise(*x);
                    *shift += d;
                }
            }
        }
    }

    /// Turns rows of x into y.
    struct Rows<'a> {
        gamma: &'a [f32],
        beta: &'a [f32],
        epsilon: f64,
    }

    impl Parts for Rows<'_> {
        #[inline(always)]
        fn part(&self, _: usize, rows: &mut [f32]) {
            for row in rows.chunks_exact_mut(self.gamma.len()) {
                let moments = Moments::of(row, self.epsilon);
                for ((x, gamma), beta) in row.iter_mut().zip(self.gamma).zip(self.beta) {
                    *x = moments.normalise(*x) * gamma + beta;
                }
            }
        }
    }

    /// Turns rows of dy into dx.
    struct Slopes<'a> {
        gamma: &'a [f32],
        x: &'a [f32],
        epsilon: f64,
    }

    impl Parts for Slopes<'_> {
        #[inline(always)]
        fn part(&self, start: usize, rows: &mut [f32]) {
            let x = self.x[start..].chunks_exact(self.gamma.len());
            for (d, x) in rows.chunks_exact_mut(self.gamma.len()).zip(x) {
                d.iter_mut().zip(self.gamma).for_each(|(d, gamma)| *d *= gamma);
                Moments::of(x, self.epsilon).backward(x, d);
            }
        }
    }
}

#[cfg(all(test, any(feature = "flex", feature = "tch")))]
mod tests;
