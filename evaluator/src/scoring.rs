//! From what was seen to what it means: observations in, scores out.

use std::collections::BTreeMap;

use likeness_faces::Axis;

use crate::bootstrap::{Bootstrap, Interval};
use crate::gallery::{Gallery, Nearest, Reference};
use crate::gate::Gate;
use crate::observation::Observation;
use crate::painter::Arm;
use crate::plan::Plan;
use crate::readings::readings;
use crate::scale::{Scale, mean};
use crate::scores::{
    ArmScores, IdentityScores, ImageRecord, Leak, PromptScores, ReferenceRecord, SCORES_VERSION,
    Scores,
};
use crate::verdict::Verdict;

/// Fewest cohort faces for a steady floor: 30 put its mean within a fifth of their spread.
const STEADY_COHORT: usize = 30;

/// Everything that scores are made from.
pub(crate) struct Evidence<'a> {
    pub plan: &'a Plan,
    pub references: &'a [Reference],
    /// The encoder and what it saw in the references; `None` without a judge.
    pub judged: Option<(String, Gallery)>,
    /// What the reader tells; empty without one.
    pub axes: &'a [Axis],
    pub observations: &'a [Observation],
}

impl Evidence<'_> {
    /// The scores, with every interval and verdict.
    pub fn scores(&self) -> Scores {
        let plan = self.plan;
        let scale = self.scale();
        let known = scale.as_ref().ok();
        let identity = known.and_then(|scale| self.identity(scale));
        let leak = known.and_then(|scale| self.leak(scale));
        let arms: Vec<ArmScores> = Arm::ALL.iter().map(|arm| self.arm(*arm, known)).collect();
        Scores {
            version: SCORES_VERSION,
            tool: concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION")).to_owned(),
            generated_at: plan.generated_at.clone(),
            plan_hash: plan.recipe.hash(),
            recipe: plan.recipe.clone(),
            encoder: self.judged.as_ref().map(|(encoder, _)| encoder.clone()),
            thresholds: plan.thresholds,
            gate: self.gate(&scale, &arms, leak.as_ref()),
            identity,
            leak,
            readings: readings(self.axes, &plan.recipe.suite, self.observations, plan.recipe.seed),
            prompts: self.prompts(known),
            references: self.reference_records(),
            closest_references: self.judged.as_ref().map(|(_, gallery)| gallery.closest_pair),
            warnings: self.warnings(known),
            unmeasured: self.unmeasured(&scale),
            images: self.observations.iter().map(|seen| self.record(seen, known)).collect(),
            arms,
        }
    }

    fn scale(&self) -> Result<Scale, String> {
        let Some((_, gallery)) = &self.judged else {
            return Err("no face model was given; run `likeness models pull`, then evaluate again"
                .to_owned());
        };
        let references: Vec<f64> = gallery.leave_one_out.iter().flatten().copied().collect();
        Scale::new(&references, &self.cosines(Arm::Base), self.plan.thresholds.min_separation)
    }

    fn of(&self, arm: Arm) -> impl Iterator<Item = &Observation> {
        self.observations.iter().filter(move |seen| seen.arm == arm)
    }

    fn cosines(&self, arm: Arm) -> Vec<f64> {
        self.of(arm).filter_map(|image| Some(image.seen.as_ref()?.cosine)).collect()
    }

    /// `value` of every image of `arm`: one list a prompt, one entry a seed.
    fn by_prompt(&self, arm: Arm, value: impl Fn(&Observation) -> f64) -> Vec<Vec<f64>> {
        let mut prompts: BTreeMap<usize, Vec<(usize, f64)>> = BTreeMap::new();
        for image in self.of(arm) {
            prompts.entry(image.prompt).or_default().push((image.replicate, value(image)));
        }
        let in_order = |mut seeds: Vec<(usize, f64)>| {
            seeds.sort_by_key(|(replicate, _)| *replicate);
            seeds.into_iter().map(|(_, value)| value).collect()
        };
        prompts.into_values().map(in_order).collect()
    }

    fn interval(&self, prompts: &[Vec<f64>]) -> Option<Interval> {
        Bootstrap::new(self.plan.recipe.seed).interval(prompts)
    }

    /// NIS of `arm` less that of the bare base, paired by prompt and seed.
    fn over_base(&self, arm: Arm, scale: &Scale) -> Option<Interval> {
        let [base, arm] =
            [Arm::Base, arm].map(|arm| self.by_prompt(arm, |image| nis(image, scale)));
        let paired: Vec<Vec<f64>> = arm
            .iter()
            .zip(&base)
            .map(|(arm, base)| arm.iter().zip(base).map(|(a, b)| a - b).collect())
            .collect();
        self.interval(&paired)
    }

    fn leak(&self, scale: &Scale) -> Option<Leak> {
        Some(Leak { difference: self.over_base(Arm::Class, scale)? })
    }

    fn identity(&self, scale: &Scale) -> Option<IdentityScores> {
        let difference = self.over_base(Arm::Adapter, scale)?;
        Some(IdentityScores { scale: *scale, difference, verdict: Verdict::of(&difference) })
    }

    fn arm(&self, arm: Arm, scale: Option<&Scale>) -> ArmScores {
        let cosines = self.cosines(arm);
        let judged = self.judged.is_some();
        let found = |image: &Observation| f64::from(u8::from(image.seen.is_some()));
        ArmScores {
            arm,
            images: self.of(arm).count(),
            faces: judged.then_some(cosines.len()),
            face_rate: judged.then(|| self.interval(&self.by_prompt(arm, found))).flatten(),
            cosine: (!cosines.is_empty()).then(|| mean(&cosines)),
            nis: scale
                .and_then(|scale| self.interval(&self.by_prompt(arm, |image| nis(image, scale)))),
        }
    }

    fn gate(&self, scale: &Result<Scale, String>, arms: &[ArmScores], leak: Option<&Leak>) -> Gate {
        if let Err(reason) = scale {
            return Gate::unmeasured(reason);
        }
        let adapter = arms.iter().find(|scores| scores.arm == Arm::Adapter);
        match adapter.map(|scores| (&scores.nis, &scores.face_rate)) {
            Some((Some(nis), Some(rate))) => {
                let leak = leak.map(|leak| &leak.difference);
                Gate::decide(nis, rate, leak, &self.plan.thresholds)
            }
            _ => Gate::unmeasured("there is no image of the adapter; run again"),
        }
    }

    fn prompts(&self, scale: Option<&Scale>) -> Vec<PromptScores> {
        let prompts = self.plan.recipe.suite.prompts.iter().enumerate();
        prompts
            .map(|(index, prompt)| {
                let of = |arm| self.of(arm).filter(move |image| image.prompt == index);
                let score = |arm| {
                    let values: Vec<f64> =
                        scale.map(|scale| of(arm).map(|i| nis(i, scale)).collect())?;
                    (!values.is_empty()).then(|| mean(&values))
                };
                let faces = |arm| {
                    let found = of(arm).filter(|image| image.seen.is_some()).count();
                    self.judged.is_some().then_some(found)
                };
                PromptScores {
                    name: prompt.name.clone(),
                    text: prompt.text.clone(),
                    base_nis: score(Arm::Base),
                    adapter_nis: score(Arm::Adapter),
                    base_faces: faces(Arm::Base),
                    adapter_faces: faces(Arm::Adapter),
                }
            })
            .collect()
    }

    fn reference_records(&self) -> Vec<ReferenceRecord> {
        let record = |(index, reference): (usize, &Reference)| {
            let found = self.judged.as_ref().map(|(_, gallery)| gallery.leave_one_out[index]);
            ReferenceRecord {
                name: reference.name.clone(),
                face: found.map(|cosine| cosine.is_some()),
                leave_one_out: found.flatten(),
            }
        };
        self.references.iter().enumerate().map(record).collect()
    }

    fn record(&self, image: &Observation, scale: Option<&Scale>) -> ImageRecord {
        let recipe = &self.plan.recipe;
        let shot = recipe.shot(image.prompt, image.replicate, image.arm);
        let seen = image.seen.as_ref();
        ImageRecord {
            prompt: recipe.suite.prompts[image.prompt].name.clone(),
            text: shot.prompt,
            replicate: image.replicate + 1,
            seed: shot.seed,
            arm: image.arm,
            file: image.file.clone(),
            width: image.size.0,
            height: image.size.1,
            face: self.judged.is_some().then_some(seen.is_some()),
            bbox: seen.map(|seen| seen.bbox),
            cosine: seen.map(|seen| seen.cosine),
            nis: scale.map(|scale| nis(image, scale)),
            nearest: seen.map(|seen| Nearest {
                reference: self.references[seen.nearest.0].name.clone(),
                cosine: seen.nearest.1,
            }),
        }
    }

    fn warnings(&self, scale: Option<&Scale>) -> Vec<String> {
        let mut warnings = Vec::new();
        let recipe = &self.plan.recipe;
        for seen in recipe.suite.resembling(&self.plan.captions, &recipe.subject(Arm::Adapter)) {
            let (prompt, caption, alike) = (seen.prompt, seen.caption, seen.similarity * 100.0);
            warnings.push(format!(
                "prompt `{prompt}` is not held out: {alike:.0} % of its words are those of caption `{caption}`"
            ));
        }
        let Some((_, gallery)) = &self.judged else {
            return warnings;
        };
        for (reference, cosine) in self.references.iter().zip(&gallery.leave_one_out) {
            if cosine.is_none() {
                let name = &reference.name;
                warnings.push(format!("no face was found in reference `{name}`; it is left out"));
            }
        }
        if let Some(scale) = scale.filter(|scale| scale.cohort < STEADY_COHORT) {
            let faces = scale.cohort;
            warnings.push(format!(
                "the floor stands on {faces} faces of the bare base; {STEADY_COHORT} or more make it steady"
            ));
        }
        let (images, faces) = (self.of(Arm::Adapter).count(), self.cosines(Arm::Adapter).len());
        if faces < images {
            let without = images - faces;
            warnings.push(format!(
                "{without} of {images} images of the adapter show no face and count as NIS 0"
            ));
        }
        let seen = self.of(Arm::Adapter).filter_map(|image| image.seen.as_ref());
        let copies = seen.filter(|seen| seen.nearest.1 > gallery.closest_pair).count();
        if copies > 0 {
            warnings.push(format!(
                "{copies} images of the adapter are more alike to one reference than any two references \
                 are to each other; look whether they copy it"
            ));
        }
        warnings
    }

    fn unmeasured(&self, scale: &Result<Scale, String>) -> Vec<String> {
        let mut unmeasured = Vec::new();
        if let Err(reason) = scale {
            let what =
                if self.judged.is_some() { "identity" } else { "identity, face rate and copying" };
            unmeasured.push(format!("{what}: {reason}"));
        }
        if self.plan.captions.is_empty() {
            unmeasured.push(
                "whether the prompts are held out: the captions of the training were not given"
                    .to_owned(),
            );
        }
        let doubted = self.axes.iter().filter(|axis| !axis.is_trusted());
        unmeasured.extend(doubted.map(|Axis { name, accuracy, .. }| {
            format!(
                "{name} as asked: the base's reader is right on {:.0} % of true pictures only",
                accuracy * 100.0
            )
        }));
        unmeasured.push(if self.axes.is_empty() {
            "prompt fidelity (this base has no reader of its own) and variety: not part of this evaluation"
                .to_owned()
        } else {
            "variety: not part of this evaluation".to_owned()
        });
        unmeasured
    }
}

/// NIS of an image, 0 where no face was found.
fn nis(image: &Observation, scale: &Scale) -> f64 {
    image.seen.as_ref().map_or(0.0, |seen| scale.nis(seen.cosine))
}
