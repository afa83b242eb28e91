//! What the tests of several operations need.

use burn::backend::tensor::FloatTensor;
use burn::tensor::{Device, Distribution, Shape, Tensor};

use crate::slices::{InMemory, elements, filled};

/// Every engine that runs on this machine's processor, to be tested in turn.
pub fn devices() -> Vec<Device> {
    vec![
        #[cfg(feature = "flex")]
        Device::flex(),
        #[cfg(feature = "tch")]
        Device::libtorch(),
        #[cfg(feature = "cubecl-cpu")]
        Device::cpu(),
    ]
}

/// Calls a function that is generic over the engine, for each one.
macro_rules! on_each_engine {
    ($run:ident) => {
        #[cfg(feature = "flex")]
        $run::<burn::backend::Flex>();
        #[cfg(feature = "tch")]
        $run::<burn::backend::LibTorch>();
    };
}
pub(crate) use on_each_engine;

/// Standard normal values.
pub fn random(shape: [usize; 4], device: &Device) -> Tensor<4> {
    Tensor::random(shape, Distribution::Normal(0.0, 1.0), device)
}

/// The largest difference, relative to the largest value where that is above one.
pub fn largest_difference(got: Tensor<4>, want: Tensor<4>) -> f32 {
    let size = want.clone().abs().max().into_scalar::<f32>();
    (got - want).abs().max().into_scalar::<f32>() / size.max(1.0)
}

/// `f(x)` and the gradient of x for an upstream gradient that depends on the output.
pub fn with_gradient(x: &Tensor<4>, f: impl Fn(Tensor<4>) -> Tensor<4>) -> [Tensor<4>; 2] {
    let leaf = x.clone().autodiff().require_grad();
    let out = f(leaf.clone());
    let upstream = (out.clone().inner() * 1.3 + 0.2).sin();
    let grads = (out.clone() * upstream).sum().backward();
    [out.inner(), leaf.grad(&grads).expect("the leaf is tracked")]
}

/// The gradient along a direction is what a small step along it changes.
pub fn assert_slope(x: &Tensor<4>, f: impl Fn(Tensor<4>) -> Tensor<4>) {
    let device = x.device();
    let direction = random(x.dims(), &device);
    let weight = random(f(x.clone()).dims(), &device);
    let loss = |x: Tensor<4>| (f(x) * weight.clone()).sum();
    let leaf = x.clone().autodiff().require_grad();
    let grads = loss(leaf.clone()).backward();
    let slope = leaf.grad(&grads).expect("the leaf is tracked");
    let along = (slope * direction.clone()).sum().into_scalar::<f32>();
    let step = 1e-2;
    let ahead = loss(x.clone() + direction.clone() * step).into_scalar::<f32>();
    let behind = loss(x.clone() - direction * step).into_scalar::<f32>();
    let measured = (ahead - behind) / (2.0 * step as f32);
    let size = along.abs().max(1.0);
    assert!((measured - along).abs() < 5e-3 * size, "{measured} against {along}");
}

/// A wave of an engine's own, another for each `pitch`.
pub fn wave<S: InMemory, const D: usize>(shape: [usize; D], pitch: f32) -> FloatTensor<S> {
    filled::<S>(Shape::from(shape), usize::MAX, |_: usize, values: &mut [f32]| {
        let waved = values.iter_mut().enumerate();
        waved.for_each(|(i, value)| *value = (i as f32 * pitch).sin());
    })
}

/// Two of an engine's tensors have to be within 1e-5 of each other.
pub fn assert_close<S: InMemory>([a, b]: [FloatTensor<S>; 2]) {
    let [a, b] = [a, b].map(S::contiguous);
    for (a, b) in elements::<S>(&a).iter().zip(elements::<S>(&b)) {
        assert!((a - b).abs() < 1e-5, "{a} against {b}");
    }
}
