//! What each photo shows, in words: `captions/*.txt`.

use std::collections::HashSet;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use crate::atomic;
use crate::character::Character;
use crate::error::DatasetError;
use crate::hash::sha256_hex;
use crate::record::{ImageRecord, Reason};

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

/// The caption of `photo`: that of the `.txt` beside it, with the trigger put
/// before it where it lacks it, or else "a photo of TRIGGER CLASS".
pub(crate) fn draft(photo: &Path, character: &Character) -> Draft {
    let Character { trigger, class_word, .. } = character;
    let template = format!("a photo of {trigger} {class_word}");
    let sidecar = photo.with_extension("txt");
    match fs::read_to_string(&sidecar) {
        Ok(text) if text.trim().is_empty() => Draft { text: template, note: None },
        Ok(text) if mentions(&text, trigger) => Draft { text, note: None },
        Ok(text) => {
            let message = format!("the caption beside the photo lacked `{trigger}`; it was added");
            let text = format!("{trigger} {class_word}, {text}");
            Draft { text, note: Some(Reason::plain("caption", message)) }
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Draft { text: template, note: None },
        Err(error) => {
            let message = format!("the caption beside the photo cannot be read: {error}");
            Draft { text: template, note: Some(Reason::plain("caption", message)) }
        }
    }
}

/// Whether `text` has `trigger` as words of their own, in either case.
fn mentions(text: &str, trigger: &str) -> bool {
    let (text, trigger) = (text.to_lowercase(), trigger.to_lowercase());
    text.match_indices(&trigger).any(|(at, found)| {
        let before = text[..at].chars().next_back();
        let after = text[at + found.len()..].chars().next();
        [before, after].iter().all(|next| next.is_none_or(|c| !c.is_alphanumeric()))
    })
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
    fn photos_that_share_a_stem_get_captions_of_their_own() {
        let names = ["a.jpg", "A.png", "b.c.jpg", "d"].map(String::from);
        assert_eq!(file_names(&names), ["a.jpg.txt", "A.png.txt", "b.c.txt", "d.txt"]);
    }
}
