//! Causal self-attention over the tokens of a text.

use burn::tensor::Tensor;
use likeness_kernels::{AttentionOptions, attention};

use super::TextConfig;
use crate::layers::{LayerMut, Linear};
use crate::weights::Loader;

/// Each token attends to itself and to those before it.
#[derive(Debug, Clone)]
pub struct CausalAttention {
    q_proj: Linear,
    k_proj: Linear,
    v_proj: Linear,
    out_proj: Linear,
    heads: usize,
}

impl CausalAttention {
    /// Loads the four projections.
    pub fn load(at: &Loader, config: &TextConfig) -> Self {
        let width = config.hidden_size;
        let linear = |part| at.linear(part, width, width, true);
        Self {
            q_proj: linear("q_proj"),
            k_proj: linear("k_proj"),
            v_proj: linear("v_proj"),
            out_proj: linear("out_proj"),
            heads: config.num_attention_heads,
        }
    }

    /// `[batch, tokens, width]`, same shape out.
    pub fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let q = self.q_proj.forward(x.clone());
        let k = self.k_proj.forward(x.clone());
        let v = self.v_proj.forward(x);
        let options = AttentionOptions { heads: self.heads, causal: true };
        self.out_proj.forward(attention(q, k, v, options))
    }

    /// The layers that an adapter may change.
    pub fn layers<'a>(&'a mut self, out: &mut Vec<LayerMut<'a>>) {
        let all = [&mut self.q_proj, &mut self.k_proj, &mut self.v_proj, &mut self.out_proj];
        out.extend(all.map(LayerMut::Linear));
    }
}
