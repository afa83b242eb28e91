//! How far a word lies from the words that a text encoder knows.
//!
//! A word's vector is its state at the end token, through the final norm, less the mean of all known
//! words, since states of CLIP share a large common part. What a base takes for nothing has no near
//! neighbour; how near is near is told by made-up words.

use burn::tensor::Tensor;

use super::TextEncoder;
use crate::tokenizer::Tokenizer;

/// Words that are encoded at once.
const AT_ONCE: usize = 64;

/// Known words and their vectors.
pub struct Meanings<'a> {
    encoder: &'a TextEncoder,
    tokenizer: &'a Tokenizer,
    mean: Vec<f32>,
    known: Vec<(String, Vec<f32>)>,
}

impl<'a> Meanings<'a> {
    /// Encodes the `known` words, such as [`Tokenizer::common_words`].
    pub fn new(encoder: &'a TextEncoder, tokenizer: &'a Tokenizer, known: &[String]) -> Self {
        let states = states(encoder, tokenizer, known);
        let width = encoder.config().hidden_size;
        let of = |i: usize| states.iter().map(|state| f64::from(state[i])).sum::<f64>();
        let mean: Vec<f32> =
            (0..width).map(|i| (of(i) / states.len().max(1) as f64) as f32).collect();
        let vectors = states.iter().map(|state| direction(state, &mean));
        let known = known.iter().cloned().zip(vectors).collect();
        Self { encoder, tokenizer, mean, known }
    }

    /// Of each of `words` the `count` nearest known words with their cosines, the nearest first.
    pub fn nearest(&self, words: &[String], count: usize) -> Vec<Vec<(String, f64)>> {
        let states = states(self.encoder, self.tokenizer, words);
        let nearest = |state: &Vec<f32>| {
            let vector = direction(state, &self.mean);
            let cosine = |known: &[f32]| -> f64 {
                known.iter().zip(&vector).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
            };
            let mut all: Vec<(String, f64)> =
                self.known.iter().map(|(word, known)| (word.clone(), cosine(known))).collect();
            all.sort_by(|a, b| b.1.total_cmp(&a.1));
            all.truncate(count);
            all
        };
        states.iter().map(nearest).collect()
    }
}

/// The state of each word at its end token.
fn states(encoder: &TextEncoder, tokenizer: &Tokenizer, words: &[String]) -> Vec<Vec<f32>> {
    let ids: Vec<Vec<u32>> = words
        .iter()
        .map(|word| {
            let mut ids = vec![tokenizer.start()];
            ids.extend(tokenizer.encode(word).into_iter().take(tokenizer.window_length() - 2));
            ids.push(tokenizer.end());
            ids
        })
        .collect();
    // The encoder looks only back, so that a text needs no padding; those of a length go together.
    let mut order: Vec<usize> = (0..ids.len()).collect();
    order.sort_by_key(|index| ids[*index].len());
    let mut out = vec![Vec::new(); ids.len()];
    for same in order.chunk_by(|a, b| ids[*a].len() == ids[*b].len()) {
        for batch in same.chunks(AT_ONCE) {
            let texts: Vec<Vec<u32>> = batch.iter().map(|index| ids[*index].clone()).collect();
            let (count, length) = (texts.len(), texts[0].len());
            let states: Tensor<3> = encoder.encode(&texts, 0); // [batch, tokens, width]
            let width = states.dims()[2];
            let last = states.slice([0..count, length - 1..length, 0..width]);
            let values: Vec<f32> = last.into_data().iter::<f32>().collect();
            for (index, state) in batch.iter().zip(values.chunks(width)) {
                out[*index] = state.to_vec();
            }
        }
    }
    out
}

/// `state` less `mean`, of length one.
fn direction(state: &[f32], mean: &[f32]) -> Vec<f32> {
    let apart: Vec<f32> = state.iter().zip(mean).map(|(value, mean)| value - mean).collect();
    let length = apart.iter().map(|value| value * value).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
    apart.into_iter().map(|value| value / length).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_direction_has_length_one_and_none_is_zero() {
        assert_eq!(direction(&[4.0, 6.0], &[1.0, 2.0]), [0.6, 0.8]);
        assert_eq!(direction(&[1.0], &[1.0]), [0.0]);
    }
}
