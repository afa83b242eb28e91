//! Which face of each photo is the character's.
//!
//! A photo may show several people. The face that most photos have, or that of the references, is
//! followed: its core (the faces that are like it, one a photo) is found anew until it stays, as in
//! mean shift (Comaniciu and Meer 2002, <https://doi.org/10.1109/34.1000236>).

use likeness_faces::Identity;

use crate::error::DatasetError;
use crate::measure::{Measured, Person};
use crate::photos::Photos;
use crate::rules::LEAST_FACES_FOR_IDENTITY;
use crate::set::core::Core;

const MOST_PROBES: usize = 400; // faces of which is asked how many photos have them
const ROUNDS: usize = 10;
const CLEARLY: f64 = 0.15; // a smaller face has to be so much more alike than the largest

/// A photo's faces that may be the character's: place, identity, share of the largest one's area.
type Faces<'a> = Vec<(usize, &'a Identity, f64)>;

/// Turns every photo to the face of the character, as far as it shows them: that face comes first.
/// `least` is the cosine of two faces of one person. Whether it is known who the character is.
pub(crate) fn turn_to_character(
    photos: &mut Photos,
    references: &[Identity],
    least: f64,
) -> Result<bool, DatasetError> {
    let known: Vec<Vec<Known>> = photos
        .each()
        .map(|measured| Ok(measured?.map_or_else(Vec::new, known)))
        .collect::<Result<_, _>>()?;
    let faces: Vec<Faces> = known.iter().map(|known| faces(known)).collect();
    let with_face = faces.iter().filter(|faces| !faces.is_empty()).count();
    let alone = faces.iter().all(|faces| faces.len() < 2);
    if alone || (references.is_empty() && with_face < LEAST_FACES_FOR_IDENTITY) {
        return Ok(false);
    }
    let Some(core) = core(&faces, references, least) else {
        return Ok(false);
    };
    for (index, faces) in faces.iter().enumerate() {
        let chosen = subject(faces, &core, least);
        if chosen > 0
            && let Some(mut measured) = photos.measured(index)?
        {
            measured.turn_to(chosen);
            photos.change(index, &measured)?;
        }
    }
    Ok(true)
}

/// The core of the person whom most of `faces` show, or of the references.
pub(crate) fn core_of_faces(
    faces: &[&Identity],
    references: &[Identity],
    least: f64,
) -> Option<Core> {
    let photos: Vec<Faces> = faces.iter().map(|face| vec![(0, *face, 1.0)]).collect();
    core(&photos, references, least)
}

/// A face that may be the character's: place, identity, share of the largest one's area.
type Known = (usize, Identity, f64);

fn faces(known: &[Known]) -> Faces<'_> {
    known.iter().map(|(index, identity, share)| (*index, identity, *share)).collect()
}

/// The faces of a photo that may be the character's.
fn known(measured: Measured) -> Vec<Known> {
    let largest = measured.faces.first().map_or(1.0, |face| face.area().max(1.0));
    let share = |index: usize| f64::from(measured.faces[index].area() / largest);
    let first = measured.identity.into_iter().map(|identity| (0, identity));
    let others = measured.others.into_iter().map(|other| (other.face, other.identity));
    first.chain(others).map(|(index, identity)| (index, identity, share(index))).collect()
}

/// The core of the person whom most photos show, or of the references.
fn core(photos: &[Faces], references: &[Identity], least: f64) -> Option<Core> {
    let mut core = match references {
        [] => Core::of([most_shown(photos, least)?])?,
        _ => Core::of(references)?,
    };
    for _ in 0..ROUNDS {
        let found = photos.iter().filter_map(|faces| best(faces, &core));
        let members: Vec<&Identity> =
            found.filter(|found| found.1 >= least).map(|found| found.0).collect();
        let next = Core::of(references.iter().chain(members))?;
        if next == core {
            break;
        }
        core = next;
    }
    Some(core)
}

/// The face that most photos have; of two the one that is larger in them.
fn most_shown<'a>(photos: &[Faces<'a>], least: f64) -> Option<&'a Identity> {
    let all: Vec<&Identity> = photos.iter().flatten().map(|face| face.1).collect();
    let probes = all.iter().step_by(all.len().div_ceil(MOST_PROBES).max(1));
    let shown = |probe: &Identity| -> f64 {
        let like = |faces: &Faces| {
            let like = faces.iter().filter(|face| face.1.cosine(probe) >= least);
            like.map(|face| 1.0 + 0.1 * face.2).fold(0.0, f64::max)
        };
        photos.iter().map(like).sum()
    };
    probes.map(|probe| (*probe, shown(probe))).max_by(|a, b| a.1.total_cmp(&b.1)).map(|best| best.0)
}

/// The face that is most like `core`, and its cosine.
fn best<'a>(faces: &Faces<'a>, core: &Core) -> Option<(&'a Identity, f64)> {
    let found = faces.iter().map(|face| (face.1, core.cosine(face.1)));
    found.max_by(|a, b| a.1.total_cmp(&b.1))
}

/// The place of the character's face; the largest one's where none is, or where it is one of two.
fn subject(faces: &Faces, core: &Core, least: f64) -> usize {
    let mut found = (0, faces.first().map_or(0.0, |face| core.cosine(face.1)));
    for (index, identity, _) in faces.iter().skip(1) {
        let cosine = core.cosine(identity);
        if cosine >= least && cosine > found.1 + if found.1 >= least { CLEARLY } else { 0.0 } {
            found = (*index, cosine);
        }
    }
    found.0
}

impl Measured {
    /// Puts the face at `index`, which was measured, first; the others stay in their order.
    fn turn_to(&mut self, index: usize) {
        let Some(place) = self.others.iter().position(|other| other.face == index) else {
            return; // it is the first one
        };
        let (Some(look), Some(identity)) = (self.face.take(), self.identity.take()) else {
            return; // no photo has other faces without a first one
        };
        let face = self.faces.remove(index);
        self.faces.insert(0, face);
        let chosen = self.others.remove(place);
        (self.face, self.identity) = (Some(chosen.look), Some(chosen.identity));
        for other in self.others.iter_mut().filter(|other| other.face < index) {
            other.face += 1;
        }
        self.others.insert(0, Person { face: 1, look, identity });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::set::testing::{photo, towards};

    fn measured(photos: &Photos) -> Vec<Measured> {
        photos.each().map(|photo| photo.expect("readable").expect("measured")).collect()
    }

    fn first_faces(photos: &Photos) -> Vec<f32> {
        measured(photos).iter().map(|measured| measured.faces[0].bbox[2]).collect()
    }

    fn turned(photos: &mut Photos, references: &[Identity]) -> bool {
        turn_to_character(photos, references, 0.7).expect("readable")
    }

    #[test]
    fn the_face_that_most_photos_have_comes_first() {
        let (mika, friend) = (0.0, 1.5);
        let mut photos = Photos::of([
            photo(&[(mika, 100.0)]),
            photo(&[(mika + 0.1, 100.0)]),
            photo(&[(friend, 120.0), (mika - 0.1, 80.0)]),
            photo(&[(mika, 90.0), (friend, 60.0)]),
            photo(&[(3.0, 130.0), (friend + 0.1, 110.0), (mika + 0.05, 70.0)]),
        ]);
        assert!(turned(&mut photos, &[]));
        assert_eq!(first_faces(&photos), [100.0, 100.0, 80.0, 90.0, 70.0]);
        let last = &measured(&photos)[4];
        let sizes: Vec<f32> = last.faces.iter().map(|face| face.bbox[2]).collect();
        assert_eq!(sizes, [70.0, 130.0, 110.0]);
        let places: Vec<usize> = last.others.iter().map(|other| other.face).collect();
        assert_eq!(places, [1, 2]);
        assert_eq!(last.identity, Some(towards(mika + 0.05)));
        assert_eq!(last.others[0].identity, towards(3.0));
        assert_eq!(last.others[1].identity, towards(friend + 0.1));
    }

    #[test]
    fn a_reference_says_who_it_is() {
        let mut photos = Photos::of([
            photo(&[(0.0, 100.0), (1.5, 80.0)]),
            photo(&[(0.1, 100.0), (1.6, 80.0)]),
            photo(&[(0.0, 100.0)]),
        ]);
        assert!(turned(&mut photos, &[towards(1.55)]));
        assert_eq!(first_faces(&photos), [80.0, 80.0, 100.0]);
    }

    #[test]
    fn three_photos_without_a_reference_do_not_say_who_it_is() {
        let mut photos = Photos::of([
            photo(&[(0.0, 100.0), (1.5, 80.0)]),
            photo(&[(1.5, 100.0)]),
            photo(&[(1.5, 100.0)]),
        ]);
        assert!(!turned(&mut photos, &[]));
        assert_eq!(first_faces(&photos), [100.0, 100.0, 100.0]);
    }
}
