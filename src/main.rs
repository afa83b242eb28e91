//! likeness: photos of a character in, a LoRA that is proven to keep the face out.

#![recursion_limit = "256"]

mod cli;
mod commands;
mod corpus;
mod exit;
mod face_models;
mod machine;
mod meter;
mod png;

use std::process::ExitCode;

use clap::Parser;
use likeness_kernels::Pool;

/// Tensors' memory is kept for the next ones.
#[global_allocator]
static POOL: Pool = Pool::new();

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    match commands::run(cli.command, &mut std::io::stdout().lock()) {
        Ok(code) => code,
        Err(error) => exit::report(&error),
    }
}
