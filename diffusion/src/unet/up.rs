//! A level on the way up: resnets on skips, attention where it has some, twice the size.

use super::step::{Part, Step, end};
use super::{UnetConfig, resnet::Resnet, transformer::Transformer};
use crate::layers::{Conv2d, ConvShape, LayerMut};
use crate::weights::Loader;

/// A level on the way up; level 0 is the innermost.
#[derive(Debug, Clone)]
pub struct UpBlock {
    name: String,
    resnets: Vec<Resnet>,
    attentions: Vec<Transformer>, // as many as resnets, or none
    upsampler: Option<Conv2d>,
}

impl UpBlock {
    /// Loads level `level` of the way up; the last one keeps its size.
    pub fn load(at: &Loader, level: usize, config: &UnetConfig) -> Self {
        let reversed: Vec<_> = config.block_out_channels.iter().rev().copied().collect();
        let last = reversed.len() - 1;
        let (c_below, c_out) = (reversed[level.saturating_sub(1)], reversed[level]);
        let c_skip_last = reversed[(level + 1).min(last)];
        let layers = config.layers_per_block + 1;
        let resnet = |i| {
            let c_in = if i == 0 { c_below } else { c_out };
            let c_skip = if i + 1 == layers { c_skip_last } else { c_out };
            Resnet::load(&at.at(format!("resnets.{i}")), c_in + c_skip, c_out, config)
        };
        let attention =
            |i| Transformer::load(&at.at(format!("attentions.{i}")), c_out, last - level, config);
        Self {
            name: at.path(),
            resnets: (0..layers).map(resnet).collect(),
            attentions: (0..if config.up_attends(level) { layers } else { 0 })
                .map(attention)
                .collect(),
            upsampler: (level < last)
                .then(|| at.conv("upsamplers.0.conv", ConvShape::same(c_out, c_out))),
        }
    }

    /// The level's steps; each resnet takes a skip.
    pub fn steps<'a>(&'a self, out: &mut Vec<Step<'a>>) {
        for (i, resnet) in self.resnets.iter().enumerate() {
            let name = format!("{}.resnets.{i}", self.name);
            out.push(Step::new(name, Part::Resnet(resnet)).taking_skip());
            let attention = self.attentions.get(i).map(Part::Transformer);
            let name = || format!("{}.attentions.{i}", self.name);
            out.extend(attention.map(|part| Step::new(name(), part)));
        }
        let upsampler = self.upsampler.as_ref().map(Part::Upsampler);
        let name = || format!("{}.upsamplers.0", self.name);
        out.extend(upsampler.map(|part| Step::new(name(), part)));
        end(out, &self.name);
    }

    /// The layers that an adapter may change.
    pub fn layers<'a>(&'a mut self, out: &mut Vec<LayerMut<'a>>) {
        self.attentions.iter_mut().for_each(|attention| attention.layers(out));
        self.resnets.iter_mut().for_each(|resnet| resnet.layers(out));
        out.extend(self.upsampler.as_mut().map(LayerMut::Conv));
    }
}
