//! The trigger in every text, once, in one spelling.

use super::{About, Finding, Text, first_word};
use crate::captions::split::{places, words};

/// Words that differ from the trigger in this many letters at most may be meant for it.
const SLIP: usize = 1;
/// Shorter triggers are near too many other words to guess.
const LEAST_TO_GUESS: usize = 4;

/// What is wrong with the trigger in captions.
pub(super) fn in_captions(captions: &[Text], about: About) -> Vec<Finding> {
    let trigger = about.trigger;
    let remedy = format!("write `{trigger}` into the caption");
    let why = "a photo whose caption lacks the trigger teaches its face to the other words, and to every picture";
    let spelled =
        "another spelling can be other tokens, so that the face is shared between two words";
    captions.iter().flat_map(|text| one(text, trigger, (why, &remedy), spelled)).collect()
}

/// What is wrong with the trigger in prompts.
pub(super) fn in_prompts(prompts: &[Text], about: About) -> Vec<Finding> {
    let About { trigger, class_word, .. } = about;
    let remedy = format!("say `{trigger} {class_word}`, as the captions do");
    let why = "without the trigger the LoRA is not asked for its character";
    let spelled = "the LoRA learned the other spelling";
    prompts.iter().flat_map(|text| one(text, trigger, (why, &remedy), spelled)).collect()
}

fn one(text: &Text, trigger: &str, (why, remedy): (&str, &str), spelled: &str) -> Vec<Finding> {
    let found = places(&text.text, trigger);
    if found.is_empty() {
        let at = slip(&text.text, trigger).unwrap_or_else(|| first_word(&text.text));
        let finding = Finding::at("trigger missing", text, at).because(why, remedy);
        return vec![finding];
    }
    let other = found.iter().find(|place| text.text[(*place).clone()] != *trigger);
    let other = other.map(|place| {
        let written = &text.text[place.clone()];
        let remedy = format!("write `{trigger}` instead of `{written}`");
        Finding::at("trigger spelling", text, place.start).because(spelled, remedy)
    });
    other.into_iter().collect()
}

/// Where a word is that may be meant for the trigger.
fn slip(text: &str, trigger: &str) -> Option<usize> {
    let trigger = trigger.to_lowercase();
    let guessed = trigger.chars().count() >= LEAST_TO_GUESS;
    let near = |word: &str| strsim::osa_distance(word, &trigger) <= SLIP;
    words(text).into_iter().find(|word| guessed && near(&word.text)).map(|word| word.start)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{MIKA, texts};
    use super::*;

    #[test]
    fn every_text_without_the_trigger_is_named_at_the_slip() {
        let texts = texts(&["mika woman", "\na woman\nwith mkia", "a woman", "in mikado", ""]);
        let found = in_captions(&texts, MIKA);
        let told: Vec<_> =
            found.iter().map(|f| (f.file.as_str(), f.line, f.evidence.as_str())).collect();
        assert_eq!(
            told,
            [("1", 3, "with mkia"), ("2", 1, "a woman"), ("3", 1, "in mikado"), ("4", 1, "")]
        );
        assert!(found.iter().all(|f| f.rule == "trigger missing" && f.remedy.contains("`mika`")));
    }

    #[test]
    fn another_spelling_is_named() {
        let found = in_prompts(&texts(&["Mika woman", "mika, MIKA", "mika"]), MIKA);
        assert_eq!(found.len(), 2);
        assert!(found[1].remedy.contains("instead of `MIKA`"), "{found:?}");
    }
}
