//! Sizes of a text encoder, as `text_encoder/config.json` gives them.

use serde::Deserialize;

use crate::layers::{Activation, LayerShape};

/// Sizes of a text encoder. Unknown keys in the JSON are ignored: they are transformers' own.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default)]
pub struct TextConfig {
    /// Entries of the vocabulary.
    pub vocab_size: usize,
    /// Width of the states.
    pub hidden_size: usize,
    /// Width inside the MLPs.
    pub intermediate_size: usize,
    /// Layers.
    pub num_hidden_layers: usize,
    /// Heads of each attention.
    pub num_attention_heads: usize,
    /// Tokens of a window: 77.
    pub max_position_embeddings: usize,
    /// Activation of the MLPs.
    pub hidden_act: Activation,
    /// Epsilon of the normalisations.
    pub layer_norm_eps: f64,
    /// Id of the end token; 2 in old configs, where the largest id is meant.
    pub eos_token_id: u32,
}

impl Default for TextConfig {
    /// CLIP ViT-L/14's text tower, of SD 1.x:
    /// <https://huggingface.co/openai/clip-vit-large-patch14/blob/main/config.json>.
    fn default() -> Self {
        Self {
            vocab_size: 49408,
            hidden_size: 768,
            intermediate_size: 3072,
            num_hidden_layers: 12,
            num_attention_heads: 12,
            max_position_embeddings: 77,
            hidden_act: Activation::QuickGelu,
            layer_norm_eps: 1e-5,
            eos_token_id: 2,
        }
    }
}

impl TextConfig {
    /// The layers that an adapter may change: path and shape.
    pub fn layers(&self) -> Vec<(String, LayerShape)> {
        let (width, inner) = (self.hidden_size, self.intermediate_size);
        let attention = ["q_proj", "k_proj", "v_proj", "out_proj"];
        let attention = attention.map(|part| (format!("self_attn.{part}"), width, width));
        let mlp = [("fc1", width, inner), ("fc2", inner, width)];
        let mlp = mlp.map(|(part, d_in, d_out)| (format!("mlp.{part}"), d_in, d_out));
        let parts: Vec<_> = attention.into_iter().chain(mlp).collect();
        let at = |layer: usize| {
            parts.clone().into_iter().map(move |(part, d_in, d_out)| {
                (format!("encoder.layers.{layer}.{part}"), LayerShape::Linear { d_in, d_out })
            })
        };
        (0..self.num_hidden_layers).flat_map(at).collect()
    }

    /// Position of the end token in `ids`.
    pub fn end_of(&self, ids: &[u32]) -> usize {
        let end = match self.eos_token_id {
            2 => ids.iter().copied().max().unwrap_or_default(),
            id => id,
        };
        ids.iter().position(|id| *id == end).unwrap_or(ids.len() - 1)
    }
}
