//! Readers: which place, light and hair colour a picture shows, which expression a face.
//!
//! A trunk and one linear layer with an answer for each label of each axis; cross entropy, the axes'
//! sum. The layer reads the last stage's mean of a picture, where things are anywhere, and all of a
//! face's, which is aligned.

use std::cell::RefCell;
use std::collections::BTreeMap;

use burn::tensor::{Device, Tensor};
use image::RgbImage;
use likeness_diffusion::Error;
use likeness_diffusion::layers::{GroupNorm, Linear};
use likeness_diffusion::weights::{Loader, Source};
use likeness_faces::onnx::Graph;
use rayon::prelude::*;

use super::trunk::{EPSILON, Trunk, TrunkConfig, Weights};
use super::views::{self, DECODED, Draws, SAMPLED, Slip, coarse, roughened};
use crate::pretrain::axes::{Asked, Score};
use crate::pretrain::corpus::Corpus;
use crate::pretrain::learner::Learner;
use crate::pretrain::parameters::Parameters;
use crate::pretrain::stage::{OPTIMIZER, Stage, drawn};
use crate::trainable::Leaves;

/// Pictures read at once when nothing is learned.
const CHUNK: usize = 50;

/// What a reader looks at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Look {
    /// The picture.
    Picture,
    /// The aligned face on so many pixels a side, with so much beyond each edge.
    Face(usize, f64),
}

/// What is done to the pictures that a reader learns from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rough {
    /// As a small base paints, with a small finder's landmarks.
    Samples,
    /// As cameras see, with landmarks half as far off: fine detail is what it learns to tell.
    Photos,
}

/// A reader's stage.
pub struct Reader<'a> {
    /// Its name, for folders.
    pub name: &'static str,
    /// What it looks at.
    pub look: Look,
    /// What it tells.
    pub asked: Asked<'a>,
    /// What the pictures are like that it shall read.
    pub rough: Rough,
    /// The trunk's sizes.
    pub trunk: &'a TrunkConfig,
    /// What it learns from.
    pub corpus: &'a Corpus,
    /// Pictures a step.
    pub batch: usize,
    /// Of the batches and the views.
    pub seed: u64,
    /// Where it is computed.
    pub device: &'a Device,
}

/// A loaded reader.
struct Model {
    trunk: Trunk,
    norm: GroupNorm,
    answers: Linear,
    mean: bool, // of all places; else all of them are read
}

impl Reader<'_> {
    /// Fresh weights.
    pub fn learner(&self) -> Learner {
        let fresh = Parameters::fresh(|s| self.load(s), &["conv2.weight"], self.seed, self.device);
        Learner::new(fresh.expect("zeros are given for every name"), OPTIMIZER, 0.998, self.device)
    }

    fn load(&self, source: &Source) -> Result<Model, Error> {
        let report = RefCell::default();
        let at = Loader::new(source, self.device, &report);
        let width = *self.trunk.channels.last().expect("a stage");
        Ok(Model {
            trunk: self.trunk.load(&at),
            norm: at.group_norm("norm", width, self.trunk.groups, EPSILON),
            answers: at.linear("answers", width * self.places(), self.asked.answers(), true),
            mean: self.look == Look::Picture,
        })
    }

    /// Pixels a side of what it looks at.
    fn side(&self) -> usize {
        match self.look {
            Look::Picture => self.corpus.side(),
            Look::Face(side, _) => side,
        }
    }

    /// Places of the last stage that the answers are read from.
    fn places(&self) -> usize {
        match self.look {
            Look::Picture => 1,
            Look::Face(side, _) => (side / self.trunk.factor()).pow(2),
        }
    }

    /// How far off landmarks are.
    fn slip(&self, draws: &mut Draws) -> Slip {
        Slip::drawn(draws, if self.rough == Rough::Photos { 0.5 } else { 1.0 })
    }

    /// What it sees of `picture`, which is number `index`; landmarks of a face are as found with the
    /// errors of `slip`.
    fn view(&self, picture: RgbImage, index: usize, slip: &Slip) -> RgbImage {
        match self.look {
            Look::Picture => picture,
            Look::Face(side, margin) => {
                views::face_of(&picture, self.corpus.label(index), (side, margin), slip)
            }
        }
    }

    /// The network as ONNX: a picture in, the answers `[1, labels of all axes]` out.
    pub fn onnx(&self, parameters: &Parameters) -> Vec<u8> {
        let (weights, mut graph) = (Weights::of(parameters), Graph::new());
        let side = self.side();
        let (x, shape) = self.trunk.write(&mut graph, &weights, side).pop().expect("a stage");
        let x = weights.norm(&mut graph, (&x, shape), "norm", self.trunk.groups);
        let x = if self.look == Look::Picture { graph.mean(&x, &[2, 3]) } else { x };
        let x = graph.reshape(&x, &[1, (shape[0] * self.places()) as i64]);
        let answers = weights.linear(&mut graph, &x, "answers");
        let count = self.asked.answers();
        let outputs = BTreeMap::from([("answers".to_owned(), (answers, vec![1, count]))]);
        graph.file(&[1, 3, side, side], &outputs)
    }
}

impl Model {
    /// `[pictures, 3, side, side]` to answers `[pictures, labels of all axes]`.
    fn forward(&self, pictures: Tensor<4>) -> Tensor<2> {
        let x = self.trunk.forward(pictures).pop().expect("a stage");
        let x = self.norm.forward_silu(x);
        let [pictures, channels, height, width] = x.dims();
        let x = x.reshape([pictures, channels, height * width]);
        let x = if self.mean { x.mean_dim(2) } else { x };
        self.answers.forward(x.flatten(1, 2))
    }
}

impl Stage for Reader<'_> {
    fn names(&self) -> Vec<&'static str> {
        vec![self.name]
    }

    fn loss(&self, step: usize, learners: &[Learner]) -> (Tensor<1>, Vec<Leaves>) {
        let (source, leaves) = learners[0].parameters.learning();
        let model = self.load(&source).expect("all of its weights are there");
        let indices = drawn(self.seed, step, self.batch, self.corpus.training());
        let view = |(place, &index): (usize, &usize)| {
            let mut draws = Draws::new(self.seed, self.name, step, place);
            let seed = self.seed ^ (step * self.batch + place) as u64;
            let picture = views::picture(self.corpus, index);
            let (picture, least) = match (self.rough, self.look) {
                (Rough::Photos, _) => (picture, 2.0 * SAMPLED),
                (Rough::Samples, Look::Picture) => (picture, SAMPLED),
                // A small face in a sample is coarser than a large one.
                (Rough::Samples, Look::Face(..)) => (coarse(picture, &mut draws, DECODED), SAMPLED),
            };
            let view = self.view(picture, index, &self.slip(&mut draws));
            roughened(view, &mut draws, seed, least)
        };
        let views: Vec<_> = indices.par_iter().enumerate().map(view).collect();
        let answers = model.forward(views::tensor(&views, self.device));
        (self.asked.cross_entropy(&indices, &answers), vec![leaves])
    }

    fn validate(&self, learners: &[Learner]) -> Vec<(String, f64)> {
        let source = learners[0].averaged().frozen();
        let model = self.load(&source).expect("all of its weights are there");
        let held_out: Vec<_> = self.corpus.held_out().collect();
        let mut score = Score::new(&self.asked);
        for chunk in held_out.chunks(CHUNK) {
            let view = |&index: &usize| {
                let slip = self.slip(&mut Draws::new(self.seed, "validation", 0, index));
                self.view(views::picture(self.corpus, index), index, &slip)
            };
            let views: Vec<_> = chunk.par_iter().map(view).collect();
            score.add(chunk, &model.forward(views::tensor(&views, self.device)));
        }
        score.shares()
    }
}
