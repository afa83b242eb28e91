//! Finds faces that are another person's.
//!
//! A face is compared with the core of the character's: the others that are like it. How unlike is
//! another person differs between encoders and between photos and drawings. So where the photos
//! show enough faces of others (strangers, and whoever stands beside the character), the limit is
//! set between these and the character, at [`ENDS_AT`] of the way from the mean of the others to
//! the median of the character: the cohort-normalised score of the evaluation. Else it is the
//! cosine that the encoder's card gives.

use likeness_faces::Identity;

use crate::rules::LEAST_FACES_FOR_IDENTITY;
use crate::set::cast;
use crate::set::core::Core;

const LEAST_COHORT: usize = 5; // faces of others from which their mean says something
const ENDS_AT: f64 = 0.4; // as in the evaluation: below .4 it is another person
const LOWEST: f64 = 0.25; // cosine below which two photographs are two people in any case
const HIGHEST: f64 = 0.7; // cosine above which they never are
const ROUNDS: usize = 10;

/// The faces of a set.
pub(crate) struct Crowd<'a> {
    /// One a photo: whoever it may be of.
    pub faces: &'a [&'a Identity],
    /// Known to be the character's.
    pub references: &'a [Identity],
    /// Beside those of the photos.
    pub others: &'a [&'a Identity],
}

/// How alike each face is to the character's others, and which are strangers.
#[derive(Debug, PartialEq)]
pub(crate) struct Likeness {
    /// Cosine to the core without the face itself, by place in the list.
    pub cosines: Vec<f64>,
    /// The places of the strangers.
    pub strangers: Vec<usize>,
    /// The cosine below which a face is a stranger's.
    pub least: f64,
}

impl Crowd<'_> {
    /// Compares the faces; `None` of too few, and where no two are alike. `least` is the cosine of
    /// two faces of one person by the encoder's card.
    pub fn compare(&self, least: f64) -> Option<Likeness> {
        if self.references.is_empty() && self.faces.len() < LEAST_FACES_FOR_IDENTITY {
            return None;
        }
        let start = cast::core_of_faces(self.faces, self.references, least)?;
        let (mut least, mut found) = (least, self.settle(start, least)?);
        for _ in 0..ROUNDS {
            let Some(next) = self.between(&found).filter(|next| (next - least).abs() > 0.005)
            else {
                break;
            };
            least = next;
            found = self.settle(found.core, least)?;
        }
        let strangers = (0..self.faces.len()).filter(|&index| !found.inside[index]).collect();
        Some(Likeness { cosines: found.cosines, strangers, least })
    }

    /// Who is of the character with that limit, from where `core` stands.
    fn settle(&self, core: Core, least: f64) -> Option<Found> {
        let cosines = self.faces.iter().map(|face| core.cosine(face)).collect();
        let mut found = Found { inside: vec![false; self.faces.len()], cosines, core };
        for _ in 0..ROUNDS {
            let inside: Vec<bool> = found.cosines.iter().map(|cosine| *cosine >= least).collect();
            if inside == found.inside {
                break;
            }
            let members = self.faces.iter().zip(&inside).filter(|(_, inside)| **inside);
            let core = Core::of(self.references.iter().chain(members.map(|(face, _)| *face)))?;
            let cosine = |(face, inside): (&&Identity, &bool)| match inside {
                true => core.cosine_of_member(face),
                false => core.cosine(face),
            };
            let cosines = self.faces.iter().zip(&inside).map(cosine).collect();
            found = Found { inside, cosines, core };
        }
        (found.core.count >= 2 || !self.references.is_empty()).then_some(found)
    }

    /// The limit between the character and the others, where there are enough of them.
    fn between(&self, found: &Found) -> Option<f64> {
        let of = |wanted: bool| {
            let pairs = found.cosines.iter().zip(&found.inside);
            pairs.filter(move |(_, inside)| **inside == wanted).map(|(cosine, _)| *cosine)
        };
        let beside = self.others.iter().map(|face| found.core.cosine(face));
        let cohort: Vec<f64> = of(false).chain(beside).collect();
        let mut own: Vec<f64> = of(true).collect();
        if cohort.len() < LEAST_COHORT || own.len() < LEAST_FACES_FOR_IDENTITY {
            return None;
        }
        own.sort_by(f64::total_cmp);
        let (median, floor) =
            (own[own.len() / 2], cohort.iter().sum::<f64>() / cohort.len() as f64);
        Some((floor + ENDS_AT * (median - floor)).clamp(LOWEST, HIGHEST))
    }
}

/// The character's faces with some limit.
struct Found {
    inside: Vec<bool>,
    cosines: Vec<f64>,
    core: Core,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::set::testing::towards;

    fn compared(faces: &[f32], references: &[f32], others: &[f32]) -> Option<Likeness> {
        let [faces, references, others] = [faces, references, others]
            .map(|angles| angles.iter().map(|angle| towards(*angle)).collect::<Vec<_>>());
        let (faces, others): (Vec<&Identity>, Vec<&Identity>) =
            (faces.iter().collect(), others.iter().collect());
        Crowd { faces: &faces, references: &references, others: &others }.compare(0.35)
    }

    #[test]
    fn strangers_are_found_and_the_rest_stays() {
        let found = compared(&[0.0, 0.1, 2.0, -0.1, 0.05, 2.5], &[], &[]).expect("compared");
        assert_eq!(found.strangers, [2, 5]);
        assert!(found.cosines[0] > 0.99 && found.cosines[2] < 0.35, "{found:?}");
        assert_eq!(found.least, 0.35);
    }

    #[test]
    fn a_reference_decides_whose_photos_they_are_and_tells_even_one() {
        let few = [0.0, 0.1, 2.0, 2.1, 2.2];
        assert_eq!(compared(&few, &[], &[]).expect("compared").strangers, [0, 1]);
        assert_eq!(compared(&few, &[0.05], &[]).expect("compared").strangers, [2, 3, 4]);
        assert_eq!(compared(&[0.0], &[2.0], &[]).expect("compared").strangers, [0]);
    }

    #[test]
    fn faces_of_others_move_the_limit() {
        // Drawn faces are all alike: others have a cosine of .6 to the character.
        let own = [0.0, 0.05, -0.05, 0.1, -0.1, 0.95];
        assert_eq!(compared(&own, &[], &[]).expect("compared").strangers, [0usize; 0]);
        let others = [0.9, 0.92, 0.94, 0.9, 0.96];
        let found = compared(&own, &[], &others).expect("compared");
        assert_eq!(found.strangers, [5], "{found:?}");
        assert!(found.least > 0.65, "{found:?}");
    }

    #[test]
    fn three_faces_are_too_few_to_tell_and_unlike_ones_are_nobodys() {
        assert_eq!(compared(&[0.0, 0.1, 3.0], &[], &[]), None);
        let apart: Vec<Identity> = (0..5)
            .map(|one| Identity::new((0..5).map(|at| f32::from(u8::from(at == one))).collect()))
            .collect();
        let faces: Vec<&Identity> = apart.iter().collect();
        assert_eq!(Crowd { faces: &faces, references: &[], others: &[] }.compare(0.35), None);
    }

    #[test]
    fn thousands_of_strangers_are_told_apart_at_once() {
        let face = |seed: u32, who: f32| {
            let value = |at: u32| ((seed * 7919 + at * 104_729) % 1009) as f32 / 1009.0 - 0.5;
            Identity::new((0..64).map(|at| value(at) + if at == 0 { who } else { 0.0 }).collect())
        };
        let all: Vec<Identity> =
            (0..3000).map(|seed| face(seed, if seed % 2 == 0 { 6.0 } else { -6.0 })).collect();
        let faces: Vec<&Identity> = all.iter().chain(&all[..2]).collect();
        let crowd = Crowd { faces: &faces, references: &[], others: &[] };
        let strangers = crowd.compare(0.35).expect("compared").strangers;
        assert_eq!(strangers.len(), 1501);
        assert!(strangers.iter().all(|index| index % 2 == 1));
    }
}
