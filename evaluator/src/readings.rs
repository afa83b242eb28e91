//! Whether pictures show what their prompts ask for, as far as a reader knows the words.
//!
//! An axis is asked for by a prompt that holds exactly one of its labels as whole words, the longest
//! where one is within another. Accuracy is the share of pictures of such prompts that are read as
//! that label.

use serde::{Deserialize, Serialize};

use likeness_faces::Axis;

use crate::bootstrap::{Bootstrap, Interval};
use crate::observation::Observation;
use crate::painter::Arm;
use crate::suite::{Prompt, Suite};

/// What a reader says of one axis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reading {
    /// The axis, such as `place`.
    pub axis: String,
    /// Prompts that ask for one of its labels.
    pub prompts: usize,
    /// Share of the bare base's pictures that show it, 0 to 1.
    pub base: Interval,
    /// Share of the adapter's pictures that show it, 0 to 1.
    pub adapter: Interval,
}

/// A reading of each axis that some prompt asks for and whose reader can be believed.
pub(crate) fn readings(
    axes: &[Axis],
    suite: &Suite,
    observations: &[Observation],
    seed: u64,
) -> Vec<Reading> {
    let reading = |(number, axis): (usize, &Axis)| {
        let asked: Vec<Option<usize>> =
            suite.prompts.iter().map(|prompt| asked(axis, prompt)).collect();
        let share = |arm: Arm| {
            let of_prompt = |(prompt, label): (usize, &Option<usize>)| {
                let label = (*label)?;
                let own = observations.iter().filter(|o| o.arm == arm && o.prompt == prompt);
                let right =
                    |o: &Observation| f64::from(u8::from(o.read.get(number) == Some(&Some(label))));
                Some(own.map(right).collect::<Vec<f64>>())
            };
            let prompts: Vec<_> = asked.iter().enumerate().filter_map(of_prompt).collect();
            Bootstrap::new(seed).interval(&prompts)
        };
        let (base, adapter) = (share(Arm::Base)?, share(Arm::Adapter)?);
        let prompts = asked.iter().flatten().count();
        Some(Reading { axis: axis.name.clone(), prompts, base, adapter })
    };
    let trusted = axes.iter().enumerate().filter(|(_, axis)| axis.is_trusted());
    trusted.filter_map(reading).collect()
}

/// The label of `axis` that `prompt` asks for.
fn asked(axis: &Axis, prompt: &Prompt) -> Option<usize> {
    let text = spaced(&prompt.of(""));
    let holds = |label: &&String| text.contains(&spaced(label));
    let found: Vec<&String> = axis.labels.iter().filter(holds).collect();
    let longest = found.iter().max_by_key(|label| label.len())?;
    let within = |label: &&&String| spaced(longest).contains(&spaced(label));
    let one = found.iter().filter(within).count() == found.len();
    one.then(|| axis.labels.iter().position(|label| label == *longest)).flatten()
}

/// Lower case words with single spaces around them.
fn spaced(text: &str) -> String {
    let text = text.to_lowercase();
    let words: Vec<&str> =
        text.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).collect();
    format!(" {} ", words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis() -> Axis {
        let labels = ["on a beach", "in the snow", "snow", "in a forest"];
        Axis::new("place", labels.map(str::to_owned).into())
    }

    fn label(text: &str) -> Option<usize> {
        asked(&axis(), &Prompt { name: "p".into(), text: text.into() })
    }

    #[test]
    fn a_prompt_asks_for_the_one_label_that_it_holds() {
        assert_eq!(label("a {subject} on a beach, smiling"), Some(0));
        assert_eq!(label("a {subject} In  the snow"), Some(1), "the longer of two within");
        assert_eq!(label("a {subject} on a beach in a forest"), None, "two");
        assert_eq!(label("a {subject} on a beachfront"), None, "whole words");
        assert_eq!(label("a {subject} in a park"), None);
    }
}
