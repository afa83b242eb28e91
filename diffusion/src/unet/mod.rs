//! The denoiser of SD 1.x and 2.x (UNet2DConditionModel).
//!
//! Latents go down through levels of resnets and attention over the text, and up
//! again on the skips. Source: Rombach et al. 2022,
//! <https://arxiv.org/abs/2112.10752>; sizes: `unet/config.json` of the published
//! checkpoints.

mod attention;
mod config;
mod down;
mod mid;
mod pass;
mod resnet;
mod shapes;
mod step;
mod time;
mod transformer;
mod up;

use std::cell::RefCell;

use burn::tensor::{Device, Tensor};

pub use config::{PerLevel, UnetConfig};
pub use pass::{Checkpointing, Pass};
pub use shapes::{Kind, StepShape};

use crate::error::Error;
use crate::layers::{Conv2d, ConvShape, GroupNorm, LayerMut};
use crate::precision::wide;
use crate::probe::{MaybeProbe, show};
use crate::weights::{Loader, Report, Source};
use down::DownBlock;
use mid::MidBlock;
use step::{Part, Step, Walk, leave_skip};
use time::{TimeEmbedding, sinusoids};
use up::UpBlock;

/// Predicts noise (or velocity) from noisy latents, a timestep and text states.
#[derive(Debug, Clone)]
pub struct Unet {
    config: UnetConfig,
    time_embedding: TimeEmbedding,
    conv_in: Conv2d,
    down: Vec<DownBlock>,
    mid: MidBlock,
    up: Vec<UpBlock>,
    norm_out: GroupNorm,
    conv_out: Conv2d,
}

impl Unet {
    /// Loads the UNet from `source`.
    pub fn load(config: UnetConfig, source: &Source, device: &Device) -> Result<Self, Error> {
        let report = RefCell::new(Report::default());
        let root = Loader::new(source, device, &report);
        let first = config.block_out_channels[0];
        let (groups, epsilon) = (config.norm_num_groups, config.norm_eps);
        let levels = 0..config.levels();
        let down = |i| DownBlock::load(&root.at(format!("down_blocks.{i}")), i, &config);
        let up = |i| UpBlock::load(&root.at(format!("up_blocks.{i}")), i, &config);
        let unet = Self {
            time_embedding: TimeEmbedding::load(&root.at("time_embedding"), &config),
            conv_in: root.conv("conv_in", ConvShape::same(config.in_channels, first)),
            down: levels.clone().map(down).collect(),
            mid: MidBlock::load(&root.at("mid_block"), &config),
            up: levels.map(up).collect(),
            norm_out: root.group_norm("conv_norm_out", first, groups, epsilon),
            conv_out: root.conv("conv_out", ConvShape::same(first, config.out_channels)),
            config,
        };
        root.finish("unet")?;
        Ok(unet)
    }

    /// Its sizes and options.
    pub fn config(&self) -> &UnetConfig {
        &self.config
    }

    /// The prediction for `x` `[batch, 4, h, w]` at `timesteps` (one a sample), given `text`
    /// `[batch, tokens, d_text]`; f32 in, f32 out, whatever it is computed in.
    pub fn forward(&self, x: Tensor<4>, timesteps: &[f64], text: Tensor<3>) -> Tensor<4> {
        self.forward_probed(x, timesteps, text, &mut None)
    }

    /// [`Unet::forward`], showing each block's output to `probe`.
    pub fn forward_probed(
        &self,
        x: Tensor<4>,
        timesteps: &[f64],
        text: Tensor<3>,
        probe: &mut MaybeProbe,
    ) -> Tensor<4> {
        let device = x.device().without_autodiff();
        show(probe, "time_proj", &sinusoids(timesteps, &self.config, &device));
        let time = self.time(timesteps, &device);
        show(probe, "time_embedding", &time);
        let mut walk = Walk::new(time, text);
        let (mut x, mut level_skips) = (x, 1);
        for step in self.steps() {
            if let (Part::Out(norm, _), true) = (step.part, probe.is_some()) {
                show(probe, "conv_norm_out", &norm.forward(x.clone()));
            }
            let inputs = walk.inputs(&step, x);
            x = step.run(inputs);
            walk.leave(&step, &x);
            show(probe, &step.name, &x);
            if let Some(level) = step.ends {
                show(probe, level, &x);
                for (i, skip) in walk.skips.iter().skip(level_skips).enumerate() {
                    show(probe, &format!("{level}.residual.{i}"), skip);
                }
                level_skips = walk.skips.len();
            }
        }
        x
    }

    /// The time embedding of `timesteps`, `[batch, time width]`.
    fn time(&self, timesteps: &[f64], device: &Device) -> Tensor<2> {
        wide(self.time_embedding.forward(sinusoids(timesteps, &self.config, device)))
    }

    /// The way through the model, step by step.
    fn steps(&self) -> Vec<Step<'_>> {
        let mut steps = vec![Step::new("conv_in", Part::In(&self.conv_in))];
        leave_skip(&mut steps);
        self.down.iter().for_each(|block| block.steps(&mut steps));
        self.mid.steps(&mut steps);
        self.up.iter().for_each(|block| block.steps(&mut steps));
        steps.push(Step::new("conv_out", Part::Out(&self.norm_out, &self.conv_out)));
        steps
    }

    /// A copy in which no update is tracked: a pass through it keeps nothing.
    pub fn untracked(&self) -> Self {
        pass::untracked(self).0
    }

    /// The layers that an adapter may change, in a fixed order.
    pub fn layers(&mut self) -> Vec<LayerMut<'_>> {
        let mut out = Vec::new();
        self.down.iter_mut().for_each(|block| block.layers(&mut out));
        self.mid.layers(&mut out);
        self.up.iter_mut().for_each(|block| block.layers(&mut out));
        out.push(LayerMut::Conv(&mut self.conv_in));
        self.time_embedding.layers(&mut out);
        out.push(LayerMut::Conv(&mut self.conv_out));
        out
    }
}
