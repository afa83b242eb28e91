//! The faces of one person: their sum, to which any face is compared.

use likeness_faces::Identity;

/// The sum of the identities of one person's faces.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Core {
    sum: Vec<f64>,
    /// How many there are.
    pub count: usize,
}

impl Core {
    /// Of some faces; `None` of none. Those of another dimension, which come from another encoder,
    /// don't count.
    pub fn of<'a>(identities: impl IntoIterator<Item = &'a Identity>) -> Option<Self> {
        let mut identities = identities.into_iter();
        let first = identities.next()?;
        let values =
            |identity: &Identity| identity.as_slice().iter().map(|&v| f64::from(v)).collect();
        let mut core = Self { sum: values(first), count: 1 };
        for identity in identities.filter(|other| other.as_slice().len() == first.as_slice().len())
        {
            core.count += 1;
            for (sum, &value) in core.sum.iter_mut().zip(identity.as_slice()) {
                *sum += f64::from(value);
            }
        }
        Some(core)
    }

    /// How alike `identity` is to all of them, -1 to 1.
    pub fn cosine(&self, identity: &Identity) -> f64 {
        self.after(identity, 0.0)
    }

    /// How alike `identity`, one of them, is to the others, -1 to 1; 0 where it is alone.
    pub fn cosine_of_member(&self, identity: &Identity) -> f64 {
        self.after(identity, 1.0)
    }

    /// The cosine to the sum less `taken` times the identity.
    fn after(&self, identity: &Identity, taken: f64) -> f64 {
        if identity.as_slice().len() != self.sum.len() {
            return 0.0;
        }
        let own = |value: &f32| f64::from(*value).powi(2);
        let own: f64 = identity.as_slice().iter().map(own).sum(); // 1, or 0 of no identity
        let shared = |(a, &b): (&f64, &f32)| a * f64::from(b);
        let dot: f64 = self.sum.iter().zip(identity.as_slice()).map(shared).sum();
        let square: f64 = self.sum.iter().map(|value| value * value).sum();
        let left = square - 2.0 * taken * dot + taken * taken * own;
        if left > 1e-9 { ((dot - taken * own) / left.sqrt()).clamp(-1.0, 1.0) } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use likeness_faces::centroid;

    use super::*;

    #[test]
    fn the_running_sum_says_what_the_centroid_of_the_others_says() {
        let faces: Vec<Identity> =
            (0..5).map(|i| Identity::new(vec![1.0, 0.3 * i as f32, -0.2 * i as f32])).collect();
        let core = Core::of(&faces).expect("five");
        for (index, face) in faces.iter().enumerate() {
            let mut others = faces.clone();
            others.remove(index);
            let middle = centroid(&others).expect("they do not cancel");
            assert!((core.cosine_of_member(face) - middle.cosine(face)).abs() < 1e-6);
        }
        let all = centroid(&faces).expect("they do not cancel");
        assert!((core.cosine(&faces[0]) - all.cosine(&faces[0])).abs() < 1e-6);
    }

    #[test]
    fn one_alone_is_like_no_other() {
        let face = Identity::new(vec![1.0, 0.0]);
        let core = Core::of([&face]).expect("one");
        assert_eq!((core.cosine_of_member(&face), core.cosine(&face)), (0.0, 1.0));
        assert_eq!(core.cosine(&Identity::new(vec![1.0])), 0.0);
        assert_eq!(Core::of([]), None);
    }
}
