//! What makes a run this run: everything that its result depends on.
//!
//! A checkpoint carries the identity; going on with another one is refused field
//! by field.

use std::collections::BTreeMap;

use likeness_diffusion::checkpoint::Checkpoint;
use serde::{Deserialize, Serialize};

use crate::config::RunConfig;
use crate::learning_rate::Shape;

/// Named values that a run's result depends on, beside the step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Identity(BTreeMap<String, String>);

impl Identity {
    /// As it is, with the loss weighted by masks of this `hash` and this weight outside of them.
    pub fn masked(mut self, hash: &str, background: f64) -> Self {
        self.0.insert("train.mask".into(), hash.to_owned());
        self.0.insert("train.mask_background".into(), background.to_string());
        self
    }

    /// As it is, with parts of captions left out with this probability.
    pub fn dropping(mut self, dropout: f64) -> Self {
        self.0.insert("train.tag_dropout".into(), dropout.to_string());
        self
    }

    /// As it is, with the class preserved by this weight, so many steps apart.
    pub fn preserving(mut self, weight: f64, every: usize) -> Self {
        self.0.insert("train.preserve_class".into(), weight.to_string());
        self.0.insert("train.preserve_every".into(), every.to_string());
        self
    }

    /// As it is, with the class preserved on so many pictures of it.
    pub fn painting(mut self, pictures: usize) -> Self {
        self.0.insert("train.class_pictures".into(), pictures.to_string());
        self
    }

    /// The identity of `config` on these inputs.
    pub fn new(
        config: &RunConfig,
        checkpoint: &Checkpoint,
        base_hash: &str,
        dataset_hash: &str,
        engine: &str,
    ) -> Self {
        let (adapter, train) = (&config.adapter, &config.train);
        let layers = match adapter.include.is_empty() {
            true => format!("{:?}", adapter.layers),
            false => adapter.include.join(" "),
        };
        let mut fields = BTreeMap::new();
        let mut put = |name: &str, value: String| fields.insert(name.to_owned(), value);
        put("base", base_hash.to_owned());
        put("dataset", dataset_hash.to_owned());
        put("engine", engine.to_owned());
        put("precision", checkpoint.precision.name().to_owned());
        put("prediction", format!("{:?}", checkpoint.schedule.prediction_type));
        put("seed", config.seed.to_string());
        put("adapter.rank", adapter.rank.to_string());
        put("adapter.alpha", adapter.alpha().to_string());
        put("adapter.layers", layers);
        put("adapter.text_encoder", adapter.text_encoder.to_string());
        put("train.batch", train.batch.to_string());
        put("train.accumulate", train.accumulate.to_string());
        put("train.learning_rate", train.learning_rate.to_string());
        put("train.schedule", format!("{:?}", train.schedule));
        put("train.warmup_steps", train.warmup_steps.to_string());
        put("train.betas", format!("{} {}", train.beta1, train.beta2));
        put("train.epsilon", train.epsilon.to_string());
        put("train.weight_decay", train.weight_decay.to_string());
        put("train.clip", train.clip.to_string());
        put("train.min_snr_gamma", train.min_snr_gamma.to_string());
        put("train.clip_skip", train.clip_skip.to_string());
        // A constant rate does not depend on where the run ends, so a run may be made longer.
        if train.schedule != Shape::Constant {
            put("train.steps", train.steps.to_string());
        }
        Self(fields)
    }

    /// `field: then, now` of every field that differs.
    pub fn differences(&self, now: &Self) -> Vec<String> {
        let names = self.0.keys().chain(now.0.keys().filter(|name| !self.0.contains_key(*name)));
        let value = |of: &Self, name: &str| of.0.get(name).cloned().unwrap_or("not set".into());
        names
            .filter(|name| self.0.get(*name) != now.0.get(*name))
            .map(|name| {
                format!(
                    "{name}: {} then, {} now",
                    short(value(self, name)),
                    short(value(now, name))
                )
            })
            .collect()
    }
}

/// Hashes are told apart by their beginning.
fn short(value: String) -> String {
    let is_hash = value.len() >= 40 && value.bytes().all(|b| b.is_ascii_hexdigit());
    if is_hash { value[..12].to_owned() } else { value }
}
