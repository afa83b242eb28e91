//! Learns a vocabulary from texts, for a text encoder that is trained from scratch.
//!
//! The pair of pieces that is most often side by side becomes one piece, again and again. Source:
//! Sennrich et al. 2016, <https://arxiv.org/abs/1508.07909>, algorithm 1.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use regex::Regex;

use super::bpe::{WORDS, joined, spelled, vocabulary};
use super::bytes;
use crate::atomic;
use crate::error::Error;

/// Learns at most `merges` merges from `texts` and writes a tokenizer of windows of `window` tokens
/// to `folder`, as transformers' `CLIPTokenizer` reads it.
pub fn learned<'a>(
    texts: impl Iterator<Item = &'a str>,
    merges: usize,
    window: usize,
    folder: &Path,
) -> Result<(), Error> {
    let pairs = pairs(texts, merges);
    let lines: Vec<_> = pairs.iter().map(|(a, b)| format!("{a} {b}")).collect();
    let text = format!("#version: 0.2\n{}\n", lines.join("\n"));
    let ids: BTreeMap<_, usize> = vocabulary(&text).into_iter().zip(0..).collect();
    let special = |token: &str| {
        serde_json::json!({
            "content": token, "single_word": false, "lstrip": false, "rstrip": false,
            "normalized": token.starts_with("<|start"),
        })
    };
    let (start, end) = (special("<|startoftext|>"), special("<|endoftext|>"));
    let specials = serde_json::json!({
        "bos_token": start, "eos_token": end, "unk_token": end, "pad_token": "<|endoftext|>",
    });
    let mut config = specials.clone();
    config["tokenizer_class"] = "CLIPTokenizer".into();
    config["model_max_length"] = window.into();
    config["do_lower_case"] = true.into();
    config["add_prefix_space"] = false.into();
    let pretty = |value: &serde_json::Value| format!("{value:#}\n");
    atomic::write(&folder.join("merges.txt"), text.as_bytes())?;
    atomic::write(
        &folder.join("vocab.json"),
        (serde_json::json!(ids).to_string() + "\n").as_bytes(),
    )?;
    atomic::write(&folder.join("special_tokens_map.json"), pretty(&specials).as_bytes())?;
    atomic::write(&folder.join("tokenizer_config.json"), pretty(&config).as_bytes())
}

/// The merges, most frequent first; of equally frequent ones the first by spelling.
fn pairs<'a>(texts: impl Iterator<Item = &'a str>, merges: usize) -> Vec<(String, String)> {
    let pattern = Regex::new(WORDS).expect("the pattern is valid");
    let mut counts: HashMap<String, usize> = HashMap::new();
    for text in texts {
        let text = text.to_lowercase();
        for word in pattern.find_iter(&text) {
            *counts.entry(word.as_str().to_owned()).or_default() += 1;
        }
    }
    let characters = bytes::characters();
    let mut words: Vec<_> =
        counts.into_iter().map(|(word, count)| (spelled(&word, &characters), count)).collect();
    let mut found = Vec::new();
    while found.len() < merges {
        let mut pairs: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for (pieces, count) in &words {
            for pair in pieces.windows(2) {
                *pairs.entry((&pair[0], &pair[1])).or_default() += count;
            }
        }
        let Some(most) = pairs.values().copied().max() else {
            break; // every word is one piece
        };
        let best = pairs.iter().find(|(_, count)| **count == most).expect("the largest is there");
        let best = (best.0.0.to_owned(), best.0.1.to_owned());
        for (pieces, _) in &mut words {
            *pieces = joined(std::mem::take(pieces), &best);
        }
        found.push(best);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::Tokenizer;
    use super::*;

    #[test]
    fn a_learned_tokenizer_knows_the_words_it_saw() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let texts = ["a photo of a person on a beach", "a portrait of a person, smiling"];
        learned(texts.into_iter(), 1000, 16, folder.path()).expect("writable");
        let tokenizer = Tokenizer::open(folder.path()).expect("readable");
        assert_eq!(tokenizer.window_length(), 16);
        assert_eq!(tokenizer.encode("A photo of a person, smiling on a beach").len(), 10);
        let strange = tokenizer.encode("xylophone");
        assert!(strange.len() > 1 && !strange.contains(&tokenizer.end()), "bytes spell any word");
        assert_eq!(tokenizer.windows("a beach").len(), 1);
        assert_eq!(tokenizer.windows("a beach")[0].len(), 16);
    }

    #[test]
    fn frequent_pairs_come_first() {
        let pairs = pairs(["aa aa aa ab"].into_iter(), 2);
        assert_eq!(pairs[0], ("a".to_owned(), "a</w>".to_owned()));
        assert_eq!(pairs[1], ("a".to_owned(), "b</w>".to_owned()));
    }
}
