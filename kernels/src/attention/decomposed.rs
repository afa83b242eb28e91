//! Attention in an engine's primitives: its own forward pass, and a backward pass that makes the
//! scores again for a few queries at a time.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Scalar, TensorMetadata};
use burn::tensor::ops::AttentionModuleOptions;
use burn::tensor::{Shape, Slice, TensorData};

use super::AttentionOptions;
use crate::primitives::{narrowed, widened};

/// Score elements that the backward pass holds at once, over all heads: 32 MiB in f32.
const SCORE_BUDGET: usize = 8 << 20;

/// `[batch, tokens, width]` as `[batch, heads, tokens, d_head]`.
fn split<B: Backend>(x: FloatTensor<B>, heads: usize) -> FloatTensor<B> {
    let [batch, tokens, width]: [usize; 3] = x.shape().dims();
    let x = B::float_reshape(x, Shape::from([batch, tokens, heads, width / heads]));
    B::float_swap_dims(x, 1, 2)
}

/// `[batch, heads, tokens, d_head]` as `[batch, tokens, width]`.
fn joined<B: Backend>(x: FloatTensor<B>) -> FloatTensor<B> {
    let [batch, heads, tokens, d_head]: [usize; 4] = x.shape().dims();
    let x = B::float_swap_dims(x, 1, 2);
    B::float_reshape(x, Shape::from([batch, tokens, heads * d_head]))
}

/// The engine's own attention.
pub fn forward<B: Backend>(
    q: FloatTensor<B>,
    k: FloatTensor<B>,
    v: FloatTensor<B>,
    AttentionOptions { heads, causal }: AttentionOptions,
) -> FloatTensor<B> {
    let [q, k, v] = [q, k, v].map(|x| split::<B>(x, heads));
    let [queries, keys] = [&q, &k].map(|x| x.shape().dims::<4>()[2]);
    // burn's causal mask lets the last query see the last key, whatever their numbers; here a query
    // sees the keys up to its own place.
    let is_causal = causal && queries == keys;
    let bias = (causal && !is_causal).then(|| unseen::<B>(&q, 0, queries, keys));
    let options = AttentionModuleOptions { is_causal, ..Default::default() };
    joined::<B>(B::attention(q, k, v, None, bias, options))
}

/// Gradients of q, k and v, the scores recomputed for a chunk of queries at a time.
///
/// With `P = softmax(S)`: `dV = Pᵀ dO`, `dP = dO Vᵀ`,
/// `dS = P ∘ (dP - rowsum(P ∘ dP))`, `dQ = dS K / √d`, `dK = dSᵀ Q / √d`.
pub fn backward<B: Backend>(
    q: FloatTensor<B>,
    k: FloatTensor<B>,
    v: FloatTensor<B>,
    grad: FloatTensor<B>,
    AttentionOptions { heads, causal }: AttentionOptions,
) -> (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>) {
    let like = q.dtype();
    let [q, k, v, grad] = [q, k, v, grad].map(|x| split::<B>(x, heads));
    let [batch, _, tokens_q, d_head]: [usize; 4] = q.shape().dims();
    let tokens_k = k.shape().dims::<4>()[2];
    let chunk = (SCORE_BUDGET / (batch * heads * tokens_k)).clamp(1, tokens_q);
    let scale: Scalar = (1.0 / (d_head as f64).sqrt()).into();
    let k_t = B::float_transpose(k.clone()); // [b, h, d, n_k]
    let v_t = B::float_transpose(v); // [b, h, d, n_k]
    let mut grad_q = Vec::with_capacity(tokens_q.div_ceil(chunk));
    let (mut grad_k, mut grad_v) = (None, None);
    for start in (0..tokens_q).step_by(chunk) {
        let end = (start + chunk).min(tokens_q);
        let q_chunk = queries::<B>(&q, start, end); // [b, h, c, d]
        let g_chunk = queries::<B>(&grad, start, end); // [b, h, c, d]
        let scores = widened::<B>(B::float_matmul(q_chunk.clone(), k_t.clone()));
        let mut scores = B::float_mul_scalar(scores, scale);
        if causal {
            let unseen = unseen::<B>(&scores, start, end, tokens_k);
            scores = B::float_add(scores, unseen);
        }
        let p = B::softmax(scores, 3); // [b, h, c, n_k]
        let p_narrow = narrowed::<B>(p.clone(), like);
        add::<B>(&mut grad_v, B::float_matmul(B::float_transpose(p_narrow), g_chunk.clone()));
        let p_dp = B::float_mul(p.clone(), widened::<B>(B::float_matmul(g_chunk, v_t.clone())));
        let rows = B::float_sum_dim(p_dp.clone(), 3); // [b, h, c, 1]
        let grad_s = B::float_mul_scalar(B::float_sub(p_dp, B::float_mul(p, rows)), scale);
        let grad_s = narrowed::<B>(grad_s, like);
        grad_q.push(B::float_matmul(grad_s.clone(), k.clone())); // [b, h, c, d]
        add::<B>(&mut grad_k, B::float_matmul(B::float_transpose(grad_s), q_chunk));
    }
    let some = "a tensor has at least one token, so there was at least one chunk";
    let (d_k, d_v) = (grad_k.expect(some), grad_v.expect(some));
    (joined::<B>(B::float_cat(grad_q, 2)), joined::<B>(d_k), joined::<B>(d_v))
}

/// What hides from queries `start..end` the keys after their own place, `[1, 1, queries, keys]`.
fn unseen<B: Backend>(
    like: &FloatTensor<B>,
    start: usize,
    end: usize,
    keys: usize,
) -> FloatTensor<B> {
    let row = |query: usize| (0..keys).map(move |key| if key > query { -1e30f32 } else { 0.0 });
    let values: Vec<f32> = (start..end).flat_map(row).collect();
    let mask =
        B::float_from_data(TensorData::new(values, [1, 1, end - start, keys]), &like.device());
    B::float_cast(mask, like.dtype().into())
}

/// Rows `start..end` of the token dimension.
fn queries<B: Backend>(x: &FloatTensor<B>, start: usize, end: usize) -> FloatTensor<B> {
    let [batch, heads, _, d_head]: [usize; 4] = x.shape().dims();
    let rows = [0..batch, 0..heads, start..end, 0..d_head].map(Slice::from);
    B::float_slice(x.clone(), &rows)
}

fn add<B: Backend>(sum: &mut Option<FloatTensor<B>>, term: FloatTensor<B>) {
    *sum = Some(match sum.take() {
        Some(sum) => B::float_add(sum, term),
        None => term,
    });
}
