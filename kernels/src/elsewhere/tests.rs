//! What is done elsewhere against what is done here.

use burn::backend::TensorMetadata;

use super::*;
use crate::conv_frozen::FrozenConv;
use crate::group_norm::FrozenGroupNorm;
use crate::layer_norm::FrozenLayerNorm;
use crate::slices::InMemory;
use crate::testing::{assert_close, on_each_engine, wave};

#[test]
fn a_weights_gradient_is_the_same_elsewhere() {
    fn run<S: InMemory>() {
        let cases = [
            ([2, 3, 7, 9], 3, 1, (1, 1)),
            ([1, 4, 5, 5], 1, 1, (0, 0)),
            ([2, 3, 8, 6], 3, 2, (0, 1)),
        ];
        for (shape, k, stride, edges) in cases {
            let options = ConvOptions::new_with_padding([stride; 2], [edges; 2], [1; 2], 1);
            let x = wave::<S, 4>(shape, 0.37);
            let weight = wave::<S, 4>([5, shape[1], k, k], 0.21);
            let y = S::conv2d(x.clone(), weight.clone(), None, options.clone());
            let grad = wave::<S, 4>(y.shape().dims(), 0.11);
            let here = [x.clone(), weight.clone(), grad.clone()];
            let [a, b, c] = here;
            let here = S::conv2d_weight_gradient(a, b, c, options.clone());
            assert_close::<S>([here, S::weight_gradient(x, weight, grad, options)]);
        }
    }
    on_each_engine!(run);
}

#[test]
fn padding_puts_zeros_around() {
    fn run<S: InMemory>() {
        let x = wave::<S, 4>([2, 3, 4, 5], 0.37);
        let padded = S::padded(x.clone(), [(0, 1), (2, 0)]);
        assert_eq!(padded.shape().dims::<4>(), [2, 3, 5, 7]);
        let inner = [0..2, 0..3, 0..4, 2..7].map(burn::tensor::Slice::from);
        assert_close::<S>([S::float_slice(padded.clone(), &inner), x.clone()]);
        let sum = |x| S::float_reshape(S::float_sum(x), burn::tensor::Shape::from([1]));
        assert_close::<S>([sum(padded), sum(x)]);
    }
    on_each_engine!(run);
}

#[test]
fn normalisations_and_their_gradients_are_the_same_elsewhere() {
    fn run<S: InMemory>() {
        for silu in [false, true] {
            let options = GroupNormOptions { groups: 2, epsilon: 1e-5, silu };
            let x = || wave::<S, 4>([2, 4, 3, 5], 0.37);
            let grad = || wave::<S, 4>([2, 4, 3, 5], 0.11);
            let affine = || [wave::<S, 1>([4], 0.9), wave::<S, 1>([4], 0.7)];
            let [gamma, beta] = affine();
            let here = S::frozen_group_norm(x(), gamma, beta, options);
            assert_close::<S>([here, <S as Elsewhere>::group_norm(x(), affine(), options)]);
            let [gamma, beta] = affine();
            let here = S::frozen_group_norm_backward(x(), gamma, beta, grad(), options);
            assert_close::<S>([here, S::group_norm_backward(x(), affine(), grad(), options)]);
            let [gamma, beta] = affine();
            let here = S::group_norm_affine_gradient(x(), gamma, beta, grad(), options);
            let there = S::group_norm_affine(x(), affine(), grad(), options);
            assert_close::<S>([here, there].map(|parts| S::float_sum_dim(parts, 0)));
        }
        let (x, grad) = (|| wave::<S, 2>([6, 5], 0.37), || wave::<S, 2>([6, 5], 0.11));
        let gamma = || wave::<S, 1>([5], 0.9);
        let here = S::frozen_layer_norm_backward(x(), gamma(), grad(), 1e-5);
        assert_close::<S>([here, S::layer_norm_backward(x(), gamma(), grad(), 1e-5)]);
    }
    on_each_engine!(run);
}
