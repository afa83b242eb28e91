//! What is said of a photo among the others: that it is another one's duplicate, or another person's.

use likeness_faces::Identity;

use crate::decisions::Decisions;
use crate::duplicates::{self, Candidate, Duplicate, Likeness};
use crate::measure::{Measured, Photo};
use crate::overlay::Sheet;
use crate::record::{ImageRecord, Reason, Verdict};
use crate::rules;
use crate::set::balance;
use crate::set::choose::{self, Left};
use crate::set::quality::quality;
use crate::set::strangers::Crowd;
use crate::verdicts::{Verdicts, doubt, drop_for};

impl Verdicts {
    /// Drops all but the best of the photos that are the same picture or of one burst.
    pub(crate) fn drop_duplicates(&mut self, photos: &[Photo], decisions: &Decisions) {
        let standing = self.standing(decisions);
        let candidate = |&index: &usize| {
            let measured = photos[index].measured.as_ref().ok()?;
            Some(candidate(&photos[index], measured, &self.records[index], decisions))
        };
        let candidates: Vec<Candidate> = standing.iter().filter_map(candidate).collect();
        for Duplicate { index, of, likeness } in duplicates::find(&candidates) {
            let better = self.records[standing[of]].path.clone();
            let record = &mut self.records[standing[index]];
            drop_for(record, in_words(likeness, &better));
            let (name, value, least) = measure(likeness);
            record.measures.add(name, value, "correlation", None, Some(least));
            record.duplicate_of = Some(better);
        }
    }

    /// Drops photos of other people than the character; where that is doubtful they are reviewed.
    pub(crate) fn drop_strangers(
        &mut self,
        photos: &[Photo],
        references: &[Identity],
        least: f64,
        decisions: &Decisions,
    ) {
        let measured = |index: usize| photos[index].measured.as_ref().ok();
        let with_identity: Vec<(usize, &Measured, &Identity)> = self
            .standing(decisions)
            .into_iter()
            .filter_map(|index| {
                Some((index, measured(index)?, measured(index)?.identity.as_ref()?))
            })
            .collect();
        let faces: Vec<&Identity> = with_identity.iter().map(|face| face.2).collect();
        let others: Vec<&Identity> = with_identity
            .iter()
            .flat_map(|face| face.1.others.iter().map(|other| &other.identity))
            .collect();
        let crowd = Crowd { faces: &faces, references, others: &others };
        let Some(likeness) = crowd.compare(least) else {
            let few = rules::LEAST_FACES_FOR_IDENTITY;
            self.unmeasured.push(match faces.len() < few {
                true => format!(
                    "same person: fewer than {few} kept photos have a face, too few to compare; name a photo of the character by --reference"
                ),
                false => "same person: no two of the kept photos' faces are alike; name a photo of the character by --reference".into(),
            });
            return;
        };
        let least = likeness.least;
        for (place, &cosine) in likeness.cosines.iter().enumerate() {
            let record = &mut self.records[with_identity[place].0];
            record.measures.add("same_person", cosine, "cosine", Some(least), None);
            if likeness.strangers.binary_search(&place).is_ok() {
                let message = format!(
                    "another person: the likeness to the other faces is {cosine:.2}, at least {least:.2} is expected"
                );
                let reason = Reason::measured("another person", message, cosine, least);
                match cosine < rules::DOUBTFUL_LIKENESS * least {
                    true => drop_for(record, reason),
                    false => doubt(record, reason),
                }
            }
        }
    }

    /// Drops all but `count` of the photos that are kept, by quality and coverage together. Those
    /// that a person decided to keep stay in any case; `caption` reads the caption of one.
    pub(crate) fn choose(
        &mut self,
        count: usize,
        decisions: &Decisions,
        caption: &dyn Fn(&ImageRecord) -> Option<String>,
    ) {
        let standing = self.standing(decisions);
        let photos: Vec<&ImageRecord> =
            standing.iter().map(|&index| &self.records[index]).collect();
        let wanted = (0..photos.len())
            .filter(|&index| decisions.verdict_of(&photos[index].sha256).is_some())
            .collect::<Vec<_>>();
        for Left { index, reason } in choose::left(&photos, &wanted, count, caption) {
            drop_for(&mut self.records[standing[index]], reason);
        }
    }

    /// Weighs the photos that are kept, so that nothing dominates.
    pub(crate) fn weigh(&mut self, caption: &dyn Fn(&ImageRecord) -> Option<String>) {
        let kept: Vec<usize> =
            (0..self.records.len()).filter(|&index| self.records[index].is_kept()).collect();
        let photos: Vec<&ImageRecord> = kept.iter().map(|&index| &self.records[index]).collect();
        let weights = balance::weights(&photos, caption);
        for (index, weight) in kept.into_iter().zip(weights) {
            self.records[index].weight = weight;
        }
    }
}

fn candidate<'a>(
    photo: &'a Photo,
    measured: &'a Measured,
    record: &ImageRecord,
    decisions: &Decisions,
) -> Candidate<'a> {
    let wanted = decisions.verdict_of(&photo.sha256).is_some_and(|said| said != Verdict::Drop);
    Candidate {
        sha256: &photo.sha256,
        sheet: Sheet::new(&measured.print, measured.width, measured.height),
        wanted,
        quality: quality(record),
        taken: measured.taken,
        identity: measured.identity.as_ref(),
    }
}

/// The measure of a duplicate, and the limit above which it is one.
fn measure(likeness: Likeness) -> (&'static str, f64, f64) {
    match likeness {
        Likeness::SameFile => ("same_picture", 1.0, rules::DUPLICATE_EDGES),
        Likeness::SamePicture(overlay) => ("same_picture", overlay.edges, rules::DUPLICATE_EDGES),
        Likeness::Burst(_, overlay) => ("same_moment", overlay.light, rules::BURST_LIGHT),
    }
}

fn in_words(likeness: Likeness, better: &str) -> Reason {
    let (_, value, least) = measure(likeness);
    let what = match likeness {
        Likeness::SameFile => format!("the same file as `{better}`, which is kept"),
        Likeness::SamePicture(overlay) if overlay.mirrored => {
            format!("`{better}` in a mirror, which is kept; a face is not its mirror image")
        }
        Likeness::SamePicture(_) => {
            format!("the same picture as `{better}`, which is better and kept")
        }
        Likeness::Burst(seconds, _) => {
            format!(
                "{seconds:.1} s from `{better}` and nearly the same, as in a burst; the best is kept"
            )
        }
    };
    Reason::measured("duplicate", what, value, least)
}
