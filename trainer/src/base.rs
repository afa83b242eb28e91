//! The base that a run file names, and which of its layers learn.

use likeness_diffusion::adapter::{Place, Targets};
use likeness_diffusion::checkpoint::Checkpoint;

use crate::config::RunConfig;
use crate::error::TrainError;

/// Opens the base that `config` names, to be computed on `engine`, a device's name.
pub fn open_base(config: &RunConfig, engine: &str) -> Result<Checkpoint, TrainError> {
    let mut checkpoint = Checkpoint::open(&config.base, config.base_configs.as_deref())?;
    if let Some(prediction) = config.train.prediction {
        checkpoint.schedule.prediction_type = prediction;
    }
    checkpoint.precision = config
        .train
        .precision
        .on(engine)
        .map_err(|reason| TrainError::Value { key: "train.precision", reason })?;
    if config.train.clip_skip >= checkpoint.text.num_hidden_layers {
        let reason =
            format!("leaves no layer of {}; give fewer", checkpoint.text.num_hidden_layers);
        return Err(TrainError::Value { key: "train.clip_skip", reason });
    }
    Ok(checkpoint)
}

/// The layers that learn; a name that no layer has, or a rank that no layer bears, is an error.
pub fn targets(config: &RunConfig, places: &[Place]) -> Result<Targets, TrainError> {
    let adapter = &config.adapter;
    let mut targets = Targets::preset(adapter.layers, adapter.text_encoder);
    if !adapter.include.is_empty() {
        targets.unet = adapter.include.clone();
    }
    let chosen: Vec<_> = places.iter().filter(|place| targets.has(place)).collect();
    let unmatched = targets.unmatched(places);
    if !adapter.include.is_empty() && !unmatched.is_empty() {
        let reason = format!(
            "names no layer of this base: {}; layers end in to_q, ff.net.2, conv1...",
            unmatched.join(", ")
        );
        return Err(TrainError::Value { key: "adapter.include", reason });
    }
    let widest = chosen.iter().map(|place| place.shape.full_rank()).min().unwrap_or(0);
    if adapter.rank > widest {
        let reason = format!(
            "is {}, but the narrowest layer has rank {widest}; give 1 to {widest}",
            adapter.rank
        );
        return Err(TrainError::Value { key: "adapter.rank", reason });
    }
    Ok(targets)
}
