//! Looks for what spoils a set of captions, or a prompt, for a LoRA.
//!
//! Each [`Finding`] names the file and the line, why it matters and what to do. Captions are those
//! of the photos that are trained on.

mod fused;
mod leaks;
mod length;
mod trigger;
mod twins;

use std::fs;

use serde::Serialize;

use super::FOLDER;
use super::split::{line_of, line_with};
use crate::character::Character;
use crate::dataset::Dataset;
use crate::error::DatasetError;

/// The rule that finds words of who it is.
pub const IDENTITY_WORD: &str = "identity word";

/// A text that is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// Where it is from, such as `captions/a.txt`.
    pub name: String,
    /// All of it.
    pub text: String,
}

/// Something that spoils a text or a set of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Which rule found it.
    pub rule: &'static str,
    /// The first text that has it.
    pub file: String,
    /// Its line there, from 1.
    pub line: usize,
    /// That line, or what was found in it.
    pub evidence: String,
    /// Other texts that have it.
    pub others: Vec<String>,
    /// Why it matters.
    pub why: String,
    /// What to do.
    pub remedy: String,
}

/// Who the texts are about.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    /// The word that calls the character.
    pub trigger: &'a str,
    /// What the character is.
    pub class_word: &'a str,
    /// Further words that describe the identity, beside those that [`super::identity`] knows.
    pub traits: &'a [String],
}

/// How a text encoder counts.
#[derive(Clone, Copy)]
pub struct Window<'a> {
    /// Tokens of a window without its start and end: 75 for CLIP.
    pub tokens: usize,
    /// Tokens of a text, without start and end.
    pub count: &'a dyn Fn(&str) -> usize,
}

/// What was found in a dataset's captions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// How many captions were looked at.
    pub captions: usize,
    /// Tokens of the longest.
    pub longest_tokens: usize,
    /// Tokens that fit.
    pub window_tokens: usize,
    /// What was found: by rule, then by file.
    pub findings: Vec<Finding>,
}

/// Looks at the captions of `dataset`.
pub fn lint(dataset: &Dataset, window: Window) -> Result<Report, DatasetError> {
    let Character { trigger, class_word, .. } = &dataset.character;
    let traits = dataset.character.identity_words();
    let about = About { trigger, class_word, traits: &traits };
    let captions = captions(dataset)?;
    let mut findings = trigger::in_captions(&captions, about);
    findings.extend(fused::find(&captions, about));
    findings.extend(leaks::in_captions(&captions, about));
    findings.extend(twins::find(&captions, about));
    findings.extend(length::find(&captions, window));
    let longest = captions.iter().map(|caption| (window.count)(caption.text.trim())).max();
    Ok(Report {
        captions: captions.len(),
        longest_tokens: longest.unwrap_or(0),
        window_tokens: window.tokens,
        findings,
    })
}

/// Looks at `prompts` for the LoRA of the character.
pub fn lint_prompts(prompts: &[Text], about: About, window: Window) -> Vec<Finding> {
    let mut findings = trigger::in_prompts(prompts, about);
    findings.extend(leaks::in_prompts(prompts, about));
    findings.extend(length::find(prompts, window));
    findings
}

/// The captions that are trained on.
fn captions(dataset: &Dataset) -> Result<Vec<Text>, DatasetError> {
    let folder = dataset.dir.join(FOLDER);
    let read = |file: &String| {
        let path = folder.join(file);
        let text = fs::read_to_string(&path);
        let text = text.map_err(|source| DatasetError::Read { path, source })?;
        Ok(Text { name: format!("{FOLDER}/{file}"), text })
    };
    dataset.kept().map(|record| read(&record.caption_file)).collect()
}

impl Finding {
    /// One in the line of `text` that has byte `at`, with that line as evidence.
    fn at(rule: &'static str, text: &Text, at: usize) -> Self {
        Self {
            rule,
            file: text.name.clone(),
            line: line_of(&text.text, at),
            evidence: line_with(&text.text, at).to_owned(),
            others: Vec::new(),
            why: String::new(),
            remedy: String::new(),
        }
    }

    fn because(self, why: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { why: why.into(), remedy: remedy.into(), ..self }
    }
}

/// The first byte of `text` that is no white space, or 0.
fn first_word(text: &str) -> usize {
    text.find(|c: char| !c.is_whitespace()).unwrap_or(0)
}

#[cfg(test)]
mod testing {
    use super::*;

    /// "mika", a woman.
    pub const MIKA: About = About { trigger: "mika", class_word: "woman", traits: &[] };

    /// Texts called `0`, `1`, ...
    pub fn texts(texts: &[&str]) -> Vec<Text> {
        let named = |(index, text): (usize, &&str)| Text {
            name: index.to_string(),
            text: (*text).to_owned(),
        };
        texts.iter().enumerate().map(named).collect()
    }
}
