//! Where a backward pass begins that goes on with a gradient from elsewhere.
//!
//! `Tensor::backward` starts at one number with gradient 1. A pass that is cut into
//! pieces has, for each piece's output y, a gradient dy that another piece made.
//! `seeded(y, dy)` is the number whose backward pass gives y exactly dy, as
//! `sum(y · dy)` does, but without computing the sum or the product.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Shape, TensorMetadata, backend_extension};
use burn::tensor::Tensor;

/// A number (always 0, shape `[1]`) whose backward pass gives `y` the gradient `gradient`, which
/// has `y`'s shape and is not tracked.
pub fn seeded<const D: usize>(y: Tensor<D>, gradient: Tensor<D>) -> Tensor<1> {
    assert_eq!(y.dims(), gradient.dims(), "a gradient has the shape of its tensor");
    let gradient = gradient.without_autodiff();
    Tensor::from_dispatch(Dispatch::seeded_zero(y.into_dispatch(), gradient.into_dispatch()))
}

/// The engine's side of [`seeded`].
#[backend_extension(
    Flex: cfg(feature = "flex"),
    LibTorch: cfg(feature = "tch"),
    Cube: cfg(feature = "cubecl"),
    Fusion: cfg(feature = "cubecl"),
    Autodiff
)]
pub trait Seeded: Backend {
    /// Zero, of shape `[1]`.
    #[fusion(default)]
    fn seeded_zero(y: FloatTensor<Self>, gradient: FloatTensor<Self>) -> FloatTensor<Self> {
        drop(gradient); // only the backward pass needs it
        Self::float_zeros(Shape::new([1]), &y.device(), y.dtype().into())
    }
}

#[cfg(feature = "flex")]
impl Seeded for burn::backend::Flex {}

#[cfg(feature = "tch")]
impl Seeded for burn::backend::LibTorch {}

#[cfg(feature = "cubecl")]
impl Seeded for crate::device::CubeEngine {}

impl<B: Seeded, C: CheckpointStrategy> Seeded for Autodiff<B, C> {
    fn seeded_zero(y: FloatTensor<Self>, gradient: FloatTensor<Self>) -> FloatTensor<Self> {
        let (y, node) = y.into_parts();
        let gradient = gradient.into_primitive();
        match SeededBackward.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => {
                prepared.finish(gradient.clone(), B::seeded_zero(y, gradient))
            }
            OpsKind::UnTracked(prepared) => prepared.finish(B::seeded_zero(y, gradient)),
        }
    }
}

#[derive(Debug)]
struct SeededBackward;

impl<B: Seeded> Backward<B, 1> for SeededBackward {
    type State = FloatTensor<B>;

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let [node] = ops.parents;
        // The number's own gradient is 1 or it is no root; it has to be taken all the same.
        let _ = grads.consume::<B>(&ops.node);
        if let Some(node) = node {
            grads.register::<B>(node.id, ops.state);
        }
    }
}

#[cfg(all(test, any(feature = "flex", feature = "tch")))]
mod tests {
    use super::*;
    use crate::testing::{devices, largest_difference, random};

    #[test]
    fn it_equals_the_sum_of_the_product() {
        for device in devices() {
            device.seed(5);
            let shape = [2, 3, 4, 5];
            let (x, gradient) = (random(shape, &device), random(shape, &device));
            let [seeded, summed] = [
                seeded as fn(Tensor<4>, Tensor<4>) -> Tensor<1>,
                |y: Tensor<4>, gradient: Tensor<4>| (y * gradient).sum(),
            ]
            .map(|number| {
                let leaf = x.clone().autodiff().require_grad();
                let root = number(leaf.clone().sin() * 2.0, gradient.clone());
                leaf.grad(&root.backward()).expect("the leaf is tracked")
            });
            assert_eq!(largest_difference(seeded, summed), 0.0);
        }
    }
}
