//! How often each photo is trained on, so that no angle, framing or outfit dominates.
//!
//! A class that has more than half of an axis is brought to half of it by the weights of its
//! photos, axis after axis until all hold: iterative proportional fitting (Deming and Stephan 1940,
//! <https://doi.org/10.1214/aoms/1177731829>). Weights have the mean 1 and stay within
//! [`LEAST`] and [`MOST`]: a photo that is seen too often is learned by heart. A set in which
//! nothing dominates has weights of 1.

use crate::record::ImageRecord;
use crate::set::shown::{Axis, Shown};

const DOMINATES: f64 = 0.5; // share of an axis
const LEAST: f64 = 0.5;
const MOST: f64 = 2.0;
const LEAST_PHOTOS: usize = 6; // in which a class can dominate
const ROUNDS: usize = 20;
const BALANCED: [Axis; 3] = [Axis::Angle, Axis::Framing, Axis::Outfit];

/// The weights of `kept`, of which `caption` reads the caption.
pub(crate) fn weights(
    kept: &[&ImageRecord],
    caption: &dyn Fn(&ImageRecord) -> Option<String>,
) -> Vec<f64> {
    let mut weights = vec![1.0; kept.len()];
    if kept.len() < LEAST_PHOTOS {
        return weights;
    }
    let shown = Shown::of(kept, caption);
    for _ in 0..ROUNDS {
        BALANCED.into_iter().for_each(|axis| fit(&mut weights, &shown, axis));
        limit(&mut weights);
    }
    (0..ROUNDS).for_each(|_| limit(&mut weights)); // until the mean holds, too
    weights.iter().map(|weight| (weight * 100.0).round() / 100.0).collect()
}

/// Brings the mean to 1 and what is beyond the limits to them.
fn limit(weights: &mut [f64]) {
    let mean = weights.iter().sum::<f64>() / weights.len() as f64;
    weights.iter_mut().for_each(|weight| *weight = (*weight / mean).clamp(LEAST, MOST));
}

/// Brings the class that dominates `axis`, if one does, to its share.
fn fit(weights: &mut [f64], shown: &Shown, axis: Axis) {
    let counts = shown.counts(axis);
    let has = |index: usize, class: &str| shown.class(index, axis) == Some(class);
    let of = |weights: &[f64], class: &str| -> f64 {
        (0..weights.len()).filter(|&index| has(index, class)).map(|index| weights[index]).sum()
    };
    let sums: Vec<f64> = counts.iter().map(|(class, _)| of(weights, class)).collect();
    let all: f64 = sums.iter().sum();
    let heaviest = (0..sums.len()).max_by(|&a, &b| sums[a].total_cmp(&sums[b]));
    let Some(heaviest) = heaviest.filter(|_| counts.len() > 1) else {
        return;
    };
    let (class, sum) = (counts[heaviest].0, sums[heaviest]);
    if sum > DOMINATES * all {
        // So that factor * sum is its share of factor * sum and the others.
        let factor = DOMINATES / (1.0 - DOMINATES) * (all - sum) / sum;
        (0..weights.len()).filter(|&index| has(index, class)).for_each(|i| weights[i] *= factor);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::set::testing::record;

    fn weights_of(records: &[ImageRecord]) -> Vec<f64> {
        weights(&records.iter().collect::<Vec<_>>(), &|_| None)
    }

    fn turned(yaws: &[f64]) -> Vec<ImageRecord> {
        yaws.iter().map(|yaw| record("a.jpg", &[("yaw", *yaw)])).collect()
    }

    #[test]
    fn a_varied_set_and_a_small_one_have_weights_of_one() {
        assert_eq!(weights_of(&turned(&[0.0, 0.0, 0.0, 40.0, -40.0, 70.0])), [1.0; 6]);
        assert_eq!(weights_of(&turned(&[0.0, 0.0, 0.0, 40.0])), [1.0; 4]);
        let alike = turned(&[0.0; 9]);
        assert_eq!(weights_of(&alike), [1.0; 9], "of one class none dominates another");
    }

    #[test]
    fn an_angle_that_dominates_is_brought_to_half() {
        let weights = weights_of(&turned(&[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 40.0, 40.0, -40.0, 70.0]));
        let (front, all) = (weights[..6].iter().sum::<f64>(), weights.iter().sum::<f64>());
        assert!((front / all - 0.5).abs() < 0.01 && (all - 10.0).abs() < 0.1, "{weights:?}");
    }

    #[test]
    fn a_single_other_photo_is_not_learned_by_heart() {
        let mut yaws = [0.0; 15];
        yaws[14] = 70.0;
        let weights = weights_of(&turned(&yaws));
        assert_eq!(weights[14], MOST, "{weights:?}");
        assert!(weights[..14].iter().all(|weight| *weight == 0.93), "{weights:?}");
    }
}
