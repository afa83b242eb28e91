//! Layer normalisation against its decomposition, with gradients.

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
            let got = with_gradient(&x, |x| layer_norm(x, gamma.clone(), beta.clone(), 1e-5));
            let want = with_gradient(&x, |x| decomposed(x, gamma.clone(), beta.clone()));
            for (got, want) in got.into_iter().zip(want) {
                assert!(largest_difference(got, want) < 1e-5, "{shape:?}");
            }
        }
    }
}

#[test]
fn a_tracked_scale_and_shift_learn() {
    for device in devices() {
        device.seed(9);
        for shape in [[2, 3, 5, 7], [1, 1, 3, 1], [1, 1, 300, 320]] {
            let (gamma, beta) = affine(shape[3], &device);
            let (gamma, beta) = (gamma.autodiff().require_grad(), beta.autodiff().require_grad());
            let x = (random(shape, &device) * 2.0 + 3.0).autodiff().require_grad();
            let run = |y: Tensor<4>| {
                let upstream = y.clone().inner().sin();
                let grads = (y * upstream).sum().backward();
                let row = |leaf: &Tensor<1>| {
                    leaf.grad(&grads).expect("tracked").reshape([1, 1, 1, shape[3]])
                };
                [x.grad(&grads).expect("tracked"), row(&gamma), row(&beta)]
            };
            let got = run(layer_norm(x.clone(), gamma.clone(), beta.clone(), 1e-5));
            let want = run(decomposed(x.clone(), gamma.clone(), beta.clone()));
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
        let run = |x| with_gradient(&x, |x| layer_norm(x, gamma.clone(), beta.clone(), 1e-5));
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
        assert_slope(&x, |x| layer_norm(x, gamma.clone(), beta.clone(), 1e-5));
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
        assert_close::<S>([slices, backward::<S>(x.clone(), gamma, grad.clone(), 1e-5)]);
        let slices = S::layer_norm_affine_gradient(x.clone(), grad.clone(), 1e-5);
        let slices = S::float_sum_dim(slices, 0);
        assert_close::<S>([slices, learned::affine_gradient::<S>(x, grad, 1e-5)]);
    }
    on_each_engine!(run);
}

#[test]
fn only_a_tracked_input_makes_a_tracked_output() {
    for device in devices() {
        let (gamma, beta) = affine(4, &device);
        let run = |x| layer_norm(x, gamma.clone(), beta.clone(), 1e-5);
        let x = random([1, 2, 3, 4], &device);
        assert!(!run(x.clone()).is_autodiff());
        assert!(!run(x.clone().autodiff()).is_tracked());
        assert!(run(x.autodiff().require_grad()).is_tracked());
    }
}
