//! The command line.

use clap::{Parser, Subcommand};

use crate::commands::{
    caption, convert, curate, demo, doctor, evaluate, generate, models, pretrain, prompt, studio,
    train,
};

/// Photos of a character in, a LoRA that is proven to keep the face out.
#[derive(Parser)]
#[command(name = "likeness", version, max_term_width = 100)]
#[command(after_help = "A first run:\n  \
    likeness models pull faces\n  \
    likeness curate PHOTOS --trigger mika --class woman\n  \
    likeness train --base MODEL.safetensors --dataset mika.dataset --out runs/mika\n  \
    likeness evaluate runs/mika\n\n\
    Exit codes: 0 done, 1 the run failed, 2 the arguments or the config are wrong, 130 interrupted.")]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What likeness can do.
#[derive(Subcommand)]
pub enum Command {
    /// Judge photos, crop and caption them: a dataset with a report
    Curate(curate::Args),
    /// Write a dataset's captions, and find what spoils them
    Caption(caption::Args),
    /// Find what in a prompt works against a LoRA
    Prompt(prompt::Args),
    /// Train a LoRA on a curated dataset
    Train(Box<train::Args>),
    /// Measure how well a LoRA keeps the face, over held-out prompts
    Evaluate(evaluate::Args),
    /// Make pictures, with or without LoRAs
    Generate(generate::Args),
    /// Rewrite a LoRA in another program's naming
    Convert(convert::Args),
    /// Say what this machine and this binary have, and which runs fit
    Doctor(doctor::Args),
    /// Face models: list them, or pull them from their public hub
    Models(models::Args),
    /// The whole job on a rendered character: photos, curate, train, evaluate, one page
    Demo(demo::Args),
    /// Rendered photos of a character that does not exist, to try everything on
    Studio(studio::Args),
    /// Train the built-in base from scratch, on rendered characters
    Pretrain(pretrain::Args),
}
