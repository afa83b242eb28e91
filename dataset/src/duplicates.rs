//! Finds photos that are the same picture or of one burst, and the best of each.

use likeness_faces::Identity;
use rayon::prelude::*;

use crate::overlay::{Overlay, Sheet};
use crate::rules::{BURST_EDGES, BURST_FACE, BURST_LIGHT, BURST_SECONDS, DUPLICATE_EDGES};

/// A photo as the search for duplicates sees it.
pub(crate) struct Candidate<'a> {
    pub sha256: &'a str,
    pub sheet: Sheet<'a>,
    /// Whether a person decided to keep it: then it stands for the others.
    pub wanted: bool,
    /// How good it is: the best of a group stands for the others.
    pub quality: f64,
    /// When it was taken, in seconds since any moment.
    pub taken: Option<f64>,
    /// Whose face it shows.
    pub identity: Option<&'a Identity>,
}

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
pub(crate) fn find(photos: &[Candidate]) -> Vec<Duplicate> {
    let mut order: Vec<usize> = (0..photos.len()).collect();
    order.sort_by(|&a, &b| better(&photos[a], &photos[b]).then(a.cmp(&b)));
    let (mut staying, mut duplicates) = (Vec::<usize>::new(), Vec::new());
    for index in order {
        let like = |&of: &usize| {
            let likeness = likeness(&photos[index], &photos[of])?;
            Some(Duplicate { index, of, likeness })
        };
        match staying.par_iter().with_min_len(64).find_map_first(like) {
            Some(duplicate) => duplicates.push(duplicate),
            None => staying.push(index),
        }
    }
    duplicates.sort_by_key(|duplicate| duplicate.index);
    duplicates
}

fn better(a: &Candidate, b: &Candidate) -> std::cmp::Ordering {
    b.wanted.cmp(&a.wanted).then(b.quality.total_cmp(&a.quality))
}

fn likeness(photo: &Candidate, other: &Candidate) -> Option<Likeness> {
    if photo.sha256 == other.sha256 {
        return Some(Likeness::SameFile);
    }
    let overlay = other.sheet.over(&photo.sheet)?;
    if overlay.edges >= DUPLICATE_EDGES {
        return Some(Likeness::SamePicture(overlay));
    }
    let apart = (photo.taken? - other.taken?).abs();
    let alike = overlay.light >= BURST_LIGHT && overlay.edges >= BURST_EDGES;
    let same_face = match (photo.identity, other.identity) {
        (Some(one), Some(two)) => one.cosine(two) >= BURST_FACE,
        _ => true,
    };
    let burst = apart <= BURST_SECONDS && !overlay.mirrored && alike && same_face;
    burst.then_some(Likeness::Burst(apart, overlay))
}

#[cfg(test)]
mod tests {
    use image::RgbImage;
    use image::imageops;

    use super::*;
    use crate::print::Print;
    use crate::testing::texture;

    fn candidate<'a>(sha256: &'a str, print: &'a Print, quality: f64) -> Candidate<'a> {
        let sheet = Sheet::new(print, 320, 240);
        Candidate { sha256, sheet, wanted: false, quality, taken: None, identity: None }
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
        let photos = [
            candidate("a", &one, 1.0),
            candidate("b", &flipped, 4.0),
            candidate("c", &other, 1.0),
            candidate("c", &other, 1.0),
        ];
        let found = find(&photos);
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].index, found[0].of), (0, 1));
        assert!(matches!(found[0].likeness, Likeness::SamePicture(Overlay { mirrored: true, .. })));
        assert_eq!((found[1].index, found[1].of), (3, 2));
        assert_eq!(found[1].likeness, Likeness::SameFile);
    }

    #[test]
    fn a_persons_choice_beats_quality() {
        let picture = print(1);
        let mut photos = [candidate("a", &picture, 1.0), candidate("b", &picture, 4.0)];
        photos[0].wanted = true;
        assert_eq!(find(&photos)[0].index, 1);
    }

    #[test]
    fn what_was_taken_in_a_moment_and_shows_nearly_the_same_is_a_burst() {
        let (one, other) = (Print::of(&moved(1, 5)), Print::of(&moved(1, 9)));
        let taken = |seconds| {
            let mut photos = [candidate("a", &one, 1.0), candidate("b", &other, 4.0)];
            (photos[0].taken, photos[1].taken) = (Some(100.0), seconds);
            find(&photos)
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
        let faces = [Identity::new(vec![1.0, 0.0]), Identity::new(vec![0.0, 1.0])];
        let mut photos = [candidate("a", &one, 1.0), candidate("b", &other, 4.0)];
        photos.iter_mut().for_each(|photo| photo.taken = Some(100.0));
        photos.iter_mut().for_each(|photo| photo.identity = Some(&faces[0]));
        assert_eq!(find(&photos).len(), 1);
        photos[0].identity = Some(&faces[1]);
        assert_eq!(find(&photos), []);
    }
}
