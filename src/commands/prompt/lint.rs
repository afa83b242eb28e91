//! `likeness prompt lint`: prompts that fight the LoRA.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use likeness_dataset::Dataset;
use likeness_dataset::captions::lint::{About, Text, lint_prompts};
use serde_json::json;

use crate::commands::caption::{print, tokenizer, window};
use crate::exit::Usage;

/// Arguments of `likeness prompt lint`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Prompts, or text files of them, one a line; lines that begin with # are passed over
    #[arg(required = true)]
    prompts: Vec<String>,
    /// Dataset of the character
    #[arg(long, value_name = "DIR")]
    dataset: PathBuf,
    /// Base model whose tokenizer counts; CLIP's own unless given
    #[arg(long, value_name = "PATH", value_parser = crate::builtin::parser())]
    base: Option<PathBuf>,
    /// Exit with 1 if anything was found
    #[arg(long)]
    strict: bool,
    /// Print one JSON object instead of text
    #[arg(long)]
    json: bool,
}

/// Looks, and says what was found.
pub fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let character = Dataset::open(&args.dataset)?.character;
    let tokenizer = tokenizer(args.base.as_deref())?;
    let count = |text: &str| tokenizer.encode(text).len();
    let traits = character.identity_words();
    let (trigger, class_word) = (&character.trigger, &character.class_word);
    let about = About { trigger, class_word, traits: &traits };
    let prompts = prompts(&args.prompts)?;
    let findings = lint_prompts(&prompts, about, window(&tokenizer, &count));
    if args.json {
        let said = json!({ "version": 1, "prompts": prompts.len(), "findings": findings });
        writeln!(out, "{said}")?;
    } else {
        writeln!(out, "{} prompts for `{} {}`", prompts.len(), about.trigger, about.class_word)?;
        print(&findings, out)?;
    }
    let found = args.strict && !findings.is_empty();
    Ok(if found { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The prompts that are `given`, or in the files that are.
fn prompts(given: &[String]) -> anyhow::Result<Vec<Text>> {
    let mut prompts = Vec::new();
    for (index, words) in given.iter().enumerate() {
        let path = Path::new(words);
        if !path.is_file() {
            if path.extension().is_some_and(|kind| kind == "txt") {
                let text = format!("there is no file `{words}`; name one with a prompt a line");
                return Err(Usage(text).into());
            }
            prompts.push(Text { name: format!("prompt {}", index + 1), text: words.clone() });
            continue;
        }
        let text = std::fs::read_to_string(path);
        let text =
            text.with_context(|| format!("cannot read `{words}`; it has to be UTF-8 text"))?;
        let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
        let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        prompts.extend(lines.map(|(number, line)| Text {
            name: format!("{words}, line {number}"),
            text: line.to_owned(),
        }));
    }
    Ok(prompts)
}
