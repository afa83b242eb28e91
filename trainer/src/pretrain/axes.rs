//! Answers about a picture's axes ([`likeness_faces::Axis`]): one number for each label of each.

use std::ops::Range;

use burn::tensor::activation::log_softmax;
use burn::tensor::{Int, Tensor, TensorData};
use likeness_faces::Axis;

use super::corpus::Corpus;
use crate::error::TrainError;

/// Some of a corpus's axes, each with where its labels stand among the answers.
#[derive(Clone)]
pub struct Asked<'a> {
    corpus: &'a Corpus,
    axes: Vec<(usize, Range<usize>)>,
}

impl<'a> Asked<'a> {
    /// All of them.
    pub fn all(corpus: &'a Corpus) -> Self {
        Self::numbered(corpus, 0..corpus.axes().len())
    }

    /// Those of these names, which `key` of the file lists.
    pub fn named(
        corpus: &'a Corpus,
        (key, names): (&'static str, &[String]),
    ) -> Result<Self, TrainError> {
        let number = |name: &String| {
            let found = corpus.axes().iter().position(|axis| axis.name == *name);
            found.ok_or_else(|| {
                let all: Vec<_> = corpus.axes().iter().map(|axis| axis.name.as_str()).collect();
                let reason = format!("has `{name}`; the corpus knows {}", all.join(", "));
                TrainError::Value { key, reason }
            })
        };
        let numbers: Vec<usize> = names.iter().map(number).collect::<Result<_, _>>()?;
        Ok(Self::numbered(corpus, numbers))
    }

    fn numbered(corpus: &'a Corpus, axes: impl IntoIterator<Item = usize>) -> Self {
        let mut end = 0;
        let range = |axis: usize| {
            let labels = corpus.axes()[axis].labels.len();
            end += labels;
            (axis, end - labels..end)
        };
        Self { corpus, axes: axes.into_iter().map(range).collect() }
    }

    /// The axes.
    pub fn axes(&self) -> impl Iterator<Item = &'a Axis> {
        let corpus = self.corpus;
        self.axes.iter().map(move |(axis, _)| &corpus.axes()[*axis])
    }

    /// How many answers there are.
    pub fn answers(&self) -> usize {
        self.axes.last().map_or(0, |(_, range)| range.end)
    }

    /// The cross entropy of `answers` `[pictures, labels of all axes]`, the axes' sum.
    pub fn cross_entropy(&self, indices: &[usize], answers: &Tensor<2>) -> Tensor<1> {
        let error = |(axis, range): &(usize, Range<usize>)| {
            let likely = log_softmax(answers.clone().narrow(1, range.start, range.len()), 1);
            let truth = indices.iter().map(|&i| self.corpus.label(i).classes[*axis] as i64);
            let truth = TensorData::new(truth.collect::<Vec<_>>(), [indices.len(), 1]);
            let truth = Tensor::<2, Int>::from_data(truth, &answers.device());
            likely.gather(1, truth).mean().neg()
        };
        self.axes.iter().map(error).reduce(|a, b| a + b).expect("an axis")
    }
}

/// Counts which answers are right, of each axis.
pub struct Score<'a> {
    asked: Asked<'a>,
    counts: Vec<(usize, usize)>, // right, of how many
}

impl<'a> Score<'a> {
    /// None yet.
    pub fn new(asked: &Asked<'a>) -> Self {
        Self { asked: asked.clone(), counts: vec![(0, 0); asked.axes.len()] }
    }

    /// Adds the `answers` to some pictures.
    pub fn add(&mut self, indices: &[usize], answers: &Tensor<2>) {
        self.add_where(indices, answers, |_, _| true);
    }

    /// The same for those whose place among the pictures and whose true label `told` holds for.
    pub fn add_where(
        &mut self,
        indices: &[usize],
        answers: &Tensor<2>,
        told: impl Fn(usize, &str) -> bool,
    ) {
        let corpus = self.asked.corpus;
        for ((axis, range), (right, of)) in self.asked.axes.iter().zip(&mut self.counts) {
            let best = answers.clone().narrow(1, range.start, range.len()).argmax(1);
            for (place, best) in best.into_data().iter::<i64>().enumerate() {
                let truth = corpus.label(indices[place]).classes[*axis];
                if told(place, &corpus.axes()[*axis].labels[truth]) {
                    *right += usize::from(best == truth as i64);
                    *of += 1;
                }
            }
        }
    }

    /// The share that is right of each axis, by name.
    pub fn shares(&self) -> Vec<(String, f64)> {
        let share = |(axis, (right, of)): (&Axis, &(usize, usize))| {
            (format!("{} accuracy", axis.name), *right as f64 / (*of).max(1) as f64)
        };
        self.asked.axes().zip(&self.counts).map(share).collect()
    }
}
