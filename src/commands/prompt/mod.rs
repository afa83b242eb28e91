//! `likeness prompt`: what in a prompt works against a LoRA.

mod lint;
mod trigger;

use std::io::Write;
use std::process::ExitCode;

/// Arguments of `likeness prompt`.
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand, Debug)]
enum Action {
    /// Flag prompts that describe the face, lack the trigger or are too long
    Lint(lint::Args),
    /// Say how a base reads a trigger, whether it means something already, and propose better ones
    Trigger(trigger::Args),
}

/// Looks at prompts.
pub fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    match &args.action {
        Action::Lint(args) => lint::run(args, out),
        Action::Trigger(args) => trigger::run(args, out).map(|()| ExitCode::SUCCESS),
    }
}
