//! The text encoder's stage: the states of a caption must say what its picture shows.
//!
//! A linear layer reads each axis and the character's traits from the mean of a caption's states.
//! That mean is what a UNet's attention sees before it has learned where to look, so that it hears of
//! place, light and face from its first step; from a random encoder it heard nothing of the place in
//! half a million pictures. The layer is not kept.

use std::cell::RefCell;
use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};
use likeness_diffusion::layers::Linear;
use likeness_diffusion::text::{TextConfig, TextEncoder};
use likeness_diffusion::tokenizer::{Tokenizer, Window};
use likeness_diffusion::weights::{Loader, Source};
use likeness_diffusion::{Error, noise};
use rayon::prelude::*;

use super::axes::{Asked, Score};
use super::corpus::Corpus;
use super::export::{TEXT_ENCODER, TEXT_PREFIX};
use super::learner::Learner;
use super::parameters::Parameters;
use super::stage::{OPTIMIZER, Stage, drawn};
use crate::error::TrainError;
use crate::trainable::Leaves;

/// Captions read at once when nothing is learned.
const CHUNK: usize = 50;
/// Held-out pictures whose captions a validation reads, at most.
const VALIDATED: usize = 250;

/// The text encoder's stage.
pub struct Captions<'a> {
    /// The encoder's sizes.
    pub text: TextConfig,
    /// What it learns from.
    pub corpus: &'a Corpus,
    /// Cuts captions.
    pub tokenizer: &'a Tokenizer,
    /// Captions a step.
    pub batch: usize,
    /// Of the batches.
    pub seed: u64,
    /// Where it is computed.
    pub device: &'a Device,
}

/// What only the training reads states with.
struct Heads {
    answers: Linear,
    traits: Linear,
}

impl Captions<'_> {
    /// Fresh weights: of the encoder, and of what reads its states.
    pub fn learners(&self) -> [Learner; 2] {
        let heads = |source: &Source| Ok::<_, Error>(self.heads(source));
        let heads = Parameters::fresh(heads, &[], self.seed + 2, self.device);
        [self.fresh(), heads.expect("zeros are given for every name")]
            .map(|fresh| Learner::new(fresh, OPTIMIZER, 0.99, self.device))
    }

    fn fresh(&self) -> Parameters {
        let load = |source: &_| TextEncoder::load(self.text.clone(), source, self.device);
        let fresh = Parameters::fresh(load, &[], self.seed + 1, self.device);
        fresh.expect("zeros are given for every name")
    }

    /// The encoder of the base in `folder`.
    pub fn read(&self, folder: &Path) -> Result<Parameters, TrainError> {
        self.fresh().read(&folder.join(TEXT_ENCODER), TEXT_PREFIX, self.device)
    }

    fn heads(&self, source: &Source) -> Heads {
        let report = RefCell::default();
        let at = Loader::new(source, self.device, &report);
        let width = self.text.hidden_size;
        let traits = self.corpus.traits(0).len();
        Heads {
            answers: at.linear("answers", width, Asked::all(self.corpus).answers(), true),
            traits: at.linear("traits", width, traits, true),
        }
    }

    /// The answers and the traits that the mean of the states of `windows` gives.
    fn read_off(&self, sources: [&Source; 2], windows: &[Window]) -> [Tensor<2>; 2] {
        let encoder = TextEncoder::load(self.text.clone(), sources[0], self.device);
        let states = encoder.expect("all of its weights are there").encode(windows, 0);
        let [captions, _, width] = states.dims();
        let mean = states.mean_dim(1).reshape([captions, width]);
        let Heads { answers, traits } = self.heads(sources[1]);
        [answers.forward(mean.clone()), traits.forward(mean)]
    }
}

impl Stage for Captions<'_> {
    fn names(&self) -> Vec<&'static str> {
        vec!["text_encoder", "heads"]
    }

    fn loss(&self, step: usize, learners: &[Learner]) -> (Tensor<1>, Vec<Leaves>) {
        let (encoder, encoder_leaves) = learners[0].parameters.learning();
        let (heads, heads_leaves) = learners[1].parameters.learning();
        let indices = drawn(self.seed, step, self.batch, self.corpus.training());
        let window = |(place, &index): (usize, &usize)| {
            let captions = &self.corpus.label(index).captions;
            let purpose = format!("read caption {place}");
            let number = noise::below(self.seed, &purpose, step as u64, captions.len());
            self.tokenizer.window(&captions[number])
        };
        let windows: Vec<_> = indices.par_iter().enumerate().map(window).collect();
        let [answers, traits] = self.read_off([&encoder, &heads], &windows);
        let truth: Vec<f32> =
            indices.iter().flat_map(|&index| self.corpus.traits(index)).copied().collect();
        let truth = Tensor::from_data(TensorData::new(truth, traits.dims()), self.device);
        let loss = Asked::all(self.corpus).cross_entropy(&indices, &answers)
            + (traits - truth).square().mean();
        (loss, vec![encoder_leaves, heads_leaves])
    }

    fn validate(&self, learners: &[Learner]) -> Vec<(String, f64)> {
        let [encoder, heads] = [0, 1].map(|i: usize| learners[i].averaged().frozen());
        let held_out: Vec<_> = self.corpus.held_out().take(VALIDATED).collect();
        let mut score = Score::new(&Asked::all(self.corpus));
        for chunk in held_out.chunks(CHUNK) {
            for number in 0..self.corpus.label(chunk[0]).captions.len() {
                let caption = |i: &usize| self.corpus.label(*i).captions[number].as_str();
                let captions: Vec<&str> = chunk.iter().map(caption).collect();
                let windows: Vec<_> = captions.iter().map(|c| self.tokenizer.window(c)).collect();
                let [answers, _] = self.read_off([&encoder, &heads], &windows);
                // What a caption leaves out nobody can read from it.
                score.add_where(chunk, &answers, |place, label| captions[place].contains(label));
            }
        }
        score.shares()
    }
}
