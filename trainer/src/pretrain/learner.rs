//! A model that learns from scratch: its weights, their optimizer and their running average.

use std::path::Path;

use burn::tensor::{Device, Gradients, Tensor, TensorData};
use likeness_diffusion::weights::{HostTensor, TensorFile, save};

use super::parameters::Parameters;
use crate::error::TrainError;
use crate::optimizer::{AdamW, AdamWConfig};
use crate::trainable::Leaves;
use safetensors::Dtype;

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
    pub fn step(&mut self, leaves: &Leaves, grads: &mut [Gradients], rate: f64) -> Tensor<1> {
        let gradient = leaves.gradient(grads);
        let values = std::mem::replace(&mut self.parameters.values, gradient.clone());
        let (values, norm) = self.adam.step(values, gradient, rate);
        // The first steps are far from what is averaged later.
        let decay = self.decay.min((1.0 + self.steps() as f64) / (10.0 + self.steps() as f64));
        self.average = self.average.clone() * decay + values.clone() * (1.0 - decay);
        self.parameters.values = values;
        norm
    }

    /// The averaged weights.
    pub fn averaged(&self) -> Parameters {
        self.parameters.with(self.average.clone())
    }

    /// Writes everything that going on needs.
    pub fn store(&self, path: &Path) -> Result<(), TrainError> {
        let state = [
            ("values", &self.parameters.values),
            ("average", &self.average),
            ("first", &self.adam.first),
            ("second", &self.adam.second),
        ];
        let host = |tensor: &Tensor<1>| {
            let values: Vec<f32> = tensor.to_data().iter::<f32>().collect();
            HostTensor { shape: vec![values.len()], values }
        };
        let tensors: Vec<_> =
            state.iter().map(|(name, tensor)| (name.to_string(), host(tensor))).collect();
        let steps = [("steps".to_owned(), self.steps().to_string())];
        Ok(save(path, &tensors, &steps.into(), Dtype::F32)?)
    }

    /// Goes on from what [`Learner::store`] wrote for the same model.
    pub fn resume(&mut self, path: &Path, device: &Device) -> Result<(), TrainError> {
        let file = TensorFile::open(path)?;
        let broken = || {
            let reason = "is not the state of this model; delete it to begin anew".into();
            TrainError::Folder { path: path.into(), reason }
        };
        let read = |name: &str| -> Result<Tensor<1>, TrainError> {
            let HostTensor { shape, values } = file.read(name)?.ok_or_else(broken)?;
            if shape != [self.parameters.len()] {
                return Err(broken());
            }
            Ok(Tensor::from_data(TensorData::new(values, shape), device))
        };
        let (values, average) = (read("values")?, read("average")?);
        let (first, second) = (read("first")?, read("second")?);
        let steps = file.metadata().get("steps").and_then(|steps| steps.parse().ok());
        self.adam.steps = steps.ok_or_else(broken)?;
        (self.parameters.values, self.average) = (values, average);
        (self.adam.first, self.adam.second) = (first, second);
        Ok(())
    }
}
