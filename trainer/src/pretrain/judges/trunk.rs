//! The residual network that all judges share.
//!
//! A stem halves the picture; each stage but the first halves it again and adds
//! `conv(silu(norm(conv(silu(norm(x))))))`: He et al. 2016, <https://arxiv.org/abs/1603.05027>, with
//! group normalisation, which knows no batches.

use std::collections::HashMap;

use burn::tensor::Tensor;
use likeness_diffusion::layers::{Conv2d, ConvShape, GroupNorm};
use likeness_diffusion::weights::{HostTensor, Loader};
use likeness_faces::onnx::Graph;
use serde::{Deserialize, Serialize};

use crate::pretrain::parameters::Parameters;

/// Added to a group's variance.
pub const EPSILON: f64 = 1e-5;

/// The sizes of a trunk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrunkConfig {
    /// Channels of each stage.
    pub channels: Vec<usize>,
    /// Groups of each group normalisation.
    pub groups: usize,
}

/// Weights by name, to be written.
pub struct Weights(HashMap<String, HostTensor>);

/// What a stage gives: its name in a graph and its channels, height and width.
pub type Written = (String, [usize; 3]);

/// A loaded trunk.
#[derive(Debug)]
pub struct Trunk {
    stem: Conv2d,
    stages: Vec<Stage>,
}

#[derive(Debug)]
struct Stage {
    halved: Option<Conv2d>,
    norm1: GroupNorm,
    conv1: Conv2d,
    norm2: GroupNorm,
    conv2: Conv2d,
}

impl TrunkConfig {
    /// Pixels that become one in the last stage.
    pub fn factor(&self) -> usize {
        1 << self.channels.len()
    }

    /// Why these sizes are none, if so.
    pub fn fault(&self) -> Option<&'static str> {
        let Self { channels, groups } = self;
        let fits = *groups > 0 && channels.iter().all(|c| *c > 0 && c.is_multiple_of(*groups));
        (channels.is_empty() || !fits).then_some("`groups` must divide every entry of `channels`")
    }

    /// Loads the weights.
    pub fn load(&self, at: &Loader) -> Trunk {
        let halving = |from, to| ConvShape { stride: 2, ..ConvShape::same(from, to) };
        let stage = |(index, &width): (usize, &usize)| {
            let at = at.at(format!("stages.{index}"));
            let from = index.checked_sub(1).map(|before| self.channels[before]);
            Stage {
                halved: from.map(|from| at.conv("halved", halving(from, width))),
                norm1: at.group_norm("norm1", width, self.groups, EPSILON),
                conv1: at.conv("conv1", ConvShape::same(width, width)),
                norm2: at.group_norm("norm2", width, self.groups, EPSILON),
                conv2: at.conv("conv2", ConvShape::same(width, width)),
            }
        };
        let stages = self.channels.iter().enumerate().map(stage).collect();
        Trunk { stem: at.conv("stem", halving(3, self.channels[0])), stages }
    }

    /// Adds the trunk to `graph`, reading `x`, a picture of `side` pixels.
    pub fn write(&self, graph: &mut Graph, weights: &Weights, side: usize) -> Vec<Written> {
        let mut x = weights.conv(graph, Graph::INPUT, "stem", 2);
        let mut side = side / 2;
        let mut given = Vec::new();
        for (index, &width) in self.channels.iter().enumerate() {
            let name = |part: &str| format!("stages.{index}.{part}");
            if index > 0 {
                x = weights.conv(graph, &x, &name("halved"), 2);
                side /= 2;
            }
            let shape = [width, side, side];
            let mut h = x.clone();
            for number in 1..3 {
                let norm = name(&format!("norm{number}"));
                h = weights.norm(graph, (&h, shape), &norm, self.groups);
                h = weights.conv(graph, &h, &name(&format!("conv{number}")), 1);
            }
            x = graph.add(&x, &h);
            given.push((x.clone(), shape));
        }
        given
    }
}

impl Trunk {
    /// `[batch, 3, side, side]` to what each stage gives, `[batch, channels, h, w]`.
    pub fn forward(&self, pictures: Tensor<4>) -> Vec<Tensor<4>> {
        let mut x = self.stem.forward(pictures);
        let mut given = Vec::with_capacity(self.stages.len());
        for stage in &self.stages {
            if let Some(halved) = &stage.halved {
                x = halved.forward(x);
            }
            let h = stage.conv1.forward(stage.norm1.forward_silu(x.clone()));
            x = x + stage.conv2.forward(stage.norm2.forward_silu(h));
            given.push(x.clone());
        }
        given
    }
}

impl Weights {
    /// Those of `parameters`.
    pub fn of(parameters: &Parameters) -> Self {
        Self(parameters.named(&parameters.values).into_iter().collect())
    }

    /// Shape and values of a weight.
    pub fn at(&self, name: &str) -> (&[usize], &[f32]) {
        let HostTensor { shape, values } = &self.0[name];
        (shape, values)
    }

    /// Adds the convolution called `name`.
    pub fn conv(&self, graph: &mut Graph, x: &str, name: &str, stride: i64) -> String {
        let (_, bias) = self.at(&format!("{name}.bias"));
        graph.conv(x, self.at(&format!("{name}.weight")), bias, stride)
    }

    /// Adds the group normalisation called `name`, with SiLU.
    pub fn norm(
        &self,
        graph: &mut Graph,
        (x, shape): (&str, [usize; 3]),
        name: &str,
        groups: usize,
    ) -> String {
        let [(_, gamma), (_, beta)] = ["weight", "bias"].map(|p| self.at(&format!("{name}.{p}")));
        graph.group_norm_silu(x, shape, groups, (gamma, beta), EPSILON as f32)
    }

    /// Adds the linear layer called `name`.
    pub fn linear(&self, graph: &mut Graph, x: &str, name: &str) -> String {
        let (_, bias) = self.at(&format!("{name}.bias"));
        graph.linear(x, self.at(&format!("{name}.weight")), bias)
    }
}
