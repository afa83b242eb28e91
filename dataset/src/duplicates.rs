//! Finds photos that are the same shot, and the best of each.

use crate::perceptual::Fingerprint;
use crate::rules::DUPLICATE_BITS;

/// A photo as the search for duplicates sees it.
pub(crate) struct Candidate<'a> {
    pub sha256: &'a str,
    pub fingerprint: Fingerprint,
    /// Whether a person decided to keep it: then it stands for the others.
    pub wanted: bool,
    pub pixels: u64,
    pub detail: f64,
}

/// A photo that a better one stands for, both by their place in the list.
#[derive(Debug, PartialEq)]
pub(crate) struct Duplicate {
    pub index: usize,
    pub of: usize,
    /// Differing bits of the perceptual hash; `None` of the very same file.
    pub bits: Option<u32>,
}

/// The duplicates among `photos`. The best photo goes first (wanted by a
/// person, then larger, then sharper, then earlier), and a photo near one that
/// stays is its duplicate: chains of small steps don't join.
pub(crate) fn find(photos: &[Candidate]) -> Vec<Duplicate> {
    let mut order: Vec<usize> = (0..photos.len()).collect();
    order.sort_by(|&a, &b| better(&photos[a], &photos[b]).then(a.cmp(&b)));
    let (mut staying, mut duplicates) = (Vec::<usize>::new(), Vec::new());
    for index in order {
        match staying.iter().find_map(|&of| same_shot(&photos[index], &photos[of], index, of)) {
            Some(duplicate) => duplicates.push(duplicate),
            None => staying.push(index),
        }
    }
    duplicates.sort_by_key(|duplicate| duplicate.index);
    duplicates
}

fn better(a: &Candidate, b: &Candidate) -> std::cmp::Ordering {
    let wanted = b.wanted.cmp(&a.wanted);
    wanted.then(b.pixels.cmp(&a.pixels)).then(b.detail.total_cmp(&a.detail))
}

fn same_shot(photo: &Candidate, other: &Candidate, index: usize, of: usize) -> Option<Duplicate> {
    if photo.sha256 == other.sha256 {
        return Some(Duplicate { index, of, bits: None });
    }
    let bits = photo.fingerprint.distance(other.fingerprint);
    (bits <= DUPLICATE_BITS).then_some(Duplicate { index, of, bits: Some(bits) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(sha256: &str, bits: u64, pixels: u64) -> Candidate<'_> {
        let fingerprint = Fingerprint::from_bits(bits);
        Candidate { sha256, fingerprint, wanted: false, pixels, detail: 0.1 }
    }

    #[test]
    fn the_largest_stands_for_the_same_shot() {
        let far = u64::MAX;
        let photos = [
            candidate("a", 0b1, 100),
            candidate("b", 0b11, 400),
            candidate("c", far, 100),
            candidate("c", far, 100),
        ];
        let found = find(&photos);
        assert_eq!(
            found,
            [
                Duplicate { index: 0, of: 1, bits: Some(1) },
                Duplicate { index: 3, of: 2, bits: None },
            ]
        );
    }

    #[test]
    fn a_persons_choice_beats_size_and_chains_do_not_join() {
        let mut photos =
            [candidate("a", 0, 100), candidate("b", 0x3f, 400), candidate("c", 0xfff, 50)];
        photos[0].wanted = true;
        let found = find(&photos);
        assert_eq!(found, [Duplicate { index: 1, of: 0, bits: Some(6) }]);
    }
}
