//! Captions without the trigger: what must stay as it was.
//!
//! Class preservation: beside each photo with its caption, the UNet is shown the same noisy photo
//! with the class word in place of the character, and must predict what it did before any training.
//! So what is learned belongs to the trigger, not to everyone. It wants no other pictures, unlike
//! DreamBooth's prior preservation (Ruiz et al. 2022, <https://arxiv.org/abs/2208.12242>, section
//! 3.3), whose aim it has; ai-toolkit calls it differential output preservation.

use likeness_dataset::{Character, Dataset, ImageRecord};

use crate::error::TrainError;

/// `text`, a caption of `record`, with the class word in place of the character.
pub(crate) fn caption(
    dataset: &Dataset,
    record: &ImageRecord,
    text: &str,
) -> Result<String, TrainError> {
    let Character { trigger, class_word, .. } = &dataset.character;
    without_trigger(text, trigger, class_word).ok_or_else(|| TrainError::Value {
        key: "train.preserve_class",
        reason: format!(
            "needs the trigger `{}` in every caption, and that of `{}` is `{text}`; write it there, or set 0",
            trigger, record.path
        ),
    })
}

/// `text` about anyone of the class; `None` if it does not name the character.
fn without_trigger(text: &str, trigger: &str, class_word: &str) -> Option<String> {
    if trigger.is_empty() {
        return None;
    }
    let both = format!("{trigger} {class_word}");
    let told = text.replace(both.trim(), class_word);
    let told = replaced(&told, trigger, class_word);
    (told != text).then(|| told.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// `text` with another word where `word` stands by itself.
fn replaced(text: &str, word: &str, other: &str) -> String {
    let (mut rest, mut out) = (text, String::with_capacity(text.len()));
    while let Some(at) = rest.find(word) {
        let (before, after) = (&rest[..at], &rest[at + word.len()..]);
        let inside = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let alone = !inside(before.chars().next_back()) && !inside(after.chars().next());
        out.push_str(before);
        out.push_str(if alone { other } else { word });
        rest = after;
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_class_stands_where_the_character_stood() {
        let told = |text: &str| without_trigger(text, "mika", "woman");
        assert_eq!(told("a photo of mika woman, smiling").unwrap(), "a photo of woman, smiling");
        assert_eq!(told("mika, on a beach").unwrap(), "woman, on a beach");
        assert_eq!(told("mika's hat, mikado"), Some("woman's hat, mikado".into()));
        assert_eq!(told("a mikado board"), None);
        assert_eq!(without_trigger("mika, smiling", "mika", "").unwrap(), ", smiling");
    }
}
