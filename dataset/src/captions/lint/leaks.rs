//! Words that say who it is, where the trigger should.

use super::{About, Finding, IDENTITY_WORD, Text};
use crate::captions::identity::{Trait, traits};
use crate::captions::split::places;

/// Identity words in captions.
pub(super) fn in_captions(captions: &[Text], about: About) -> Vec<Finding> {
    let why = |what: &str| {
        format!(
            "the {what} is learned by these words instead of by `{}`, and fades without them",
            about.trigger
        )
    };
    find(IDENTITY_WORD, captions, about, &why, "take it out of the caption")
}

/// Identity words in prompts.
pub(super) fn in_prompts(prompts: &[Text], about: About) -> Vec<Finding> {
    let why = |what: &str| {
        format!(
            "`{}` already brings the {what}; words about it pull the face towards the base's idea of them",
            about.trigger
        )
    };
    find(IDENTITY_WORD, prompts, about, &why, "take it out of the prompt")
}

fn find(
    rule: &'static str,
    texts: &[Text],
    about: About,
    why: &dyn Fn(&str) -> String,
    remedy: &str,
) -> Vec<Finding> {
    let one = |text: &Text| -> Vec<Finding> {
        let found = of(&text.text, about).into_iter().map(|found| {
            let Trait { about, words, at } = found;
            let finding = Finding::at(rule, text, at).because(why(about), remedy);
            Finding { evidence: words, ..finding }
        });
        found.collect()
    };
    texts.iter().flat_map(one).collect()
}

/// The traits in `text`: those that are known, and the character's own.
fn of(text: &str, about: About) -> Vec<Trait> {
    let mut found = traits(text, &[about.trigger, about.class_word]);
    for own in about.traits {
        for place in places(text, own) {
            let overlaps =
                |known: &Trait| known.at < place.end && place.start < known.at + known.words.len();
            if !found.iter().any(overlaps) {
                found.push(Trait {
                    about: "identity",
                    words: text[place.clone()].to_owned(),
                    at: place.start,
                });
            }
        }
    }
    found.sort_by_key(|found| found.at);
    found
}

#[cfg(test)]
mod tests {
    use super::super::testing::{MIKA, texts};
    use super::*;

    #[test]
    fn each_trait_is_a_finding_with_its_words() {
        let own = ["crooked smile".to_owned()];
        let about = About { traits: &own, ..MIKA };
        let texts =
            texts(&["mika woman, smiling", "mika woman\nblue eyes, a Crooked smile, beard"]);
        let found = in_captions(&texts, about);
        let told: Vec<_> = found.iter().map(|f| (f.line, f.evidence.as_str())).collect();
        assert_eq!(told, [(2, "blue eyes"), (2, "Crooked smile"), (2, "beard")]);
        assert!(found[0].why.contains("eyes") && in_prompts(&texts, about).len() == 3);
    }
}
