//! How alike photos of one subject are, and which show another.

use likeness_faces::Identity;

use super::core::Core;
use crate::rules::LEAST_FACES_FOR_IDENTITY;

/// How alike each photo is to the others, and which are strangers.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Likeness {
    /// Cosine to the middle of the others that stayed, by place in the list; empty when there are
    /// too few to tell.
    pub cosines: Vec<f64>,
    /// The places of the strangers, the least alike first.
    pub strangers: Vec<usize>,
}

/// Compares `identities` with each other. The least alike leaves first while it is below `least`
/// (cosine), so that strangers don't pull the middle.
pub(crate) fn compare(identities: &[&Identity], least: f64) -> Likeness {
    if identities.len() < LEAST_FACES_FOR_IDENTITY {
        return Likeness::default();
    }
    let mut staying: Vec<usize> = (0..identities.len()).collect();
    let (mut strangers, mut cosines) = (Vec::new(), vec![0.0; identities.len()]);
    while let Some(core) = Core::of(staying.iter().map(|&index| identities[index])) {
        for &index in &staying {
            cosines[index] = core.cosine_of_member(identities[index]);
        }
        let worst = staying.iter().copied().min_by(|&a, &b| cosines[a].total_cmp(&cosines[b]));
        match worst {
            Some(index) if cosines[index] < least && staying.len() > 2 => {
                staying.retain(|&other| other != index);
                strangers.push(index);
            }
            _ => break,
        }
    }
    Likeness { cosines, strangers }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::set::testing::towards;

    #[test]
    fn strangers_leave_and_the_rest_stays() {
        let photos = [0.0, 0.1, 2.0, -0.1, 0.05, 2.5].map(towards);
        let likeness = compare(&photos.iter().collect::<Vec<_>>(), 0.35);
        let mut strangers = likeness.strangers.clone();
        strangers.sort_unstable();
        assert_eq!(strangers, [2, 5]);
        assert!(likeness.cosines[0] > 0.99 && likeness.cosines[2] < 0.35, "{likeness:?}");
    }

    #[test]
    fn three_are_too_few_to_tell() {
        let photos = [0.0, 0.1, 3.0].map(towards);
        assert_eq!(compare(&photos.iter().collect::<Vec<_>>(), 0.35), Likeness::default());
    }
}
