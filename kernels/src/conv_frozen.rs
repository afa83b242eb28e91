//! A convolution whose weight never learns.
//!
//! `y = W * x + b`, so `dx = Wᵀ * dy`: only the weight and the shape of `x` are
//! needed. burn's autodiff keeps `x` for the gradient of `W` even where nobody
//! asks for it.
//! Source: Dumoulin and Visin 2016, <https://arxiv.org/abs/1603.07285>, section 4.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, TensorMetadata, backend_extension};
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Shape, Tensor};

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
    assert!(
        !weight.is_tracked() && !bias.as_ref().is_some_and(|bias| bias.is_tracked()),
        "a frozen convolution's weight and bias have no gradient"
    );
    // An extension takes no optional tensors.
    let none = || Tensor::zeros([weight.dims()[0]], (&weight.device(), weight.dtype()));
    let bias = bias.unwrap_or_else(none);
    Tensor::from_dispatch(Dispatch::frozen_conv2d(
        x.into_dispatch(),
        weight.into_dispatch(),
        bias.into_dispatch(),
        options,
    ))
}

/// The engine's side of [`conv_frozen`].
#[backend_extension(
    Flex: cfg(feature = "flex"),
    LibTorch: cfg(feature = "tch"),
    Cube: cfg(any(feature = "cuda", feature = "wgpu", feature = "vulkan", feature = "metal")),
    Fusion: cfg(any(feature = "cuda", feature = "wgpu", feature = "vulkan", feature = "metal")),
    Autodiff
)]
pub trait FrozenConv: Backend {
    /// `W * x + b`: the engine's own.
    #[fusion(default)]
    fn frozen_conv2d(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        options: ConvOptions<2>,
    ) -> FloatTensor<Self> {
        Self::conv2d(x, weight, Some(bias), options)
    }
}

#[cfg(feature = "flex")]
impl FrozenConv for burn::backend::Flex {}

#[cfg(feature = "tch")]
impl FrozenConv for burn::backend::LibTorch {}

#[cfg(any(feature = "cuda", feature = "wgpu", feature = "vulkan", feature = "metal"))]
impl FrozenConv for crate::device::CubeEngine {}

impl<B: FrozenConv, C: CheckpointStrategy> FrozenConv for Autodiff<B, C> {
    fn frozen_conv2d(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        options: ConvOptions<2>,
    ) -> FloatTensor<Self> {
        let (x, node) = x.into_parts();
        let (weight, bias) = (weight.into_primitive(), bias.into_primitive());
        match ConvBackward.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => {
                let state = (x.shape(), weight.clone(), options.clone());
                prepared.finish(state, B::frozen_conv2d(x, weight, bias, options))
            }
            OpsKind::UnTracked(prepared) => {
                prepared.finish(B::frozen_conv2d(x, weight, bias, options))
            }
        }
    }
}

#[derive(Debug)]
struct ConvBackward;

impl<B: FrozenConv> Backward<B, 1> for ConvBackward {
    type State = (Shape, FloatTensor<B>, ConvOptions<2>);

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let [node] = ops.parents;
        let grad = grads.consume::<B>(&ops.node);
        let (shape, weight, options) = ops.state;
        if let Some(node) = node {
            // burn's function asks for x itself, and reads its shape only.
            let (device, dtype) = (grad.device(), grad.dtype().into());
            let x = B::float_empty(shape, &device, dtype);
            let grad = B::conv2d_x_backward(x, weight, grad, options);
            grads.register::<B>(node.id, grad);
        }
    }
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use burn::tensor::module::conv2d;
    use burn::tensor::{Device, Distribution};

    use super::*;
    use crate::testing::{largest_difference, random};

    /// (input, output channels, kernel, stride, padding): odd sizes, and the autoencoder's halving.
    type Case = ([usize; 4], usize, usize, usize, (usize, usize));
    const CASES: [Case; 6] = [
        ([2, 3, 7, 9], 5, 3, 1, (1, 1)),
        ([1, 4, 5, 5], 6, 1, 1, (0, 0)),
        ([2, 3, 9, 7], 3, 3, 2, (1, 1)),
        ([2, 3, 8, 6], 3, 3, 2, (1, 1)),
        ([1, 3, 8, 10], 4, 3, 2, (0, 1)),
        ([1, 3, 7, 9], 4, 3, 2, (0, 1)),
    ];

    #[test]
    fn it_equals_the_engines_convolution_with_its_gradient() {
        let device = Device::flex();
        device.seed(3);
        for case in CASES {
            let (shape, c_out, k, stride, padding) = case;
            let weight = random([c_out, shape[1], k, k], &device);
            let bias: Tensor<1> = Tensor::random([c_out], Distribution::Default, &device);
            let x = random(shape, &device).autodiff().require_grad();
            let options = ConvOptions::new_with_padding([stride; 2], [padding; 2], [1; 2], 1);
            let run = |f: fn(Tensor<4>, _, _, _) -> Tensor<4>| {
                let out = f(x.clone(), weight.clone(), Some(bias.clone()), options.clone());
                let upstream = out.clone().inner().sin();
                let grads = (out.clone() * upstream).sum().backward();
                [out.inner(), x.grad(&grads).expect("the leaf is tracked")]
            };
            for (got, want) in run(conv_frozen).into_iter().zip(run(conv2d)) {
                assert!(largest_difference(got, want) < 1e-5, "{case:?}");
            }
        }
    }

    #[test]
    fn only_a_tracked_input_makes_a_tracked_output() {
        let device = Device::flex();
        let weight = random([2, 3, 3, 3], &device);
        let options = || ConvOptions::new([1; 2], [1; 2], [1; 2], 1);
        let x = random([1, 3, 4, 4], &device);
        let plain = conv_frozen(x.clone(), weight.clone(), None, options());
        assert!(!plain.is_autodiff());
        let constant = conv_frozen(x.clone().autodiff(), weight.clone(), None, options());
        assert!(!constant.is_tracked());
        let leaf = x.autodiff().require_grad();
        assert!(conv_frozen(leaf, weight, None, options()).is_tracked());
    }

    #[test]
    #[should_panic(expected = "have no gradient")]
    fn a_weight_that_learns_is_refused() {
        let device = Device::flex();
        let weight = random([2, 3, 1, 1], &device).autodiff().require_grad();
        let options = ConvOptions::new([1; 2], [0; 2], [1; 2], 1);
        conv_frozen(random([1, 3, 4, 4], &device), weight, None, options);
    }
}
