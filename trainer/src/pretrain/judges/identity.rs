//! The identity encoder: characters that are one lie close, whatever the pose, light and place.
//!
//! Aligned faces through a trunk to a direction. It learns to tell the training's characters apart by
//! the cosine to a direction of each, with a margin: Wang et al. 2018,
//! <https://arxiv.org/abs/1801.09414>, equation 4; and, from the same direction, what the character
//! looks like in numbers, which says more about a face than its name does. Neither head is kept.

use std::cell::RefCell;
use std::collections::BTreeMap;

use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Int, Tensor, TensorData};
use image::RgbImage;
use likeness_diffusion::layers::{GroupNorm, Linear};
use likeness_diffusion::weights::{Loader, Source};
use likeness_diffusion::{Error, noise};
use likeness_faces::onnx::Graph;
use rayon::prelude::*;

use super::trunk::{EPSILON, Trunk, TrunkConfig, Weights};
use super::views::{self, Draws, SAMPLED, Slip, roughened};
use crate::pretrain::corpus::Corpus;
use crate::pretrain::learner::Learner;
use crate::pretrain::parameters::Parameters;
use crate::pretrain::stage::{OPTIMIZER, Stage, drawn};
use crate::trainable::Leaves;

/// Logits are cosines times this; the paper's 64 is for many more characters.
const SCALE: f64 = 24.0;
/// What the cosine to the own direction must exceed the others by; the paper's.
const MARGIN: f64 = 0.3;
/// Weight of the traits' error: after 1,000 steps the equal error rate is 22 % without it, 17 % at
/// 10, 13 % at 40 and 10 % at 200.
const TRAITS: f64 = 200.0;
/// A direction has length one, what a character looks like in numbers about six: a factor between.
const SPREAD: f64 = 5.0;
/// Faces read at once when nothing is learned.
const CHUNK: usize = 50;
/// Degrees between two poses that count as different.
const POSES_APART: f32 = 15.0;
/// Pairs of different characters that a validation compares.
const IMPOSTORS: usize = 100_000;

/// The encoder's stage.
pub struct IdentityEncoder<'a> {
    /// The trunk's sizes.
    pub trunk: &'a TrunkConfig,
    /// Pixels a side of an aligned face.
    pub side: usize,
    /// How much of the face's square is added at each edge, for hair and chin.
    pub margin: f64,
    /// Length of a direction.
    pub dimension: usize,
    /// What it learns from.
    pub corpus: &'a Corpus,
    /// Faces a step.
    pub batch: usize,
    /// Of the batches and the views.
    pub seed: u64,
    /// Where it is computed.
    pub device: &'a Device,
}

/// What only the training reads a direction with.
struct Heads {
    /// A direction of each character that is trained on, `[characters, dimension]`.
    characters: Tensor<2>,
    traits: Linear,
}

/// A loaded encoder.
struct Model {
    trunk: Trunk,
    norm: GroupNorm,
    direction: Linear,
}

impl IdentityEncoder<'_> {
    /// Fresh weights: of the encoder, and of what reads its directions.
    pub fn learners(&self) -> [Learner; 2] {
        let load = |source: &Source| self.load(source);
        let encoder = Parameters::fresh(load, &["conv2.weight"], self.seed, self.device);
        let heads = |source: &Source| Ok::<_, Error>(self.heads(source));
        let heads = Parameters::fresh(heads, &[], self.seed + 1, self.device);
        [encoder, heads].map(|fresh| {
            let fresh = fresh.expect("zeros are given for every name");
            Learner::new(fresh, OPTIMIZER, 0.998, self.device)
        })
    }

    fn load(&self, source: &Source) -> Result<Model, Error> {
        let report = RefCell::default();
        let at = Loader::new(source, self.device, &report);
        let (width, last) = self.last();
        Ok(Model {
            trunk: self.trunk.load(&at),
            norm: at.group_norm("norm", width, self.trunk.groups, EPSILON),
            direction: at.linear("direction", width * last * last, self.dimension, true),
        })
    }

    fn heads(&self, source: &Source) -> Heads {
        let report = RefCell::default();
        let at = Loader::new(source, self.device, &report);
        let count = self.corpus.label(self.corpus.training() - 1).character + 1;
        let traits = self.corpus.traits(0).len();
        Heads {
            characters: at.tensor("directions", [count as usize, self.dimension]),
            traits: at.linear("traits", self.dimension, traits, true),
        }
    }

    /// Channels and side of what the trunk's last stage gives.
    fn last(&self) -> (usize, usize) {
        (*self.trunk.channels.last().expect("a stage"), self.side / self.trunk.factor())
    }

    /// The aligned face of picture `index`, as found with these errors.
    fn face(&self, index: usize, slip: &Slip) -> RgbImage {
        views::face(self.corpus, index, (self.side, self.margin), slip)
    }

    /// What the characters of these pictures look like, `[pictures, numbers]`.
    fn traits(&self, indices: &[usize]) -> Tensor<2> {
        let numbers: Vec<f32> =
            indices.iter().flat_map(|&index| self.corpus.traits(index)).copied().collect();
        let shape = [indices.len(), numbers.len() / indices.len()];
        Tensor::from_data(TensorData::new(numbers, shape), self.device)
    }

    /// The network as ONNX: an aligned face in, its direction `[1, dimension]` out.
    pub fn onnx(&self, parameters: &Parameters) -> Vec<u8> {
        let (weights, mut graph) = (Weights::of(parameters), Graph::new());
        let (x, shape) = self.trunk.write(&mut graph, &weights, self.side).pop().expect("a stage");
        let x = weights.norm(&mut graph, (&x, shape), "norm", self.trunk.groups);
        let x = graph.reshape(&x, &[1, -1]);
        let direction = weights.linear(&mut graph, &x, "direction");
        let shape = vec![1, self.dimension];
        let outputs = BTreeMap::from([("direction".to_owned(), (direction, shape))]);
        graph.file(&[1, 3, self.side, self.side], &outputs)
    }

    /// The directions of held-out pictures, of length one.
    fn held_out(&self, learner: &Learner) -> Vec<(usize, Vec<f32>)> {
        let source = learner.averaged().frozen();
        let model = self.load(&source).expect("all of its weights are there");
        let indices: Vec<_> = self.corpus.held_out().collect();
        let mut directions = Vec::with_capacity(indices.len());
        for chunk in indices.chunks(CHUNK) {
            let faces: Vec<_> = chunk.par_iter().map(|&i| self.face(i, &Slip::NONE)).collect();
            let all = unit(model.forward(views::tensor(&faces, self.device))).into_data();
            let all: Vec<f32> = all.iter::<f32>().collect();
            let each = all.chunks_exact(self.dimension).map(<[f32]>::to_vec);
            directions.extend(chunk.iter().copied().zip(each));
        }
        directions
    }

    /// Whether two pictures differ in place, expression, light and pose.
    fn differ(&self, a: usize, b: usize) -> bool {
        let [a, b] = [a, b].map(|index| self.corpus.label(index));
        let scenes = a.classes.iter().zip(&b.classes).take(3); // the fourth is the character's hair
        scenes.into_iter().all(|(a, b)| a != b) && (a.yaw - b.yaw).abs() >= POSES_APART
    }
}

/// The direction of an aligned `face` by the averaged weights in `config`'s folder.
#[cfg(test)]
pub fn direction(config: &crate::pretrain::config::PretrainConfig, face: &RgbImage) -> Vec<f32> {
    use crate::pretrain::run::corpus_folder;
    let device = Device::flex();
    let folder = corpus_folder(&config.out);
    let corpus = Corpus::open(&folder, config.corpus.side, config.pictures()).expect("a corpus");
    let identity = &config.identity;
    let encoder = IdentityEncoder {
        trunk: &identity.trunk,
        side: identity.side,
        margin: identity.margin,
        dimension: identity.dimension,
        corpus: &corpus,
        batch: 1,
        seed: 0,
        device: &device,
    };
    let mut learner = encoder.learners().into_iter().next().expect("the encoder's");
    let path = config.out.join("identity/state.safetensors");
    let file = likeness_diffusion::weights::TensorFile::open(&path).expect("a state");
    assert!(learner.resume("encoder", &file, 2, &device).expect("a readable state"));
    let model = encoder.load(&learner.averaged().frozen()).expect("all of its weights");
    let faces = views::tensor(std::slice::from_ref(face), &device);
    model.forward(faces).into_data().iter::<f32>().collect()
}

impl Model {
    /// `[faces, 3, side, side]` to `[faces, dimension]`.
    fn forward(&self, faces: Tensor<4>) -> Tensor<2> {
        let x = self.trunk.forward(faces).pop().expect("a stage");
        let x = self.norm.forward_silu(x);
        let [faces, channels, height, width] = x.dims();
        self.direction.forward(x.reshape([faces, channels * height * width]))
    }
}

/// Each row with length one.
fn unit(rows: Tensor<2>) -> Tensor<2> {
    let length = (rows.clone().square().sum_dim(1) + 1e-12).sqrt();
    rows / length
}

impl Stage for IdentityEncoder<'_> {
    fn names(&self) -> Vec<&'static str> {
        vec!["encoder", "heads"]
    }

    fn loss(&self, step: usize, learners: &[Learner]) -> (Tensor<1>, Vec<Leaves>) {
        let (source, leaves) = learners[0].parameters.learning();
        let (heads_source, heads_leaves) = learners[1].parameters.learning();
        let model = self.load(&source).expect("all of its weights are there");
        let indices = drawn(self.seed, step, self.batch, self.corpus.training());
        let view = |(place, &index): (usize, &usize)| {
            let mut draws = Draws::new(self.seed, "face", step, place);
            let face = self.face(index, &Slip::drawn(&mut draws, 1.0));
            roughened(face, &mut draws, self.seed ^ (step * self.batch + place) as u64, SAMPLED)
        };
        let views: Vec<_> = indices.par_iter().enumerate().map(view).collect();
        let directions = unit(model.forward(views::tensor(&views, self.device)));
        let heads = self.heads(&heads_source);
        let guessed = heads.traits.forward(directions.clone() * SPREAD);
        let unlike = (guessed - self.traits(&indices)).square().mean();
        let cosines = directions.matmul(unit(heads.characters).transpose()); // [faces, characters]
        let truth = indices.iter().map(|&i| self.corpus.label(i).character as i64);
        let truth = TensorData::new(truth.collect::<Vec<_>>(), [indices.len(), 1]);
        let truth = Tensor::<2, Int>::from_data(truth, self.device);
        let [faces, count] = cosines.dims();
        let classes = Tensor::<1, Int>::arange(0..count as i64, self.device).unsqueeze::<2>();
        let own = classes.repeat_dim(0, faces).equal(truth.clone().repeat_dim(1, count)).float();
        let likely = log_softmax((cosines - own * MARGIN) * SCALE, 1);
        let loss = likely.gather(1, truth).mean().neg() + unlike * TRAITS;
        (loss, vec![leaves, heads_leaves])
    }

    fn validate(&self, learners: &[Learner]) -> Vec<(String, f64)> {
        let faces = self.held_out(&learners[0]);
        let cosine = |a: usize, b: usize| -> f32 {
            faces[a].1.iter().zip(&faces[b].1).map(|(a, b)| a * b).sum()
        };
        let who = |at: usize| self.corpus.label(faces[at].0).character;
        let mut same = Vec::new();
        for a in 0..faces.len() {
            let later = (a + 1..faces.len()).take_while(|b| who(*b) == who(a));
            let pairs = later.filter(|b| self.differ(faces[a].0, faces[*b].0));
            same.extend(pairs.map(|b| cosine(a, b)));
        }
        let draw = |purpose: &str, n: usize| noise::below(0, purpose, n as u64, faces.len());
        let pairs = (0..IMPOSTORS).map(|n| (draw("impostor", n), draw("other", n)));
        let pairs = pairs.filter(|(a, b)| who(*a) != who(*b));
        let pairs = pairs.filter(|(a, b)| self.differ(faces[*a].0, faces[*b].0));
        let mut other: Vec<f32> = pairs.map(|(a, b)| cosine(a, b)).collect();
        let (rate, threshold) = equal_error(&mut same, &mut other);
        let named = [
            ("equal_error_rate", rate),
            ("threshold", threshold),
            ("same_pairs", same.len() as f64),
            ("other_pairs", other.len() as f64),
        ];
        named.map(|(name, value)| (name.to_owned(), value)).into()
    }
}

/// Where as many pairs of one character lie below a threshold as pairs of two above it: the share
/// of either, and the threshold. 1 and 0 where there are no pairs.
fn equal_error(same: &mut [f32], other: &mut [f32]) -> (f64, f64) {
    same.sort_by(f32::total_cmp);
    other.sort_by(f32::total_cmp);
    if same.is_empty() || other.is_empty() {
        return (1.0, 0.0);
    }
    for (rank, threshold) in same.iter().enumerate() {
        let missed = rank as f64 / same.len() as f64;
        let below = other.partition_point(|cosine| cosine < threshold);
        let taken = (other.len() - below) as f64 / other.len() as f64;
        if missed >= taken {
            return ((missed + taken) / 2.0, f64::from(*threshold));
        }
    }
    (1.0, f64::from(same[same.len() - 1]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_equal_error_rate_is_where_both_errors_meet() {
        let mut same = [0.9, 0.8, 0.7, 0.2];
        let mut other = [0.1, 0.0, 0.3, -0.1];
        let (rate, threshold) = equal_error(&mut same, &mut other);
        assert_eq!((rate, threshold), (0.125, f64::from(0.7f32)));
        let (rate, _) = equal_error(&mut [0.5, 0.6], &mut [0.1, 0.2]);
        assert_eq!(rate, 0.0);
        assert_eq!(equal_error(&mut [], &mut [0.1]).0, 1.0);
    }
}
