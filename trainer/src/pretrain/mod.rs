//! Training from scratch: the built-in base's autoencoder, denoiser and text encoder.
//!
//! [`run::pretrain`] walks the stages. A [`stage::Stage`] says what models learn and what their
//! loss is; [`stage::run`] is the one loop for all of them. Models are loaded from a flat tensor
//! that learns ([`parameters`]) through the same code that loads them from files. What they learn
//! from is a [`corpus::Corpus`]; what comes out is a diffusers folder ([`mod@export`]).

pub mod autoencoder;
pub mod axes;
pub mod captions;
pub mod config;
mod config_check;
pub mod corpus;
pub mod denoiser;
pub mod export;
pub mod judges;
pub mod latent_faces;
pub mod latent_reader;
pub mod latents;
pub mod learner;
pub mod parameters;
pub mod run;
pub mod stage;

#[cfg(test)]
mod tests;
