//! What taggers and captioners said of who it is.

use std::collections::BTreeMap;

use super::identity;
use super::words::{Kind, Words};
use crate::character::Character;
use crate::record::ImageRecord;

/// A trait counts that was said of at least so many photos, and of half of those that were looked
/// at: one photo's hair may be a hat's shadow.
const LEAST: usize = 2;

/// The traits that were said of at least half of the photos, the most frequent first.
pub(crate) fn traits_said(
    records: &[ImageRecord],
    character: &Character,
    words: &Words,
) -> Vec<String> {
    let spared = [character.trigger.as_str(), character.class_word.as_str()];
    let (mut counts, mut looked_at) = (BTreeMap::<String, usize>::new(), 0);
    for record in records.iter().filter(|record| record.is_kept()) {
        let said = [Kind::Description, Kind::Tags].map(|kind| words.of(record, kind));
        looked_at += usize::from(said.iter().any(Option::is_some));
        let phrases = said.into_iter().flatten().flat_map(|said| &said.phrases);
        let mut found: Vec<String> = phrases
            .flat_map(|phrase| identity::traits(phrase, &spared))
            .map(|found| found.words.to_lowercase().replace('_', " "))
            .collect();
        found.sort_unstable();
        found.dedup();
        found.into_iter().for_each(|words| *counts.entry(words).or_insert(0) += 1);
    }
    let mut often: Vec<(String, usize)> =
        counts.into_iter().filter(|(_, count)| *count >= LEAST && count * 2 >= looked_at).collect();
    often.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    often.into_iter().map(|(words, _)| words).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::captions::{testing, words};

    #[test]
    fn what_most_photos_are_said_to_have_is_a_trait_and_scenes_are_not() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let mut words = Words::read(dir.path()).expect("none");
        let photos: Vec<_> = (0..4).map(|i| testing::record(&format!("{i}.jpg"))).collect();
        let phrases = [
            vec!["green_eyes", "scarf", "freckles"],
            vec!["Green eyes", "outdoors"],
            vec!["green eyes", "red hair", "freckles"],
        ];
        for (photo, phrases) in photos.iter().zip(phrases) {
            let phrases = phrases.into_iter().map(str::to_owned).collect();
            words.add(words::testing::said(photo, Kind::Tags, phrases, false)).expect("added");
        }
        let found = traits_said(&photos, &testing::mika(), &words);
        assert_eq!(found, ["green eyes", "freckles"]);
    }
}
