//! What is to be painted and how it is to be judged.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::error::Error;
use crate::gate::Thresholds;
use crate::painter::{Arm, Shot};
use crate::suite::Suite;

/// Most images that one run paints: beyond it a count was surely mistyped.
const MAX_IMAGES: usize = 10_000;

/// Everything that the images depend on, and nothing else.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// The scenes.
    pub suite: Suite,
    /// Images of each scene and arm, 1 or more.
    pub seeds_per_prompt: usize,
    /// Seed of the run, from which that of every image follows.
    pub seed: u64,
    /// The word that calls the character up.
    pub trigger: String,
    /// What the character is, as in `woman`; may be empty for an untyped one.
    pub class_word: String,
    /// sha256 of the adapter file, in hex.
    pub adapter_hash: String,
    /// sha256 of the base, in hex.
    pub base_hash: String,
    /// Sampler, steps, guidance, size, strength and the like, as reports show them.
    pub settings: BTreeMap<String, Value>,
}

impl Recipe {
    /// sha256 of the recipe in hex: images of equal recipes are equal.
    pub fn hash(&self) -> String {
        let json = serde_json::to_vec(self).expect("string keys and numbers are always JSON");
        Sha256::digest(json).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Seed of the start noise for replicate `replicate` of prompt `prompt`, below 2^32.
    ///
    /// The first four bytes of a sha256 over run seed, prompt and replicate:
    /// the same for both arms, and small enough for every other tool to repeat.
    pub fn seed_of(&self, prompt: usize, replicate: usize) -> u64 {
        let key = format!("likeness evaluation seed {} {prompt} {replicate}", self.seed);
        let digest = Sha256::digest(key);
        digest[..4].iter().fold(0, |seed, byte| seed << 8 | u64::from(*byte))
    }

    /// What the prompt's `{subject}` becomes in `arm`.
    pub fn subject(&self, arm: Arm) -> String {
        match arm {
            Arm::Base | Arm::Class => self.class_word.trim().to_owned(),
            Arm::Adapter => format!("{} {}", self.trigger, self.class_word).trim().to_owned(),
        }
    }

    /// What to paint for prompt number `prompt` of the suite, from 0.
    pub fn shot(&self, prompt: usize, replicate: usize, arm: Arm) -> Shot {
        Shot {
            prompt: self.suite.prompts[prompt].of(&self.subject(arm)),
            negative: self.suite.negative.clone(),
            seed: self.seed_of(prompt, replicate),
            arm,
        }
    }

    /// Images of each prompt in `arm`: the class word's leak is looked for once a prompt.
    pub fn replicates(&self, arm: Arm) -> usize {
        if arm == Arm::Class { 1 } else { self.seeds_per_prompt }
    }

    /// Images of all arms.
    pub fn images(&self) -> usize {
        let each: usize =
            Arm::ALL.iter().fold(0, |sum, arm| sum.saturating_add(self.replicates(*arm)));
        self.suite.prompts.len().saturating_mul(each)
    }

    fn check(&self) -> Result<(), Error> {
        self.suite.check()?;
        let refuse = |problem: String, remedy| Err(Error::Plan { problem, remedy });
        if self.seeds_per_prompt == 0 {
            return refuse("0 seeds a prompt paint nothing".into(), "give at least 1, better 4");
        }
        if self.images() > MAX_IMAGES {
            let problem = format!("{} seeds a prompt are too many", self.seeds_per_prompt);
            return refuse(
                problem,
                "give at most 10000 images in all; prompts narrow intervals, seeds hardly do",
            );
        }
        if self.trigger.trim().is_empty() {
            return refuse(
                "the trigger is empty".into(),
                "give the word that the adapter was trained on",
            );
        }
        Ok(())
    }
}

/// One evaluation.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// What is painted.
    pub recipe: Recipe,
    /// The captions that the adapter was trained on; empty where they are not known.
    pub captions: Vec<String>,
    /// Whether prompts that resemble a caption are only reported, not refused.
    pub allow_seen: bool,
    /// What the adapter must reach.
    pub thresholds: Thresholds,
    /// When the evaluation is made, in the form that reports shall show.
    pub generated_at: String,
    /// Whether an output folder of another evaluation is replaced.
    pub force: bool,
}

impl Plan {
    /// Refuses a plan that cannot be carried out, or whose prompts were trained on.
    pub fn check(&self) -> Result<(), Error> {
        self.recipe.check()?;
        self.thresholds.check()?;
        if self.allow_seen {
            return Ok(());
        }
        self.recipe.suite.check_held_out(&self.captions, &self.recipe.subject(Arm::Adapter))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::plan;

    #[test]
    fn both_arms_share_seeds_and_differ_only_in_the_subject() {
        let recipe = plan().recipe;
        let (base, adapter) = (recipe.shot(1, 0, Arm::Base), recipe.shot(1, 0, Arm::Adapter));
        assert_eq!(base.seed, adapter.seed);
        assert_eq!(base.prompt.replace("woman", "aurora woman"), adapter.prompt);
        assert_eq!(base.negative, adapter.negative);
    }

    #[test]
    fn seeds_are_a_pure_function_of_run_prompt_and_replicate() {
        let recipe = plan().recipe;
        let seeds: std::collections::HashSet<u64> = (0..20)
            .flat_map(|p| (0..4).map(move |r| (p, r)))
            .map(|(p, r)| recipe.seed_of(p, r))
            .collect();
        assert_eq!(seeds.len(), 80);
        assert!(seeds.iter().all(|seed| *seed < 1 << 32));
        assert_eq!(recipe.seed_of(3, 1), recipe.clone().seed_of(3, 1));
        assert_ne!(recipe.seed_of(3, 1), Recipe { seed: 8, ..recipe.clone() }.seed_of(3, 1));
    }

    #[test]
    fn the_hash_is_of_what_the_images_depend_on() {
        let recipe = plan().recipe;
        assert_eq!(recipe.hash(), recipe.clone().hash());
        let mut other = recipe.clone();
        other.settings.insert("steps".into(), 21.into());
        assert_ne!(recipe.hash(), other.hash());
        assert_ne!(recipe.hash(), Recipe { adapter_hash: "ff".into(), ..recipe.clone() }.hash());
    }

    #[test]
    fn plans_that_cannot_be_carried_out_are_refused() {
        let refusal = |change: fn(&mut Plan)| {
            let mut plan = plan();
            change(&mut plan);
            plan.check().expect_err("refused").to_string()
        };
        assert!(refusal(|p| p.recipe.seeds_per_prompt = 0).contains("0 seeds"));
        assert!(refusal(|p| p.recipe.seeds_per_prompt = usize::MAX).contains("too many"));
        assert!(refusal(|p| p.recipe.trigger = " ".into()).contains("trigger"));
        assert!(refusal(|p| p.recipe.suite.prompts.clear()).contains("too few"));
        assert!(refusal(|p| p.thresholds.min_nis = 7.0).contains("min_nis"));
    }

    #[test]
    fn trained_scenes_are_refused_unless_allowed() {
        let mut plan = plan();
        plan.captions = vec![plan.recipe.shot(0, 0, Arm::Adapter).prompt];
        assert!(matches!(plan.check(), Err(Error::NotHeldOut(_))));
        plan.allow_seen = true;
        plan.check().expect("allowed");
    }
}
