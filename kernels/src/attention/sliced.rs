//! Attention over slices.

use super::*;
use crate::cpu::attention::{
    self, Gradients as Into, Inputs, Mask, Strides, Upstream, View, ViewMut,
};
use crate::slices::{InMemory, elements, sliceable};

/// Sizes of attention between tokens of `q` and of `k`, both `[batch, tokens, width]`.
fn sizes(q: &Shape, k: &Shape, heads: usize) -> attention::Shape {
    let ([batch, tokens_q, width], [_, tokens_k, _]): ([usize; 3], [usize; 3]) =
        (q.dims(), k.dims());
    attention::Shape { batch, heads, tokens_q, tokens_k, d_head: width / heads }
}

/// Where heads lie that are side by side in each of `tokens` tokens.
fn strides(shape: &attention::Shape, tokens: usize) -> Strides {
    let width = shape.heads * shape.d_head;
    Strides { batch: tokens * width, head: shape.d_head, token: width }
}

fn inputs<'a, S: InMemory>(
    shape: &attention::Shape,
    [q, k, v]: [&'a FloatTensor<S>; 3],
    causal: bool,
) -> Inputs<'a> {
    let view = |x, tokens| View { data: elements::<S>(x), strides: strides(shape, tokens) };
    let mask = if causal { Mask::Causal } else { Mask::None };
    let (q, k) = (view(q, shape.tokens_q), view(k, shape.tokens_k));
    Inputs { q, k, v: view(v, shape.tokens_k), mask }
}

/// The output, and the logarithm of each query's sum.
pub fn forward<S: InMemory>(
    inputs_of: [FloatTensor<S>; 3],
    AttentionOptions { heads, causal }: AttentionOptions,
) -> (FloatTensor<S>, FloatTensor<S>) {
    let [q, k, v] = inputs_of.map(S::contiguous);
    let shape = sizes(&q.shape(), &k.shape(), heads);
    let inputs = inputs::<S>(&shape, [&q, &k, &v], causal);
    let mut sums = vec![0.0; shape.batch * heads * shape.tokens_q];
    let strides = strides(&shape, shape.tokens_q);
    let out = S::made(q.shape(), |data| {
        attention::forward(shape, inputs, ViewMut { data, strides }, &mut sums);
    });
    let of_sums = Shape::from([shape.batch, heads, shape.tokens_q]);
    (out, S::made(of_sums, |kept| kept.copy_from_slice(&sums)))
}

/// The gradients of q, k and v.
pub fn backward<S: InMemory>(
    inputs_of: [FloatTensor<S>; 3],
    [out, sums, grad]: [FloatTensor<S>; 3],
    AttentionOptions { heads, causal }: AttentionOptions,
) -> (FloatTensor<S>, FloatTensor<S>, FloatTensor<S>) {
    let [q, k, v] = inputs_of.map(S::contiguous);
    let (out, sums, grad) = (S::contiguous(out), S::contiguous(sums), S::contiguous(grad));
    let shape = sizes(&q.shape(), &k.shape(), heads);
    let inputs = inputs::<S>(&shape, [&q, &k, &v], causal);
    let (of_q, of_k) = (strides(&shape, shape.tokens_q), strides(&shape, shape.tokens_k));
    let view = |x| View { data: elements::<S>(x), strides: of_q };
    let upstream =
        Upstream { out: view(&out), logsumexp: elements::<S>(&sums), grad_out: view(&grad) };
    let (mut d_k, mut d_v) = (None, None);
    let d_q = S::made(q.shape(), |data_q| {
        d_k = Some(S::made(k.shape(), |data_k| {
            d_v = Some(S::made(v.shape(), |data_v| {
                let into = Into {
                    q: ViewMut { data: data_q, strides: of_q },
                    k: ViewMut { data: data_k, strides: of_k },
                    v: ViewMut { data: data_v, strides: of_k },
                };
                attention::backward(shape, inputs, upstream, into);
            }));
        }));
    });
    let made = "made inside the one before";
    (d_q, d_k.expect(made), d_v.expect(made))
}

impl<S: InMemory> FusedAttention for S {
    fn fused_attention(
        q: FloatTensor<Self>,
        k: FloatTensor<Self>,
        v: FloatTensor<Self>,
        options: AttentionOptions,
    ) -> FloatTensor<Self> {
        match sliceable::<Self>(&q) {
            true => forward::<Self>([q, k, v], options).0,
            false => decomposed::forward::<Self>(q, k, v, options),
        }
    }

    fn fused_attention_forward(
        q: FloatTensor<Self>,
        k: FloatTensor<Self>,
        v: FloatTensor<Self>,
        options: AttentionOptions,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        match sliceable::<Self>(&q) {
            true => forward::<Self>([q, k, v], options),
            false => {
                let out = decomposed::forward::<Self>(q, k, v, options);
                (out.clone(), out)
            }
        }
    }

    fn fused_attention_backward(
        q: FloatTensor<Self>,
        k: FloatTensor<Self>,
        v: FloatTensor<Self>,
        out: FloatTensor<Self>,
        kept: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        options: AttentionOptions,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        match sliceable::<Self>(&q) {
            true => backward::<Self>([q, k, v], [out, kept, grad], options),
            false => decomposed::backward::<Self>(q, k, v, grad, options),
        }
    }
}
