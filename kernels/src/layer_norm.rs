//! Layer normalisation with frozen scale and shift.
//!
//! `y = γ x̂ + β`, x̂ normalised over the last dimension. Only `x` is kept for the
//! backward pass, which normalises it again. On the CPU the sums run in f64.
//! Source: Ba et al. 2016, <https://arxiv.org/abs/1607.06450>, section 3.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, TensorMetadata, backend_extension};
use burn::tensor::{Shape, Tensor};

use crate::normalised::Normalised;

/// Normalises the last dimension of `[.., width]`.
///
/// `gamma` and `beta` are `[width]` and frozen: panics if one is tracked.
pub fn layer_norm_frozen<const D: usize>(
    x: Tensor<D>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    epsilon: f64,
) -> Tensor<D> {
    let width = x.dims()[D - 1];
    assert_eq!([gamma.dims(), beta.dims()], [[width]; 2]);
    assert!(
        !gamma.is_tracked() && !beta.is_tracked(),
        "a frozen normalisation's scale and shift have no gradient"
    );
    let shape = x.dims();
    let rows = x.reshape([shape.iter().product::<usize>() / width.max(1), width]);
    let rows: Tensor<2> = Tensor::from_dispatch(Dispatch::frozen_layer_norm(
        rows.into_dispatch(),
        gamma.into_dispatch(),
        beta.into_dispatch(),
        epsilon,
    ));
    rows.reshape(shape)
}

/// The engine's side of [`layer_norm_frozen`], over `[rows, width]`.
#[backend_extension(
    Flex: cfg(feature = "flex"),
    LibTorch: cfg(feature = "tch"),
    Cube: cfg(any(feature = "cuda", feature = "wgpu", feature = "vulkan", feature = "metal")),
    Fusion: cfg(any(feature = "cuda", feature = "wgpu", feature = "vulkan", feature = "metal")),
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
}

#[cfg(any(feature = "cuda", feature = "wgpu", feature = "vulkan", feature = "metal"))]
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
    B::layer_norm(x, gamma, Some(beta), epsilon)
}

fn backward<B: Backend>(
    x: FloatTensor<B>,
    gamma: FloatTensor<B>,
    grad: FloatTensor<B>,
    epsilon: f64,
) -> FloatTensor<B> {
    Normalised::<B>::of(x, ROW, epsilon).backward(B::float_mul(grad, a_row::<B>(gamma)))
}

#[cfg(any(feature = "flex", feature = "tch"))]
mod sliced {

    use super::*;
    use crate::moments::Moments;
    use crate::slices::{InMemory, Parts, changed, elements, sliceable, task_of_rows};

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
                return backward::<Self>(x, gamma, grad, epsilon);
            }
            let (x, gamma) = (S::contiguous(x), S::contiguous(gamma));
            let (x, gamma) = (elements::<S>(&x), elements::<S>(&gamma));
            changed::<S>(grad, task_of_rows(gamma.len()), Slopes { gamma, x, epsilon })
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
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::slices::InMemory;
    use crate::testing::{
        assert_close, assert_slope, devices, largest_difference, on_each_engine, random, wave,
        with_gradient,
    };

    fn decomposed(x: Tensor<4>, gamma: Tensor<1>, beta: Tensor<1>) -> Tensor<4> {
        let width = x.dims()[3];
        let x = x.clone() - x.mean_dim(3);
        let x = x.clone() / (x.square().mean_dim(3) + 1e-5).sqrt();
        x * gamma.reshape([1, 1, 1, width]) + beta.reshape([1, 1, 1, width])
    }

    fn affine(width: usize, device: &Device) -> (Tensor<1>, Tensor<1>) {
        let row = || random([1, 1, 1, width], device).reshape([width]);
        (row() * 0.3 + 1.0, row() * 0.3)
    }

    #[test]
    fn it_equals_the_decomposition_with_its_gradient() {
        for device in devices() {
            device.seed(5);
            for shape in [[2, 3, 5, 7], [1, 1, 3, 1], [1, 1, 300, 320], [1, 2, 1, 20_001]] {
                let (gamma, beta) = affine(shape[3], &device);
                let x = random(shape, &device) * 2.0 + 3.0;
                let got =
                    with_gradient(&x, |x| layer_norm_frozen(x, gamma.clone(), beta.clone(), 1e-5));
                let want = with_gradient(&x, |x| decomposed(x, gamma.clone(), beta.clone()));
                for (got, want) in got.into_iter().zip(want) {
                    assert!(largest_difference(got, want) < 1e-5, "{shape:?}");
                }
            }
        }
    }

    #[test]
    fn a_view_is_normalised_as_its_copy() {
        for device in devices() {
            let (gamma, beta) = affine(5, &device);
            let x = random([2, 3, 5, 4], &device).swap_dims(2, 3);
            let copy: Tensor<4> = Tensor::from_data(x.to_data(), &device);
            let run =
                |x| with_gradient(&x, |x| layer_norm_frozen(x, gamma.clone(), beta.clone(), 1e-5));
            for (got, want) in run(x).into_iter().zip(run(copy)) {
                assert_eq!(largest_difference(got, want), 0.0);
            }
        }
    }

    #[test]
    fn its_gradient_is_the_slope_of_its_output() {
        for device in devices() {
            device.seed(8);
            let (gamma, beta) = affine(13, &device);
            let x = random([2, 1, 3, 13], &device);
            assert_slope(&x, |x| layer_norm_frozen(x, gamma.clone(), beta.clone(), 1e-5));
        }
    }

    #[test]
    fn the_primitives_and_the_slices_agree() {
        fn run<S: InMemory>() {
            let (x, grad) = (wave::<S, 2>([4, 7], 1.7), wave::<S, 2>([4, 7], 2.3));
            let (gamma, beta) = (wave::<S, 1>([7], 0.9), wave::<S, 1>([7], 0.4));
            let (a, b) = (x.clone(), gamma.clone());
            let slices = S::frozen_layer_norm(a.clone(), b.clone(), beta.clone(), 1e-5);
            assert_close::<S>([slices, forward::<S>(a, b, beta, 1e-5)]);
            let (a, b) = (x.clone(), gamma.clone());
            let slices = S::frozen_layer_norm_backward(a, b, grad.clone(), 1e-5);
            assert_close::<S>([slices, backward::<S>(x, gamma, grad, 1e-5)]);
        }
        on_each_engine!(run);
    }

    #[test]
    fn only_a_tracked_input_makes_a_tracked_output() {
        for device in devices() {
            let (gamma, beta) = affine(4, &device);
            let run = |x| layer_norm_frozen(x, gamma.clone(), beta.clone(), 1e-5);
            let x = random([1, 2, 3, 4], &device);
            assert!(!run(x.clone()).is_autodiff());
            assert!(!run(x.clone().autodiff()).is_tracked());
            assert!(run(x.autodiff().require_grad()).is_tracked());
        }
    }
}
