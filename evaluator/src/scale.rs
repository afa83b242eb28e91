//! The cohort-normalised identity score (NIS).
//!
//! `NIS_i = (cos_i - mu_C) / (mu_G - mu_C)`, where `cos_i` is the cosine of an
//! image's face to the centroid of the references, `mu_G` the mean
//! leave-one-out cosine of the references (each to the centroid of the
//! others), and `mu_C` the mean `cos_i` of a cohort: what the bare base paints
//! for the same prompts with the class word. 0 is a random character of this
//! base, 1 as alike as the references are to each other.
//!
//! Raw cosines don't travel between domains (strangers: 0.02 on photos, 0.37
//! on renders). Source: score normalisation by an impostor cohort, Auckenthaler
//! et al. 2000, <https://doi.org/10.1006/dspr.1999.0360>, with the genuine mean
//! as the unit instead of the cohort's deviation.

use serde::{Deserialize, Serialize};

/// The two fixed points between which cosines are read.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scale {
    /// `mu_G`: mean leave-one-out cosine of the references, -1 to 1. NIS 1.
    pub ceiling: f64,
    /// `mu_C`: mean cosine of the cohort to the references' centroid, -1 to 1. NIS 0.
    pub floor: f64,
    /// How many references the ceiling stands on.
    pub references: usize,
    /// How many cohort faces the floor stands on.
    pub cohort: usize,
}

impl Scale {
    /// Sets the scale from leave-one-out cosines of the references and cosines of the cohort.
    ///
    /// Where it cannot be set (fewer than 2 references, no cohort face, or a
    /// distance between both points under `min_separation`), the reason in words.
    pub fn new(references: &[f64], cohort: &[f64], min_separation: f64) -> Result<Self, String> {
        if references.len() < 2 {
            return Err(format!(
                "the identity score needs 2 references with a face and has {}; give more photos",
                references.len()
            ));
        }
        if cohort.is_empty() {
            return Err("no face was found in any image of the bare base, so the identity score \
                        has no floor; choose prompts or a base that show faces"
                .to_owned());
        }
        let (ceiling, floor) = (mean(references), mean(cohort));
        if ceiling - floor < min_separation {
            return Err(format!(
                "the references are hardly more alike to each other (cosine {ceiling:.3}) than the \
                 bare base is to them ({floor:.3}), so this encoder cannot tell the character; check \
                 that all references show one person, or use another face model"
            ));
        }
        Ok(Self { ceiling, floor, references: references.len(), cohort: cohort.len() })
    }

    /// The NIS of a raw cosine.
    pub fn nis(&self, cosine: f64) -> f64 {
        (cosine - self.floor) / (self.ceiling - self.floor)
    }
}

/// Arithmetic mean; `values` is not empty.
pub(crate) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cohort_is_at_zero_and_the_references_at_one() {
        let scale = Scale::new(&[0.8, 0.9], &[0.1, 0.2, 0.3], 0.05).expect("far apart");
        assert!(scale.nis(0.2).abs() < 1e-12);
        assert!((scale.nis(0.85) - 1.0).abs() < 1e-12);
        assert_eq!((scale.references, scale.cohort), (2, 3));
    }

    #[test]
    fn the_score_does_not_change_when_the_domain_moves_and_stretches_cosines() {
        let photos = Scale::new(&[0.8, 0.8], &[0.0, 0.1], 0.05).expect("far apart");
        let renders = Scale::new(&[0.9, 0.9], &[0.5, 0.55], 0.05).expect("far apart");
        assert!((photos.nis(0.4) - renders.nis(0.7)).abs() < 1e-12);
    }

    #[test]
    fn a_scale_without_length_is_refused_in_words() {
        assert!(Scale::new(&[0.8], &[0.1], 0.05).expect_err("one").contains("and has 1"));
        assert!(
            Scale::new(&[0.8, 0.9], &[], 0.05).expect_err("none").contains("no face was found")
        );
        let close = Scale::new(&[0.4, 0.4], &[0.38], 0.05).expect_err("close");
        assert!(close.contains("cannot tell the character"));
        assert!(Scale::new(&[0.1, 0.1], &[0.6], 0.05).is_err(), "upside down");
    }
}
