//! Multi-head attention of a transformer block: over itself, or over the text.

use burn::tensor::Tensor;
use likeness_kernels::{AttentionOptions, attention};

use crate::layers::{LayerMut, Linear};
use crate::weights::Loader;

/// `out(attention(q(x), k(context), v(context)))`.
#[derive(Debug, Clone)]
pub struct Attention {
    to_q: Linear,
    to_k: Linear,
    to_v: Linear,
    to_out: Linear,
    heads: usize,
}

impl Attention {
    /// Loads attention from `width` to a context of `d_context`.
    pub fn load(at: &Loader, width: usize, d_context: usize, heads: usize) -> Self {
        Self {
            to_q: at.linear("to_q", width, width, false),
            to_k: at.linear("to_k", d_context, width, false),
            to_v: at.linear("to_v", d_context, width, false),
            to_out: at.linear("to_out.0", width, width, true),
            heads,
        }
    }

    /// `[batch, tokens, width]` over context `[batch, context tokens, d_context]`.
    pub fn forward(&self, x: Tensor<3>, context: Tensor<3>) -> Tensor<3> {
        let q = self.to_q.forward(x);
        let k = self.to_k.forward(context.clone());
        let v = self.to_v.forward(context);
        let options = AttentionOptions { heads: self.heads, causal: false };
        self.to_out.forward(attention(q, k, v, options))
    }

    /// The layers that an adapter may change.
    pub fn layers<'a>(&'a mut self, out: &mut Vec<LayerMut<'a>>) {
        let all = [&mut self.to_q, &mut self.to_k, &mut self.to_v, &mut self.to_out];
        out.extend(all.map(LayerMut::Linear));
    }
}
