//! Prompt suites: the scenes that an adapter is judged on.
//!
//! A suite is a TOML file with `version = 1`, a `name`, a `negative` prompt
//! and `[[prompts]]` with a `name` and a `text` each; `{subject}` in a text
//! stands for the character. Two are built in: `heldout` (20 scenes) and
//! `smoke` (6).

use std::collections::HashSet;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::Error;

/// The placeholder for the character in a prompt's text.
const SUBJECT: &str = "{subject}";

/// The version of the suite format that this crate reads.
const VERSION: u32 = 1;

/// Fewest prompts of a suite: prompts are the sampling unit of every interval.
const MIN_PROMPTS: usize = 3;

const BUILTIN: [(&str, &str); 2] = [
    ("heldout", include_str!("../../assets/prompts/heldout.toml")),
    ("smoke", include_str!("../../assets/prompts/smoke.toml")),
];

/// One scene.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prompt {
    /// A short name, unique in its suite, by which reports call the scene.
    pub name: String,
    /// The prompt, with `{subject}` where the character stands.
    pub text: String,
}

impl Prompt {
    /// The text with `subject` in the place of `{subject}`.
    pub fn of(&self, subject: &str) -> String {
        self.text.replace(SUBJECT, subject)
    }
}

/// A checked set of scenes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suite {
    /// Format version, 1.
    pub version: u32,
    /// The suite's name.
    pub name: String,
    /// What no image should show; empty for models that take no negative prompt.
    #[serde(default)]
    pub negative: String,
    /// At least three scenes, in the order of every report.
    pub prompts: Vec<Prompt>,
}

impl Suite {
    /// The names of the built-in suites.
    pub fn builtin_names() -> impl Iterator<Item = &'static str> {
        BUILTIN.iter().map(|(name, _)| *name)
    }

    /// The built-in suite called `name`: `heldout` or `smoke`.
    pub fn builtin(name: &str) -> Result<Self, Error> {
        let (_, text) = BUILTIN
            .iter()
            .find(|(known, _)| *known == name)
            .ok_or_else(|| Error::UnknownSuite(name.to_owned()))?;
        Self::parse(text, name)
    }

    /// Reads a suite from a TOML file.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| Error::Io { path: path.to_owned(), source })?;
        Self::parse(&text, &path.display().to_string())
    }

    /// Reads a suite from TOML `text`; errors call it `name`.
    pub fn parse(text: &str, name: &str) -> Result<Self, Error> {
        let suite: Self = toml::from_str(text).map_err(|source| Error::SuiteSyntax {
            name: name.to_owned(),
            source: Box::new(source),
        })?;
        suite.check()?;
        Ok(suite)
    }

    /// Refuses what [`Suite::parse`] refuses, for a suite that was made in code.
    pub fn check(&self) -> Result<(), Error> {
        if self.version != VERSION {
            let problem = format!("version {} is not known", self.version);
            return self.refuse(problem, "write `version = 1`, or update likeness");
        }
        if self.prompts.len() < MIN_PROMPTS {
            let problem = format!("{} prompts are too few for an interval", self.prompts.len());
            return self.refuse(problem, "give at least 3, better 20");
        }
        let (mut names, mut texts) = (HashSet::new(), HashSet::new());
        for (index, prompt) in self.prompts.iter().enumerate() {
            self.check_prompt(index, prompt)?;
            if !names.insert(prompt.name.as_str()) {
                let problem = format!("two prompts are called `{}`", prompt.name);
                return self.refuse(problem, "rename one of them");
            }
            let words: Vec<&str> = prompt.text.split_whitespace().collect();
            if !texts.insert(words.join(" ").to_lowercase()) {
                let problem = format!("prompt `{}` repeats the text of another", prompt.name);
                return self.refuse(problem, "remove or change one of them");
            }
        }
        Ok(())
    }

    fn check_prompt(&self, index: usize, prompt: &Prompt) -> Result<(), Error> {
        let name = &prompt.name;
        if name.trim().is_empty() {
            let problem = format!("prompt number {} has an empty name", index + 1);
            return self.refuse(problem, "give it a short name");
        }
        if prompt.text.trim().is_empty() {
            return self.refuse(format!("prompt `{name}` is empty"), "write a scene or remove it");
        }
        if !prompt.text.contains(SUBJECT) {
            let problem = format!("prompt `{name}` has no `{SUBJECT}`");
            return self
                .refuse(problem, "put it where the character stands, as in `a {subject} at sea`");
        }
        if prompt.of("").contains(['{', '}']) {
            let problem = format!("prompt `{name}` has a brace that is not part of `{SUBJECT}`");
            return self.refuse(problem, "remove it; no other placeholder is known");
        }
        Ok(())
    }

    fn refuse(&self, problem: String, remedy: &'static str) -> Result<(), Error> {
        Err(Error::Suite { name: self.name.clone(), problem, remedy })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(prompts: &str) -> Result<Suite, Error> {
        Suite::parse(&format!("version = 1\nname = \"t\"\n{prompts}"), "t.toml")
    }

    fn prompt(name: &str, text: &str) -> String {
        format!("[[prompts]]\nname = \"{name}\"\ntext = \"{text}\"\n")
    }

    fn refusal(last: &str) -> String {
        let first = prompt("sea", "a {subject} at sea") + &prompt("ice", "a {subject} on ice");
        with(&(first + last)).expect_err("refused").to_string()
    }

    #[test]
    fn both_built_in_suites_are_valid() {
        let sizes: Vec<(&str, usize)> = Suite::builtin_names()
            .map(|name| (name, Suite::builtin(name).expect(name).prompts.len()))
            .collect();
        assert_eq!(sizes, [("heldout", 20), ("smoke", 6)]);
    }

    #[test]
    fn the_built_in_suites_share_no_scene() {
        let smoke = Suite::builtin("smoke").expect("built in");
        let texts: Vec<String> = smoke.prompts.iter().map(|p| p.of("woman")).collect();
        Suite::builtin("heldout")
            .expect("built in")
            .check_held_out(&texts, "woman")
            .expect("apart");
    }

    #[test]
    fn the_subject_is_put_in() {
        let prompt = Prompt { name: "sea".into(), text: "a {subject} at sea".into() };
        assert_eq!(prompt.of("aurora woman"), "a aurora woman at sea");
    }

    #[test]
    fn what_cannot_be_used_is_refused_by_name() {
        assert!(refusal(&prompt("bare", "at sea")).contains("`bare` has no `{subject}`"));
        assert!(refusal(&prompt("void", " ")).contains("`void` is empty"));
        assert!(refusal(&prompt("", "a {subject}")).contains("number 3 has an empty name"));
        assert!(refusal(&prompt("sea", "a {subject} up")).contains("two prompts are called `sea`"));
        assert!(refusal(&prompt("two", "A  {subject} at SEA")).contains("`two` repeats"));
        assert!(refusal(&prompt("hat", "a {subject} in a {hat}")).contains("`hat` has a brace"));
        assert!(refusal("").contains("2 prompts are too few"));
    }

    #[test]
    fn unknown_keys_versions_and_names_are_refused() {
        let text = prompt("sea", "a {subject} at sea") + "colour = 1\n";
        assert!(matches!(with(&text), Err(Error::SuiteSyntax { .. })));
        let old =
            include_str!("../../assets/prompts/smoke.toml").replace("version = 1", "version = 2");
        assert!(Suite::parse(&old, "t").expect_err("version").to_string().contains("version 2"));
        assert!(matches!(Suite::builtin("best"), Err(Error::UnknownSuite(_))));
        assert!(matches!(Suite::load(Path::new("no/such.toml")), Err(Error::Io { .. })));
    }
}
