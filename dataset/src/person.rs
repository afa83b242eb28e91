//! Finds faces that are another person's.

use likeness_faces::{Identity, centroid};

use crate::rules::LEAST_FACES_FOR_IDENTITY;

/// How alike each face is to the centroid of the others, and which are
/// strangers.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Likeness {
    /// Cosine to the centroid of the others that stayed, by place in the list;
    /// empty when there are too few faces to tell.
    pub cosines: Vec<f64>,
    /// The places of the strangers, the least alike first.
    pub strangers: Vec<usize>,
}

/// Compares `identities` with each other. The least alike leaves first while
/// it is below `least` (cosine), so that strangers don't pull the centroid.
pub(crate) fn compare(identities: &[&Identity], least: f64) -> Likeness {
    if identities.len() < LEAST_FACES_FOR_IDENTITY {
        return Likeness::default();
    }
    let mut strangers = Vec::new();
    let mut cosines = vec![0.0; identities.len()];
    loop {
        let staying: Vec<usize> =
            (0..identities.len()).filter(|index| !strangers.contains(index)).collect();
        for &index in &staying {
            cosines[index] = to_the_others(identities, &staying, index);
        }
        let worst = staying.iter().copied().min_by(|&a, &b| cosines[a].total_cmp(&cosines[b]));
        match worst {
            Some(index) if cosines[index] < least && staying.len() > 2 => strangers.push(index),
            _ => return Likeness { cosines, strangers },
        }
    }
}

fn to_the_others(identities: &[&Identity], staying: &[usize], index: usize) -> f64 {
    let others: Vec<Identity> = staying
        .iter()
        .filter(|&&other| other != index)
        .map(|&other| identities[other].clone())
        .collect();
    centroid(&others).map_or(0.0, |middle| middle.cosine(identities[index]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn towards(angle: f32) -> Identity {
        Identity::new(vec![angle.cos(), angle.sin()])
    }

    #[test]
    fn strangers_leave_and_the_rest_stays() {
        let faces = [0.0, 0.1, 2.0, -0.1, 0.05, 2.5].map(towards);
        let likeness = compare(&faces.iter().collect::<Vec<_>>(), 0.35);
        let mut strangers = likeness.strangers.clone();
        strangers.sort_unstable();
        assert_eq!(strangers, [2, 5]);
        assert!(likeness.cosines[0] > 0.99 && likeness.cosines[2] < 0.35, "{likeness:?}");
    }

    #[test]
    fn three_faces_are_too_few_to_tell() {
        let faces = [0.0, 0.1, 3.0].map(towards);
        assert_eq!(compare(&faces.iter().collect::<Vec<_>>(), 0.35), Likeness::default());
    }
}
