//! The innermost block: resnet, attention, resnet.

use burn::tensor::Tensor;

use super::{UnetConfig, resnet::Resnet, transformer::Transformer};
use crate::layers::LayerMut;
use crate::probe::{MaybeProbe, show};
use crate::weights::Loader;

/// Resnet, attention, resnet at the smallest size.
#[derive(Debug, Clone)]
pub struct MidBlock {
    before: Resnet,
    attention: Transformer,
    after: Resnet,
}

impl MidBlock {
    /// Loads the innermost block.
    pub fn load(at: &Loader, config: &UnetConfig) -> Self {
        let level = config.levels() - 1;
        let channels = config.block_out_channels[level];
        Self {
            before: Resnet::load(&at.at("resnets.0"), channels, channels, config),
            attention: Transformer::load(&at.at("attentions.0"), channels, level, config),
            after: Resnet::load(&at.at("resnets.1"), channels, channels, config),
        }
    }

    /// `[batch, channels, h, w]`, same shape out.
    pub fn forward(
        &self,
        x: Tensor<4>,
        time: &Tensor<2>,
        text: &Tensor<3>,
        probe: &mut MaybeProbe,
    ) -> Tensor<4> {
        let x = self.before.forward(x, time);
        show(probe, "mid_block.resnets.0", &x);
        let x = self.attention.forward(x, text);
        show(probe, "mid_block.attentions.0", &x);
        let x = self.after.forward(x, time);
        show(probe, "mid_block.resnets.1", &x);
        show(probe, "mid_block", &x);
        x
    }

    /// The layers that an adapter may change.
    pub fn layers<'a>(&'a mut self, out: &mut Vec<LayerMut<'a>>) {
        self.attention.layers(out);
        self.before.layers(out);
        self.after.layers(out);
    }
}
