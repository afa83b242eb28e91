//! Windows of 77 tokens, which is all the encoder takes at once; small models have shorter ones.

use super::Tokenizer;

/// Tokens of CLIP's window, with its start and end.
pub const WINDOW: usize = 77;

/// One window of a prompt: 77 ids, or [`Tokenizer::window_length`].
pub type Window = Vec<u32>;

impl Tokenizer {
    /// One window: start, at most 75 tokens of `text` (two less than a window has), end, padding.
    pub fn window(&self, text: &str) -> Window {
        self.framed(&self.encode(text))
    }

    /// As many windows as `text` needs, all full but the last; an empty text has one.
    ///
    /// The windows are encoded one by one and their states joined, as A1111 does it.
    pub fn windows(&self, text: &str) -> Vec<Window> {
        let ids = self.encode(text);
        match ids.is_empty() {
            true => vec![self.framed(&[])],
            false => ids.chunks(self.window_length() - 2).map(|chunk| self.framed(chunk)).collect(),
        }
    }

    fn framed(&self, ids: &[u32]) -> Window {
        let kept = &ids[..ids.len().min(self.window_length() - 2)];
        let mut window = vec![self.start()];
        window.extend(kept);
        window.push(self.end());
        window.resize(self.window_length(), self.pad());
        window
    }
}

#[cfg(test)]
mod tests {
    use super::super::Pad;
    use super::*;

    #[test]
    fn a_long_prompt_takes_as_many_windows_as_it_needs() {
        let tokenizer = Tokenizer::builtin(Pad::End);
        for (words, windows) in [(0, 1), (75, 1), (76, 2), (151, 3)] {
            let prompt = "cat ".repeat(words);
            let split = tokenizer.windows(&prompt);
            assert_eq!(split.len(), windows, "{words} words");
            assert!(split.iter().all(|w| w.len() == WINDOW && w[0] == tokenizer.start()));
        }
        assert_eq!(tokenizer.windows("cat")[0], tokenizer.window("cat"));
    }
}
