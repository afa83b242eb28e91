//! Byte-pair encoding with CLIP's rules.
//!
//! Normalise (NFC, one space for any white space, lower case), split into words,
//! numbers digit by digit and runs of signs, spell bytes as characters, then merge
//! the pair of lowest rank until none is left; a word's last piece ends in `</w>`.
//! Source: <https://github.com/openai/CLIP/blob/main/clip/simple_tokenizer.py>;
//! Unicode normalisation as in transformers' `CLIPTokenizer`.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use regex::Regex;
use unicode_normalization::UnicodeNormalization;

use super::{WINDOW, bytes};
use crate::error::Error;

/// OpenAI CLIP's 48,894 merges (MIT licence), for checkpoints that bring no tokenizer.
pub const BUILTIN_MERGES: &str = include_str!("../../../assets/tokenizer/clip-merges.txt");

const START: &str = "<|startoftext|>";
const END: &str = "<|endoftext|>";
pub(super) const WORDS: &str = r"'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+";

/// What fills a window behind the end token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pad {
    /// The end token again (SD 1.x).
    End,
    /// Token `!`, id 0 (SD 2.x).
    Zero,
}

/// Text to token ids.
#[derive(Debug, Clone)]
pub struct Tokenizer {
    ids: HashMap<String, u32>,
    ranks: HashMap<(String, String), usize>,
    characters: [char; 256],
    words: Regex,
    specials: Vec<(String, u32)>,
    start: u32,
    end: u32,
    unknown: u32,
    pad: u32,
    window: usize,
}

impl Tokenizer {
    /// The tokenizer of a diffusers folder: `vocab.json`, `merges.txt` and, for the padding,
    /// `tokenizer_config.json` or `special_tokens_map.json`.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let read = |name: &str| {
            let path = folder.join(name);
            fs::read_to_string(&path).map_err(Error::io("read", path))
        };
        let vocabulary = folder.join("vocab.json");
        let ids: HashMap<String, u32> = serde_json::from_str(&read("vocab.json")?)
            .map_err(|e| Error::Config { path: vocabulary.clone(), reason: e.to_string() })?;
        let pad = pad_token(folder)?.unwrap_or_else(|| END.to_owned());
        let missing = |token: &str| Error::Config {
            path: vocabulary.clone(),
            reason: format!("has no token `{token}`; is it CLIP's vocabulary?"),
        };
        let tokenizer =
            Self::new(ids, &read("merges.txt")?, &pad).map_err(|token| missing(&token))?;
        let window = longest(folder)?.unwrap_or(WINDOW);
        Ok(Self { window, ..tokenizer })
    }

    /// CLIP's own tokenizer.
    pub fn builtin(pad: Pad) -> Self {
        let ids = vocabulary(BUILTIN_MERGES).into_iter().zip(0..).collect();
        let pad = if pad == Pad::Zero { "!" } else { END };
        Self::new(ids, BUILTIN_MERGES, pad).expect("CLIP's vocabulary has its special tokens")
    }

    fn new(ids: HashMap<String, u32>, merge_text: &str, pad: &str) -> Result<Self, String> {
        let id = |token: &str| ids.get(token).copied().ok_or_else(|| token.to_owned());
        let (start, end, pad_id) = (id(START)?, id(END)?, id(pad)?);
        let mut specials = vec![(START.to_owned(), start), (END.to_owned(), end)];
        if pad != END {
            specials.push((pad.to_owned(), pad_id));
        }
        let pairs = merges(merge_text).map(|(a, b)| (a.to_owned(), b.to_owned()));
        Ok(Self {
            ranks: pairs.zip(0..).collect(),
            ids,
            characters: bytes::characters(),
            words: Regex::new(WORDS).expect("the pattern is valid"),
            specials,
            start,
            end,
            unknown: end,
            pad: pad_id,
            window: WINDOW,
        })
    }

    /// Id of the start token.
    pub fn start(&self) -> u32 {
        self.start
    }

    /// Id of the end token.
    pub fn end(&self) -> u32 {
        self.end
    }

    /// Tokens of a window, with its start and end: 77 for CLIP.
    pub fn window_length(&self) -> usize {
        self.window
    }

    /// Id that fills a window.
    pub fn pad(&self) -> u32 {
        self.pad
    }

    /// Entries of the vocabulary.
    pub fn vocabulary(&self) -> usize {
        self.ids.len()
    }

    /// Ids of `text` alone: no start, no end, any length.
    pub fn encode(&self, text: &str) -> Vec<u32> {
        let composed: String = text.nfc().collect();
        let spaced = composed.split_whitespace().collect::<Vec<_>>().join(" ");
        let text: String = spaced.chars().flat_map(char::to_lowercase).collect();
        let mut ids = Vec::new();
        let mut rest = text.as_str();
        while let Some((at, token, id)) = self.next_special(rest) {
            self.encode_words(&rest[..at], &mut ids);
            ids.push(id);
            rest = &rest[at + token.len()..];
        }
        self.encode_words(rest, &mut ids);
        ids
    }

    /// The pieces that `text` is split into, as the vocabulary has them: `</w>` ends a word.
    pub fn pieces(&self, text: &str) -> Vec<String> {
        let name = |id: u32| self.ids.iter().find(|(_, own)| **own == id);
        let pieces = self.encode(text).into_iter().filter_map(name);
        pieces.map(|(piece, _)| piece.clone()).collect()
    }

    /// The vocabulary's first `count` whole words of three letters a to z or more; CLIP's are in the
    /// order in which they were merged, the frequent ones first.
    pub fn common_words(&self, count: usize) -> Vec<String> {
        let whole = |(piece, id): (&String, &u32)| {
            let word = piece.strip_suffix("</w>")?;
            let letters = word.len() > 2 && word.bytes().all(|byte| byte.is_ascii_lowercase());
            letters.then(|| (*id, word.to_owned()))
        };
        let mut words: Vec<(u32, String)> = self.ids.iter().filter_map(whole).collect();
        words.sort_unstable();
        words.into_iter().take(count).map(|(_, word)| word).collect()
    }

    fn next_special(&self, text: &str) -> Option<(usize, &str, u32)> {
        let found = self.specials.iter().filter_map(|(token, id)| {
            text.find(token.as_str()).map(|at| (at, token.as_str(), *id))
        });
        found.min_by_key(|(at, ..)| *at)
    }

    fn encode_words(&self, text: &str, ids: &mut Vec<u32>) {
        for word in self.words.find_iter(text) {
            let pieces = self.merged(word.as_str());
            ids.extend(pieces.iter().map(|p| self.ids.get(p).copied().unwrap_or(self.unknown)));
        }
    }

    /// The pieces of one word.
    fn merged(&self, word: &str) -> Vec<String> {
        let mut pieces = spelled(word, &self.characters);
        while let Some(pair) = self.best_pair(&pieces) {
            pieces = joined(pieces, &pair);
        }
        pieces
    }

    fn best_pair(&self, pieces: &[String]) -> Option<(String, String)> {
        let pairs = pieces.windows(2).map(|pair| (pair[0].clone(), pair[1].clone()));
        let ranked = pairs.filter_map(|pair| self.ranks.get(&pair).map(|rank| (*rank, pair)));
        ranked.min_by_key(|(rank, _)| *rank).map(|(_, pair)| pair)
    }
}

/// A word's bytes as characters; the last one ends the word.
pub(super) fn spelled(word: &str, characters: &[char; 256]) -> Vec<String> {
    let mut pieces: Vec<_> = word.bytes().map(|b| characters[usize::from(b)].to_string()).collect();
    if let Some(last) = pieces.last_mut() {
        last.push_str("</w>");
    }
    pieces
}

/// CLIP's vocabulary over `merge_text`: bytes, bytes that end a word, merges, specials.
pub(super) fn vocabulary(merge_text: &str) -> Vec<String> {
    let letters = bytes::table().into_iter().map(|(_, c)| c.to_string());
    let pieces = letters.clone().chain(letters.map(|letter| letter + "</w>"));
    let merged = merges(merge_text).map(|(a, b)| format!("{a}{b}"));
    pieces.chain(merged).chain([START, END].map(String::from)).collect()
}

/// Joins every neighbouring `pair`, from the left.
pub(super) fn joined(pieces: Vec<String>, pair: &(String, String)) -> Vec<String> {
    let mut out: Vec<String> = Vec::with_capacity(pieces.len());
    let mut pieces = pieces.into_iter().peekable();
    while let Some(piece) = pieces.next() {
        match pieces.next_if(|next| piece == pair.0 && *next == pair.1) {
            Some(next) => out.push(piece + &next),
            None => out.push(piece),
        }
    }
    out
}

fn merges(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let lines = text.lines().filter(|line| !line.starts_with("#version"));
    lines.filter_map(|line| line.split_once(' '))
}

/// The `model_max_length` of a tokenizer folder, if it names one that is shorter than CLIP's.
fn longest(folder: &Path) -> Result<Option<usize>, Error> {
    let path = folder.join("tokenizer_config.json");
    let Ok(text) = fs::read_to_string(&path) else {
        return Ok(None);
    };
    let config: serde_json::Value =
        serde_json::from_str(&text).map_err(|e| Error::Config { path, reason: e.to_string() })?;
    let length = config["model_max_length"].as_u64().map(|length| length as usize);
    Ok(length.filter(|length| (3..WINDOW).contains(length)))
}

/// The `pad_token` of a tokenizer folder, if it names one.
fn pad_token(folder: &Path) -> Result<Option<String>, Error> {
    for name in ["tokenizer_config.json", "special_tokens_map.json"] {
        let path = folder.join(name);
        let Ok(text) = fs::read_to_string(&path) else {
            continue;
        };
        let config: serde_json::Value = serde_json::from_str(&text)
            .map_err(|e| Error::Config { path, reason: e.to_string() })?;
        let token = &config["pad_token"];
        if let Some(token) = token.as_str().or(token["content"].as_str()) {
            return Ok(Some(token.to_owned()));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_builtin_vocabulary_is_clips() {
        let tokenizer = Tokenizer::builtin(Pad::End);
        assert_eq!(tokenizer.vocabulary(), 49408);
        assert_eq!((tokenizer.start(), tokenizer.end()), (49406, 49407));
        // Published with OpenAI's CLIP: "a photo of a cat" is 320 1125 539 320 2368.
        assert_eq!(tokenizer.encode("a photo of a cat"), [320, 1125, 539, 320, 2368]);
    }

    #[test]
    fn a_made_up_word_falls_into_pieces() {
        let tokenizer = Tokenizer::builtin(Pad::End);
        let pieces = tokenizer.pieces("A zxqvbk");
        assert_eq!(pieces[0], "a</w>");
        assert!(pieces.len() > 2, "{pieces:?}");
        assert_eq!(pieces[1..].concat(), "zxqvbk</w>");
        let common = tokenizer.common_words(500);
        assert_eq!((common.len(), common[0].as_str()), (500, "the"));
    }

    #[test]
    fn white_space_and_case_do_not_matter() {
        let tokenizer = Tokenizer::builtin(Pad::End);
        assert_eq!(tokenizer.encode("A\tPhoto\n OF a  cat "), tokenizer.encode("a photo of a cat"));
    }
}
