//! A reader of latents: what a face shows, told from the latents around it.
//!
//! It reads what a denoiser believes of a picture, so that one that paints another expression than was
//! asked for learns so: squared errors hardly know a smile, which is a few numbers of thousands. The
//! cross entropy of its answers joins the denoiser's loss, as a face recogniser's does in
//! [PortraitBooth](https://arxiv.org/abs/2312.06354). It is not kept.

use std::cell::RefCell;

use burn::tensor::{Device, Tensor, TensorData};
use likeness_diffusion::layers::{GroupNorm, Linear};
use likeness_diffusion::weights::{Loader, Source};
use likeness_diffusion::{Error, noise};

use super::axes::{Asked, Score};
use super::corpus::Corpus;
use super::judges::trunk::{EPSILON, Trunk, TrunkConfig};
use super::latent_faces::{LatentFaces, Square};
use super::latents::Latents;
use super::learner::Learner;
use super::parameters::Parameters;
use super::stage::{OPTIMIZER, Stage, drawn};
use crate::trainable::Leaves;

/// Pixels a side of what it looks at; a multiple of what its network halves.
pub const SIDE: usize = 48;
/// How far off the squares are that it learns on, at most, as a share of their side.
const MOVED: f32 = 0.08;
/// The most noise, as a standard deviation, that was taken from what it learns on.
const NOISE: f32 = 0.5;
/// Pictures read at once when nothing is learned.
const CHUNK: usize = 50;

/// A reader's stage.
pub struct LatentReader<'a> {
    /// What it tells.
    pub asked: Asked<'a>,
    /// Its network.
    pub trunk: &'a TrunkConfig,
    /// What it learns from.
    pub corpus: &'a Corpus,
    /// The corpus's latents.
    pub latents: &'a Latents,
    /// What shows it faces of them.
    pub faces: LatentFaces,
    /// Pictures a step.
    pub batch: usize,
    /// Of the batches and the noise.
    pub seed: u64,
    /// Where it is computed.
    pub device: &'a Device,
}

/// A loaded reader.
struct Model {
    trunk: Trunk,
    norm: GroupNorm,
    answers: Linear,
}

impl LatentReader<'_> {
    /// Fresh weights.
    pub fn learner(&self) -> Learner {
        let load = |source: &Source| Ok::<_, Error>(self.load(source));
        let fresh = Parameters::fresh(load, &["conv2.weight"], self.seed + 3, self.device);
        Learner::new(fresh.expect("zeros are given for every name"), OPTIMIZER, 0.998, self.device)
    }

    /// The cross entropy of what the reader of `weights` tells of the pictures `indices`, of which these
    /// are the latents, or what is believed to be: `[pictures, channels, h, w]`. Those of `told` alone
    /// count.
    pub fn error(
        &self,
        weights: &Parameters,
        indices: &[usize],
        latents: &Tensor<4>,
        told: &[bool],
    ) -> Tensor<1> {
        let places: Vec<usize> = (0..told.len()).filter(|place| told[*place]).collect();
        if places.is_empty() {
            return Tensor::zeros([1], &latents.device());
        }
        let picture = |&place: &usize| latents.clone().narrow(0, place, 1);
        let seen = Tensor::cat(places.iter().map(picture).collect(), 0);
        let shown: Vec<usize> = places.iter().map(|place| indices[*place]).collect();
        let answers = self.answers(&self.load(&weights.frozen()), seen, &self.squares(&shown));
        let share = shown.len() as f64 / indices.len() as f64;
        self.asked.cross_entropy(&shown, &answers) * share
    }

    fn load(&self, source: &Source) -> Model {
        let report = RefCell::default();
        let at = Loader::new(source, self.device, &report);
        let width = *self.trunk.channels.last().expect("a stage");
        let places = (SIDE / self.trunk.factor()).pow(2);
        Model {
            trunk: self.trunk.load(&at),
            norm: at.group_norm("norm", width, self.trunk.groups, EPSILON),
            answers: at.linear("answers", width * places, self.asked.answers(), true),
        }
    }

    fn squares(&self, indices: &[usize]) -> Vec<Square> {
        indices.iter().map(|index| Square::of(self.corpus, *index)).collect()
    }

    /// The same squares, each a little elsewhere and of another size.
    fn moved(&self, step: usize, indices: &[usize]) -> Vec<Square> {
        let drawn = noise::uniform(self.seed, "moved", step as u64, 3 * indices.len());
        let moved = |(Square { middle, side }, by): (Square, &[f32])| Square {
            middle: [0, 1].map(|axis| middle[axis] + MOVED * side * by[axis]),
            side: side * (2.0 * MOVED * by[2]).exp(),
        };
        self.squares(indices).into_iter().zip(drawn.chunks(3)).map(moved).collect()
    }

    /// What `model` answers of these squares of what latents show.
    fn answers(&self, model: &Model, latents: Tensor<4>, squares: &[Square]) -> Tensor<2> {
        let x = model.trunk.forward(self.faces.of(latents, squares)).pop().expect("a stage");
        model.answers.forward(model.norm.forward_silu(x).flatten(1, 3))
    }

    /// The latents of some pictures after noise was added and taken away again as well as can be told
    /// from a latent alone: by its channel's variance (Wiener), each picture's by its own.
    fn cleaned(&self, step: usize, indices: &[usize]) -> Tensor<4> {
        let latents = self.latents.at(indices, self.device);
        let [pictures, channels, h, w] = latents.dims();
        let each = channels * h * w;
        let sizes = noise::uniform(self.seed, "cleaned", step as u64, pictures);
        let mut drawn = noise::normal_each(self.seed, "dirt", step as u64, pictures, each);
        let mut kept = Vec::with_capacity(pictures * channels);
        for (picture, size) in drawn.chunks_mut(each).zip(sizes) {
            let deviation = NOISE * size * size; // small ones more often
            picture.iter_mut().for_each(|value| *value *= deviation);
            let variances = self.latents.variances().iter();
            kept.extend(variances.map(|v| v / (v + deviation * deviation)));
        }
        let tensor = |values, shape: [usize; 4]| {
            Tensor::<4>::from_data(TensorData::new(values, shape), self.device)
        };
        let dirt = tensor(drawn, [pictures, channels, h, w]);
        (latents + dirt) * tensor(kept, [pictures, channels, 1, 1])
    }
}

impl Stage for LatentReader<'_> {
    fn names(&self) -> Vec<&'static str> {
        vec!["latent_reader"]
    }

    fn loss(&self, step: usize, learners: &[Learner]) -> (Tensor<1>, Vec<Leaves>) {
        let (source, leaves) = learners[0].parameters.learning();
        let indices = drawn(self.seed, step, self.batch, self.corpus.training());
        let (latents, squares) = (self.cleaned(step, &indices), self.moved(step, &indices));
        let answers = self.answers(&self.load(&source), latents, &squares);
        (self.asked.cross_entropy(&indices, &answers), vec![leaves])
    }

    fn validate(&self, learners: &[Learner]) -> Vec<(String, f64)> {
        let model = self.load(&learners[0].averaged().frozen());
        let held_out: Vec<_> = self.corpus.held_out().collect();
        let mut score = Score::new(&self.asked);
        for chunk in held_out.chunks(CHUNK) {
            let latents = self.latents.at(chunk, self.device);
            score.add(chunk, &self.answers(&model, latents, &self.squares(chunk)));
        }
        score.shares()
    }
}
