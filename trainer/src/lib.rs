//! One LoRA training run.
//!
//! A run is a pure function of its config and its inputs: batch order, timesteps
//! and noise follow from (seed, step), so a run that was cut off goes on to the
//! same bytes. [`run::train`] is the loop; everything it needs stands in a file of
//! its own: the [`config`], what is [`trainable`], the [`objective`], the
//! [`optimizer`], the [`cache`] of latents and text states, [`checkpoints`].

#![recursion_limit = "256"]

pub mod base;
pub mod batches;
pub mod cache;
pub mod checkpoints;
mod class;
mod class_pictures;
pub mod config;
pub mod error;
mod header;
pub mod identity;
pub mod inputs;
pub mod learning_rate;
mod mask;
pub mod memory;
pub mod objective;
pub mod optimizer;
mod pace;
pub mod prepare;
pub mod pretrain;
pub mod progress;
pub mod run;
pub mod run_folder;
pub mod steps_log;
pub mod trainable;
mod variants;

pub use config::RunConfig;
pub use error::TrainError;
pub use prepare::{Machine, Prepared};
pub use run::{Outcome, train};
