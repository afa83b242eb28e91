//! A pass through the UNet that is gone back step by step.
//!
//! Autodiff's graph is cut between the steps: each step is a graph of its own over
//! fresh leaves, and the gradient of its output comes from the step behind it. A
//! step's graph is kept from the forward pass, or made anew from the step's inputs
//! when its turn comes: gradient checkpointing (Chen et al. 2016,
//! <https://arxiv.org/abs/1604.06174>, section 4). Nothing in a UNet is random and
//! both ways run the same operations in the same order, so the gradients are the
//! same to the bit; only memory and time differ.

use burn::tensor::{Gradients, Tensor};
use likeness_kernels::seeded;
use serde::{Deserialize, Serialize};

use super::step::{Inputs, Part, Step, Walk};
use super::{Kind, Unet};
use crate::layers::{LayerMut, LowRank};

/// Which steps' graphs are made anew for the backward pass instead of being kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Checkpointing {
    /// None: the fastest, the most memory.
    None,
    /// Those of the transformers.
    Attention,
    /// Those of transformers, resnets and samplers: the least memory, one more forward pass.
    Blocks,
}

impl Checkpointing {
    /// All of them, the fastest first.
    pub const ALL: [Self; 3] = [Self::None, Self::Attention, Self::Blocks];

    /// As a run file has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Attention => "attention",
            Self::Blocks => "blocks",
        }
    }

    /// Whether the graph of a step of this kind is made anew. The first and the last step keep
    /// next to nothing, so theirs are always kept.
    pub fn recomputes(self, kind: Kind) -> bool {
        match kind {
            Kind::In | Kind::Out => false,
            Kind::Transformer => self >= Self::Attention,
            Kind::Resnet | Kind::Downsampler | Kind::Upsampler => self >= Self::Blocks,
        }
    }
}

/// A forward pass, ready to be gone back once.
pub struct Pass<'a> {
    steps: Vec<(Step<'a>, Option<Taken>)>, // nothing learns in or before a step without one
    prediction: Tensor<4>,
    time: Tensor<2>,
    text: Tensor<3>,
}

/// A step that was taken.
struct Taken {
    inputs: Inputs,            // its leaves, where the graph is kept
    output: Option<Tensor<4>>, // with the graph, if that is kept
}

impl<'a> Pass<'a> {
    /// Predicts as [`Unet::forward`] does. Gradients will be those of every tracked update of
    /// `unet`, and of all that `text` comes from if it is tracked.
    pub fn forward(
        unet: &'a Unet,
        x: Tensor<4>,
        timesteps: &[f64],
        text: Tensor<3>,
        checkpointing: Checkpointing,
    ) -> Self {
        let (plain, learning) = untracked(unet);
        let mut x = x.without_autodiff();
        let time = unet.time(timesteps, &x.device());
        let mut walk = Walk::new(marked(&time), marked(&text));
        let mut steps = Vec::new();
        for (step, plain) in unet.steps().into_iter().zip(plain.steps()) {
            let inputs = walk.inputs(&step, x);
            let (output, taken) = if !(inputs.reach(&step) || learns(&step, &learning)) {
                (plain.run(inputs.plain()), None)
            } else if checkpointing.recomputes(step.kind()) {
                let output = plain.run(inputs.plain()).autodiff().require_grad();
                (output, Some(Taken { inputs, output: None }))
            } else {
                let inputs = inputs.leaves();
                let output = step.run(inputs.clone());
                (marked(&output), Some(Taken { inputs, output: Some(output) }))
            };
            walk.leave(&step, &output);
            x = output;
            steps.push((step, taken));
        }
        Self { steps, prediction: x.without_autodiff(), time, text }
    }

    /// The prediction, not tracked.
    pub fn prediction(&self) -> Tensor<4> {
        self.prediction.clone()
    }

    /// Goes back from the gradient of the prediction. A leaf's gradient is in one of the results,
    /// or in none if nothing reached it.
    pub fn backward(self, gradient: Tensor<4>) -> Vec<Gradients> {
        let (mut gradient, mut skips) = (Some(gradient), Vec::new());
        let (mut time, mut text) = (None, None);
        let mut found = Vec::new();
        for (step, taken) in self.steps.into_iter().rev() {
            let Some(taken) = taken else {
                break;
            };
            if step.leaves_skip {
                let skip = skips.pop().expect("each skip was taken by a step behind");
                add(&mut gradient, skip);
            }
            let (inputs, output) = taken.graph(&step);
            let gradient_out = gradient.take().expect("each step's output is read");
            let mut grads = seeded(output, gradient_out).backward();
            gradient = inputs.x.grad_remove(&mut grads);
            if let Some(skip) = &inputs.skip {
                skips.push(skip.grad_remove(&mut grads));
            }
            add(&mut time, inputs.time.grad_remove(&mut grads));
            add(&mut text, inputs.text.grad_remove(&mut grads));
            found.push(grads);
        }
        found.extend(time.map(|gradient| seeded(self.time, gradient).backward()));
        found.extend(text.map(|gradient| seeded(self.text, gradient).backward()));
        found
    }
}

impl Taken {
    /// The step's leaves and its output with the graph between them.
    fn graph(self, step: &Step<'_>) -> (Inputs, Tensor<4>) {
        match self.output {
            Some(output) => (self.inputs, output),
            None => {
                let inputs = self.inputs.leaves();
                let output = step.run(inputs.clone());
                (inputs, output)
            }
        }
    }
}

impl Inputs {
    /// Whether something that learns reaches `step` by what it reads.
    fn reach(&self, step: &Step<'_>) -> bool {
        let beside = match step.part {
            Part::Resnet(_) => self.time.is_tracked(),
            Part::Transformer(_) => self.text.is_tracked(),
            _ => false,
        };
        beside || self.x.is_tracked() || self.skip.as_ref().is_some_and(Tensor::is_tracked)
    }

    /// The same, not tracked.
    fn plain(&self) -> Self {
        let Self { x, skip, time, text, size } = self.clone();
        Self {
            x: x.without_autodiff(),
            skip: skip.map(Tensor::without_autodiff),
            time: time.without_autodiff(),
            text: text.without_autodiff(),
            size,
        }
    }

    /// The same, a leaf of its own for each that is tracked.
    fn leaves(&self) -> Self {
        Self {
            x: marked(&self.x),
            skip: self.skip.as_ref().map(marked),
            time: marked(&self.time),
            text: marked(&self.text),
            size: self.size,
        }
    }
}

/// A leaf with the values of `x` if that is tracked, and its bare values if not.
fn marked<const D: usize>(x: &Tensor<D>) -> Tensor<D> {
    let values = x.clone().without_autodiff();
    if x.is_tracked() { values.autodiff().require_grad() } else { values }
}

fn add<const D: usize>(sum: &mut Option<Tensor<D>>, term: Option<Tensor<D>>) {
    *sum = match (sum.take(), term) {
        (Some(sum), Some(term)) => Some(sum + term),
        (sum, term) => sum.or(term),
    };
}

/// `unet` with no update tracked, and the paths of the layers that had a tracked one.
pub fn untracked(unet: &Unet) -> (Unet, Vec<String>) {
    let mut plain = unet.clone();
    let mut learning = Vec::new();
    for layer in plain.layers() {
        let (path, tracked) = match layer {
            LayerMut::Linear(layer) => (layer.path().to_owned(), untrack(&mut layer.updates)),
            LayerMut::Conv(layer) => (layer.path().to_owned(), untrack(&mut layer.updates)),
        };
        learning.extend(tracked.then_some(path));
    }
    (plain, learning)
}

/// Whether one of `updates` was tracked; none is afterwards.
fn untrack<const D: usize>(updates: &mut [LowRank<D>]) -> bool {
    let tracked = updates.iter().any(|u| u.down.is_tracked() || u.up.is_tracked());
    for update in updates {
        update.down = update.down.clone().without_autodiff();
        update.up = update.up.clone().without_autodiff();
    }
    tracked
}

/// Whether one of the layers at the paths `learning` is in `step`.
fn learns(step: &Step<'_>, learning: &[String]) -> bool {
    let inside = |path: &String| {
        path.strip_prefix(&step.name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    learning.iter().any(inside)
}
