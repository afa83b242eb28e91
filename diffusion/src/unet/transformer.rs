//! A spatial transformer: attention over places and over the text, and a gated MLP.
//!
//! Source: Rombach et al. 2022, <https://arxiv.org/abs/2112.10752>, section 3.3.

use burn::tensor::Tensor;
use likeness_kernels::geglu;

use super::{UnetConfig, attention::Attention};
use crate::layers::{Conv2d, ConvShape, GroupNorm, LayerMut, LayerNorm, Linear};
use crate::precision::wide;
use crate::weights::Loader;

/// Epsilon of the transformer's own group normalisation (resnets have `norm_eps`).
const GROUP_EPSILON: f64 = 1e-6;
/// Epsilon of its layer normalisations.
const LAYER_EPSILON: f64 = 1e-5;

/// Places of a feature map as tokens, through transformer blocks, and back.
#[derive(Debug, Clone)]
pub struct Transformer {
    norm: GroupNorm,
    proj_in: Projection,
    blocks: Vec<Block>,
    proj_out: Projection,
}

/// Into and out of the tokens: SD 1.x by 1 x 1 convolution, SD 2.x by linear layer.
#[derive(Debug, Clone)]
enum Projection {
    Linear(Linear),
    Conv(Conv2d),
}

#[derive(Debug, Clone)]
struct Block {
    norm1: LayerNorm,
    attn1: Attention, // over the picture itself
    norm2: LayerNorm,
    attn2: Attention, // over the text
    norm3: LayerNorm,
    ff_in: Linear, // to values and gates
    ff_out: Linear,
}

impl Transformer {
    /// Loads a transformer of `channels` at `level`.
    pub fn load(at: &Loader, channels: usize, level: usize, config: &UnetConfig) -> Self {
        let heads = config.attention_head_dim.at(level);
        let block = |i| {
            let here = at.at(format!("transformer_blocks.{i}"));
            Block::load(&here, channels, config.cross_attention_dim, heads)
        };
        Self {
            norm: at.group_norm("norm", channels, config.norm_num_groups, GROUP_EPSILON),
            proj_in: Projection::load(at, "proj_in", channels, config),
            blocks: (0..config.transformer_layers_per_block.at(level)).map(block).collect(),
            proj_out: Projection::load(at, "proj_out", channels, config),
        }
    }

    /// `[batch, channels, h, w]` with text `[batch, tokens, d_text]`, same shape out.
    pub fn forward(&self, x: Tensor<4>, text: &Tensor<3>) -> Tensor<4> {
        let mut tokens = wide(self.proj_in.to_tokens(self.norm.forward(x.clone())));
        for block in &self.blocks {
            tokens = block.forward(tokens, text);
        }
        x.clone() + wide(self.proj_out.out_of_tokens(tokens, x.dims()))
    }

    /// The layers that an adapter may change.
    pub fn layers<'a>(&'a mut self, out: &mut Vec<LayerMut<'a>>) {
        out.push(self.proj_in.layer());
        for block in &mut self.blocks {
            block.attn1.layers(out);
            block.attn2.layers(out);
            out.extend([&mut block.ff_in, &mut block.ff_out].map(LayerMut::Linear));
        }
        out.push(self.proj_out.layer());
    }
}

impl Projection {
    fn load(at: &Loader, part: &str, channels: usize, config: &UnetConfig) -> Self {
        match config.use_linear_projection {
            true => Self::Linear(at.linear(part, channels, channels, true)),
            false => Self::Conv(at.conv(part, ConvShape::pointwise(channels, channels))),
        }
    }

    fn to_tokens(&self, x: Tensor<4>) -> Tensor<3> {
        let flat = |x: Tensor<4>| {
            let [batch, channels, height, width] = x.dims();
            x.reshape([batch, channels, height * width]).swap_dims(1, 2) // [batch, places, c]
        };
        match self {
            Self::Linear(layer) => layer.forward(flat(x)),
            Self::Conv(layer) => flat(layer.forward(x)),
        }
    }

    fn out_of_tokens(&self, tokens: Tensor<3>, shape: [usize; 4]) -> Tensor<4> {
        let map = |tokens: Tensor<3>| tokens.swap_dims(1, 2).reshape(shape);
        match self {
            Self::Linear(layer) => map(layer.forward(tokens)),
            Self::Conv(layer) => layer.forward(map(tokens)),
        }
    }

    fn layer(&mut self) -> LayerMut<'_> {
        match self {
            Self::Linear(layer) => LayerMut::Linear(layer),
            Self::Conv(layer) => LayerMut::Conv(layer),
        }
    }
}

impl Block {
    fn load(at: &Loader, width: usize, d_text: usize, heads: usize) -> Self {
        let norm = |part| at.layer_norm(part, width, LAYER_EPSILON);
        Self {
            norm1: norm("norm1"),
            attn1: Attention::load(&at.at("attn1"), width, width, heads),
            norm2: norm("norm2"),
            attn2: Attention::load(&at.at("attn2"), width, d_text, heads),
            norm3: norm("norm3"),
            ff_in: at.linear("ff.net.0.proj", width, 8 * width, true),
            ff_out: at.linear("ff.net.2", 4 * width, width, true),
        }
    }

    fn forward(&self, x: Tensor<3>, text: &Tensor<3>) -> Tensor<3> {
        let tokens = self.norm1.forward(x.clone());
        let x = x + wide(self.attn1.forward(tokens.clone(), tokens));
        let x = x.clone() + wide(self.attn2.forward(self.norm2.forward(x), text.clone()));
        let h = geglu(self.ff_in.forward(self.norm3.forward(x.clone()))); // [batch, tokens, 4 width]
        x + wide(self.ff_out.forward(h))
    }
}
