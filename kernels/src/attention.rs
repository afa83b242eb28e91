//! Scaled dot-product attention that never keeps its scores.
//!
//! `o = softmax(q kᵀ / √d) v`. burn's autodiff decomposes attention and keeps
//! the score matrix several times over: 2.6 GB for one layer of 4096 tokens and
//! 8 heads. Here the forward pass is the engine's own attention and the
//! backward pass recomputes the scores for a few queries at a time, so memory
//! grows with the tokens, not with their square.
//! Source: Dao et al. 2022, <https://arxiv.org/abs/2205.14135>, appendix B.4.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Scalar, TensorMetadata, backend_extension};
use burn::tensor::{Slice, Tensor};

/// Score elements that the backward pass holds at once, over all heads: 32 MiB in f32.
const SCORE_BUDGET: usize = 8 << 20;

/// Attention without mask over `[batch, heads, tokens, d_head]`.
///
/// `k` and `v` may have another number of tokens than `q` (cross-attention).
/// Returns `[batch, heads, tokens of q, d_head]`.
pub fn attention(q: Tensor<4>, k: Tensor<4>, v: Tensor<4>) -> Tensor<4> {
    Tensor::from_dispatch(Dispatch::fused_attention(
        q.into_dispatch(),
        k.into_dispatch(),
        v.into_dispatch(),
    ))
}

/// The engine's side of [`attention`].
#[backend_extension(
    Flex: cfg(feature = "flex"),
    LibTorch: cfg(feature = "tch"),
    Cube: cfg(any(feature = "cuda", feature = "wgpu", feature = "vulkan", feature = "metal")),
    Fusion: cfg(any(feature = "cuda", feature = "wgpu", feature = "vulkan", feature = "metal")),
    Autodiff
)]
pub trait FusedAttention: Backend {
    /// `softmax(q kᵀ / √d) v` over `[batch, heads, tokens, d_head]`: the engine's own.
    #[fusion(default)]
    fn fused_attention(
        q: FloatTensor<Self>,
        k: FloatTensor<Self>,
        v: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        Self::attention(q, k, v, None, None, Default::default())
    }
}

#[cfg(feature = "flex")]
impl FusedAttention for burn::backend::Flex {}

#[cfg(feature = "tch")]
impl FusedAttention for burn::backend::LibTorch {}

#[cfg(any(feature = "cuda", feature = "wgpu", feature = "vulkan", feature = "metal"))]
impl FusedAttention for crate::device::CubeEngine {}

impl<B: FusedAttention, C: CheckpointStrategy> FusedAttention for Autodiff<B, C> {
    fn fused_attention(
        q: FloatTensor<Self>,
        k: FloatTensor<Self>,
        v: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let ((q, node_q), (k, node_k), (v, node_v)) =
            (q.into_parts(), k.into_parts(), v.into_parts());
        let nodes = [node_q, node_k, node_v];
        match AttentionBackward.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => {
                let state = (q.clone(), k.clone(), v.clone());
                prepared.finish(state, B::fused_attention(q, k, v))
            }
            OpsKind::UnTracked(prepared) => prepared.finish(B::fused_attention(q, k, v)),
        }
    }
}

#[derive(Debug)]
struct AttentionBackward;

impl<B: FusedAttention> Backward<B, 3> for AttentionBackward {
    type State = (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>);

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let [node_q, node_k, node_v] = ops.parents;
        let grad_out = grads.consume::<B>(&ops.node);
        let (q, k, v) = ops.state;
        let [grad_q, grad_k, grad_v] = recomputed_backward::<B>(q, k, v, grad_out);
        for (node, grad) in [(node_q, grad_q), (node_k, grad_k), (node_v, grad_v)] {
            if let Some(node) = node {
                grads.register::<B>(node.id, grad);
            }
        }
    }
}

/// Gradients of q, k and v, the scores recomputed for a chunk of queries at a time.
///
/// With `P = softmax(S)`: `dV = Pᵀ dO`, `dP = dO Vᵀ`,
/// `dS = P ∘ (dP - rowsum(P ∘ dP))`, `dQ = dS K / √d`, `dK = dSᵀ Q / √d`.
fn recomputed_backward<B: Backend>(
    q: FloatTensor<B>,
    k: FloatTensor<B>,
    v: FloatTensor<B>,
    grad_out: FloatTensor<B>,
) -> [FloatTensor<B>; 3] {
    let [batch, heads, tokens_q, d_head]: [usize; 4] = q.shape().dims();
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
        let g_chunk = queries::<B>(&grad_out, start, end); // [b, h, c, d]
        let scores = B::float_mul_scalar(B::float_matmul(q_chunk.clone(), k_t.clone()), scale);
        let p = B::softmax(scores, 3); // [b, h, c, n_k]
        add::<B>(&mut grad_v, B::float_matmul(B::float_transpose(p.clone()), g_chunk.clone()));
        let p_dp = B::float_mul(p.clone(), B::float_matmul(g_chunk, v_t.clone()));
        let rows = B::float_sum_dim(p_dp.clone(), 3); // [b, h, c, 1]
        let grad_s = B::float_mul_scalar(B::float_sub(p_dp, B::float_mul(p, rows)), scale);
        grad_q.push(B::float_matmul(grad_s.clone(), k.clone())); // [b, h, c, d]
        add::<B>(&mut grad_k, B::float_matmul(B::float_transpose(grad_s), q_chunk));
    }
    let some = "a tensor has at least one token, so there was at least one chunk";
    [B::float_cat(grad_q, 2), grad_k.expect(some), grad_v.expect(some)]
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

#[cfg(all(test, feature = "flex"))]
mod tests {
    use burn::tensor::{Device, Distribution, activation::softmax};

    use super::*;

    fn random(shape: [usize; 4], device: &Device) -> Tensor<4> {
        Tensor::random(shape, Distribution::Normal(0.0, 1.0), device)
    }

    fn decomposed(q: Tensor<4>, k: Tensor<4>, v: Tensor<4>) -> Tensor<4> {
        let d_head = q.dims()[3] as f64;
        softmax(q.matmul(k.transpose()) / d_head.sqrt(), 3).matmul(v)
    }

    fn largest_difference(a: Tensor<4>, b: Tensor<4>) -> f32 {
        (a - b).abs().max().into_scalar::<f32>()
    }

    /// Cross-attention with odd sizes, and enough queries for several chunks.
    const SHAPES: [([usize; 4], [usize; 4]); 3] = [
        ([2, 3, 17, 8], [2, 3, 5, 8]),
        ([1, 2, 300, 40], [1, 2, 300, 40]),
        ([1, 8, 1100, 16], [1, 8, 1100, 16]),
    ];

    #[test]
    fn it_equals_the_decomposition_with_its_gradients() {
        let device = Device::flex();
        device.seed(7);
        for (shape_q, shape_k) in SHAPES {
            let leaf = |shape| random(shape, &device).autodiff().require_grad();
            let (q, k, v) = (leaf(shape_q), leaf(shape_k), leaf(shape_k));
            let weight = random(shape_q, &device);
            let run = |f: fn(Tensor<4>, Tensor<4>, Tensor<4>) -> Tensor<4>| {
                let out = f(q.clone(), k.clone(), v.clone());
                let grads = (out.clone() * weight.clone()).sum().backward();
                let grad = |x: &Tensor<4>| x.grad(&grads).expect("every leaf is tracked");
                [out.inner(), grad(&q), grad(&k), grad(&v)]
            };
            for (got, want) in run(attention).into_iter().zip(run(decomposed)) {
                assert!(largest_difference(got, want) < 2e-5, "{shape_q:?} x {shape_k:?}");
            }
        }
    }

    #[test]
    fn its_gradient_is_the_slope_of_its_output() {
        let device = Device::flex();
        device.seed(11);
        let shape = [1, 1, 4, 8];
        let (q, k, v) = (random(shape, &device), random(shape, &device), random(shape, &device));
        let loss = |q: Tensor<4>| attention(q, k.clone(), v.clone()).sum();
        let leaf = q.clone().autodiff().require_grad();
        let grads = loss(leaf.clone()).backward();
        let slope = leaf.grad(&grads).expect("the leaf is tracked");
        let direction = random(shape, &device);
        let step = 1e-2;
        let ahead = loss(q.clone() + direction.clone() * step).into_scalar::<f32>();
        let behind = loss(q - direction.clone() * step).into_scalar::<f32>();
        let along = (slope * direction).sum().into_scalar::<f32>();
        let measured = (ahead - behind) / (2.0 * step as f32);
        assert!((measured - along).abs() < 1e-3, "{measured} against {along}");
    }

    #[test]
    fn without_gradients_nothing_is_tracked() {
        let device = Device::flex();
        let x = random([1, 1, 4, 8], &device);
        assert!(!attention(x.clone(), x.clone(), x).is_autodiff());
    }
}
