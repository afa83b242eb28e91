//! The tests that need more than one crate, in one binary.

#![recursion_limit = "256"]

mod architecture;
mod bad_adapters;
mod bad_checkpoints;
mod bad_config;
mod bad_folders;
mod bad_photos;
mod browser;
mod captions;
mod checkpointing;
mod command_line;
mod curation;
mod evaluation;
mod exactness;
mod full_disk;
mod generation;
mod hub;
mod parity;
mod preserving;
mod rendered;
mod review;
mod support;
mod training;
