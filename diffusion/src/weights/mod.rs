//! Weight files: memory-mapped, bounds-checked, renamed, turned into tensors.
//!
//! [`TensorFile`] reads one safetensors file. A [`Source`] gives a model its
//! tensors by diffusers' names, whatever the file calls them: the names of each
//! foreign layout stand in one file of `names`. A [`Loader`] builds layers from
//! a source and lists every name that is missing, unknown or misshapen.

mod file;
mod loader;
mod mapped;
pub mod names;
mod source;

pub use file::{HostTensor, TensorFile, save};
pub use loader::{Loader, Report};
pub use source::{Foreign, Giver, Renaming, Source, Take};
