//! Group normalisation against its decomposition, with gradients.

use burn::tensor::Device;
use burn::tensor::activation::silu;

use super::*;
use crate::slices::InMemory;
use crate::testing::{
    assert_close, assert_slope, devices, largest_difference, on_each_engine, random, wave,
    with_gradient,
};

fn decomposed(x: Tensor<4>, gamma: Tensor<1>, beta: Tensor<1>, groups: usize) -> Tensor<4> {
    let [batch, channels, height, width] = x.dims();
    let x = x.reshape([batch, groups, channels / groups * height * width]);
    let x = x.clone() - x.mean_dim(2);
    let x = x.clone() / (x.square().mean_dim(2) + 1e-5).sqrt();
    let x = x.reshape([batch, channels, height, width]);
    x * gamma.reshape([1, channels, 1, 1]) + beta.reshape([1, channels, 1, 1])
}

/// Odd sizes, one channel a group, one group, and a level of SD 1.5.
const CASES: [([usize; 4], usize); 4] =
    [([2, 6, 5, 7], 3), ([1, 4, 3, 3], 4), ([3, 5, 1, 9], 1), ([1, 64, 64, 64], 32)];

fn affine(channels: usize, device: &Device) -> (Tensor<1>, Tensor<1>) {
    let row = || random([channels, 1, 1, 1], device).reshape([channels]);
    (row() * 0.3 + 1.0, row() * 0.3)
}

#[test]
fn they_equal_the_decomposition_with_its_gradient() {
    for device in devices() {
        device.seed(5);
        for (shape, groups) in CASES {
            let (gamma, beta) = affine(shape[1], &device);
            let x = random(shape, &device) * 2.0 + 3.0;
            let ours = |f: fn(Tensor<4>, _, _, _, _) -> _| {
                with_gradient(&x, |x| f(x, gamma.clone(), beta.clone(), groups, 1e-5))
            };
            let burns = |x| decomposed(x, gamma.clone(), beta.clone(), groups);
            let pairs = [
                (ours(group_norm), with_gradient(&x, burns)),
                (ours(group_norm_silu), with_gradient(&x, |x| silu(burns(x)))),
            ];
            for (got, want) in pairs {
                for (got, want) in got.into_iter().zip(want) {
                    assert!(largest_difference(got, want) < 1e-5, "{shape:?} / {groups}");
                }
            }
        }
    }
}

#[test]
fn a_tracked_scale_and_shift_learn() {
    for device in devices() {
        device.seed(9);
        for (shape, groups) in CASES {
            let (gamma, beta) = affine(shape[1], &device);
            let (gamma, beta) = (gamma.autodiff().require_grad(), beta.autodiff().require_grad());
            let x = (random(shape, &device) * 2.0 + 3.0).autodiff().require_grad();
            let run = |y: Tensor<4>| {
                let upstream = y.clone().inner().sin();
                let grads = (y * upstream).sum().backward();
                let row = |leaf: &Tensor<1>| {
                    leaf.grad(&grads).expect("tracked").reshape([1, 1, 1, shape[1]])
                };
                [x.grad(&grads).expect("tracked"), row(&gamma), row(&beta)]
            };
            let ours = |f: fn(Tensor<4>, _, _, _, _) -> _| {
                run(f(x.clone(), gamma.clone(), beta.clone(), groups, 1e-5))
            };
            let burns = || decomposed(x.clone(), gamma.clone(), beta.clone(), groups);
            let pairs =
                [(ours(group_norm), run(burns())), (ours(group_norm_silu), run(silu(burns())))];
            for (got, want) in pairs {
                for (got, want) in got.into_iter().zip(want) {
                    assert!(largest_difference(got, want) < 1e-5, "{shape:?} / {groups}");
                }
            }
        }
    }
}

#[test]
fn the_primitives_and_the_slices_agree() {
    fn run<S: InMemory>() {
        let (shape, groups) = CASES[0];
        for silu in [false, true] {
            let options = GroupNormOptions { groups, epsilon: 1e-5, silu };
            let row = |pitch| wave::<S, 1>([shape[1]], pitch);
            let (x, grad) = (wave::<S, 4>(shape, 1.7), wave::<S, 4>(shape, 2.3));
            let (gamma, beta) = (row(0.9), row(0.4));
            let all = || (x.clone(), gamma.clone(), beta.clone());
            let ((a, b, c), (d, e, f)) = (all(), all());
            let slices = S::frozen_group_norm(a, b, c, options);
            assert_close::<S>([slices, forward::<S>(d, e, f, options)]);
            let ((a, b, c), (d, e, f)) = (all(), all());
            let slices = S::frozen_group_norm_backward(a, b, c, grad.clone(), options);
            assert_close::<S>([slices, backward::<S>(d, e, f, grad.clone(), options)]);
            let ((a, b, c), (d, e, f)) = (all(), all());
            let slices = S::group_norm_affine_gradient(a, b, c, grad.clone(), options);
            assert_close::<S>([slices, learned::affine_gradient::<S>(d, e, f, grad, options)]);
        }
    }
    on_each_engine!(run);
}

#[test]
fn their_gradient_is_the_slope_of_their_output() {
    for device in devices() {
        device.seed(8);
        let (gamma, beta) = affine(6, &device);
        let x = random([2, 6, 3, 5], &device);
        assert_slope(&x, |x| group_norm(x, gamma.clone(), beta.clone(), 2, 1e-5));
        assert_slope(&x, |x| group_norm_silu(x, gamma.clone(), beta.clone(), 2, 1e-5));
    }
}

#[test]
fn only_a_tracked_input_makes_a_tracked_output() {
    for device in devices() {
        let (gamma, beta) = affine(4, &device);
        let run = |x| group_norm_silu(x, gamma.clone(), beta.clone(), 2, 1e-5);
        let x = random([1, 4, 3, 3], &device);
        assert!(!run(x.clone()).is_autodiff());
        assert!(!run(x.clone().autodiff()).is_tracked());
        assert!(run(x.autodiff().require_grad()).is_tracked());
    }
}
