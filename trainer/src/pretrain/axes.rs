//! Answers about a picture's axes ([`likeness_faces::Axis`]): one number for each label of each.

use std::ops::Range;

use burn::tensor::activation::log_softmax;
use burn::tensor::{Int, Tensor, TensorData};

use super::corpus::Corpus;

/// Where the labels of each axis stand among the answers.
pub fn ranges(corpus: &Corpus) -> Vec<Range<usize>> {
    let mut end = 0;
    let range = |labels: usize| {
        end += labels;
        end - labels..end
    };
    corpus.axes().iter().map(|axis| axis.labels.len()).map(range).collect()
}

/// How many answers there are.
pub fn answers(corpus: &Corpus) -> usize {
    corpus.axes().iter().map(|axis| axis.labels.len()).sum()
}

/// The cross entropy of `answers` `[pictures, labels of all axes]`, the axes' sum.
pub fn cross_entropy(corpus: &Corpus, indices: &[usize], answers: &Tensor<2>) -> Tensor<1> {
    let error = |(axis, range): (usize, Range<usize>)| {
        let likely = log_softmax(answers.clone().narrow(1, range.start, range.len()), 1);
        let truth = indices.iter().map(|&i| corpus.label(i).classes[axis] as i64);
        let truth = TensorData::new(truth.collect::<Vec<_>>(), [indices.len(), 1]);
        let truth = Tensor::<2, Int>::from_data(truth, &answers.device());
        likely.gather(1, truth).mean().neg()
    };
    let errors = ranges(corpus).into_iter().enumerate().map(error);
    errors.reduce(|a, b| a + b).expect("an axis")
}

/// Counts which answers are right, of each axis.
pub struct Score<'a> {
    corpus: &'a Corpus,
    right: Vec<usize>,
    read: usize,
}

impl<'a> Score<'a> {
    /// None yet.
    pub fn new(corpus: &'a Corpus) -> Self {
        Self { corpus, right: vec![0; corpus.axes().len()], read: 0 }
    }

    /// Adds the `answers` to some pictures.
    pub fn add(&mut self, indices: &[usize], answers: &Tensor<2>) {
        for (axis, range) in ranges(self.corpus).iter().enumerate() {
            let best = answers.clone().narrow(1, range.start, range.len()).argmax(1);
            let best: Vec<i64> = best.into_data().iter::<i64>().collect();
            let truth = indices.iter().map(|&i| self.corpus.label(i).classes[axis] as i64);
            self.right[axis] += best.into_iter().zip(truth).filter(|(a, b)| a == b).count();
        }
        self.read += indices.len();
    }

    /// The share that is right of each axis, by name.
    pub fn shares(&self) -> Vec<(String, f64)> {
        let share = |(axis, right): (&likeness_faces::Axis, &usize)| {
            (format!("{} accuracy", axis.name), *right as f64 / self.read as f64)
        };
        self.corpus.axes().iter().zip(&self.right).map(share).collect()
    }
}
