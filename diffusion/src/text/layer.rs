//! A transformer layer: attention and MLP, each on normalised states, added to them.

use burn::tensor::Tensor;

use super::{TextConfig, attention::CausalAttention};
use crate::layers::{Activation, LayerMut, LayerNorm, Linear};
use crate::weights::Loader;

/// `x + attention(norm(x))`, then `x + mlp(norm(x))`.
#[derive(Debug, Clone)]
pub struct Layer {
    norm1: LayerNorm,
    attention: CausalAttention,
    norm2: LayerNorm,
    fc1: Linear,
    fc2: Linear,
    activation: Activation,
}

impl Layer {
    /// Loads one layer.
    pub fn load(at: &Loader, config: &TextConfig) -> Self {
        let (width, inner) = (config.hidden_size, config.intermediate_size);
        Self {
            norm1: at.layer_norm("layer_norm1", width, config.layer_norm_eps),
            attention: CausalAttention::load(&at.at("self_attn"), config),
            norm2: at.layer_norm("layer_norm2", width, config.layer_norm_eps),
            fc1: at.linear("mlp.fc1", width, inner, true),
            fc2: at.linear("mlp.fc2", inner, width, true),
            activation: config.hidden_act,
        }
    }

    /// `[batch, tokens, width]`, same shape out.
    pub fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let x = x.clone() + self.attention.forward(self.norm1.forward(x));
        let h = self.activation.forward(self.fc1.forward(self.norm2.forward(x.clone())));
        x + self.fc2.forward(h)
    }

    /// The layers that an adapter may change.
    pub fn layers<'a>(&'a mut self, out: &mut Vec<LayerMut<'a>>) {
        self.attention.layers(out);
        out.extend([&mut self.fc1, &mut self.fc2].map(LayerMut::Linear));
    }
}
