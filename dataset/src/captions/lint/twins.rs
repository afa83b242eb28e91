//! Captions that say nearly the same of different photos.

use std::collections::BTreeSet;

use super::{About, Finding, Text, first_word};
use crate::captions::split::words;

/// Captions that share at least this part of their words (Jaccard's index) say the same.
const SAME: f64 = 0.9;

/// Groups of captions that are nearly the same, the largest first.
pub(super) fn find(captions: &[Text], about: About) -> Vec<Finding> {
    let sets: Vec<BTreeSet<String>> = captions.iter().map(|text| own_words(text, about)).collect();
    let mut grouped = vec![false; captions.len()];
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for first in 0..captions.len() {
        if std::mem::replace(&mut grouped[first], true) {
            continue;
        }
        // Whoever is like any member joins.
        let (mut group, mut next) = (vec![first], 0);
        while next < group.len() {
            let member = &sets[group[next]];
            for other in first..captions.len() {
                if !grouped[other] && shared(member, &sets[other]) >= SAME {
                    grouped[other] = true;
                    group.push(other);
                }
            }
            next += 1;
        }
        if group.len() > 1 {
            group.sort_unstable();
            groups.push(group);
        }
    }
    groups.sort_by_key(|group| std::cmp::Reverse(group.len()));
    groups.iter().map(|group| finding(captions, group, about)).collect()
}

fn finding(captions: &[Text], group: &[usize], about: About) -> Finding {
    let text = &captions[group[0]];
    let why = format!(
        "{} photos with the same words: what differs between them has no word of its own and goes into `{}`",
        group.len(),
        about.trigger
    );
    let remedy = "say what each shows: place, clothes, expression, light; \
        `likeness caption write` with --tagger or --captioner does it";
    let finding = Finding::at("same caption", text, first_word(&text.text)).because(why, remedy);
    let others = group[1..].iter().map(|other| captions[*other].name.clone()).collect();
    Finding { others, ..finding }
}

/// The words of a caption but the trigger and the class word.
fn own_words(text: &Text, about: About) -> BTreeSet<String> {
    let known = words(&format!("{} {}", about.trigger, about.class_word));
    let own = words(&text.text).into_iter().map(|word| word.text);
    own.filter(|word| !known.iter().any(|known| known.text == *word)).collect()
}

/// Jaccard's index; two sets without words are the same.
fn shared(a: &BTreeSet<String>, b: &BTreeSet<String>) -> f64 {
    let both = a.intersection(b).count() as f64;
    let all = (a.len() + b.len()) as f64 - both;
    if all == 0.0 { 1.0 } else { both / all }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{MIKA, texts};
    use super::*;

    #[test]
    fn captions_of_the_same_words_are_one_finding() {
        let texts = texts(&[
            "a photo of mika woman",
            "mika woman on a hill",
            "A photo of mika woman.",
            "a woman on a hill",
            "photo of a mika",
            "a photo of mika woman on a beach",
        ]);
        let found = find(&texts, MIKA);
        assert_eq!(found.len(), 2);
        assert_eq!(
            (found[0].file.as_str(), found[0].others.as_slice()),
            ("0", &["2".into(), "4".into()][..])
        );
        assert_eq!((found[1].file.as_str(), found[1].others.as_slice()), ("1", &["3".into()][..]));
        assert!(found[0].why.starts_with("3 photos"));
    }

    #[test]
    fn a_group_holds_whoever_is_like_any_member() {
        let ten = "one two three four five six seven eight nine ten";
        let more = ["", " eleven", " eleven twelve"].map(|end| format!("mika {ten}{end}"));
        let found = find(&texts(&more.each_ref().map(String::as_str)), MIKA);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].others, ["1", "2"]);
    }
}
