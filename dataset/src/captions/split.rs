//! A text's words and phrases, with their places.

/// A word of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    /// In lower case.
    pub text: String,
    /// Its first byte in the text.
    pub start: usize,
    /// The byte behind its last.
    pub end: usize,
}

/// The runs of letters and digits in `text`; an apostrophe between letters belongs to the word.
/// Hyphens and underscores part words, so that "blue-eyed" and "blue_eyes" read as two.
pub(super) fn words(text: &str) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut start = None;
    let marks: Vec<(usize, char)> = text.char_indices().collect();
    for (index, (at, c)) in marks.iter().enumerate() {
        let inside = start.is_some() && matches!(c, '\'' | '’');
        let letter_follows = marks.get(index + 1).is_some_and(|(_, c)| c.is_alphanumeric());
        if c.is_alphanumeric() || (inside && letter_follows) {
            start.get_or_insert(*at);
        } else if let Some(from) = start.take() {
            words.push(word(text, from, *at));
        }
    }
    words.extend(start.map(|from| word(text, from, text.len())));
    words
}

fn word(text: &str, start: usize, end: usize) -> Word {
    Word { text: text[start..end].to_lowercase().replace('’', "'"), start, end }
}

/// Whether `a` and `b`, which follow one another in `text`, are of one phrase: nothing but spaces,
/// hyphens and underscores parts them.
pub(super) fn joined(text: &str, a: &Word, b: &Word) -> bool {
    text[a.end..b.start].chars().all(|c| c.is_whitespace() || matches!(c, '-' | '_'))
}

/// The number, from 1, of the line in which byte `at` of `text` is.
pub(super) fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

/// The line in which byte `at` of `text` is, without white space around it.
pub(super) fn line_with(text: &str, at: usize) -> &str {
    let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let end = text[at..].find('\n').map_or(text.len(), |newline| at + newline);
    text[start..end].trim()
}

/// The places in `text` where `wanted` stands as words of its own, in any case.
pub(super) fn places(text: &str, wanted: &str) -> Vec<std::ops::Range<usize>> {
    let wanted: Vec<char> = wanted.chars().flat_map(char::to_lowercase).collect();
    let marks: Vec<(usize, char)> = text.char_indices().collect();
    let own = |mark: Option<&(usize, char)>| mark.is_none_or(|(_, c)| !c.is_alphanumeric());
    let mut found = Vec::new();
    if wanted.is_empty() {
        return found;
    }
    for index in 0..marks.len() {
        let before = index.checked_sub(1).and_then(|before| marks.get(before));
        let Some(length) = matched(&marks[index..], &wanted).filter(|_| own(before)) else {
            continue;
        };
        let behind = marks.get(index + length);
        if own(behind) {
            let end = behind.map_or(text.len(), |(at, _)| *at);
            found.push(marks[index].0..end);
        }
    }
    found
}

/// How many of `marks` spell `wanted`, which is in lower case, if the first ones do.
fn matched(marks: &[(usize, char)], wanted: &[char]) -> Option<usize> {
    let mut left = wanted;
    for (count, (_, c)) in marks.iter().enumerate() {
        if left.is_empty() {
            return Some(count);
        }
        for lower in c.to_lowercase() {
            left = left.strip_prefix(&[lower])?;
        }
    }
    left.is_empty().then_some(marks.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hyphens_and_underscores_part_words() {
        let text = "A blue-eyed girl's red_scarf, 'ok'";
        let found: Vec<String> = words(text).into_iter().map(|word| word.text).collect();
        assert_eq!(found, ["a", "blue", "eyed", "girl's", "red", "scarf", "ok"]);
    }

    #[test]
    fn a_word_is_found_as_words_of_its_own_in_any_case() {
        assert_eq!(places("Ana and banana, ANA", "ana"), [0..3, 16..19]);
        assert_eq!(places("a ohwx cat's ohwx  cat", "ohwx cat").first(), Some(&(2..10)));
        assert_eq!(places("İana ana", "ana").first(), Some(&(6..9)));
        assert!(places("text", "").is_empty());
    }

    #[test]
    fn lines_are_counted_from_one() {
        let text = "one\n two \nthree";
        assert_eq!((line_of(text, 5), line_with(text, 5)), (2, "two"));
        assert_eq!((line_of(text, 12), line_with(text, 12)), (3, "three"));
    }
}
