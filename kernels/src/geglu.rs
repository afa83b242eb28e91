//! A gated unit: values times the GELU of gates.
//!
//! `y = v · g Φ(g)` for x = [v, g], with the exact Φ. Only `x` is kept for the
//! backward pass: `dv = dy g Φ(g)`, `dg = dy v (Φ(g) + g φ(g))`.
//! Sources: Shazeer 2020, <https://arxiv.org/abs/2002.05202>, section 2;
//! Hendrycks and Gimpel 2016, <https://arxiv.org/abs/1606.08415>, section 2.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, TensorMetadata, backend_extension};
use burn::tensor::{Slice, Tensor};

/// `[.., 2 width]`, the values before the gates, to `[.., width]`.
pub fn geglu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    let mut shape = x.dims();
    let twice = shape[D - 1];
    assert!(
        twice > 0 && twice.is_multiple_of(2),
        "{twice} columns are not values and as many gates"
    );
    let rows = x.reshape([shape.iter().product::<usize>() / twice, twice]);
    let rows: Tensor<2> = Tensor::from_dispatch(Dispatch::gated_gelu(rows.into_dispatch()));
    shape[D - 1] /= 2;
    rows.reshape(shape)
}

/// The engine's side of [`geglu`], over `[rows, 2 width]`.
#[backend_extension(
    Flex: cfg(feature = "flex"),
    LibTorch: cfg(feature = "tch"),
    Cube: cfg(feature = "cubecl"),
    Fusion: cfg(feature = "cubecl"),
    Autodiff
)]
pub trait GatedGelu: Backend {
    /// `v · g Φ(g)`.
    #[fusion(default)]
    fn gated_gelu(x: FloatTensor<Self>) -> FloatTensor<Self> {
        forward::<Self>(x)
    }

    /// The gradient of `x` for the output's gradient `grad`.
    #[fusion(default)]
    fn gated_gelu_backward(x: FloatTensor<Self>, grad: FloatTensor<Self>) -> FloatTensor<Self> {
        backward::<Self>(x, grad)
    }
}

#[cfg(feature = "cubecl")]
impl GatedGelu for crate::device::CubeEngine {}

impl<B: GatedGelu, C: CheckpointStrategy> GatedGelu for Autodiff<B, C> {
    fn gated_gelu(x: FloatTensor<Self>) -> FloatTensor<Self> {
        let (x, node) = x.into_parts();
        match GegluBackward.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => prepared.finish(x.clone(), B::gated_gelu(x)),
            OpsKind::UnTracked(prepared) => prepared.finish(B::gated_gelu(x)),
        }
    }
}

#[derive(Debug)]
struct GegluBackward;

impl<B: GatedGelu> Backward<B, 1> for GegluBackward {
    type State = FloatTensor<B>;

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let [node] = ops.parents;
        let grad = grads.consume::<B>(&ops.node);
        if let Some(node) = node {
            grads.register::<B>(node.id, B::gated_gelu_backward(ops.state, grad));
        }
    }
}

/// The values and the gates.
fn halves<B: Backend>(x: FloatTensor<B>) -> [FloatTensor<B>; 2] {
    let [rows, twice]: [usize; 2] = x.shape().dims();
    let columns = [0..twice / 2, twice / 2..twice];
    columns.map(|columns| B::float_slice(x.clone(), &[0..rows, columns].map(Slice::from)))
}

fn forward<B: Backend>(x: FloatTensor<B>) -> FloatTensor<B> {
    let [values, gates] = halves::<B>(x);
    B::float_mul(values, B::gelu(gates))
}

fn backward<B: Backend>(x: FloatTensor<B>, grad: FloatTensor<B>) -> FloatTensor<B> {
    let [values, gates] = halves::<B>(x);
    let d_values = B::float_mul(grad.clone(), B::gelu(gates.clone()));
    let d_gates = B::gelu_backward(gates, B::float_mul(grad, values));
    B::float_cat(vec![d_values, d_gates], 1)
}

#[cfg(any(feature = "flex", feature = "tch"))]
mod sliced {
    use burn::tensor::Shape;

    use super::*;
    use crate::elementary::{gelu, gelu_and_slope};
    use crate::slices::{InMemory, Parts, changed, elements, filled, sliceable, task_of_rows};

    impl<S: InMemory> GatedGelu for S {
        fn gated_gelu(x: FloatTensor<S>) -> FloatTensor<S> {
            if !sliceable::<S>(&x) {
                return forward::<Self>(x);
            }
            let [rows, twice]: [usize; 2] = x.shape().dims();
            let (x, width) = (S::contiguous(x), twice / 2);
            let x = elements::<S>(&x);
            filled::<S>(Shape::from([rows, width]), task_of_rows(width), Gated { x, width })
        }

        fn gated_gelu_backward(x: FloatTensor<S>, grad: FloatTensor<S>) -> FloatTensor<S> {
            if !sliceable::<S>(&x) {
                return backward::<Self>(x, grad);
            }
            let [_, twice]: [usize; 2] = x.shape().dims();
            let (grad, width) = (S::contiguous(grad), twice / 2);
            let grad = elements::<S>(&grad);
            changed::<S>(x, task_of_rows(twice), Sloped { grad, width })
        }
    }

    /// Writes y from rows of values and gates.
    struct Gated<'a> {
        x: &'a [f32],
        width: usize,
    }

    impl Parts for Gated<'_> {
        #[inline(always)]
        fn part(&self, start: usize, y: &mut [f32]) {
            let rows = self.x[2 * start..].chunks_exact(2 * self.width);
            for (y, row) in y.chunks_exact_mut(self.width).zip(rows) {
                let (values, gates) = row.split_at(self.width);
                for ((y, value), &gate) in y.iter_mut().zip(values).zip(gates) {
                    *y = value * gelu(gate);
                }
            }
        }
    }

    /// Turns rows of values and gates into their gradients.
    struct Sloped<'a> {
        grad: &'a [f32],
        width: usize,
    }

    impl Parts for Sloped<'_> {
        #[inline(always)]
        fn part(&self, start: usize, rows: &mut [f32]) {
            let grad = self.grad[start / 2..].chunks_exact(self.width);
            for (row, grad) in rows.chunks_exact_mut(2 * self.width).zip(grad) {
                let (values, gates) = row.split_at_mut(self.width);
                for ((value, gate), d) in values.iter_mut().zip(gates).zip(grad) {
                    let (gelu, slope) = gelu_and_slope(*gate);
                    (*value, *gate) = (d * gelu, d * *value * slope);
                }
            }
        }
    }
}

#[cfg(all(test, any(feature = "flex", feature = "tch")))]
mod tests {
    use burn::tensor::activation;

    use super::*;
    use crate::slices::InMemory;
    use crate::testing::{
        assert_close, assert_slope, devices, largest_difference, on_each_engine, random, wave,
        with_gradient,
    };

    fn decomposed(x: Tensor<4>) -> Tensor<4> {
        let [values, gates] = x.chunk(2, 3).try_into().expect("two halves");
        values * activation::gelu(gates)
    }

    #[test]
    fn it_equals_the_decomposition_with_its_gradient() {
        for device in devices() {
            device.seed(9);
            for shape in [[2, 3, 5, 14], [1, 1, 1, 2], [1, 1, 100, 2560]] {
                let x = random(shape, &device) * 2.0;
                let (got, want) = (with_gradient(&x, geglu), with_gradient(&x, decomposed));
                for (got, want) in got.into_iter().zip(want) {
                    assert!(largest_difference(got, want) < 1e-5, "{shape:?}");
                }
            }
        }
    }

    #[test]
    fn the_primitives_and_the_slices_agree() {
        fn run<S: InMemory>() {
            let three = |x| S::float_mul_scalar(x, 3.0.into());
            let (x, grad) = (three(wave::<S, 2>([5, 14], 1.7)), wave::<S, 2>([5, 7], 2.3));
            assert_close::<S>([S::gated_gelu(x.clone()), forward::<S>(x.clone())]);
            let slices = S::gated_gelu_backward(x.clone(), grad.clone());
            assert_close::<S>([slices, backward::<S>(x, grad)]);
        }
        on_each_engine!(run);
    }

    #[test]
    fn its_gradient_is_the_slope_of_its_output() {
        for device in devices() {
            device.seed(10);
            assert_slope(&random([1, 2, 3, 10], &device), geglu);
        }
    }

    #[test]
    fn only_a_tracked_input_makes_a_tracked_output() {
        for device in devices() {
            let x = random([1, 2, 3, 4], &device);
            assert!(!geglu(x.clone()).is_autodiff());
            assert!(!geglu(x.clone().autodiff()).is_tracked());
            assert!(geglu(x.autodiff().require_grad()).is_tracked());
        }
    }
}
