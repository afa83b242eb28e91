//! Whether the prompts were held out: that no training caption resembles them.
//!
//! Resemblance is the Jaccard index of word sets, `|A ∩ B| / |A ∪ B|`, after
//! the subject and words that say nothing of the scene are taken away.

use std::collections::BTreeSet;

use crate::error::Error;
use crate::suite::Suite;

/// From this Jaccard index on, a prompt is no longer held out.
const RESEMBLES: f64 = 0.6;

/// Words that say nothing of a scene.
const STOP_WORDS: [&str; 34] = [
    "a",
    "an",
    "and",
    "are",
    "as",
    "at",
    "behind",
    "by",
    "for",
    "from",
    "her",
    "his",
    "image",
    "in",
    "into",
    "is",
    "it",
    "its",
    "of",
    "on",
    "or",
    "photo",
    "photograph",
    "picture",
    "she",
    "he",
    "the",
    "their",
    "they",
    "to",
    "up",
    "wearing",
    "while",
    "with",
];

/// A prompt and the training caption that it resembles most.
#[derive(Debug, Clone, PartialEq)]
pub struct Resemblance {
    /// The prompt's name.
    pub prompt: String,
    /// The caption.
    pub caption: String,
    /// Jaccard index of their word sets, 0.6 to 1.
    pub similarity: f64,
}

impl Suite {
    /// The prompts that some caption resembles (Jaccard index of 0.6 or more).
    ///
    /// The words of `subject` (trigger and class word) don't count.
    pub fn resembling(&self, captions: &[String], subject: &str) -> Vec<Resemblance> {
        let captions: Vec<_> =
            captions.iter().map(|text| (text, scene_words(text, subject))).collect();
        self.prompts
            .iter()
            .filter_map(|prompt| {
                let words = scene_words(&prompt.of(""), subject);
                let (caption, similarity) = captions
                    .iter()
                    .map(|(text, other)| (*text, jaccard(&words, other)))
                    .max_by(|a, b| a.1.total_cmp(&b.1))?;
                (similarity >= RESEMBLES).then(|| Resemblance {
                    prompt: prompt.name.clone(),
                    caption: caption.clone(),
                    similarity,
                })
            })
            .collect()
    }

    /// Refuses a suite with a prompt that a training caption resembles, naming all of them.
    pub fn check_held_out(&self, captions: &[String], subject: &str) -> Result<(), Error> {
        let seen = self.resembling(captions, subject);
        if seen.is_empty() {
            return Ok(());
        }
        let named: Vec<String> =
            seen.iter().map(|r| format!("`{}` (caption `{}`)", r.prompt, r.caption)).collect();
        Err(Error::NotHeldOut(named.join(", ")))
    }
}

fn words(text: &str) -> BTreeSet<String> {
    text.to_lowercase()
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

fn scene_words(text: &str, subject: &str) -> BTreeSet<String> {
    let subject = words(subject);
    let mut words = words(text);
    words.retain(|word| !subject.contains(word) && !STOP_WORDS.contains(&word.as_str()));
    words
}

fn jaccard(a: &BTreeSet<String>, b: &BTreeSet<String>) -> f64 {
    let union = a.union(b).count();
    if union == 0 {
        return 1.0; // both say nothing but the subject: the same prompt
    }
    a.intersection(b).count() as f64 / union as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(caption: &str) -> Vec<Resemblance> {
        let smoke = Suite::builtin("smoke").expect("built in");
        smoke.resembling(&[caption.to_owned()], "aurora woman")
    }

    #[test]
    fn a_caption_that_resembles_a_prompt_is_named() {
        let found =
            seen("photo of aurora woman on a forest path, smiling, dappled sunlight, portrait");
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].prompt, "forest-path");
        assert!(found[0].similarity >= RESEMBLES && found[0].similarity <= 1.0);
    }

    #[test]
    fn captions_of_other_scenes_or_of_the_subject_alone_pass() {
        assert!(seen("aurora woman in a red dress, indoors, window").is_empty());
        assert!(seen("aurora woman").is_empty());
        assert!(Suite::builtin("smoke").expect("built in").resembling(&[], "x").is_empty());
    }

    #[test]
    fn the_refusal_names_prompt_and_caption() {
        let smoke = Suite::builtin("smoke").expect("built in");
        let caption = smoke.prompts[4].of("aurora woman");
        let error = smoke.check_held_out(&[caption], "aurora woman").expect_err("seen");
        assert!(error.to_string().contains("`sailing` (caption `a aurora woman on a sailing boat"));
    }
}
