//! A rendered picture and what is known of it.

use serde::{Deserialize, Serialize};

pub use crate::render::truth::Truth;

/// A size in pixels, each side 16..=4096.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    /// Pixels from left to right.
    pub width: u32,
    /// Pixels from top to bottom.
    pub height: u32,
}

impl Size {
    /// A square of `side` pixels.
    pub const fn square(side: u32) -> Self {
        Self { width: side, height: side }
    }
}

/// A picture with its truth.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    /// Red, green and blue bytes (sRGB), row by row from the upper left.
    pub rgb: Vec<u8>,
    /// Pixels from left to right.
    pub width: u32,
    /// Pixels from top to bottom.
    pub height: u32,
    /// What is in it, and where.
    pub truth: Truth,
}
