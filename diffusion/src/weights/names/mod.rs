//! Foreign names of tensors, one file a layout.
//!
//! Every table goes from diffusers' name, which our models ask for, to the name
//! in the file. Sources: diffusers' `loaders/single_file_utils.py` and the
//! checkpoints' own headers.

pub mod diffusers;
pub mod ldm;
pub mod openclip;
