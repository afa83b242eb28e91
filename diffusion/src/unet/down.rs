//! A level on the way down: resnets, attention where it has some, half the size.

use burn::tensor::Tensor;

use super::{UnetConfig, resnet::Resnet, transformer::Transformer};
use crate::layers::{Conv2d, ConvShape, LayerMut};
use crate::probe::{MaybeProbe, show};
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

    /// The level's output; what the way up needs is pushed to `skips`.
    pub fn forward(
        &self,
        mut x: Tensor<4>,
        time: &Tensor<2>,
        text: &Tensor<3>,
        skips: &mut Vec<Tensor<4>>,
        probe: &mut MaybeProbe,
    ) -> Tensor<4> {
        let first_skip = skips.len();
        for (i, resnet) in self.resnets.iter().enumerate() {
            x = resnet.forward(x, time);
            show(probe, &format!("{}.resnets.{i}", self.name), &x);
            if let Some(attention) = self.attentions.get(i) {
                x = attention.forward(x, text);
                show(probe, &format!("{}.attentions.{i}", self.name), &x);
            }
            skips.push(x.clone());
        }
        if let Some(downsampler) = &self.downsampler {
            x = downsampler.forward(x);
            show(probe, &format!("{}.downsamplers.0", self.name), &x);
            skips.push(x.clone());
        }
        show(probe, &self.name, &x);
        for (i, skip) in skips[first_skip..].iter().enumerate() {
            show(probe, &format!("{}.residual.{i}", self.name), skip);
        }
        x
    }

    /// The layers that an adapter may change.
    pub fn layers<'a>(&'a mut self, out: &mut Vec<LayerMut<'a>>) {
        self.attentions.iter_mut().for_each(|attention| attention.layers(out));
        self.resnets.iter_mut().for_each(|resnet| resnet.layers(out));
        out.extend(self.downsampler.as_mut().map(LayerMut::Conv));
    }
}
