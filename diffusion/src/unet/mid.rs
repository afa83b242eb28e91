//! The innermost block: resnet, attention, resnet.

use super::step::{Part, Step, end};
use super::{UnetConfig, resnet::Resnet, transformer::Transformer};
use crate::layers::LayerMut;
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

    /// The block's three steps.
    pub fn steps<'a>(&'a self, out: &mut Vec<Step<'a>>) {
        out.extend([
            Step::new("mid_block.resnets.0", Part::Resnet(&self.before)),
            Step::new("mid_block.attentions.0", Part::Transformer(&self.attention)),
            Step::new("mid_block.resnets.1", Part::Resnet(&self.after)),
        ]);
        end(out, "mid_block");
    }

    /// The layers that an adapter may change.
    pub fn layers<'a>(&'a mut self, out: &mut Vec<LayerMut<'a>>) {
        self.attention.layers(out);
        self.before.layers(out);
        self.after.layers(out);
    }
}
