//! Training from scratch: the built-in base's autoencoder, denoiser and text encoder.
//!
//! A [`stage::Stage`] says what models learn and what their loss is; [`stage::run`] is the one loop
//! for all of them. Models are loaded from a flat tensor that learns ([`parameters`]) through the
//! same code that loads them from files. What they learn from is a [`corpus::Corpus`].

pub mod autoencoder;
pub mod corpus;
pub mod learner;
pub mod parameters;
pub mod stage;
