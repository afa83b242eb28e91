//! The loop that all stages of a pretraining share.
//!
//! A stage's folder holds `state.safetensors` (of each model that learns the weights, their average
//! and the optimizer), `steps.jsonl` and `validation.jsonl`. A stage that was cut off goes on from
//! its last state; what a step sees is a function of (seed, step).

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;

use burn::tensor::{Device, Tensor};
use likeness_diffusion::noise;
use likeness_diffusion::weights::{TensorFile, save};
use safetensors::Dtype;
use serde_json::{Map, Value, json};

use super::learner::Learner;
use crate::error::TrainError;
use crate::learning_rate::LearningRate;
use crate::optimizer::AdamWConfig;
use crate::pace::Pace;
use crate::progress::{Event, Stop, peak_memory_mib};
use crate::steps_log::{StepRecord, StepsLog};
use crate::trainable::Leaves;

/// A model or several that learn together.
pub trait Stage {
    /// The names of what learns, for file names.
    fn names(&self) -> Vec<&'static str>;

    /// The loss at `step` of the models whose weights are `learners`, and the tracked leaves of
    /// each.
    fn loss(&self, step: usize, learners: &[Learner]) -> (Tensor<1>, Vec<Leaves>);

    /// Measures on what is held out, of the averaged weights.
    fn validate(&self, learners: &[Learner]) -> Vec<(String, f64)>;
}

/// How long and how fast a stage learns.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    /// The learning rate, and with it the number of steps.
    pub rate: LearningRate,
    /// Pictures a step, for the log.
    pub batch: usize,
    /// Steps between two lines of the log.
    pub log_every: usize,
    /// Steps between two states, each with a validation.
    pub save_every: usize,
}

/// The file in a stage's folder from which it goes on.
pub const STATE: &str = "state.safetensors";

/// AdamW as all stages use it.
pub const OPTIMIZER: AdamWConfig =
    AdamWConfig { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weight_decay: 0.01, clip: Some(1.0) };

/// Trains `stage` to its end, or until someone asks to stop; what was learned is in `learners`.
pub fn run(
    stage: &dyn Stage,
    learners: &mut [Learner],
    plan: &Plan,
    folder: &Path,
    (stop, device): (&Stop, &Device),
    on_event: &mut dyn FnMut(Event),
) -> Result<(), TrainError> {
    fs::create_dir_all(folder).map_err(TrainError::io("create", folder))?;
    let names = stage.names();
    let state = folder.join(STATE);
    if state.exists() {
        resume(&names, learners, &state, device)?;
    }
    let from = learners[0].steps();
    let parameters = learners.iter().map(|learner| learner.parameters.len()).sum();
    on_event(Event::Starting { from, steps: plan.rate.steps, layers: names.len(), parameters });
    let mut log = StepsLog::open(&folder.join("steps.jsonl"), from)?;
    let mut pace = Pace::from(from, plan.batch);
    for step in from..plan.rate.steps {
        let learning_rate = plan.rate.at(step + 1);
        let (loss, leaves) = stage.loss(step, learners);
        let mut grads = [loss.backward()];
        let stepped = learners.iter_mut().zip(leaves);
        let norms: Vec<_> =
            stepped.map(|(l, leaves)| l.step(leaves, &mut grads, learning_rate)).collect();
        let done = step + 1;
        let last = done == plan.rate.steps || stop.asked();
        if done % plan.log_every == 0 || last {
            let loss = loss.inner().into_scalar::<f32>();
            let squares = norms.into_iter().map(|norm| norm.into_scalar::<f32>().powi(2));
            let gradient_norm = squares.sum::<f32>().sqrt();
            if !(loss.is_finite() && gradient_norm.is_finite()) {
                return Err(TrainError::NotFinite { step: done, loss, module: None });
            }
            let record = StepRecord {
                step: done,
                loss,
                learning_rate,
                gradient_norm,
                images_per_second: pace.lap(done),
                peak_memory_mib: peak_memory_mib(),
            };
            log.add(&record)?;
            on_event(Event::Step(&record));
        }
        if done % plan.save_every == 0 || last {
            store(&names, learners, &state)?;
            validated(&stage.validate(learners), done, folder)?;
            on_event(Event::Saved(folder));
            pace.skip();
        }
        if stop.asked() {
            break;
        }
    }
    Ok(())
}

/// Writes where all learners are, as one file: they belong together.
fn store(names: &[&str], learners: &[Learner], path: &Path) -> Result<(), TrainError> {
    let tensors: Vec<_> =
        names.iter().zip(learners).flat_map(|(name, learner)| learner.state(name)).collect();
    let steps = [("steps".to_owned(), learners[0].steps().to_string())];
    Ok(save(path, &tensors, &steps.into(), Dtype::F32)?)
}

/// Goes on from what [`store`] wrote.
fn resume(
    names: &[&str],
    learners: &mut [Learner],
    path: &Path,
    device: &Device,
) -> Result<(), TrainError> {
    let broken = || {
        let reason = "is not the state of these models; delete it to begin anew".into();
        TrainError::Folder { path: path.into(), reason }
    };
    let file = TensorFile::open(path)?;
    let steps = file.metadata().get("steps").and_then(|steps| steps.parse().ok());
    let steps = steps.ok_or_else(broken)?;
    for (name, learner) in names.iter().zip(learners) {
        if !learner.resume(name, &file, steps, device)? {
            return Err(broken());
        }
    }
    Ok(())
}

/// Adds a line to `validation.jsonl`.
fn validated(measures: &[(String, f64)], step: usize, folder: &Path) -> Result<(), TrainError> {
    let mut line = Map::from_iter([("step".to_owned(), json!(step))]);
    line.extend(measures.iter().map(|(name, value)| (name.clone(), json!(value))));
    let path = folder.join("validation.jsonl");
    let open = OpenOptions::new().append(true).create(true).open(&path);
    let mut file = open.map_err(TrainError::io("open", &path))?;
    writeln!(file, "{}", Value::Object(line)).map_err(TrainError::io("write", &path))
}

/// The pictures of batch number `step`: drawn evenly from `count`, with replacement.
pub fn drawn(seed: u64, step: usize, batch: usize, count: usize) -> Vec<usize> {
    let each = |i: usize| noise::below(seed, &format!("picture {i}"), step as u64, count);
    (0..batch).map(each).collect()
}
