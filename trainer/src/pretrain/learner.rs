//! A model that learns from scratch: its weights, their optimizer and their running average.

use burn::tensor::{Device, Gradients, Tensor, TensorData};
use likeness_diffusion::weights::{HostTensor, TensorFile};

use super::parameters::Parameters;
use crate::error::TrainError;
use crate::optimizer::{AdamW, AdamWConfig};
use crate::trainable::Leaves;

/// What a state holds of a model.
const STATE: [&str; 4] = ["values", "average", "first", "second"];

/// Steps from one averaging to the next: a pass over all weights each.
const AVERAGED_EVERY: usize = 8;
/// Steps at the begin that are all averaged.
const SETTLING: usize = 64;

/// A model's weights and what training them needs.
#[derive(Debug, Clone)]
pub struct Learner {
    /// The weights as they are trained.
    pub parameters: Parameters,
    /// Their exponential moving average, which is what is kept of a training.
    pub average: Tensor<1>,
    adam: AdamW,
    decay: f64, // of the average
}

impl Learner {
    /// A fresh optimizer for `parameters`; `decay` is the average's, a step.
    pub fn new(parameters: Parameters, config: AdamWConfig, decay: f64, device: &Device) -> Self {
        let adam = AdamW::new(config, parameters.len(), device);
        Self { average: parameters.values.clone(), adam, decay, parameters }
    }

    /// Steps taken.
    pub fn steps(&self) -> usize {
        self.adam.steps
    }

    /// One step along the gradient that `grads` has for `leaves`; its norm before clipping.
    pub fn step(&mut self, leaves: Leaves, grads: &mut [Gradients], rate: f64) -> Tensor<1> {
        let gradient = leaves.gradient(grads);
        drop(leaves); // views of the weights, which are now changed where they lie
        let values = std::mem::replace(&mut self.parameters.values, gradient.clone());
        let (values, norm) = self.adam.step(values, gradient, rate);
        self.parameters.values = values;
        let steps = self.steps();
        if steps < SETTLING || steps.is_multiple_of(AVERAGED_EVERY) {
            let apart = if steps < SETTLING { 1 } else { AVERAGED_EVERY };
            // The first steps are far from what is averaged later.
            let decay = self.decay.min((1.0 + steps as f64) / (10.0 + steps as f64));
            self.blend(decay.powi(apart as i32));
        }
        norm
    }

    /// Moves the average to the weights.
    fn blend(&mut self, decay: f64) {
        let values = self.parameters.values.clone();
        let average = std::mem::replace(&mut self.average, values.clone());
        self.average = average * decay + values * (1.0 - decay);
    }

    /// The averaged weights.
    pub fn averaged(&self) -> Parameters {
        self.parameters.with(self.average.clone())
    }

    /// Everything that going on needs, each tensor named after `model`.
    pub fn state(&self, model: &str) -> Vec<(String, HostTensor)> {
        let host = |tensor: &Tensor<1>| {
            let values: Vec<f32> = tensor.to_data().iter::<f32>().collect();
            HostTensor { shape: vec![values.len()], values }
        };
        let tensors = [&self.parameters.values, &self.average, &self.adam.first, &self.adam.second];
        let named = STATE.iter().zip(tensors);
        named.map(|(name, tensor)| (format!("{model}.{name}"), host(tensor))).collect()
    }

    /// Goes on after `steps` steps from what [`Learner::state`] gave for the same model; `false`
    /// if `file` has the state of another.
    pub fn resume(
        &mut self,
        model: &str,
        file: &TensorFile,
        steps: usize,
        device: &Device,
    ) -> Result<bool, TrainError> {
        let mut read = Vec::with_capacity(STATE.len());
        for name in STATE {
            match file.read(&format!("{model}.{name}"))? {
                Some(HostTensor { shape, values }) if shape == [self.parameters.len()] => {
                    read.push(Tensor::from_data(TensorData::new(values, shape), device));
                }
                _ => return Ok(false),
            }
        }
        let [values, average, first, second] = read.try_into().expect("one of each");
        (self.parameters.values, self.average) = (values, average);
        (self.adam.first, self.adam.second, self.adam.steps) = (first, second, steps);
        Ok(true)
    }
}
