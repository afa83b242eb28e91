//! likeness: photos of a character in, a LoRA that is proven to keep the face out.

#![recursion_limit = "256"]

mod base_measures;
mod builtin;
mod cli;
mod commands;
mod corpus;
mod demo;
mod endpoint;
mod exit;
mod face_models;
mod flawed;
mod interrupt;
mod machine;
mod meter;
mod png;
mod review;

use std::process::ExitCode;

use clap::Parser;
use likeness_kernels::Pool;

/// Tensors' memory is kept for the next ones.
#[global_allocator]
static POOL: Pool = Pool::new();

/// Bytes of a thread's stack: as much as a main thread has on Linux.
const STACK: usize = 8 << 20;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    // On a thread of the pool: work that is split there need not wake the thread that waits for it.
    let pool = rayon::ThreadPoolBuilder::new().stack_size(STACK).build_global();
    pool.expect("nothing was split before");
    let outcome = rayon::scope(|_| commands::run(cli.command, &mut std::io::stdout().lock()));
    match outcome {
        Ok(code) => code,
        Err(error) => exit::report(&error),
    }
}
