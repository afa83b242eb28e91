//! Frozen and low-rank linear layers against burn's own.

use burn::tensor::{Device, module::linear};

use super::*;
use crate::testing::{devices, largest_difference, random};

fn matrix(shape: [usize; 2], device: &Device) -> Tensor<2> {
    random([1, 1, shape[0], shape[1]], device).reshape(shape)
}

/// Rows, inputs, outputs, rank: odd sizes, one block and several.
const CASES: [[usize; 4]; 4] = [[3, 5, 7, 2], [1, 1, 1, 1], [77, 300, 64, 16], [130, 800, 130, 4]];

fn difference<const D: usize>(got: Tensor<D>, want: Tensor<D>) -> f32 {
    let length = got.dims().iter().product();
    largest_difference(got.reshape([1, 1, 1, length]), want.reshape([1, 1, 1, length]))
}

#[test]
fn it_equals_the_decomposition_with_all_gradients() {
    for device in devices() {
        device.seed(21);
        for [rows, d_in, d_out, rank] in CASES {
            let leaf = |shape| matrix(shape, &device).autodiff().require_grad();
            let (x, down, up) = (leaf([rows, d_in]), leaf([rank, d_in]), leaf([d_out, rank]));
            let weight = matrix([d_out, d_in], &device);
            let bias = matrix([1, d_out], &device).reshape([d_out]);
            let upstream = matrix([rows, d_out], &device);
            let run = |y: Tensor<2>| {
                let grads = (y.clone() * upstream.clone()).sum().backward();
                let grad = |x: &Tensor<2>| x.grad(&grads).expect("every leaf is tracked");
                [y.inner(), grad(&x), grad(&down), grad(&up)]
            };
            let update = LinearUpdate { down: down.clone(), up: up.clone(), scale: 0.7 };
            let got = run(lora_linear(x.clone(), weight.clone(), Some(bias.clone()), update));
            let low = x.clone().matmul(down.clone().transpose()) * 0.7;
            let base = linear(x.clone(), weight.transpose(), Some(bias));
            let want = run(base + low.matmul(up.clone().transpose()));
            for (got, want) in got.into_iter().zip(want) {
                assert!(difference(got, want) < 5e-6, "{rows} {d_in} {d_out} {rank}");
            }
        }
    }
}

#[test]
fn a_tracked_weight_and_bias_learn() {
    for device in devices() {
        device.seed(22);
        for [rows, d_in, d_out, _] in CASES {
            let leaf = |shape| matrix(shape, &device).autodiff().require_grad();
            let (x, weight) = (leaf([rows, d_in]), leaf([d_out, d_in]));
            let bias: Tensor<1> =
                matrix([1, d_out], &device).reshape([d_out]).autodiff().require_grad();
            let upstream = matrix([rows, d_out], &device);
            let run = |y: Tensor<2>| {
                let grads = (y.clone() * upstream.clone()).sum().backward();
                let grad = |x: &Tensor<2>| x.grad(&grads).expect("every leaf is tracked");
                let of_bias = bias.grad(&grads).expect("the bias is tracked");
                [y.inner(), grad(&x), grad(&weight), of_bias.reshape([1, d_out])]
            };
            let got = run(super::linear(x.clone(), weight.clone(), Some(bias.clone())));
            let want = run(linear(x.clone(), weight.clone().transpose(), Some(bias.clone())));
            for (got, want) in got.into_iter().zip(want) {
                assert!(difference(got, want) < 5e-6, "{rows} {d_in} {d_out}");
            }
        }
    }
}

#[test]
fn half_precision_weights_are_widened_as_they_are_read() {
    use burn::tensor::FloatDType;
    for device in devices() {
        for half in [FloatDType::F16, FloatDType::BF16] {
            let x = matrix([9, 70], &device).autodiff().require_grad();
            let stored = matrix([40, 70], &device).cast(half);
            let run = |weight: Tensor<2>| {
                let y = linear_frozen(x.clone(), weight, None);
                let grads = y.clone().square().sum().backward();
                [y.inner(), x.grad(&grads).expect("the leaf is tracked")]
            };
            let wide = run(stored.clone().cast(FloatDType::F32));
            for (got, want) in run(stored).into_iter().zip(wide) {
                assert_eq!(difference(got, want), 0.0);
            }
        }
    }
}

#[test]
fn leading_dimensions_are_kept() {
    for device in devices() {
        let x = random([2, 3, 5, 8], &device);
        let weight = matrix([6, 8], &device);
        let y = linear_frozen(x.clone(), weight.clone(), None);
        assert_eq!(y.dims(), [2, 3, 5, 6]);
        let rows = linear_frozen(x.reshape([30, 8]), weight, None);
        assert_eq!(difference(y.reshape([30, 6]), rows), 0.0);
    }
}

#[test]
fn only_what_is_tracked_makes_a_tracked_output() {
    for device in devices() {
        let (x, weight) = (matrix([2, 3], &device), matrix([4, 3], &device));
        assert!(!linear_frozen(x.clone(), weight.clone(), None).is_autodiff());
        assert!(!linear_frozen(x.clone().autodiff(), weight.clone(), None).is_tracked());
        let (down, up) = (matrix([1, 3], &device), matrix([4, 1], &device));
        let update = |down: Tensor<2>, up: Tensor<2>| LinearUpdate { down, up, scale: 1.0 };
        let plain = lora_linear(x.clone(), weight.clone(), None, update(down.clone(), up.clone()));
        assert!(!plain.is_autodiff());
        let learning = update(down.autodiff().require_grad(), up.autodiff().require_grad());
        assert!(lora_linear(x.autodiff(), weight, None, learning).is_tracked());
    }
}
