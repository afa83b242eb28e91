//! The trigger in every text, once, in one spelling.

use std::ops::Range;

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
    let instead = |place: &Range<usize>| {
        format!("write `{trigger}` instead of `{}`", &text.text[place.clone()])
    };
    let found = places(&text.text, trigger);
    let slip = slip(&text.text, trigger);
    if found.is_empty() {
        let at = slip.as_ref().map_or_else(|| first_word(&text.text), |place| place.start);
        let remedy = slip.as_ref().map_or_else(|| remedy.to_owned(), instead);
        return vec![Finding::at("trigger missing", text, at).because(why, &remedy)];
    }
    let other = found.into_iter().find(|place| text.text[place.clone()] != *trigger);
    let other = other.or(slip).map(|place| {
        Finding::at("trigger spelling", text, place.start).because(spelled, instead(&place))
    });
    other.into_iter().collect()
}

/// Where a word is that may be meant for the trigger, but is another.
fn slip(text: &str, trigger: &str) -> Option<Range<usize>> {
    let trigger = trigger.to_lowercase();
    let guessed = trigger.chars().count() >= LEAST_TO_GUESS;
    let near = |word: &str| word != trigger && strsim::osa_distance(word, &trigger) <= SLIP;
    let word = words(text).into_iter().find(|word| guessed && near(&word.text))?;
    Some(word.start..word.end)
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
        assert!(found[0].remedy.contains("instead of `mkia`"), "{found:?}");
    }

    #[test]
    fn another_spelling_is_named() {
        let found = in_prompts(&texts(&["Mika woman", "mika, MIKA", "mika"]), MIKA);
        assert_eq!(found.len(), 2);
        assert!(found[1].remedy.contains("instead of `MIKA`"), "{found:?}");
        let found =
            in_captions(&texts(&["mika woman and mkia at home", "mika on a mica rock"]), MIKA);
        let told: Vec<_> = found.iter().map(|f| (f.rule, f.remedy.as_str())).collect();
        let remedies = ["mkia", "mica"].map(|slip| format!("write `mika` instead of `{slip}`"));
        assert_eq!(told, remedies.each_ref().map(|r| ("trigger spelling", r.as_str())));
    }
}
