//! Faces on one image: where they are, how they are turned upright, who they
//! are.
//!
//! [`FaceModels`] pairs a detector with an identity encoder, both ONNX files
//! that the user has: [`FaceModels::faces`] finds [`Face`]s,
//! [`FaceModels::identity`] turns one into an [`Identity`], [`Pose`] says how it is turned. A small TOML file
//! beside a model says how it is fed ([`ModelCard`]), and [`catalog`] knows the
//! usual ones by their sha256. A [`SceneReader`] tells what else a picture shows,
//! a [`Tagger`] names it in tags, a [`Matte`] cuts out who is in it.

mod align;
mod card;
pub mod catalog;
pub mod conditions;
mod decode;
mod detector;
mod encoder;
mod error;
mod face;
mod features;
mod fingerprint;
mod identity;
mod matte;
mod models;
mod network;
pub mod onnx;
mod pose;
mod registers;
mod scene;
mod search;
mod shapes;
mod shrink;
mod suppress;
mod tagger;

pub use align::{Similarity, align, align_to, align_with_margin};
pub use card::{Axis, Channels, Kind, ModelCard, Portrayed, Region};
pub use error::FaceError;
pub use face::Face;
pub use features::Features;
pub use identity::{Identity, centroid};
pub use matte::Matte;
pub use models::FaceModels;
pub use pose::Pose;
pub use scene::SceneReader;
pub use shrink::{factor_to, resized, shrunk};
pub use tagger::{Tag, Tagger};
