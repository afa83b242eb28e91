//! Judges the photos of a set, each by itself and then among the others.

use likeness_faces::{FaceModels, Identity};

use crate::FORMAT_VERSION;
use crate::calibrate::OwnLimits;
use crate::crop::Crop;
use crate::curate::CurateOptions;
use crate::decisions::Decisions;
use crate::error::DatasetError;
use crate::framing::Framed;
use crate::judge::{Judgement, judge};
use crate::measure::Measured;
use crate::measures::{Kinds, Measures};
use crate::photos::{Listed, Photos};
use crate::plan::BucketPlan;
use crate::progress::Summary;
use crate::record::{ImageRecord, Reason, Verdict, rounded};
use crate::rules::{self, FaceRules};
use crate::set::cast;
use crate::set::coverage::Coverage;
use crate::subject::Subject;

/// The records of a set as the rules left them, and what to say of the set.
pub(crate) struct Verdicts {
    /// One a photo, in the photos' order.
    pub records: Vec<ImageRecord>,
    pub(crate) unmeasured: Vec<String>,
    advice: Vec<String>,
}

impl Verdicts {
    /// Judges `photos`, with the face models and the identities of the references
    /// where there are any. Decisions don't change a record here, but a photo that
    /// a person dropped stands for no other, and one they want goes first.
    pub fn of(
        photos: &mut Photos,
        options: &CurateOptions,
        models: Option<(&FaceModels, &[Identity])>,
        (decisions, limits): (&Decisions, &OwnLimits),
    ) -> Result<Self, DatasetError> {
        let sure = |photo: &Measured| {
            photo.faces.first().is_some_and(|face| f64::from(face.score) >= rules::SURE_FACE)
        };
        let (mut with_face, mut count) = (0, 0);
        for measured in photos.each() {
            if let Some(measured) = measured? {
                count += 1;
                with_face += usize::from(sure(&measured));
            }
        }
        let rules = FaceRules::for_set(models.is_some(), with_face, count);
        let known = models.filter(|_| rules == FaceRules::Apply);
        let recognised = match known {
            Some((models, references)) => {
                cast::turn_to_character(photos, references, models.same_person_cosine())?
            }
            None => false,
        };
        let (mut kinds, mut records) = (Kinds::default(), Vec::with_capacity(photos.list().len()));
        for (photo, measured) in photos.list().iter().zip(photos.each()) {
            let chosen = decisions.of(&photo.sha256).and_then(|said| said.crop);
            let mut record = record(photo, measured?, options, (rules, limits, chosen));
            kinds.share(&mut record.measures);
            records.push(record);
        }
        let mut verdicts = Self::with(records);
        verdicts.say_what_is_unmeasured(rules, count);
        if recognised {
            verdicts.crop_apart(options);
        }
        verdicts.drop_duplicates(photos, decisions)?;
        if let Some((models, references)) = known {
            verdicts.drop_strangers(photos, references, models.same_person_cosine(), decisions)?;
        }
        for record in &mut verdicts.records {
            kinds.share(&mut record.measures); // those that were added
        }
        Ok(verdicts)
    }

    /// Drops photos of another subject, or says why they could not be told.
    pub fn compare_subjects(&mut self, subject: &Subject) -> Result<(), DatasetError> {
        if !subject.judge(&mut self.records)? {
            let few = rules::LEAST_FACES_FOR_IDENTITY;
            self.unmeasured.push(format!(
                "same subject: fewer than {few} photos are kept, too few to compare"
            ));
        }
        Ok(())
    }

    /// Of records of which nothing more is to say.
    pub(crate) fn with(records: Vec<ImageRecord>) -> Self {
        Self { records, unmeasured: Vec::new(), advice: Vec::new() }
    }

    /// The summary of the records as they are now; `caption` reads the caption of one.
    pub fn summary(self, caption: &dyn Fn(&ImageRecord) -> Option<String>) -> Summary {
        let Self { records, unmeasured, mut advice } = self;
        let kept = records.iter().filter(|record| record.is_kept()).count();
        let review = records.iter().filter(|record| record.verdict == Verdict::Review).count();
        if !rules::GOOD_COUNT.contains(&kept) {
            let (least, most) = (rules::GOOD_COUNT.start(), rules::GOOD_COUNT.end());
            advice.push(format!("{kept} photos are kept; {least} to {most} work best"));
        }
        let trained: Vec<&ImageRecord> = records.iter().filter(|record| record.is_kept()).collect();
        let coverage = Coverage::of(&trained, caption);
        let plan = BucketPlan::all(trained.iter().copied());
        let dropped = records.len() - kept;
        Summary { kept, review, dropped, plan, records, unmeasured, advice, coverage }
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
    pub(crate) fn standing(&self, decisions: &Decisions) -> Vec<usize> {
        let stands = |record: &ImageRecord| match decisions.verdict_of(&record.sha256) {
            Some(verdict) => verdict != Verdict::Drop && record.crop.is_some(),
            None => record.is_kept(),
        };
        (0..self.records.len()).filter(|&index| stands(&self.records[index])).collect()
    }
}

/// A reason to drop outweighs doubts, which become notes.
pub(crate) fn drop_for(record: &mut ImageRecord, reason: Reason) {
    if record.verdict == Verdict::Review {
        record.notes.append(&mut record.reasons);
    }
    record.verdict = Verdict::Drop;
    record.reasons.push(reason);
}

/// A doubt: a reason to review what is kept.
pub(crate) fn doubt(record: &mut ImageRecord, reason: Reason) {
    record.verdict = Verdict::Review;
    record.reasons.push(reason);
}

fn record(
    photo: &Listed,
    measured: Option<Measured>,
    options: &CurateOptions,
    by: (FaceRules, &OwnLimits, Option<Crop>),
) -> ImageRecord {
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
        weight: 1.0,
        caption_file: String::new(),
        caption_written_sha256: String::new(),
    };
    match measured {
        Some(measured) => judged(empty, measured, options, by),
        None => {
            let why = photo.unreadable().unwrap_or_default();
            ImageRecord { reasons: vec![Reason::plain("unreadable", why)], ..empty }
        }
    }
}

fn judged(
    empty: ImageRecord,
    photo: Measured,
    options: &CurateOptions,
    (rules, limits, chosen): (FaceRules, &OwnLimits, Option<Crop>),
) -> ImageRecord {
    let (width, height) = (photo.width, photo.height);
    let face = photo.faces.first().filter(|_| rules == FaceRules::Apply);
    let framed = options.cutting().with(width, height, face, chosen);
    let mut said = judge(&photo, options.min_side, rules, limits);
    said.cut(&framed, options.upscale);
    let (verdict, said) = said.verdict();
    let Judgement { reasons, notes, measures, .. } = said;
    let Framed { bucket, crop, .. } = framed;
    ImageRecord {
        width,
        height,
        verdict,
        reasons,
        notes,
        measures,
        faces: photo.faces,
        crop: Some(crop),
        bucket: Some(bucket),
        upscale: Some(rounded(crop.upscale(bucket))),
        ..empty
    }
}
