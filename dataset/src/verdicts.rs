//! Judges the photos of a set, each by itself and then among the others.

use likeness_faces::{FaceModels, Identity};

use crate::FORMAT_VERSION;
use crate::bucket::Bucket;
use crate::crop::Crop;
use crate::curate::CurateOptions;
use crate::decisions::Decisions;
use crate::duplicates::{self, Candidate, Duplicate};
use crate::judge::{Judgement, judge};
use crate::measure::{Measured, Photo};
use crate::person;
use crate::progress::Summary;
use crate::record::{ImageRecord, Measures, Reason, Verdict, rounded};
use crate::rules::{self, FaceRules};

/// The records of a set as the rules left them, and what to say of the set.
pub(crate) struct Verdicts {
    /// One a photo, in the photos' order.
    pub records: Vec<ImageRecord>,
    unmeasured: Vec<String>,
    advice: Vec<String>,
}

impl Verdicts {
    /// Judges `photos`. Decisions don't change a record here, but a photo that
    /// a person dropped stands for no other, and one they want goes first.
    pub fn of(
        photos: &[Photo],
        options: &CurateOptions,
        models: Option<&FaceModels>,
        decisions: &Decisions,
    ) -> Self {
        let readable = || photos.iter().filter_map(|photo| photo.measured.as_ref().ok());
        let sure = |photo: &&Measured| {
            photo.faces.first().is_some_and(|face| f64::from(face.score) >= rules::SURE_FACE)
        };
        let with_face = readable().filter(sure).count();
        let rules = FaceRules::for_set(models.is_some(), with_face, readable().count());
        let records = photos.iter().map(|photo| record(photo, options, rules)).collect();
        let mut verdicts = Self { records, unmeasured: Vec::new(), advice: Vec::new() };
        verdicts.say_what_is_unmeasured(rules, readable().count());
        verdicts.drop_duplicates(photos, decisions);
        if let (FaceRules::Apply, Some(models)) = (rules, models) {
            verdicts.drop_strangers(photos, models.same_person_cosine(), decisions);
        }
        verdicts
    }

    /// The summary of the records as they are now.
    pub fn summary(self) -> Summary {
        let Self { records, unmeasured, mut advice } = self;
        let kept = records.iter().filter(|record| record.is_kept()).count();
        let review = records.iter().filter(|record| record.verdict == Verdict::Review).count();
        if !rules::GOOD_COUNT.contains(&kept) {
            let (least, most) = (rules::GOOD_COUNT.start(), rules::GOOD_COUNT.end());
            advice.push(format!("{kept} photos are kept; {least} to {most} work best"));
        }
        Summary { kept, review, dropped: records.len() - kept, records, unmeasured, advice }
    }

    fn say_what_is_unmeasured(&mut self, rules: FaceRules, readable: usize) {
        match rules {
            FaceRules::Apply => {}
            FaceRules::NoModel => self.unmeasured.push(
                "faces: no face models; several people, small faces and another person's photos were not looked for".into(),
            ),
            FaceRules::TooFew { with_face: 0 } => self.unmeasured.push(
                "faces: no photo has one that is surely human, so the face rules do not apply (a drawing, an animal or a thing)".into(),
            ),
            FaceRules::TooFew { with_face } => self.unmeasured.push(format!(
                "faces: only {with_face} of {readable} photos have one that is surely human, so the face rules do not apply"
            )),
        }
    }

    /// The places of the photos that count: kept by the rules or by a person.
    fn standing(&self, decisions: &Decisions) -> Vec<usize> {
        let stands = |record: &ImageRecord| match decisions.verdict_of(&record.sha256) {
            Some(verdict) => verdict != Verdict::Drop && record.crop.is_some(),
            None => record.is_kept(),
        };
        (0..self.records.len()).filter(|&index| stands(&self.records[index])).collect()
    }

    fn drop_duplicates(&mut self, photos: &[Photo], decisions: &Decisions) {
        let standing = self.standing(decisions);
        let candidates: Vec<Candidate> =
            standing.iter().filter_map(|&index| candidate(&photos[index], decisions)).collect();
        for Duplicate { index, of, bits } in duplicates::find(&candidates) {
            let better = self.records[standing[of]].path.clone();
            let (what, value) = match bits {
                None => ("the same file as", 0.0),
                Some(bits) => ("nearly the same picture as", f64::from(bits)),
            };
            let record = &mut self.records[standing[index]];
            let most = f64::from(rules::DUPLICATE_BITS);
            record.measures.add("duplicate_distance", value, "bits", None, Some(most));
            let message = format!("{what} `{better}`, which is kept");
            drop_for(record, Reason::measured("duplicate", message, value, most));
            record.duplicate_of = Some(better);
        }
    }

    fn drop_strangers(&mut self, photos: &[Photo], least: f64, decisions: &Decisions) {
        let with_identity: Vec<(usize, &Identity)> = self
            .standing(decisions)
            .into_iter()
            .filter_map(|index| {
                let measured = photos[index].measured.as_ref().ok()?;
                Some((index, measured.identity.as_ref()?))
            })
            .collect();
        let identities: Vec<&Identity> =
            with_identity.iter().map(|(_, identity)| *identity).collect();
        let likeness = person::compare(&identities, least);
        if likeness.cosines.is_empty() {
            let few = rules::LEAST_FACES_FOR_IDENTITY;
            self.unmeasured.push(format!(
                "same person: fewer than {few} kept photos have a face, too few to compare"
            ));
        }
        for (place, &cosine) in likeness.cosines.iter().enumerate() {
            let record = &mut self.records[with_identity[place].0];
            record.measures.add("same_person", cosine, "cosine", Some(least), None);
            if likeness.strangers.contains(&place) {
                let message = format!(
                    "another person: the likeness to the other faces is {cosine:.2}, at least {least:.2} is expected"
                );
                drop_for(record, Reason::measured("another person", message, cosine, least));
            }
        }
    }
}

/// A reason to drop outweighs doubts, which become notes.
fn drop_for(record: &mut ImageRecord, reason: Reason) {
    if record.verdict == Verdict::Review {
        record.notes.append(&mut record.reasons);
    }
    record.verdict = Verdict::Drop;
    record.reasons.push(reason);
}

fn candidate<'a>(photo: &'a Photo, decisions: &Decisions) -> Option<Candidate<'a>> {
    let measured = photo.measured.as_ref().ok()?;
    let wanted = decisions.verdict_of(&photo.sha256).is_some_and(|said| said != Verdict::Drop);
    Some(Candidate {
        sha256: &photo.sha256,
        fingerprint: measured.fingerprint,
        wanted,
        pixels: u64::from(measured.width) * u64::from(measured.height),
        detail: measured.face.map_or(measured.picture, |face| face.look).sharpness.detail,
    })
}

fn record(photo: &Photo, options: &CurateOptions, rules: FaceRules) -> ImageRecord {
    let empty = ImageRecord {
        version: FORMAT_VERSION,
        path: photo.path.clone(),
        sha256: photo.sha256.clone(),
        width: 0,
        height: 0,
        verdict: Verdict::Drop,
        reasons: Vec::new(),
        notes: Vec::new(),
        measures: Measures::default(),
        faces: Vec::new(),
        crop: None,
        bucket: None,
        upscale: None,
        duplicate_of: None,
        caption_file: String::new(),
        caption_written_sha256: String::new(),
    };
    match &photo.measured {
        Ok(measured) => judged(empty, measured, options, rules),
        Err(why) => ImageRecord { reasons: vec![Reason::plain("unreadable", why)], ..empty },
    }
}

fn judged(
    empty: ImageRecord,
    photo: &Measured,
    options: &CurateOptions,
    rules: FaceRules,
) -> ImageRecord {
    let (width, height) = (photo.width, photo.height);
    let (verdict, said) = judge(photo, options.min_side, rules).verdict();
    let Judgement { reasons, mut notes, measures, .. } = said;
    let bucket = Bucket::nearest(width, height, options.resolution, options.bucket_step);
    let face = photo.faces.first().filter(|_| rules == FaceRules::Apply);
    let crop = Crop::choose(width, height, bucket, face);
    let upscale = crop.upscale(bucket);
    notes.extend(crop.enlarged(bucket));
    ImageRecord {
        width,
        height,
        verdict,
        reasons,
        notes,
        measures,
        faces: photo.faces.clone(),
        crop: Some(crop),
        bucket: Some(bucket),
        upscale: Some(rounded(upscale)),
        ..empty
    }
}
