//! Causal self-attention over the tokens of a text.

use burn::tensor::{Tensor, activation::softmax};

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

    /// `[batch, tokens, width]`, same shape out. 77 tokens: scores of 47 kB a head are kept.
    pub fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let [batch, tokens, width] = x.dims();
        let d_head = width / self.heads;
        let split = |layer: &Linear| {
            let x = layer.forward(x.clone()).reshape([batch, tokens, self.heads, d_head]);
            x.swap_dims(1, 2) // [batch, heads, tokens, d_head]
        };
        let q = split(&self.q_proj) * (d_head as f64).powf(-0.5);
        let scores = q.matmul(split(&self.k_proj).transpose()); // [batch, heads, tokens, tokens]
        let device = x.device().without_autodiff();
        let later = Tensor::<2>::ones([tokens, tokens], &device).triu(1) * -1e30;
        let p = softmax(scores + later.unsqueeze::<4>(), 3);
        let out = p.matmul(split(&self.v_proj)).swap_dims(1, 2); // [batch, tokens, heads, d_head]
        self.out_proj.forward(out.reshape([batch, tokens, width]))
    }

    /// The layers that an adapter may change.
    pub fn layers<'a>(&'a mut self, out: &mut Vec<LayerMut<'a>>) {
        let all = [&mut self.q_proj, &mut self.k_proj, &mut self.v_proj, &mut self.out_proj];
        out.extend(all.map(LayerMut::Linear));
    }
}
