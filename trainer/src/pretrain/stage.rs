//! The loop that all stages of a pretraining share.
//!
//! A stage's folder holds `state-NAME.safetensors` of each model that learns (weights, their
//! average, the optimizer), `steps.jsonl` and `validation.jsonl`. A stage that was cut off goes on
//! from its last state; what a step sees is a function of (seed, step).

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use burn::tensor::{Device, Tensor};
use likeness_diffusion::noise;
use serde_json::{Map, Value, json};

use super::learner::Learner;
use crate::error::TrainError;
use crate::learning_rate::LearningRate;
use crate::optimizer::AdamWConfig;
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
    fn validate(&self, learners: &[Learner]) -> Vec<(&'static str, f64)>;
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
    let path = |name: &str| folder.join(format!("state-{name}.safetensors"));
    if names.iter().all(|name| path(name).exists()) {
        for (name, learner) in names.iter().zip(&mut *learners) {
            learner.resume(&path(name), device)?;
        }
    }
    let from = learners[0].steps();
    let parameters = learners.iter().map(|learner| learner.parameters.len()).sum();
    on_event(Event::Starting { from, steps: plan.rate.steps, layers: names.len(), parameters });
    let mut log = StepsLog::open(&folder.join("steps.jsonl"), from)?;
    let (mut since, mut logged_at) = (Instant::now(), from);
    for step in from..plan.rate.steps {
        let learning_rate = plan.rate.at(step + 1);
        let (loss, leaves) = stage.loss(step, learners);
        let mut grads = [loss.backward()];
        let stepped = learners.iter_mut().zip(&leaves);
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
            let pictures = (done - logged_at) * plan.batch;
            let record = StepRecord {
                step: done,
                loss,
                learning_rate,
                gradient_norm,
                images_per_second: pictures as f64 / since.elapsed().as_secs_f64().max(1e-9),
                peak_memory_mib: peak_memory_mib(),
            };
            (since, logged_at) = (Instant::now(), done);
            log.add(&record)?;
            on_event(Event::Step(&record));
        }
        if done % plan.save_every == 0 || last {
            for (name, learner) in names.iter().zip(&*learners) {
                learner.store(&path(name))?;
            }
            validated(&stage.validate(learners), done, folder)?;
            on_event(Event::Saved(folder));
            since = Instant::now();
        }
        if stop.asked() {
            break;
        }
    }
    Ok(())
}

/// Adds a line to `validation.jsonl`.
fn validated(measures: &[(&str, f64)], step: usize, folder: &Path) -> Result<(), TrainError> {
    let mut line = Map::from_iter([("step".to_owned(), json!(step))]);
    line.extend(measures.iter().map(|(name, value)| (name.to_string(), json!(value))));
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
