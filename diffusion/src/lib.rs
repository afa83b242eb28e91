//! Schedules, samplers, text encoders, autoencoder, UNet, adapters and weight files.
//!
//! The way of a picture: [`tokenizer`] and [`text`] turn a prompt into states,
//! a [`sampler`] walks the [`schedule`] with the [`unet`]'s predictions, [`vae`]
//! turns the last latents into pixels. [`sampling`] is the walk, [`pipeline`] the way as one call.
//! [`adapter`] changes the layers of [`layers`] by low-rank updates; [`weights`]
//! and [`checkpoint`] read files.

#![recursion_limit = "256"]

pub mod adapter;
pub mod atomic;
pub mod checkpoint;
pub mod error;
pub mod layers;
pub mod noise;
pub mod pipeline;
pub mod precision;
pub mod probe;
pub mod sampler;
pub mod sampling;
pub mod schedule;
pub mod text;
pub mod tokenizer;
pub mod unet;
pub mod vae;
pub mod weights;

pub use error::{Error, io_remedy};
pub use likeness_kernels::{DeviceError, device};
pub use precision::Precision;
