//! Frozen and low-rank convolutions against burn's own.

use burn::tensor::Distribution;
use burn::tensor::module::conv2d;

use super::*;
use crate::testing::{devices, largest_difference, random};

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
    for device in devices() {
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
}

#[test]
fn a_tracked_weight_and_bias_learn() {
    for device in devices() {
        device.seed(6);
        for case in CASES {
            let (shape, c_out, k, stride, padding) = case;
            let leaf = |shape| random(shape, &device).autodiff().require_grad();
            let (x, weight) = (leaf(shape), leaf([c_out, shape[1], k, k]));
            let bias: Tensor<1> = Tensor::random([c_out], Distribution::Default, &device);
            let bias = bias.autodiff().require_grad();
            let options = ConvOptions::new_with_padding([stride; 2], [padding; 2], [1; 2], 1);
            let run = |f: fn(Tensor<4>, _, _, _) -> Tensor<4>| {
                let y = f(x.clone(), weight.clone(), Some(bias.clone()), options.clone());
                let upstream = y.clone().inner().sin();
                let grads = (y.clone() * upstream).sum().backward();
                let grad = |x: &Tensor<4>| x.grad(&grads).expect("every leaf is tracked");
                let of_bias = bias.grad(&grads).expect("the bias is tracked");
                [y.inner(), grad(&x), grad(&weight), of_bias.reshape([1, 1, 1, c_out])]
            };
            for (got, want) in run(conv).into_iter().zip(run(conv2d)) {
                assert!(largest_difference(got, want) < 1e-5, "{case:?}");
            }
        }
    }
}

#[test]
fn only_a_tracked_input_makes_a_tracked_output() {
    for device in devices() {
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
}

#[test]
#[should_panic(expected = "have no gradient")]
fn a_weight_that_learns_is_refused() {
    for device in devices() {
        let weight = random([2, 3, 1, 1], &device).autodiff().require_grad();
        let options = ConvOptions::new([1; 2], [0; 2], [1; 2], 1);
        conv_frozen(random([1, 3, 4, 4], &device), weight, None, options);
    }
}

#[test]
fn a_low_rank_update_equals_its_two_convolutions_with_all_gradients() {
    for device in devices() {
        device.seed(4);
        for case in CASES {
            let (shape, c_out, k, stride, padding) = case;
            let options = ConvOptions::new_with_padding([stride; 2], [padding; 2], [1; 2], 1);
            let leaf = |shape| random(shape, &device).autodiff().require_grad();
            let (x, down, up) = (leaf(shape), leaf([2, shape[1], k, k]), leaf([c_out, 2, 1, 1]));
            let weight = random([c_out, shape[1], k, k], &device);
            let run = |y: Tensor<4>| {
                let upstream = y.clone().inner().sin();
                let grads = (y.clone() * upstream).sum().backward();
                let grad = |x: &Tensor<4>| x.grad(&grads).expect("every leaf is tracked");
                [y.inner(), grad(&x), grad(&down), grad(&up)]
            };
            let update = ConvUpdate { down: down.clone(), up: up.clone(), scale: 0.6 };
            let got = run(lora_conv(x.clone(), weight.clone(), None, update, options.clone()));
            let low = conv2d(x.clone(), down.clone(), None, options.clone()) * 0.6;
            let base = conv2d(x.clone(), weight, None, options);
            let want = run(base + conv2d(low, up.clone(), None, pointwise()));
            for (got, want) in got.into_iter().zip(want) {
                assert!(largest_difference(got, want) < 1e-5, "{case:?}");
            }
        }
    }
}
