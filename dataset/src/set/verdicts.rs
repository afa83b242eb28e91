//! What is said of a photo among the others: that it is another one's duplicate, or another person's.

use likeness_faces::Identity;

use crate::decisions::Decisions;
use crate::duplicates::{self, Candidate, Duplicate, Likeness, Sight};
use crate::error::DatasetError;
use crate::overlay::Sheet;
use crate::photos::Photos;
use crate::print::Print;
use crate::record::{ImageRecord, Reason, Verdict};
use crate::rules;
use crate::set::balance;
use crate::set::choose::{self, Left};
use crate::set::quality::quality;
use crate::set::strangers::Crowd;
use crate::verdicts::{Verdicts, doubt, drop_for};

impl Verdicts {
    /// Drops all but the best of the photos that are the same picture or of one burst.
    pub(crate) fn drop_duplicates(
        &mut self,
        photos: &Photos,
        decisions: &Decisions,
    ) -> Result<(), DatasetError> {
        let standing = self.standing(decisions);
        let mut candidates = Vec::with_capacity(standing.len());
        for &index in &standing {
            // A photo that stands was decoded.
            let (print, taken) = photos.measured(index)?.map_or_else(
                || (Print::default(), None),
                |measured| (measured.print, measured.taken),
            );
            candidates.push(candidate(&self.records[index], &print, taken, decisions));
        }
        let look = |index: usize| {
            let measured = photos.measured(standing[index])?;
            let sight = measured.map(|measured| (measured.print, measured.identity));
            let (print, identity) = sight.unwrap_or_default();
            Ok(Sight { print, identity })
        };
        let found = duplicates::find(&candidates, &look)?;
        for Duplicate { index, of, likeness } in found {
            let better = self.records[standing[of]].path.clone();
            let record = &mut self.records[standing[index]];
            drop_for(record, in_words(likeness, &better));
            let (name, value, least) = measure(likeness);
            record.measures.add(name, value, "correlation", None, Some(least));
            record.duplicate_of = Some(better);
        }
        Ok(())
    }

    /// Drops photos of other people than the character; where that is doubtful they are reviewed.
    pub(crate) fn drop_strangers(
        &mut self,
        photos: &Photos,
        references: &[Identity],
        least: f64,
        decisions: &Decisions,
    ) -> Result<(), DatasetError> {
        let (mut faces, mut others) = (Vec::new(), Vec::new());
        for index in self.standing(decisions) {
            let Some(measured) = photos.measured(index)? else { continue };
            let Some(identity) = measured.identity else { continue };
            faces.push((index, identity));
            others.extend(measured.others.into_iter().map(|other| other.identity));
        }
        let crowd = Crowd {
            faces: &faces.iter().map(|face| &face.1).collect::<Vec<_>>(),
            references,
            others: &others.iter().collect::<Vec<_>>(),
        };
        let Some(likeness) = crowd.compare(least) else {
            let few = rules::LEAST_FACES_FOR_IDENTITY;
            self.unmeasured.push(match faces.len() < few {
                true => format!(
                    "same person: fewer than {few} kept photos have a face, too few to compare; name a photo of the character by --reference"
                ),
                false => "same person: no two of the kept photos' faces are alike; name a photo of the character by --reference".into(),
            });
            return Ok(());
        };
        let least = likeness.least;
        for (place, &cosine) in likeness.cosines.iter().enumerate() {
            let record = &mut self.records[faces[place].0];
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
        Ok(())
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
    record: &'a ImageRecord,
    print: &Print,
    taken: Option<f64>,
    decisions: &Decisions,
) -> Candidate<'a> {
    let wanted = decisions.verdict_of(&record.sha256).is_some_and(|said| said != Verdict::Drop);
    let sheet = Sheet::new(print, record.width, record.height);
    Candidate { sha256: &record.sha256, sheet, wanted, quality: quality(record), taken }
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
