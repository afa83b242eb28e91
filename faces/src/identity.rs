//! Who a face is: a direction in the encoder's space.

use serde::{Deserialize, Serialize};

/// An identity: the encoder's answer scaled to length 1. Two of them compare
/// by [`Identity::cosine`], and only when the same encoder made both.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Identity(Vec<f32>);

impl Identity {
    /// Scales `values` to length 1; all zeros stay zeros.
    pub fn new(values: Vec<f32>) -> Self {
        let length = values.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>().sqrt();
        if length == 0.0 || !length.is_finite() {
            return Self(vec![0.0; values.len()]);
        }
        Self(values.into_iter().map(|v| (f64::from(v) / length) as f32).collect())
    }

    /// How alike two identities are, -1 to 1. Identities of unequal dimension
    /// come from different encoders and have nothing in common: 0.
    pub fn cosine(&self, other: &Self) -> f64 {
        if self.0.len() != other.0.len() {
            return 0.0;
        }
        let dot: f64 =
            self.0.iter().zip(&other.0).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum();
        dot.clamp(-1.0, 1.0)
    }

    /// The unit vector.
    pub fn as_slice(&self) -> &[f32] {
        &self.0
    }
}

/// The mean direction of `identities`; `None` of none, of unequal dimensions,
/// or where they cancel out.
pub fn centroid(identities: &[Identity]) -> Option<Identity> {
    let dimension = identities.first()?.0.len();
    if identities.iter().any(|identity| identity.0.len() != dimension) {
        return None;
    }
    let mut sum = vec![0.0f64; dimension];
    for identity in identities {
        for (total, &value) in sum.iter_mut().zip(&identity.0) {
            *total += f64::from(value);
        }
    }
    let length = sum.iter().map(|v| v * v).sum::<f64>().sqrt();
    (length > 1e-6).then(|| Identity::new(sum.into_iter().map(|v| v as f32).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_has_length_one_whatever_its_scale() {
        let identity = Identity::new(vec![3.0, 4.0]);
        assert_eq!(identity.as_slice(), [0.6, 0.8]);
        assert!((identity.cosine(&Identity::new(vec![30.0, 40.0])) - 1.0).abs() < 1e-6);
        assert!((identity.cosine(&Identity::new(vec![-3.0, -4.0])) + 1.0).abs() < 1e-6);
        assert_eq!(Identity::new(vec![0.0, 0.0]).cosine(&identity), 0.0);
    }

    #[test]
    fn the_centroid_lies_between() {
        let pair = [Identity::new(vec![1.0, 0.0]), Identity::new(vec![0.0, 1.0])];
        let middle = centroid(&pair).expect("two that do not cancel");
        assert!((middle.cosine(&pair[0]) - middle.cosine(&pair[1])).abs() < 1e-6);
        assert!((middle.cosine(&pair[0]) - 0.5f64.sqrt()).abs() < 1e-6);
    }

    #[test]
    fn nothing_unlike_or_cancelling_has_no_centroid() {
        let right = Identity::new(vec![1.0, 0.0]);
        assert_eq!(centroid(&[]), None);
        assert_eq!(centroid(&[right.clone(), Identity::new(vec![-1.0, 0.0])]), None);
        assert_eq!(centroid(&[right.clone(), Identity::new(vec![1.0])]), None);
        assert_eq!(right.cosine(&Identity::new(vec![1.0])), 0.0);
    }
}
