//! The CLIP text encoder.
//!
//! A causal transformer over 77 tokens. Source: Radford et al. 2021,
//! <https://arxiv.org/abs/2103.00020>, section 2.4; sizes: `text_encoder/config.json`
//! of the published checkpoints. SD 1.x takes the last layer's states, SD 2.x the
//! last but one's (its folders simply leave the last layer out).

mod attention;
mod config;
mod layer;
mod meaning;

use std::cell::RefCell;

use burn::tensor::{Device, Int, Tensor, TensorData};

pub use config::TextConfig;
pub use meaning::Meanings;

use crate::error::Error;
use crate::layers::{LayerMut, LayerNorm};
use crate::weights::{Loader, Report, Source};
use layer::Layer;

/// Token ids to states.
#[derive(Debug, Clone)]
pub struct TextEncoder {
    config: TextConfig,
    tokens: Tensor<2>,    // [vocabulary, width]
    positions: Tensor<2>, // [77, width]
    layers: Vec<Layer>,
    final_norm: LayerNorm,
}

impl TextEncoder {
    /// Loads the encoder from `source`.
    pub fn load(config: TextConfig, source: &Source, device: &Device) -> Result<Self, Error> {
        let report = RefCell::new(Report::default());
        let root = Loader::new(source, device, &report);
        let width = config.hidden_size;
        let layer = |i| Layer::load(&root.at(format!("encoder.layers.{i}")), &config);
        let vocabulary = [config.vocab_size, width];
        let places = [config.max_position_embeddings, width];
        let encoder = Self {
            tokens: root.tensor("embeddings.token_embedding.weight", vocabulary),
            positions: root.tensor("embeddings.position_embedding.weight", places),
            layers: (0..config.num_hidden_layers).map(layer).collect(),
            final_norm: root.layer_norm("final_layer_norm", width, config.layer_norm_eps),
            config,
        };
        root.finish("text encoder")?;
        Ok(encoder)
    }

    /// Its sizes.
    pub fn config(&self) -> &TextConfig {
        &self.config
    }

    /// States before the first layer and after each, without the final norm:
    /// `layers + 1` tensors `[batch, tokens, width]` for `ids` of equal lengths (at most 77).
    pub fn hidden_states(&self, ids: &[Vec<u32>]) -> Vec<Tensor<3>> {
        let mut states = vec![self.embed(ids)];
        for layer in &self.layers {
            let x = states.last().expect("the embedding is there").clone();
            states.push(layer.forward(x));
        }
        states
    }

    /// What the UNet is conditioned on: the states after all layers but the last `clip_skip`,
    /// through the final norm. `[batch, tokens, width]`.
    pub fn encode(&self, ids: &[Vec<u32>], clip_skip: usize) -> Tensor<3> {
        let used = self.layers.len().saturating_sub(clip_skip);
        let x = self.layers[..used].iter().fold(self.embed(ids), |x, layer| layer.forward(x));
        self.normed(x)
    }

    /// The final norm.
    pub fn normed(&self, states: Tensor<3>) -> Tensor<3> {
        self.final_norm.forward(states)
    }

    /// One vector a text: the last state at its end token, `[batch, width]`.
    ///
    /// Old configs call the end token 2 and mean the largest id of the text.
    pub fn pooled(&self, ids: &[Vec<u32>], last: Tensor<3>) -> Tensor<2> {
        let width = self.config.hidden_size;
        let rows = ids.iter().enumerate().map(|(i, ids)| {
            let end = self.config.end_of(ids);
            last.clone().slice([i..i + 1, end..end + 1, 0..width]).reshape([1, width])
        });
        Tensor::cat(rows.collect(), 0)
    }

    fn embed(&self, ids: &[Vec<u32>]) -> Tensor<3> {
        let (batch, tokens) = (ids.len(), ids[0].len());
        let width = self.config.hidden_size;
        let flat: Vec<i32> = ids.iter().flatten().map(|id| *id as i32).collect();
        let device = self.tokens.device();
        let flat = Tensor::<1, Int>::from_data(TensorData::new(flat, [batch * tokens]), &device);
        let embedded = self.tokens.clone().select(0, flat).reshape([batch, tokens, width]);
        let positions = self.positions.clone().slice([0..tokens, 0..width]);
        embedded + positions.unsqueeze::<3>()
    }

    /// The layers that an adapter may change, in a fixed order.
    pub fn layers(&mut self) -> Vec<LayerMut<'_>> {
        let mut out = Vec::new();
        self.layers.iter_mut().for_each(|layer| layer.layers(&mut out));
        out
    }
}
