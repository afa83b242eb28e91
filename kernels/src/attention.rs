//! Scaled dot-product attention that never keeps its scores.
//!
//! `o = softmax(q kᵀ / √d) v`. burn's autodiff decomposes attention and keeps
//! the score matrix several times over: 2.6 GB for one layer of 4096 tokens and
//! 8 heads. Here q, k, v, o and one number a query are kept, and the backward pass
//! makes the scores again, a block at a time, so memory grows with the tokens, not
//! with their square. Heads lie side by side in each token, as linear layers leave
//! them, so nothing is transposed.
//! Source: Dao et al. 2022, <https://arxiv.org/abs/2205.14135>, section 3.1, appendix B.4.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, TensorMetadata, backend_extension};
use burn::tensor::{Shape, Tensor};

mod decomposed;
#[cfg(any(feature = "flex", feature = "tch"))]
mod sliced;

/// What attention does, beside its inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttentionOptions {
    /// Heads; they divide the width.
    pub heads: usize,
    /// Whether a query sees only the keys up to its own place.
    pub causal: bool,
}

/// Attention of `q` `[batch, tokens, width]` over `k` and `v` `[batch, keys, width]`, each token's
/// width being its heads side by side. Same shape as `q` out.
pub fn attention(q: Tensor<3>, k: Tensor<3>, v: Tensor<3>, options: AttentionOptions) -> Tensor<3> {
    let ([batch, _, width], heads) = (q.dims(), options.heads);
    assert!(
        heads > 0 && width.is_multiple_of(heads),
        "a width of {width} does not make {heads} heads"
    );
    let [_, keys, _] = k.dims();
    assert_eq!([k.dims(), v.dims()], [[batch, keys, width]; 2]);
    let [q, k, v] = [q, k, v].map(Tensor::into_dispatch);
    Tensor::from_dispatch(Dispatch::fused_attention(q, k, v, options))
}

/// The engine's side of [`attention`].
#[backend_extension(
    Flex: cfg(feature = "flex"),
    LibTorch: cfg(feature = "tch"),
    Cube: cfg(feature = "cubecl"),
    Fusion: cfg(feature = "cubecl"),
    Autodiff
)]
pub trait FusedAttention: Backend {
    /// The output.
    #[fusion(default)]
    fn fused_attention(
        q: FloatTensor<Self>,
        k: FloatTensor<Self>,
        v: FloatTensor<Self>,
        options: AttentionOptions,
    ) -> FloatTensor<Self> {
        decomposed::forward::<Self>(q, k, v, options)
    }

    /// The output, and what the backward pass wants to know of each query besides; engines whose
    /// backward pass wants nothing give any tensor.
    #[fusion(default)]
    fn fused_attention_forward(
        q: FloatTensor<Self>,
        k: FloatTensor<Self>,
        v: FloatTensor<Self>,
        options: AttentionOptions,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let out = Self::fused_attention(q, k, v, options);
        let nothing = Self::float_zeros(Shape::new([1]), &out.device(), out.dtype().into());
        (out, nothing)
    }

    /// The gradients of q, k and v for the output's gradient `grad`.
    #[allow(clippy::too_many_arguments)] // an extension takes tensors one by one
    #[fusion(default)]
    fn fused_attention_backward(
        q: FloatTensor<Self>,
        k: FloatTensor<Self>,
        v: FloatTensor<Self>,
        out: FloatTensor<Self>,
        kept: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        options: AttentionOptions,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        drop((out, kept));
        decomposed::backward::<Self>(q, k, v, grad, options)
    }
}

#[cfg(feature = "cubecl")]
impl FusedAttention for crate::device::CubeEngine {}

impl<B: FusedAttention, C: CheckpointStrategy> FusedAttention for Autodiff<B, C> {
    fn fused_attention(
        q: FloatTensor<Self>,
        k: FloatTensor<Self>,
        v: FloatTensor<Self>,
        options: AttentionOptions,
    ) -> FloatTensor<Self> {
        let ((q, node_q), (k, node_k), (v, node_v)) =
            (q.into_parts(), k.into_parts(), v.into_parts());
        let nodes = [node_q, node_k, node_v];
        match AttentionBackward.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => {
                let inputs = [q.clone(), k.clone(), v.clone()];
                let (out, kept) = B::fused_attention_forward(q, k, v, options);
                prepared.finish((inputs, out.clone(), kept, options), out)
            }
            OpsKind::UnTracked(prepared) => prepared.finish(B::fused_attention(q, k, v, options)),
        }
    }
}

#[derive(Debug)]
struct AttentionBackward;

impl<B: FusedAttention> Backward<B, 3> for AttentionBackward {
    type State = ([FloatTensor<B>; 3], FloatTensor<B>, FloatTensor<B>, AttentionOptions);

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let [node_q, node_k, node_v] = ops.parents;
        let grad = grads.consume::<B>(&ops.node);
        let ([q, k, v], out, kept, options) = ops.state;
        let (d_q, d_k, d_v) = B::fused_attention_backward(q, k, v, out, kept, grad, options);
        for (node, grad) in [(node_q, d_q), (node_k, d_k), (node_v, d_v)] {
            if let Some(node) = node {
                grads.register::<B>(node.id, grad);
            }
        }
    }
}

#[cfg(all(test, any(feature = "flex", feature = "tch")))]
mod tests;
