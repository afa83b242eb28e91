//! The UNet's steps by their sizes alone, without any weight.
//!
//! What a run will learn and keep can be told from a config and a picture's size,
//! before anything is loaded. The tests hold this beside the real steps.

use super::UnetConfig;
use crate::layers::LayerShape;

/// What a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The first convolution.
    In,
    /// A resnet.
    Resnet,
    /// A transformer.
    Transformer,
    /// To half the size.
    Downsampler,
    /// To twice the size.
    Upsampler,
    /// Normalisation and the last convolution.
    Out,
}

/// The sizes of a step, for one sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepShape {
    /// Its name, as probes see it.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Channels that it reads, a skip's included.
    pub c_in: usize,
    /// Channels of the skip that it takes, 0 if none.
    pub c_skip: usize,
    /// Channels that it gives.
    pub c_out: usize,
    /// Height and width of what it reads.
    pub size_in: [usize; 2],
    /// Height and width of what it gives.
    pub size: [usize; 2],
    /// Its transformer blocks, 0 if it is no transformer.
    pub blocks: usize,
    /// Heads of their attention, 0 if it is no transformer.
    pub heads: usize,
    /// Its layers that an adapter may change: path and shape.
    pub layers: Vec<(String, LayerShape)>,
}

impl StepShape {
    /// Places of what it gives: height times width.
    pub fn places(&self) -> usize {
        self.size[0] * self.size[1]
    }

    /// Places of what it reads.
    pub fn places_in(&self) -> usize {
        self.size_in[0] * self.size_in[1]
    }
}

impl UnetConfig {
    /// Every step on latents of `size` (height, width), in order.
    pub fn steps(&self, size: [usize; 2]) -> Vec<StepShape> {
        let mut way = Way { config: self, size, skips: Vec::new(), steps: Vec::new() };
        let first = self.block_out_channels[0];
        way.conv("conv_in", Kind::In, [self.in_channels, first], size);
        way.leave_skip();
        for level in 0..self.levels() {
            way.down(level);
        }
        let last = self.block_out_channels[self.levels() - 1];
        way.resnet("mid_block.resnets.0", last, last);
        way.transformer("mid_block.attentions.0", self.levels() - 1);
        way.resnet("mid_block.resnets.1", last, last);
        for level in 0..self.levels() {
            way.up(level);
        }
        way.conv("conv_out", Kind::Out, [first, self.out_channels], size);
        way.steps
    }

    /// The layers of the time embedding that an adapter may change.
    pub fn time_layers(&self) -> [(String, LayerShape); 2] {
        let (d_in, width) = (self.block_out_channels[0], self.time_width());
        [("linear_1", d_in), ("linear_2", width)].map(|(name, d_in)| {
            (format!("time_embedding.{name}"), LayerShape::Linear { d_in, d_out: width })
        })
    }
}

/// The way so far.
struct Way<'a> {
    config: &'a UnetConfig,
    size: [usize; 2],
    skips: Vec<(usize, [usize; 2])>, // channels and size
    steps: Vec<StepShape>,
}

impl Way<'_> {
    fn down(&mut self, level: usize) {
        let channels = &self.config.block_out_channels;
        let (mut c_in, c_out) = (channels[level.saturating_sub(1)], channels[level]);
        for i in 0..self.config.layers_per_block {
            self.resnet(&format!("down_blocks.{level}.resnets.{i}"), c_in, c_out);
            if self.config.down_attends(level) {
                self.transformer(&format!("down_blocks.{level}.attentions.{i}"), level);
            }
            self.leave_skip();
            c_in = c_out;
        }
        if level + 1 < self.config.levels() {
            let half = self.size.map(|side| side.div_ceil(2));
            let name = format!("down_blocks.{level}.downsamplers.0.conv");
            self.conv(&name, Kind::Downsampler, [c_out, c_out], half);
            self.leave_skip();
        }
    }

    fn up(&mut self, level: usize) {
        let last = self.config.levels() - 1;
        let c_out = self.config.block_out_channels[last - level];
        for i in 0..=self.config.layers_per_block {
            let c_below = self.steps.last().map_or(c_out, |step| step.c_out);
            let (c_skip, _) = self.skips.pop().expect("the way down leaves one for each");
            self.resnet(&format!("up_blocks.{level}.resnets.{i}"), c_below + c_skip, c_out);
            self.steps.last_mut().expect("just pushed").c_skip = c_skip;
            if self.config.up_attends(level) {
                self.transformer(&format!("up_blocks.{level}.attentions.{i}"), last - level);
            }
        }
        if let (true, Some((_, size))) = (level < last, self.skips.last().copied()) {
            let name = format!("up_blocks.{level}.upsamplers.0.conv");
            self.conv(&name, Kind::Upsampler, [c_out, c_out], size);
        }
    }

    fn leave_skip(&mut self) {
        self.skips.extend(self.steps.last().map(|step| (step.c_out, step.size)));
    }

    fn push(
        &mut self,
        name: &str,
        kind: Kind,
        [c_in, c_out]: [usize; 2],
        layers: Vec<(String, LayerShape)>,
    ) {
        let (name, size) = (name.to_owned(), self.size);
        let (c_skip, blocks, heads, size_in) = (0, 0, 0, size);
        let step =
            StepShape { name, kind, c_in, c_skip, c_out, size_in, size, blocks, heads, layers };
        self.steps.push(step);
    }

    /// A step that is the one 3 x 3 convolution at `path`, to the size `to`.
    fn conv(&mut self, path: &str, kind: Kind, [c_in, c_out]: [usize; 2], to: [usize; 2]) {
        let layer = (path.to_owned(), LayerShape::Conv { c_in, c_out, kernel: 3 });
        // A sampler's convolution is a part of it; the others are steps themselves.
        let name = path.strip_suffix(".conv").unwrap_or(path);
        self.push(name, kind, [c_in, c_out], vec![layer]);
        self.size = to;
        self.steps.last_mut().expect("just pushed").size = to;
    }

    fn resnet(&mut self, name: &str, c_in: usize, c_out: usize) {
        let conv = |part: &str, c_in: usize, kernel: usize| {
            (format!("{name}.{part}"), LayerShape::Conv { c_in, c_out, kernel })
        };
        let time = LayerShape::Linear { d_in: self.config.time_width(), d_out: c_out };
        let mut layers = vec![
            conv("conv1", c_in, 3),
            (format!("{name}.time_emb_proj"), time),
            conv("conv2", c_out, 3),
        ];
        layers.extend((c_in != c_out).then(|| conv("conv_shortcut", c_in, 1)));
        self.push(name, Kind::Resnet, [c_in, c_out], layers);
    }

    fn transformer(&mut self, name: &str, level: usize) {
        let config = self.config;
        let (width, d_text) = (config.block_out_channels[level], config.cross_attention_dim);
        let blocks = config.transformer_layers_per_block.at(level);
        let linear = |part: &str, d_in: usize, d_out: usize| {
            (format!("{name}.{part}"), LayerShape::Linear { d_in, d_out })
        };
        let projection = |part: &str| match config.use_linear_projection {
            true => linear(part, width, width),
            false => {
                let shape = LayerShape::Conv { c_in: width, c_out: width, kernel: 1 };
                (format!("{name}.{part}"), shape)
            }
        };
        let mut layers = vec![projection("proj_in")];
        for block in 0..blocks {
            let at = |part: &str| format!("transformer_blocks.{block}.{part}");
            for (attention, context) in [("attn1", width), ("attn2", d_text)] {
                for (part, d_in) in
                    [("to_q", width), ("to_k", context), ("to_v", context), ("to_out.0", width)]
                {
                    layers.push(linear(&at(&format!("{attention}.{part}")), d_in, width));
                }
            }
            layers.push(linear(&at("ff.net.0.proj"), width, 8 * width));
            layers.push(linear(&at("ff.net.2"), 4 * width, width));
        }
        layers.push(projection("proj_out"));
        self.push(name, Kind::Transformer, [width, width], layers);
        let step = self.steps.last_mut().expect("just pushed");
        (step.blocks, step.heads) = (blocks, config.attention_head_dim.at(level));
    }
}
