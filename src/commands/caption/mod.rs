//! `likeness caption`: write a dataset's captions, and look for what spoils them.

mod lint;
mod write;

use std::io::Write;
use std::process::ExitCode;

pub use lint::{print, tokenizer, window};

/// Arguments of `likeness caption`.
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand, Debug)]
enum Action {
    /// Write captions from what was measured and what a tagger and a captioner say
    Write(write::Args),
    /// Look for what spoils captions: a missing trigger, fused terms, identity words, twins, length
    Lint(lint::Args),
}

/// Writes or looks.
pub fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    match &args.action {
        Action::Write(args) => write::run(args, out).map(|()| ExitCode::SUCCESS),
        Action::Lint(args) => lint::run(args, out),
    }
}
