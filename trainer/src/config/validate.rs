//! Values that make no sense, found before anything is loaded.

use super::{Mask, RunConfig};
use crate::error::TrainError;

/// Most pictures of the class: beyond it a count was surely mistyped.
const MOST_PICTURES: usize = 10_000;

impl RunConfig {
    /// Fails at the first value that makes no sense, alone or with another.
    pub fn validate(&self) -> Result<(), TrainError> {
        let (train, adapter) = (&self.train, &self.adapter);
        let positive = |x: f64| x.is_finite() && x > 0.0;
        let not_negative = |x: f64| x.is_finite() && x >= 0.0;
        let decay = |x: f64| (0.0..1.0).contains(&x);
        let checks = [
            ("adapter.rank", adapter.rank > 0, "is 0; give 4 to 64"),
            (
                "adapter.alpha",
                positive(adapter.alpha()),
                "must be above 0; give the rank, or half of it",
            ),
            ("train.steps", train.steps > 0, "is 0; give 1 or more, about 1000"),
            ("train.batch", train.batch > 0, "is 0; give 1 or more"),
            ("train.accumulate", train.accumulate > 0, "is 0; give 1 or more"),
            ("train.log_every", train.log_every > 0, "is 0; give 1 or more"),
            ("train.learning_rate", positive(train.learning_rate), "must be above 0; about 1e-4"),
            (
                "train.warmup_steps",
                train.warmup_steps <= train.steps,
                "is beyond `train.steps`; give fewer",
            ),
            ("train.beta1", decay(train.beta1), "must be at least 0 and below 1; give 0.9"),
            ("train.beta2", decay(train.beta2), "must be at least 0 and below 1; give 0.999"),
            ("train.epsilon", positive(train.epsilon), "must be above 0; give 1e-8"),
            (
                "train.weight_decay",
                not_negative(train.weight_decay),
                "must be 0 or above; give 0.01",
            ),
            ("train.clip", not_negative(train.clip), "must be 0 (no clipping) or above; give 1"),
            (
                "train.min_snr_gamma",
                not_negative(train.min_snr_gamma),
                "must be 0 (off) or above; give 5",
            ),
            (
                "train.mask_background",
                train.mask_background.is_none_or(|weight| (0.0..=1.0).contains(&weight)),
                "must be 0 to 1; give 0.1",
            ),
            (
                "train.mask_background",
                train.mask_background.is_none() || train.mask != Mask::None,
                "has no effect without a mask; give `train.mask = \"face\"`, too",
            ),
            (
                "train.tag_dropout",
                (0.0..=1.0).contains(&train.tag_dropout),
                "must be 0 (off) to 1; give 0.3",
            ),
            (
                "train.preserve_class",
                not_negative(train.preserve_class),
                "must be 0 (off) or above; give 1",
            ),
            ("train.preserve_every", train.preserve_every > 0, "is 0; give 1 or more"),
            (
                "train.preserve_every",
                train.preserve_every == 1 || train.preserve_class > 0.0,
                "has no effect by itself; give `train.preserve_class = 1`, too",
            ),
            (
                "train.class_pictures",
                train.class_pictures == 0 || train.preserve_class > 0.0,
                "has no effect by itself; give `train.preserve_class = 1`, too",
            ),
            (
                "train.class_pictures",
                train.class_pictures <= MOST_PICTURES,
                "is above 10000; 30 to 200 are enough",
            ),
        ];
        match checks.into_iter().find(|(_, holds, _)| !holds) {
            Some((key, _, reason)) => Err(TrainError::Value { key, reason: reason.into() }),
            None => Ok(()),
        }
    }
}
