//! A level on the way up: resnets on skips, attention where it has some, twice the size.

use burn::tensor::Tensor;

use super::{UnetConfig, resnet::Resnet, transformer::Transformer};
use crate::layers::{Conv2d, ConvShape, LayerMut, enlarged};
use crate::probe::{MaybeProbe, show};
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

    /// The level's output, taking its skips from the end of `skips`.
    ///
    /// It grows to the size of the next skip: odd latents don't come back by doubling.
    pub fn forward(
        &self,
        mut x: Tensor<4>,
        time: &Tensor<2>,
        text: &Tensor<3>,
        skips: &mut Vec<Tensor<4>>,
        probe: &mut MaybeProbe,
    ) -> Tensor<4> {
        for (i, resnet) in self.resnets.iter().enumerate() {
            let skip = skips.pop().expect("the way down pushed one skip for each of our resnets");
            x = resnet.forward(Tensor::cat(vec![x, skip], 1), time);
            show(probe, &format!("{}.resnets.{i}", self.name), &x);
            if let Some(attention) = self.attentions.get(i) {
                x = attention.forward(x, text);
                show(probe, &format!("{}.attentions.{i}", self.name), &x);
            }
        }
        if let Some(upsampler) = &self.upsampler {
            let next = skips.last().expect("a level that grows is not the last");
            let [_, _, height, width] = next.dims();
            x = upsampler.forward(enlarged(x, [height, width]));
            show(probe, &format!("{}.upsamplers.0", self.name), &x);
        }
        show(probe, &self.name, &x);
        x
    }

    /// The layers that an adapter may change.
    pub fn layers<'a>(&'a mut self, out: &mut Vec<LayerMut<'a>>) {
        self.attentions.iter_mut().for_each(|attention| attention.layers(out));
        self.resnets.iter_mut().for_each(|resnet| resnet.layers(out));
        out.extend(self.upsampler.as_mut().map(LayerMut::Conv));
    }
}
