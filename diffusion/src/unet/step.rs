//! The UNet's way, step by step: the one list that every pass walks.
//!
//! A step reads the step before it and at most one skip, the time embedding and the
//! text, and gives one feature map. So a pass can be gone back step by step.

use burn::tensor::Tensor;

use super::{Kind, resnet::Resnet, transformer::Transformer};
use crate::layers::{Conv2d, GroupNorm, enlarged};
use crate::precision::wide;

/// What a step computes.
#[derive(Debug, Clone, Copy)]
pub enum Part<'a> {
    /// The first convolution.
    In(&'a Conv2d),
    /// A resnet; on the way up over its input and a skip.
    Resnet(&'a Resnet),
    /// A transformer.
    Transformer(&'a Transformer),
    /// To half the size.
    Downsampler(&'a Conv2d),
    /// To the size of the next skip: odd latents don't come back by doubling.
    Upsampler(&'a Conv2d),
    /// Normalisation, SiLU and the last convolution.
    Out(&'a GroupNorm, &'a Conv2d),
}

/// One step of the way.
#[derive(Debug, Clone)]
pub struct Step<'a> {
    /// Its name, in diffusers' naming.
    pub name: String,
    /// What it computes.
    pub part: Part<'a>,
    /// Whether it takes the last skip.
    pub takes_skip: bool,
    /// Whether its output is a skip, too.
    pub leaves_skip: bool,
    /// The level that ends with it.
    pub ends: Option<&'a str>,
}

/// What a step reads.
#[derive(Debug, Clone)]
pub struct Inputs {
    /// The output of the step before, `[batch, channels, h, w]`.
    pub x: Tensor<4>,
    /// The skip that it takes.
    pub skip: Option<Tensor<4>>,
    /// The time embedding, `[batch, time width]`.
    pub time: Tensor<2>,
    /// The text states, `[batch, tokens, d_text]`.
    pub text: Tensor<3>,
    /// Height and width of the next skip, or of x where there is none.
    pub size: [usize; 2],
}

impl<'a> Step<'a> {
    /// A step that neither takes nor leaves a skip.
    pub fn new(name: impl Into<String>, part: Part<'a>) -> Self {
        Self { name: name.into(), part, takes_skip: false, leaves_skip: false, ends: None }
    }

    /// The same step, which takes the last skip.
    pub fn taking_skip(self) -> Self {
        Self { takes_skip: true, ..self }
    }

    /// What it is, without its weights.
    pub fn kind(&self) -> Kind {
        match self.part {
            Part::In(_) => Kind::In,
            Part::Resnet(_) => Kind::Resnet,
            Part::Transformer(_) => Kind::Transformer,
            Part::Downsampler(_) => Kind::Downsampler,
            Part::Upsampler(_) => Kind::Upsampler,
            Part::Out(..) => Kind::Out,
        }
    }

    /// The step's output.
    pub fn run(&self, inputs: Inputs) -> Tensor<4> {
        let Inputs { x, skip, time, text, size } = inputs;
        match self.part {
            Part::In(conv) | Part::Downsampler(conv) => wide(conv.forward(x)),
            Part::Resnet(resnet) => {
                let x = match skip {
                    Some(skip) => Tensor::cat(vec![x, skip], 1),
                    None => x,
                };
                resnet.forward(x, &time)
            }
            Part::Transformer(transformer) => transformer.forward(x, &text),
            Part::Upsampler(conv) => wide(conv.forward(enlarged(x, size))),
            Part::Out(norm, conv) => wide(conv.forward(norm.forward_silu(x))),
        }
    }
}

/// Says of the last of `steps` that its output is a skip.
pub fn leave_skip(steps: &mut [Step<'_>]) {
    steps.last_mut().expect("a level has at least one step").leaves_skip = true;
}

/// Says of the last of `steps` that the level `name` ends with it.
pub fn end<'a>(steps: &mut [Step<'a>], name: &'a str) {
    steps.last_mut().expect("a level has at least one step").ends = Some(name);
}

/// What steps read beside the step before them.
#[derive(Debug)]
pub struct Walk {
    time: Tensor<2>,
    text: Tensor<3>,
    /// Skips that no step has taken yet.
    pub skips: Vec<Tensor<4>>,
}

impl Walk {
    /// Before the first step.
    pub fn new(time: Tensor<2>, text: Tensor<3>) -> Self {
        Self { time, text, skips: Vec::new() }
    }

    /// What `step` reads after a step that gave `x`.
    pub fn inputs(&mut self, step: &Step<'_>, x: Tensor<4>) -> Inputs {
        let left = "the way down left one skip for each that the way up takes";
        let skip = step.takes_skip.then(|| self.skips.pop().expect(left));
        let [_, _, height, width] = self.skips.last().unwrap_or(&x).dims();
        let (time, text) = (self.time.clone(), self.text.clone());
        Inputs { x, skip, time, text, size: [height, width] }
    }

    /// Keeps the output `x` of `step` if it is a skip.
    pub fn leave(&mut self, step: &Step<'_>, x: &Tensor<4>) {
        if step.leaves_skip {
            self.skips.push(x.clone());
        }
    }
}
