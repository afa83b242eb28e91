//! Attention against its decomposition.

use burn::tensor::{Device, activation::softmax};

use super::*;
use crate::slices::InMemory;
use crate::testing::{
    assert_close, assert_slope, devices, largest_difference, on_each_engine, random, wave,
};

/// `[batch, tokens, width]` of random numbers.
fn tokens(shape: [usize; 3], device: &Device) -> Tensor<3> {
    random([1, shape[0], shape[1], shape[2]], device).reshape(shape)
}

fn split(x: Tensor<3>, heads: usize) -> Tensor<4> {
    let [batch, tokens, width] = x.dims();
    x.reshape([batch, tokens, heads, width / heads]).swap_dims(1, 2)
}

fn reference(q: Tensor<3>, k: Tensor<3>, v: Tensor<3>, options: AttentionOptions) -> Tensor<3> {
    let ([batch, tokens, width], keys) = (q.dims(), k.dims()[1]);
    let [q, k, v] = [q, k, v].map(|x| split(x, options.heads));
    let d_head = q.dims()[3] as f64;
    let mut scores = q.matmul(k.transpose()) / d_head.sqrt();
    if options.causal {
        let device = scores.device().without_autodiff();
        let later = Tensor::<2>::ones([tokens, keys], &device).triu(1) * -1e30;
        scores = scores + later.unsqueeze::<4>();
    }
    softmax(scores, 3).matmul(v).swap_dims(1, 2).reshape([batch, tokens, width])
}

/// Heads, queries, keys, width of a head; cross-attention, odd sizes, several chunks.
const CASES: [[usize; 4]; 4] =
    [[3, 17, 5, 8], [2, 300, 300, 40], [8, 1100, 1100, 4], [1, 70, 77, 160]];

fn run(
    [q, k, v]: [&Tensor<3>; 3],
    f: impl Fn(Tensor<3>, Tensor<3>, Tensor<3>) -> Tensor<3>,
) -> [Tensor<4>; 4] {
    let [q, k, v] = [q, k, v].map(|x| x.clone().autodiff().require_grad());
    let out = f(q.clone(), k.clone(), v.clone());
    let upstream = (out.clone().inner() * 1.7 + 0.3).sin();
    let grads = (out.clone() * upstream).sum().backward();
    let grad = |x: &Tensor<3>| x.grad(&grads).expect("every leaf is tracked");
    [out.inner(), grad(&q), grad(&k), grad(&v)].map(Tensor::unsqueeze)
}

#[test]
fn it_equals_the_decomposition_with_its_gradients() {
    for device in devices() {
        device.seed(7);
        for [heads, queries, keys, d_head] in CASES {
            for causal in [false, true] {
                let options = AttentionOptions { heads, causal };
                let q = tokens([2, queries, heads * d_head], &device);
                let (k, v) = (
                    tokens([2, keys, heads * d_head], &device),
                    tokens([2, keys, heads * d_head], &device),
                );
                let got = run([&q, &k, &v], |q, k, v| attention(q, k, v, options));
                let want = run([&q, &k, &v], |q, k, v| reference(q, k, v, options));
                let named = ["o", "dq", "dk", "dv"].into_iter().zip(got.into_iter().zip(want));
                for (name, (got, want)) in named {
                    let off = largest_difference(got, want);
                    let case = format!("{heads} {queries} {keys} {d_head} {causal} {device:?}");
                    assert!(off < 2e-5, "{name} is off by {off:e} at {case}");
                }
            }
        }
    }
}

#[test]
fn the_primitives_and_the_slices_agree() {
    fn run<S: InMemory>() {
        for causal in [false, true] {
            let options = AttentionOptions { heads: 2, causal };
            let waves = [1.7, 0.9, 2.3, 0.4].map(|pitch| wave::<S, 3>([2, 9, 12], pitch));
            let ([q, k, v, grad], [q2, k2, v2, grad2]) = (waves.clone(), waves.clone());
            let primitives = decomposed::forward::<S>(q.clone(), k.clone(), v.clone(), options);
            let b = decomposed::backward::<S>(q, k, v, grad, options);
            let (q, k, v) = (q2.clone(), k2.clone(), v2.clone());
            let (out, kept) = S::fused_attention_forward(q, k, v, options);
            assert_close::<S>([out.clone(), primitives]);
            let a = S::fused_attention_backward(q2, k2, v2, out, kept, grad2, options);
            for pair in [[a.0, b.0], [a.1, b.1], [a.2, b.2]] {
                assert_close::<S>(pair);
            }
        }
    }
    on_each_engine!(run);
}

#[test]
fn its_gradient_is_the_slope_of_its_output() {
    for device in devices() {
        device.seed(11);
        let options = AttentionOptions { heads: 2, causal: true };
        let (k, v) = (tokens([1, 5, 8], &device), tokens([1, 5, 8], &device));
        assert_slope(&random([1, 1, 5, 8], &device), |q| {
            attention(q.squeeze_dim::<3>(0), k.clone(), v.clone(), options).unsqueeze()
        });
    }
}

#[test]
fn without_gradients_nothing_is_tracked() {
    for device in devices() {
        let x = tokens([1, 4, 8], &device);
        let options = AttentionOptions { heads: 2, causal: false };
        assert!(!attention(x.clone(), x.clone(), x, options).is_autodiff());
    }
}
