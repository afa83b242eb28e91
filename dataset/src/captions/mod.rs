//! What each photo shows, in words: `captions/*.txt`.
//!
//! A caption is the `.txt` beside the photo, or else is composed: the trigger behind what was
//! measured (`template`), then what a captioner and a tagger said (`words`) without who it is
//! ([`identity`]). `describe` asks them, [`lint`] looks for what spoils a set of captions.

mod clean;
mod describe;
pub mod identity;
pub mod lint;
mod said_traits;
mod split;
pub(crate) mod template;
#[cfg(test)]
pub(crate) mod testing;
mod words;

use std::collections::HashSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::atomic;
use crate::character::Character;
use crate::error::DatasetError;
use crate::hash::sha256_hex;
use crate::record::{ImageRecord, Reason};

pub use describe::{
    Answer, Captioned, Captioner, INSTRUCTION, Plan, Refusal, Sources, Step, caption, plan,
};
pub(crate) use said_traits::traits_said;
pub(crate) use template::shows_the_figure;
use words::Kind;
pub(crate) use words::Words;

/// The folder's name in a dataset.
pub(crate) const FOLDER: &str = "captions";
/// The note on a caption that a person decided.
const DECIDED: &str = "the caption was decided by a person";

/// The caption that curation gives a photo, and what to note about it.
#[derive(Debug, PartialEq)]
pub(crate) struct Draft {
    pub text: String,
    pub note: Option<Reason>,
}

/// The caption of `record`'s photo: that of the `.txt` beside it, with the trigger put before it
/// where it lacks it, or else what was measured and said.
pub(crate) fn draft(record: &ImageRecord, character: &Character, words: &Words) -> Draft {
    let Character { trigger, class_word, .. } = character;
    let composed = |note: Option<String>| {
        let note = note.map(|message| Reason::plain("caption", message));
        Draft { text: compose(record, character, words), note }
    };
    match fs::read_to_string(sidecar(record, character)) {
        Ok(text) if text.trim().is_empty() => composed(None),
        Ok(text) if mentions(&text, trigger) => Draft { text, note: None },
        Ok(text) => {
            let message = format!("the caption beside the photo lacked `{trigger}`; it was added");
            let text = format!("{trigger} {class_word}, {text}");
            Draft { text, note: Some(Reason::plain("caption", message)) }
        }
        Err(error) if error.kind() == ErrorKind::NotFound => composed(None),
        Err(error) => {
            composed(Some(format!("the caption beside the photo cannot be read: {error}")))
        }
    }
}

/// The `.txt` beside the photo.
fn sidecar(record: &ImageRecord, character: &Character) -> PathBuf {
    character.photos.join(&record.path).with_extension("txt")
}

/// "a close-up of TRIGGER CLASS, three-quarter view facing left, sitting on a bench".
fn compose(record: &ImageRecord, character: &Character, words: &Words) -> String {
    let Character { trigger, class_word, .. } = character;
    let mut phrases = template::details(record);
    for said in
        [Kind::Description, Kind::Tags].into_iter().filter_map(|kind| words.of(record, kind))
    {
        let own = |phrase: &str| character.traits.iter().any(|own| mentions(phrase, own));
        let allowed = |phrase: &&String| {
            let known = || identity::traits(phrase, &[trigger, class_word]);
            said.keep_identity || (!own(phrase) && known().is_empty())
        };
        for phrase in said.phrases.iter().filter(allowed) {
            if !phrases.iter().any(|known| known.eq_ignore_ascii_case(phrase)) {
                phrases.push(phrase.clone());
            }
        }
    }
    let opening = format!("{} of {trigger} {class_word}", template::opening(record));
    std::iter::once(opening).chain(phrases).collect::<Vec<_>>().join(", ")
}

/// Whether `text` has `trigger` as words of its own, in either case.
fn mentions(text: &str, trigger: &str) -> bool {
    !split::places(text, trigger).is_empty()
}

/// A caption file for each photo name: its stem with `.txt`, or the whole name
/// with `.txt` where two photos share a stem.
pub(crate) fn file_names(photos: &[String]) -> Vec<String> {
    let stem = |name: &String| {
        Path::new(name).file_stem().unwrap_or_default().to_string_lossy().to_lowercase()
    };
    let (mut seen, mut shared) = (HashSet::new(), HashSet::new());
    for name in photos {
        if !seen.insert(stem(name)) {
            shared.insert(stem(name));
        }
    }
    let own = |name: &String| match Path::new(name).file_stem() {
        Some(alone) if !shared.contains(&stem(name)) => alone.to_string_lossy().into_owned(),
        _ => name.clone(),
    };
    photos.iter().map(|name| format!("{}.txt", own(name))).collect()
}

/// Writes `draft` as the caption of `record`, unless a person edited the file
/// since `previously` written; then theirs stays and is noted. What a person
/// `decided` goes before the draft.
pub(crate) fn write(
    dir: &Path,
    record: &mut ImageRecord,
    draft: &Draft,
    previously: Option<&str>,
    decided: Option<&str>,
) -> Result<(), DatasetError> {
    let path = dir.join(FOLDER).join(&record.caption_file);
    let ours = sha256_hex(draft.text.as_bytes());
    let on_disk = match fs::read(&path) {
        Ok(bytes) => Some(sha256_hex(&bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(source) => return Err(DatasetError::Read { path, source }),
    };
    let edited = on_disk.as_ref().is_some_and(|found| Some(found.as_str()) != previously);
    if edited && on_disk.as_ref() != Some(&ours) {
        let as_decided = decided.map(|text| sha256_hex(text.as_bytes())) == on_disk;
        let message = match as_decided {
            true => DECIDED,
            false => "the caption was edited by a person; it was kept",
        };
        record.notes.push(Reason::plain("caption", message));
        record.caption_written_sha256 = previously.map_or(ours, str::to_owned);
        return Ok(());
    }
    if let Some(decided) = decided {
        if on_disk != Some(sha256_hex(decided.as_bytes())) {
            atomic::write(&path, decided.as_bytes())?;
        }
        record.notes.push(Reason::plain("caption", DECIDED));
        record.caption_written_sha256 = ours;
        return Ok(());
    }
    record.notes.extend(draft.note.clone());
    if on_disk.as_ref() != Some(&ours) {
        atomic::write(&path, draft.text.as_bytes())?;
    }
    record.caption_written_sha256 = ours;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trigger_counts_only_as_words_of_its_own() {
        assert!(mentions("A photo of Ana, smiling", "ana"));
        assert!(mentions("ana", "ana"));
        assert!(!mentions("a banana", "ana"));
        assert!(mentions("banana ana", "ana"));
        assert!(!mentions("", "ana"));
    }

    #[test]
    fn what_was_said_follows_what_was_measured_without_who_it_is() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let mut words = Words::read(dir.path()).expect("none");
        let mut photo = testing::record("a.jpg");
        photo.measures.add("yaw", -40.0, "degrees", None, None);
        let character = testing::mika();
        let lone = "a photo of mika woman, three-quarter view facing left";
        assert_eq!(compose(&photo, &character, &words), lone);
        let mut say = |kind, phrases: &[&str], keep_identity| {
            let phrases = phrases.iter().map(|phrase| (*phrase).to_owned()).collect();
            words.add(words::testing::said(&photo, kind, phrases, keep_identity)).expect("added");
            compose(&photo, &character, &words)
        };
        let tagged = say(Kind::Tags, &["blond hair", "scarf", "outdoors"], false);
        assert_eq!(tagged, format!("{lone}, scarf, outdoors"));
        let both = say(Kind::Description, &["on a hill", "Scarf", "green eyes"], false);
        assert_eq!(both, format!("{lone}, on a hill, Scarf, outdoors"));
        let all = say(Kind::Tags, &["blond hair"], true);
        assert_eq!(all, format!("{lone}, on a hill, Scarf, blond hair"));
        let own = Character { traits: vec!["scarf".into()], ..character };
        assert_eq!(compose(&photo, &own, &words), format!("{lone}, on a hill, blond hair"));
    }

    #[test]
    fn photos_that_share_a_stem_get_captions_of_their_own() {
        let names = ["a.jpg", "A.png", "b.c.jpg", "d"].map(String::from);
        assert_eq!(file_names(&names), ["a.jpg.txt", "A.png.txt", "b.c.txt", "d.txt"]);
    }
}
