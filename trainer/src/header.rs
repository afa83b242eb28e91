//! The header of an adapter file: what other programs look for, and what made it.
//!
//! `ss_*` keys as kohya sd-scripts writes them, `modelspec.*` as in
//! <https://github.com/Stability-AI/ModelSpec>. No times and no paths: two runs of
//! one seed are equal byte for byte.

use std::collections::HashMap;

use likeness_dataset::Dataset;
use likeness_diffusion::checkpoint::{Checkpoint, Family};
use serde_json::json;

use crate::config::RunConfig;

/// The header of the adapter that `config` trains.
pub fn metadata(
    config: &RunConfig,
    checkpoint: &Checkpoint,
    fingerprint: &str,
    dataset: &Dataset,
) -> HashMap<String, String> {
    let (train, adapter, character) = (&config.train, &config.adapter, &dataset.character);
    let (version, architecture) = match checkpoint.family() {
        Family::Sd1 => ("sd_v1", "stable-diffusion-v1/lora"),
        Family::Sd2 => ("sd_v2", "stable-diffusion-v2/lora"),
    };
    let velocity = format!("{:?}", checkpoint.schedule.prediction_type) == "VPrediction";
    let side = character.resolution;
    let photos: Vec<_> = dataset
        .kept()
        .map(|record| {
            json!({
                "sha256": record.sha256, "crop": record.crop, "bucket": record.bucket,
                "caption": dataset.caption(record).unwrap_or_default(),
            })
        })
        .collect();
    let text = |value: &dyn ToString| value.to_string();
    let pairs = [
        ("ss_v2", text(&(checkpoint.family() == Family::Sd2))),
        ("ss_base_model_version", text(&version)),
        ("ss_network_module", text(&"networks.lora")),
        ("ss_network_dim", text(&adapter.rank)),
        ("ss_network_alpha", text(&adapter.alpha())),
        ("ss_network_args", text(&"{}")),
        ("ss_learning_rate", text(&train.learning_rate)),
        ("ss_lr_scheduler", format!("{:?}", train.schedule).to_lowercase()),
        ("ss_lr_warmup_steps", text(&train.warmup_steps)),
        ("ss_optimizer", text(&"AdamW")),
        ("ss_max_train_steps", text(&train.steps)),
        ("ss_max_grad_norm", text(&train.clip)),
        ("ss_gradient_accumulation_steps", text(&train.accumulate)),
        ("ss_batch_size_per_device", text(&train.batch)),
        ("ss_num_train_images", text(&photos.len())),
        ("ss_resolution", format!("({side}, {side})")),
        ("ss_seed", text(&config.seed)),
        ("ss_clip_skip", text(&(train.clip_skip + 1))),
        ("ss_min_snr_gamma", text(&train.min_snr_gamma)),
        ("modelspec.sai_model_spec", text(&"1.0.1")),
        ("modelspec.architecture", text(&architecture)),
        ("modelspec.implementation", text(&"likeness")),
        ("modelspec.title", text(&character.trigger)),
        ("modelspec.resolution", format!("{side}x{side}")),
        ("modelspec.trigger_phrase", format!("{} {}", character.trigger, character.class_word)),
        ("modelspec.prediction_type", text(&if velocity { "v" } else { "epsilon" })),
        ("likeness.version", text(&env!("CARGO_PKG_VERSION"))),
        ("likeness.base_sha256", text(&fingerprint)),
        ("likeness.photos", json!(photos).to_string()),
    ];
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}
