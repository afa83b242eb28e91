//! `likeness caption lint`: what spoils a dataset's captions.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use likeness_dataset::Dataset;
use likeness_dataset::captions::lint::{self, Finding, Window};
use likeness_diffusion::checkpoint::Checkpoint;
use likeness_diffusion::tokenizer::{Pad, Tokenizer};
use serde_json::json;

/// Files that are named with a finding; more are counted.
const NAMED: usize = 3;
/// Characters of evidence that are shown.
const SHOWN: usize = 160;

/// Arguments of `likeness caption lint`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Dataset folder
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
    let dataset = Dataset::open(&args.dataset)?;
    let tokenizer = tokenizer(args.base.as_deref())?;
    let count = |text: &str| tokenizer.encode(text).len();
    let report =
        lint::lint(&dataset, window(&tokenizer, &count)).context("cannot read the captions")?;
    let trigger = &dataset.character.trigger;
    let pieces = tokenizer.pieces(trigger);
    if args.json {
        let trigger = json!({ "word": trigger, "pieces": pieces });
        writeln!(out, "{}", json!({ "version": 1, "trigger": trigger, "report": report }))?;
    } else {
        writeln!(
            out,
            "{} captions, the longest of {} tokens (a window takes {}); `{trigger}` is {}",
            report.captions,
            report.longest_tokens,
            report.window_tokens,
            pieces.join(" + ")
        )?;
        print(&report.findings, out)?;
    }
    let found = args.strict && !report.findings.is_empty();
    Ok(if found { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The tokenizer of `base`, or CLIP's own.
pub fn tokenizer(base: Option<&Path>) -> anyhow::Result<Tokenizer> {
    match base {
        Some(base) => Ok(Checkpoint::open(base, None)?.tokenizer().clone()),
        None => Ok(Tokenizer::builtin(Pad::End)),
    }
}

/// The window of `tokenizer`, whose tokens `count` counts.
pub fn window<'a>(tokenizer: &Tokenizer, count: &'a dyn Fn(&str) -> usize) -> Window<'a> {
    Window { tokens: tokenizer.window_length() - 2, count }
}

/// Each finding with its file, evidence, reason and remedy.
pub fn print(findings: &[Finding], out: &mut dyn Write) -> anyhow::Result<()> {
    for finding in findings {
        let Finding { rule, file, line, evidence, others, why, remedy } = finding;
        writeln!(out, "\n{rule}: {file}:{line}{}", also(others))?;
        writeln!(out, "  > {}", evidence.chars().take(SHOWN).collect::<String>())?;
        writeln!(out, "  why: {why}")?;
        writeln!(out, "  do:  {remedy}")?;
    }
    match findings.len() {
        0 => writeln!(out, "nothing to correct")?,
        count => writeln!(out, "\n{count} to correct")?,
    }
    Ok(())
}

fn also(others: &[String]) -> String {
    match others.len() {
        0 => String::new(),
        count if count <= NAMED => format!(", {}", others.join(", ")),
        count => format!(", {} and {} more", others[..NAMED].join(", "), count - NAMED),
    }
}
