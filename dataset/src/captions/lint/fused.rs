//! Terms that are in nearly every caption, and so grow together with the trigger.
//!
//! A term's document frequency is the part of captions that have it; its co-occurrence is the part
//! of the captions with the trigger that have it. What is always there with the trigger is learned
//! with it: the model cannot tell which of the two words is the face.

use std::collections::{BTreeMap, BTreeSet};

use super::{About, Finding, Text};
use crate::captions::split::{Word, joined, places, words};

/// From this part of the captions on a term is fused.
const FUSED: f64 = 0.9;
/// With fewer captions frequency says nothing.
const LEAST_CAPTIONS: usize = 4;
/// Words of the longest term.
const LONGEST: usize = 6;

/// Words that no term begins or ends with; "wearing" and the like show nothing by themselves.
const PLAIN: [&str; 49] = [
    "a",
    "an",
    "and",
    "are",
    "around",
    "as",
    "at",
    "be",
    "behind",
    "beside",
    "by",
    "dressed",
    "facing",
    "featuring",
    "for",
    "from",
    "has",
    "he",
    "her",
    "his",
    "holding",
    "holds",
    "in",
    "into",
    "is",
    "it",
    "its",
    "near",
    "of",
    "on",
    "or",
    "over",
    "she",
    "showing",
    "shows",
    "that",
    "the",
    "their",
    "there",
    "they",
    "this",
    "to",
    "under",
    "wearing",
    "wears",
    "while",
    "with",
    "without",
    "worn",
];
/// Words that are no term by themselves, as every caption may have them.
const COMMON: [&str; 7] =
    ["background", "image", "photo", "photograph", "picture", "view", "viewer"];

/// Terms fused with the trigger, the longest of those that go together.
pub(super) fn find(captions: &[Text], about: About) -> Vec<Finding> {
    if captions.len() < LEAST_CAPTIONS {
        return Vec::new();
    }
    let with_trigger: Vec<bool> =
        captions.iter().map(|text| !places(&text.text, about.trigger).is_empty()).collect();
    let mut holders: BTreeMap<Vec<String>, BTreeSet<usize>> = BTreeMap::new();
    for (index, text) in captions.iter().enumerate() {
        for term in terms(&text.text, about) {
            holders.entry(term).or_default().insert(index);
        }
    }
    let share = |holders: &BTreeSet<usize>| {
        let together = holders.iter().filter(|index| with_trigger[**index]).count();
        let triggered = with_trigger.iter().filter(|has| **has).count();
        let of = |part: usize, all: usize| part as f64 / all.max(1) as f64;
        (of(holders.len(), captions.len()), of(together, triggered))
    };
    let fused: Vec<_> = holders
        .iter()
        .filter(|(_, holders)| {
            let (frequency, together) = share(holders);
            frequency >= FUSED && together >= FUSED
        })
        .collect();
    let inside = |term: &[String], of: &[String]| {
        of.len() > term.len() && of.windows(term.len()).any(|part| part == term)
    };
    let longest = fused.iter().filter(|(term, holders)| {
        !fused.iter().any(|(other, by)| inside(term, other) && by.len() == holders.len())
    });
    longest
        .map(|(term, holders)| finding(captions, about, (term, holders), share(holders)))
        .collect()
}

fn finding(
    captions: &[Text],
    about: About,
    (term, holders): (&[String], &BTreeSet<usize>),
    (frequency, together): (f64, f64),
) -> Finding {
    let trigger = about.trigger;
    let mut files = holders.iter().map(|index| &captions[*index]);
    let first = files.next().expect("a fused term is in some caption");
    let spoken = term.join(" ");
    let spelled = words(&first.text);
    let is_it = |run: &&[Word]| run.iter().map(|word| &word.text).eq(term);
    let at = spelled.windows(term.len()).find(is_it).map_or(0, |run| run[0].start);
    let why = format!(
        "`{spoken}` is in {:.0} % of the captions and in {:.0} % of those with `{trigger}`: both are learned as one, \
         so that neither works alone",
        frequency * 100.0,
        together * 100.0
    );
    let remedy = format!(
        "if it belongs to the character, take it out of the captions; if not, add photos without it \
         (or say it only where it is shown), since `{trigger}` will bring it along"
    );
    let finding = Finding::at("fused with the trigger", first, at).because(why, remedy);
    Finding { others: files.map(|text| text.name.clone()).collect(), ..finding }
}

/// The terms of a caption: runs of one to six words within a phrase, without plain words at their
/// ends and without the trigger and the class word.
fn terms(text: &str, about: About) -> BTreeSet<Vec<String>> {
    let known = words(&format!("{} {}", about.trigger, about.class_word));
    let ours = |word: &Word| known.iter().any(|known| known.text == word.text);
    let plain = |word: &Word| PLAIN.contains(&word.text.as_str());
    let common =
        |run: &[Word]| run.iter().all(|word| plain(word) || COMMON.contains(&word.text.as_str()));
    let words = words(text);
    let mut terms = BTreeSet::new();
    for start in 0..words.len() {
        for length in 1..=LONGEST.min(words.len() - start) {
            let run = &words[start..start + length];
            let whole = run.windows(2).all(|pair| joined(text, &pair[0], &pair[1]));
            if !whole || run.iter().any(ours) {
                break;
            }
            if !plain(&run[0]) && !plain(&run[length - 1]) && !common(run) {
                terms.insert(run.iter().map(|word| word.text.clone()).collect());
            }
        }
    }
    terms
}

#[cfg(test)]
mod tests {
    use super::super::testing::{MIKA, texts};
    use super::*;

    #[test]
    fn a_term_in_nearly_every_caption_is_named_once_at_its_longest() {
        let mut captions: Vec<String> =
            (0..9).map(|n| format!("a photo of mika woman, place {n}, a red wool scarf")).collect();
        captions.push("mika woman, on a hill".into());
        let captions = texts(&captions.iter().map(String::as_str).collect::<Vec<_>>());
        let found = find(&captions, MIKA);
        let told: Vec<_> = found.iter().map(|f| f.why.split('`').nth(1).expect("a term")).collect();
        assert_eq!(told, ["place", "red wool scarf"]);
        assert!(found[1].why.contains("in 90 % of the captions and in 90 %"), "{found:?}");
        assert_eq!((found[1].line, found[1].others.len()), (1, 8));
    }

    #[test]
    fn a_long_term_is_named_as_a_whole_and_at_its_own_line() {
        let told = |caption: &str| {
            let found = find(&texts(&[caption; 5]), MIKA);
            let term = |f: &Finding| f.why.split('`').nth(1).expect("a term").to_owned();
            (found.iter().map(term).collect::<Vec<_>>(), found.last().map_or(0, |f| f.line))
        };
        assert_eq!(told("mika woman wearing a thin gold necklace").0, ["thin gold necklace"]);
        assert_eq!(told("mika, white background, a photo").0, ["white background"]);
        assert_eq!(
            told("mika, red hat,\nred wool scarf"),
            (vec!["red hat".into(), "red wool scarf".into()], 2)
        );
    }

    #[test]
    fn few_captions_and_varied_ones_fuse_nothing() {
        assert!(find(&texts(&["mika, red scarf"; 3]), MIKA).is_empty());
        let varied = [
            "mika woman at sea",
            "mika woman, red scarf",
            "mika woman, red hat",
            "mika woman in rain",
        ];
        assert!(find(&texts(&varied), MIKA).is_empty());
        assert!(find(&texts(&["a photo of mika woman"; 8]), MIKA).is_empty());
    }
}
