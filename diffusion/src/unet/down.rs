//! A level on the way down: resnets, attention where it has some, half the size.

use super::step::{Part, Step, end, leave_skip};
use super::{UnetConfig, resnet::Resnet, transformer::Transformer};
use crate::layers::{Conv2d, ConvShape, LayerMut};
use crate::weights::Loader;

/// A level on the way down.
#[derive(Debug, Clone)]
pub struct DownBlock {
    name: String,
    resnets: Vec<Resnet>,
    attentions: Vec<Transformer>, // as many as resnets, or none
    downsampler: Option<Conv2d>,
}

impl DownBlock {
    /// Loads level `level`; the last one keeps its size.
    pub fn load(at: &Loader, level: usize, config: &UnetConfig) -> Self {
        let channels = &config.block_out_channels;
        let (c_in, c_out) = (channels[level.saturating_sub(1)], channels[level]);
        let resnet = |i| {
            let c_in = if i == 0 { c_in } else { c_out };
            Resnet::load(&at.at(format!("resnets.{i}")), c_in, c_out, config)
        };
        let attention =
            |i| Transformer::load(&at.at(format!("attentions.{i}")), c_out, level, config);
        let layers = config.layers_per_block;
        Self {
            name: at.path(),
            resnets: (0..layers).map(resnet).collect(),
            attentions: (0..if config.down_attends(level) { layers } else { 0 })
                .map(attention)
                .collect(),
            downsampler: (level + 1 < channels.len())
                .then(|| at.conv("downsamplers.0.conv", ConvShape::halving(c_out, (1, 1)))),
        }
    }

    /// The level's steps; resnets, or the attention after them, and the downsampler leave skips.
    pub fn steps<'a>(&'a self, out: &mut Vec<Step<'a>>) {
        for (i, resnet) in self.resnets.iter().enumerate() {
            out.push(Step::new(format!("{}.resnets.{i}", self.name), Part::Resnet(resnet)));
            let attention = self.attentions.get(i).map(Part::Transformer);
            let name = || format!("{}.attentions.{i}", self.name);
            out.extend(attention.map(|part| Step::new(name(), part)));
            leave_skip(out);
        }
        if let Some(downsampler) = &self.downsampler {
            let name = format!("{}.downsamplers.0", self.name);
            out.push(Step::new(name, Part::Downsampler(downsampler)));
            leave_skip(out);
        }
        end(out, &self.name);
    }

    /// The layers that an adapter may change.
    pub fn layers<'a>(&'a mut self, out: &mut Vec<LayerMut<'a>>) {
        self.attentions.iter_mut().for_each(|attention| attention.layers(out));
        self.resnets.iter_mut().for_each(|resnet| resnet.layers(out));
        out.extend(self.downsampler.as_mut().map(LayerMut::Conv));
    }
}
