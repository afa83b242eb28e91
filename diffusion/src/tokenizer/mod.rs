//! CLIP's tokenizer: text to byte-pair ids, in windows of 77.

mod bpe;
mod bytes;
mod learn;
mod windows;

pub use bpe::{BUILTIN_MERGES, Pad, Tokenizer};
pub use learn::learned;
pub use windows::{WINDOW, Window};
