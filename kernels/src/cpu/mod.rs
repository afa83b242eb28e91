//! What the CPU engines share: matrix products, convolutions, attention and the
//! optimizer over plain slices, on every core and with its widest vectors.
//!
//! Nothing here knows a tensor library. Every result is the same bits on any
//! number of threads: work is split where no sum is.

pub mod adamw;
pub mod attention;
pub mod matrices;
pub mod product;
pub mod room;
pub mod simd;
#[cfg(test)]
mod testing;
pub mod tile;
mod turn;
pub mod values;
pub mod window_lines;
pub mod windows;
pub mod winograd;
