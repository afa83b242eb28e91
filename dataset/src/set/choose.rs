//! The few photos of many that make the best set: by quality and coverage together.
//!
//! Photos are taken one by one, each time the one that adds most: its quality times what its
//! classes are worth, where a class is worth less the more chosen photos have it. Such a gain
//! shrinks as the set grows, so that choosing greedily is within 1 - 1/e of the best set
//! (Nemhauser, Wolsey and Fisher 1978, <https://doi.org/10.1007/BF01588971>).

use crate::record::{ImageRecord, Reason};
use crate::set::quality::quality;
use crate::set::shown::{Axis, Shown};

/// What an axis counts.
const WORTH: [(Axis, f64); 7] = [
    (Axis::Angle, 2.0),
    (Axis::Framing, 1.5),
    (Axis::Light, 0.75),
    (Axis::Tilt, 0.5),
    (Axis::Expression, 1.0),
    (Axis::Outfit, 1.0),
    (Axis::Background, 1.0),
];
const QUALITY: f64 = 0.5; // the best photo counts twice as much as the worst

/// A photo that was not chosen, by its place, and why.
#[derive(Debug, PartialEq)]
pub(crate) struct Left {
    pub index: usize,
    pub reason: Reason,
}

/// Chooses `count` of `photos`, those at `wanted` in any case; what is left, in order. `caption`
/// reads the caption of one.
pub(crate) fn left(
    photos: &[&ImageRecord],
    wanted: &[usize],
    count: usize,
    caption: &dyn Fn(&ImageRecord) -> Option<String>,
) -> Vec<Left> {
    let choice = Choice {
        photos,
        shown: Shown::of(photos, caption),
        qualities: photos.iter().map(|photo| quality(photo)).collect(),
    };
    let chosen = choice.chosen(wanted, count);
    let left = (0..photos.len()).filter(|index| !chosen.contains(index));
    left.map(|index| Left { index, reason: choice.why(index, &chosen) }).collect()
}

/// What is chosen from.
struct Choice<'a> {
    photos: &'a [&'a ImageRecord],
    shown: Shown,
    qualities: Vec<f64>,
}

impl Choice<'_> {
    fn chosen(&self, wanted: &[usize], count: usize) -> Vec<usize> {
        let mut chosen = wanted.to_vec();
        let ranks = self.ranks();
        while chosen.len() < count.min(self.photos.len()) {
            let open = (0..self.photos.len()).filter(|index| !chosen.contains(index));
            let gain = |&index: &usize| (1.0 + ranks[index]) * QUALITY * self.worth(index, &chosen);
            let best = open.max_by(|a, b| gain(a).total_cmp(&gain(b)).then(b.cmp(a)));
            chosen.push(best.expect("fewer are chosen than there are"));
        }
        chosen
    }

    /// From 0, the worst photo, to 1, the best.
    fn ranks(&self) -> Vec<f64> {
        let below = |quality: &f64| self.qualities.iter().filter(|other| *other < quality).count();
        let most = self.photos.len().saturating_sub(1).max(1) as f64;
        self.qualities.iter().map(|quality| below(quality) as f64 / most).collect()
    }

    /// What the classes of a photo add to those that are chosen. Where nothing is known of an axis
    /// the photo counts as of a class that all have.
    fn worth(&self, index: usize, chosen: &[usize]) -> f64 {
        let of = |&(axis, worth): &(Axis, f64)| {
            let class = self.shown.class(index, axis);
            let have = chosen.iter().filter(|&&other| match class {
                Some(_) => self.shown.class(other, axis) == class,
                None => true,
            });
            worth / (1 + have.count()) as f64
        };
        WORTH.iter().map(of).sum()
    }

    fn why(&self, index: usize, chosen: &[usize]) -> Reason {
        let alike = |&&other: &&usize| (self.shared(index, other).len(), self.qualities[other]);
        let nearest = chosen.iter().max_by(|a, b| {
            let ((a_count, a_quality), (b_count, b_quality)) = (alike(a), alike(b));
            a_count.cmp(&b_count).then(a_quality.total_cmp(&b_quality))
        });
        let own = self.qualities[index];
        let Some(&nearest) = nearest else {
            return Reason::plain("not chosen", "not chosen: none were to be");
        };
        let (name, theirs) = (&self.photos[nearest].path, self.qualities[nearest]);
        let shared = match self.shared(index, nearest).as_slice() {
            [] => "stands for it".to_owned(),
            shared => format!("shows the same ({})", shared.join(", ")),
        };
        let why = match self.lacks(index, nearest) {
            _ if theirs > own => format!("and is better: quality {theirs:.1} against {own:.1}"),
            Some(class) => format!("and what this one does not ({class})"),
            None => "and is enough of it".into(),
        };
        let count = chosen.len();
        let message = format!("not chosen among the {count}: `{name}` {shared} {why}");
        Reason::measured("not chosen", message, own, theirs)
    }

    /// The classes that two photos share.
    fn shared(&self, one: usize, other: usize) -> Vec<&str> {
        let class = |axis| self.shown.class(one, axis);
        let same =
            Axis::ALL.into_iter().filter(|axis| class(*axis) == self.shown.class(other, *axis));
        same.filter_map(class).collect()
    }

    /// A class of `other` that `one` has not.
    fn lacks(&self, one: usize, other: usize) -> Option<&str> {
        let differ = |axis: &Axis| self.shown.class(one, *axis) != self.shown.class(other, *axis);
        Axis::ALL.into_iter().filter(differ).find_map(|axis| self.shown.class(other, axis))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::set::testing::record;

    /// Thirty front views, the later the larger, and a few others.
    fn many() -> Vec<ImageRecord> {
        let photo = |number: usize, yaw: f64, eyes: f64| {
            let measures = [("yaw", yaw), ("eye_distance", eyes), ("face_detail", 0.05)];
            record(&format!("p{number:02}.jpg"), &measures)
        };
        let front = (0..30).map(|number| photo(number, 0.0, 100.0 + number as f64));
        let others = [(-40.0, 90.0), (40.0, 95.0), (70.0, 80.0), (-70.0, 85.0), (-70.0, 70.0)];
        let others = others.into_iter().enumerate();
        front.chain(others.map(|(number, (yaw, eyes))| photo(30 + number, yaw, eyes))).collect()
    }

    fn chosen(records: &[ImageRecord], wanted: &[usize], count: usize) -> Vec<usize> {
        let photos: Vec<&ImageRecord> = records.iter().collect();
        let left = left(&photos, wanted, count, &|_| None);
        assert_eq!(left.len(), records.len() - count.max(wanted.len()));
        (0..records.len()).filter(|index| left.iter().all(|left| left.index != *index)).collect()
    }

    #[test]
    fn every_angle_is_there_and_of_the_many_the_best() {
        let found = chosen(&many(), &[], 8);
        assert!([30, 31, 32, 33].iter().all(|index| found.contains(index)), "{found:?}");
        assert!(found.contains(&29) && !found.contains(&0), "{found:?}");
    }

    #[test]
    fn what_a_person_wants_is_chosen_whatever_it_is() {
        assert!(chosen(&many(), &[0, 34], 5).starts_with(&[0]));
        assert_eq!(chosen(&many(), &[0, 1, 2], 2), [0, 1, 2]);
        assert_eq!(chosen(&many()[..3], &[], 3), [0, 1, 2]);
    }

    #[test]
    fn each_photo_that_is_left_is_told_which_one_stands_for_it() {
        let records = many();
        let photos: Vec<&ImageRecord> = records.iter().collect();
        let left = left(&photos, &[], 8, &|_| None);
        let worst = left.iter().find(|left| left.index == 0).expect("left");
        let message = &worst.reason.message;
        assert!(
            message.starts_with("not chosen among the 8: `p29.jpg` shows the same (front view")
        );
        assert!(message.contains("and is better: quality"), "{message}");
        assert!(worst.reason.value < worst.reason.threshold);
    }
}
