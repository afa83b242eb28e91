//! Texts that are longer than a text encoder takes at once.

use super::{Finding, Text, Window};

/// Texts of more tokens than `window` has, with what is cut.
pub(super) fn find(texts: &[Text], window: Window) -> Vec<Finding> {
    texts.iter().filter_map(|text| one(text, window)).collect()
}

fn one(text: &Text, window: Window) -> Option<Finding> {
    let whole = text.text.trim_end();
    let tokens = (window.count)(whole);
    if tokens <= window.tokens {
        return None;
    }
    let at = cut(whole, window);
    let behind = whole[at..].split_whitespace().collect::<Vec<_>>().join(" ");
    let finding = Finding::at("too long", text, at).because(
        format!(
            "{tokens} tokens where a window takes {} beside its start and end: programs that read one window \
             (diffusers, kohya's default) cut off what is shown here; likeness reads it in further windows, where it weighs less",
            window.tokens
        ),
        "shorten the text, or bring what matters to its front",
    );
    Some(Finding { evidence: behind, ..finding })
}

/// The byte of `text` at which the first word begins that no longer fits.
fn cut(text: &str, window: Window) -> usize {
    let ends = text.char_indices().filter(|(at, c)| {
        *at > 0 && c.is_whitespace() && !text[..*at].ends_with(char::is_whitespace)
    });
    let ends: Vec<usize> = ends.map(|(at, _)| at).collect();
    let fitting = ends.partition_point(|end| (window.count)(&text[..*end]) <= window.tokens);
    let from = fitting.checked_sub(1).map_or(0, |last| ends[last]);
    from + text[from..].find(|c: char| !c.is_whitespace()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::super::testing::texts;
    use super::*;

    #[test]
    fn what_is_cut_is_shown_from_its_first_word() {
        let count = |text: &str| text.split_whitespace().count();
        let window = Window { tokens: 3, count: &count };
        let found =
            find(&texts(&["one two three", " one two\nthree four  five\n", "onetwo"]), window);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].line, found[0].evidence.as_str()), (2, "four five"));
        assert!(found[0].why.starts_with("5 tokens where a window takes 3"), "{found:?}");
    }

    #[test]
    fn a_single_word_that_never_ends_is_cut_from_its_start() {
        let window = Window { tokens: 3, count: &str::len };
        let found = find(&texts(&["longer"]), window);
        assert_eq!(found[0].evidence, "longer");
    }
}
