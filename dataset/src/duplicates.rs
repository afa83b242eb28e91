//! Finds photos that are the same picture or of one burst, and the best of each.

use likeness_faces::Identity;
use rayon::prelude::*;

use crate::error::DatasetError;
use crate::overlay::{Close, Overlay, Sheet};
use crate::print::Print;
use crate::rules::{BURST_EDGES, BURST_FACE, BURST_LIGHT, BURST_SECONDS, DUPLICATE_EDGES};

/// A photo as the search for duplicates sees it.
pub(crate) struct Candidate<'a> {
    pub sha256: &'a str,
    pub sheet: Sheet,
    /// Whether a person decided to keep it: then it stands for the others.
    pub wanted: bool,
    /// How good it is: the best of a group stands for the others.
    pub quality: f64,
    /// When it was taken, in seconds since any moment.
    pub taken: Option<f64>,
}

/// What is looked at where two photos may be one: their print, and whose face they show. It is read
/// when it is needed, since thousands of photos are compared.
pub(crate) struct Sight {
    pub print: Print,
    pub identity: Option<Identity>,
}

/// Reads what is to be seen of a photo by its place in the list.
pub(crate) type Look<'a> = &'a (dyn Fn(usize) -> Result<Sight, DatasetError> + Sync);

/// Why two photos count as one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Likeness {
    /// They are the very same file.
    SameFile,
    /// They are the same picture: scaled, cut, encoded or edited anew, or in a mirror.
    SamePicture(Overlay),
    /// They were taken so many seconds apart and show nearly the same.
    Burst(f64, Overlay),
}

/// A photo that a better one stands for, both by their place in the list.
#[derive(Debug, PartialEq)]
pub(crate) struct Duplicate {
    pub index: usize,
    pub of: usize,
    pub likeness: Likeness,
}

/// The duplicates among `photos`. The best photo goes first (wanted by a
/// person, then by quality, then earlier in the list), and a photo like one that
/// stays is its duplicate: chains of small steps don't join.
pub(crate) fn find(photos: &[Candidate], look: Look) -> Result<Vec<Duplicate>, DatasetError> {
    let mut order: Vec<usize> = (0..photos.len()).collect();
    order.sort_by(|&a, &b| better(&photos[a], &photos[b]).then(a.cmp(&b)));
    let (mut staying, mut duplicates) = (Vec::<usize>::new(), Vec::new());
    for index in order {
        let photo = Seen::of(&photos[index], look(index)?);
        let like = |&of: &usize| {
            let likeness = photo.likeness(&photos[of], &|| look(of)).transpose()?;
            Some(likeness.map(|likeness| Duplicate { index, of, likeness }))
        };
        match staying.par_iter().with_min_len(64).find_map_first(like) {
            Some(duplicate) => duplicates.push(duplicate?),
            None => staying.push(index),
        }
    }
    duplicates.sort_by_key(|duplicate| duplicate.index);
    Ok(duplicates)
}

fn better(a: &Candidate, b: &Candidate) -> std::cmp::Ordering {
    b.wanted.cmp(&a.wanted).then(b.quality.total_cmp(&a.quality))
}

/// A photo that is looked at closely.
struct Seen<'a> {
    photo: &'a Candidate<'a>,
    close: Close,
    identity: Option<Identity>,
}

impl<'a> Seen<'a> {
    fn of(photo: &'a Candidate, sight: Sight) -> Self {
        let Sight { print, identity } = sight;
        Self { photo, close: photo.sheet.closely(&print), identity }
    }

    /// Why it counts as one with `other`, if it does; `look` sees the other closely.
    fn likeness(
        &self,
        other: &Candidate,
        look: &dyn Fn() -> Result<Sight, DatasetError>,
    ) -> Result<Option<Likeness>, DatasetError> {
        if self.photo.sha256 == other.sha256 {
            return Ok(Some(Likeness::SameFile));
        }
        let starts = other.sheet.starts(&self.photo.sheet);
        if starts.is_empty() {
            return Ok(None);
        }
        let other = Seen::of(other, look()?);
        let overlay = other.close.over(&self.close, &starts);
        Ok(overlay.and_then(|overlay| self.likeness_by(&other, overlay)))
    }

    fn likeness_by(&self, other: &Self, overlay: Overlay) -> Option<Likeness> {
        if overlay.edges >= DUPLICATE_EDGES {
            return Some(Likeness::SamePicture(overlay));
        }
        let apart = (self.photo.taken? - other.photo.taken?).abs();
        let alike = overlay.light >= BURST_LIGHT && overlay.edges >= BURST_EDGES;
        let same_face = match (&self.identity, &other.identity) {
            (Some(one), Some(two)) => one.cosine(two) >= BURST_FACE,
            _ => true,
        };
        let burst = apart <= BURST_SECONDS && !overlay.mirrored && alike && same_face;
        burst.then_some(Likeness::Burst(apart, overlay))
    }
}

#[cfg(test)]
mod tests {
    use image::RgbImage;
    use image::imageops;

    use super::*;
    use crate::print::Print;
    use crate::testing::texture;

    /// A photo for the tests: its sha256, print, quality, moment and face.
    struct Shot<'a>(&'a str, &'a Print, f64, Option<f64>, Option<Identity>);

    fn found(shots: &[Shot]) -> Vec<Duplicate> {
        found_with(shots, usize::MAX)
    }

    /// With the shot at `wanted` wanted.
    fn found_with<'a>(shots: &[Shot<'a>], wanted: usize) -> Vec<Duplicate> {
        let candidate = |(index, shot): (usize, &Shot<'a>)| {
            let &Shot(sha256, print, quality, taken, _) = shot;
            let sheet = Sheet::new(print, 320, 240);
            Candidate { sha256, sheet, wanted: index == wanted, quality, taken }
        };
        let candidates: Vec<Candidate> = shots.iter().enumerate().map(candidate).collect();
        let look = |index: usize| {
            let Shot(_, print, .., identity) = &shots[index];
            Ok(Sight { print: (*print).clone(), identity: identity.clone() })
        };
        find(&candidates, &look).expect("all is at hand")
    }

    fn print(seed: u32) -> Print {
        Print::of(&texture(320, 240, seed))
    }

    /// Two pictures of one scene, a part of which is another one.
    fn moved(seed: u32, other: u32) -> RgbImage {
        let (mut scene, part) = (texture(320, 240, seed), texture(320, 240, other));
        imageops::replace(
            &mut scene,
            &imageops::crop_imm(&part, 110, 70, 100, 115).to_image(),
            110,
            70,
        );
        scene
    }

    #[test]
    fn the_best_stands_for_the_same_picture() {
        let (one, other) = (print(1), print(2));
        let flipped = Print::of(&imageops::flip_horizontal(&texture(320, 240, 1)));
        let found = found(&[
            Shot("a", &one, 1.0, None, None),
            Shot("b", &flipped, 4.0, None, None),
            Shot("c", &other, 1.0, None, None),
            Shot("c", &other, 1.0, None, None),
        ]);
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].index, found[0].of), (0, 1));
        assert!(matches!(found[0].likeness, Likeness::SamePicture(Overlay { mirrored: true, .. })));
        assert_eq!((found[1].index, found[1].of), (3, 2));
        assert_eq!(found[1].likeness, Likeness::SameFile);
    }

    #[test]
    fn a_persons_choice_beats_quality() {
        let picture = print(1);
        let shots = [Shot("a", &picture, 1.0, None, None), Shot("b", &picture, 4.0, None, None)];
        assert_eq!(found(&shots)[0].index, 0);
        assert_eq!(found_with(&shots, 0)[0].index, 1);
    }

    #[test]
    fn what_was_taken_in_a_moment_and_shows_nearly_the_same_is_a_burst() {
        let (one, other) = (Print::of(&moved(1, 5)), Print::of(&moved(1, 9)));
        let taken = |seconds| {
            let first = Shot("a", &one, 1.0, Some(100.0), None);
            found(&[first, Shot("b", &other, 4.0, seconds, None)])
        };
        let found = taken(Some(101.0));
        assert!(matches!(found[0].likeness, Likeness::Burst(1.0, _)), "{found:?}");
        assert_eq!(found[0].index, 0);
        assert_eq!(taken(Some(160.0)), []);
        assert_eq!(taken(None), []);
    }

    #[test]
    fn two_people_at_one_moment_are_no_burst() {
        let (one, other) = (Print::of(&moved(1, 5)), Print::of(&moved(1, 9)));
        let face = |who: usize| Some(Identity::new(vec![[1.0, 0.0], [0.0, 1.0]][who].to_vec()));
        let of = |first: usize| {
            let first = Shot("a", &one, 1.0, Some(100.0), face(first));
            found(&[first, Shot("b", &other, 4.0, Some(100.0), face(0))])
        };
        assert_eq!(of(0).len(), 1);
        assert_eq!(of(1), []);
    }
}
