//! `likeness prompt trigger`: how a base reads a word, and which words it has no idea of.

use std::io::Write;
use std::path::PathBuf;

use likeness_diffusion::checkpoint::Checkpoint;
use likeness_diffusion::text::Meanings;
use likeness_diffusion::tokenizer::Tokenizer;
use serde::Serialize;

use crate::commands::DEVICE_HELP;
use crate::commands::caption::tokenizer;
use crate::exit::Usage;

/// Known words that a trigger is compared with.
const KNOWN: usize = 2000;
/// Made-up words that say how near a meaningless word comes to a known one.
const MADE_UP: usize = 200;
/// Neighbours and proposals that are shown.
const SHOWN: usize = 5;
/// A proposal falls into at most so many pieces.
const PIECES: usize = 2;

/// Arguments of `likeness prompt trigger`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The word that shall call the character
    word: String,
    /// Base model whose tokenizer and text encoder are asked; without it only CLIP's split is shown
    #[arg(long, value_name = "PATH", value_parser = crate::builtin::parser())]
    base: Option<PathBuf>,
    #[arg(long, value_name = "DEVICE", default_value = "auto", help = DEVICE_HELP)]
    device: String,
    /// Print one JSON object instead of text
    #[arg(long)]
    json: bool,
}

/// A word as a base reads it.
#[derive(Serialize)]
struct Read {
    word: String,
    pieces: Vec<String>,
    /// Known words with their cosines, the nearest first.
    nearest: Vec<(String, f64)>,
}

/// What a base makes of the word.
#[derive(Serialize)]
struct Meaning {
    nearest: Vec<(String, f64)>,
    /// Cosine to the nearest known word: the middle and the 95th percentile of made-up words.
    made_up_p50: f64,
    made_up_p95: f64,
    /// Whether the word is nearer to a known one than 95 % of made-up words.
    means_something: bool,
    proposals: Vec<Read>,
}

/// Looks, and says what was found.
pub fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<()> {
    let word = args.word.trim();
    if word.is_empty() {
        return Err(Usage("the trigger is empty; make up a word, such as `mika`".into()).into());
    }
    let pieces = tokenizer(args.base.as_deref())?.pieces(word);
    let meaning = match &args.base {
        None => None,
        Some(base) => {
            let checkpoint = Checkpoint::open(base, None)?;
            let device = likeness_diffusion::device(&args.device)?;
            let encoder = checkpoint.load_text_encoder(&device)?;
            let tokenizer = checkpoint.tokenizer();
            let known = tokenizer.common_words(KNOWN);
            if known.is_empty() {
                let text = "the base's vocabulary has no whole words, so that none is near; leave `--base` out";
                return Err(Usage(text.into()).into());
            }
            Some(measure(word, tokenizer, &Meanings::new(&encoder, tokenizer, &known)))
        }
    };
    if args.json {
        let told =
            serde_json::json!({ "version": 1, "word": word, "pieces": pieces, "meaning": meaning });
        writeln!(out, "{told}")?;
        return Ok(());
    }
    writeln!(out, "`{word}` is {}", pieces.join(" + "))?;
    match meaning {
        None => writeln!(out, "give --base MODEL to measure whether it means something already")?,
        Some(meaning) => print(word, &meaning, out)?,
    }
    Ok(())
}

fn measure(word: &str, tokenizer: &Tokenizer, meanings: &Meanings) -> Meaning {
    let made_up: Vec<String> =
        made_up().filter(|word| tokenizer.pieces(word).len() > 1).take(MADE_UP).collect();
    let mut proposals: Vec<Read> = made_up
        .iter()
        .zip(meanings.nearest(&made_up, 1))
        .map(|(word, nearest)| Read { word: word.clone(), pieces: tokenizer.pieces(word), nearest })
        .collect();
    proposals.sort_by(|a, b| cosine(&a.nearest).total_cmp(&cosine(&b.nearest)));
    let at = |share: f64| {
        let place = ((proposals.len().max(1) - 1) as f64 * share).round() as usize;
        proposals.get(place).map_or(1.0, |read| cosine(&read.nearest))
    };
    let (made_up_p50, made_up_p95) = (at(0.5), at(0.95));
    let few = |read: &Read| read.pieces.len() <= PIECES;
    if proposals.iter().any(few) {
        proposals.retain(few);
    }
    proposals.truncate(SHOWN);
    let nearest = meanings.nearest(&[word.to_owned()], SHOWN).pop().unwrap_or_default();
    let means_something = cosine(&nearest) > made_up_p95;
    Meaning { nearest, made_up_p50, made_up_p95, means_something, proposals }
}

/// The cosine to the nearest known word.
fn cosine(nearest: &[(String, f64)]) -> f64 {
    nearest.first().map_or(0.0, |(_, cosine)| *cosine)
}

/// Words of a consonant, a vowel, a consonant, and a vowel or x: each of the 7,220
/// once, far ones after one another.
fn made_up() -> impl Iterator<Item = String> {
    const CONSONANTS: &[u8] = b"bcdfghjklmnpqrvwxyz";
    const VOWELS: &[u8] = b"aiou";
    let all = CONSONANTS.len() * VOWELS.len() * CONSONANTS.len() * (VOWELS.len() + 1);
    (0..all).map(move |n| {
        let mut left = n * 2657 % all; // shares no factor with it
        let mut pick = |letters: &[u8]| {
            let letter = letters[left % letters.len()];
            left /= letters.len();
            char::from(letter)
        };
        [pick(CONSONANTS), pick(VOWELS), pick(CONSONANTS), pick(b"aioux")].iter().collect()
    })
}

fn print(word: &str, meaning: &Meaning, out: &mut dyn Write) -> anyhow::Result<()> {
    let Meaning { nearest, made_up_p50, made_up_p95, means_something, proposals } = meaning;
    let near: Vec<String> =
        nearest.iter().map(|(word, cosine)| format!("{word} {cosine:.2}")).collect();
    writeln!(out, "nearest words: {}", near.join(", "))?;
    writeln!(
        out,
        "made-up words come as near as {made_up_p50:.2} (half of them), {made_up_p95:.2} (95 %)"
    )?;
    match means_something {
        true => {
            writeln!(out, "the base means something by `{word}`; a LoRA has to unlearn it first")?
        }
        false => writeln!(out, "the base means nothing by `{word}`: a good trigger")?,
    }
    let proposed: Vec<String> = proposals
        .iter()
        .map(|read| {
            format!("{} ({}, {:.2})", read.word, read.pieces.join(" + "), cosine(&read.nearest))
        })
        .collect();
    writeln!(out, "farther from any word: {}", proposed.join(", "))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_made_up_word_comes_twice() {
        let words: BTreeSet<String> = made_up().collect();
        assert_eq!(words.len(), 7220);
        assert!(words.iter().all(|word| word.len() == 4));
    }
}
