//! A 64-bit fingerprint that hardly changes when a picture is scaled,
//! re-encoded or slightly retouched.
//!
//! The lowest 8x8 frequencies of a 32x32 picture's cosine transform, one bit
//! each: above the median or not. Source: Zauner 2010, "Implementation and
//! benchmarking of perceptual image hash functions", section 3.2.1.

use std::f64::consts::PI;

use image::RgbImage;
use image::imageops::{self, FilterType};
use serde::{Deserialize, Serialize};

use crate::luminance::Plane;

const SIDE: usize = 32;
const LOW: usize = 8;

/// The fingerprint of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fingerprint {
    plain: u64,
    /// Of the picture seen in a mirror.
    mirrored: u64,
}

impl Fingerprint {
    /// The fingerprint of `image`.
    pub fn of(image: &RgbImage) -> Self {
        let small = imageops::resize(image, SIDE as u32, SIDE as u32, FilterType::Triangle);
        Self { plain: bits(&small), mirrored: bits(&imageops::flip_horizontal(&small)) }
    }

    /// A fingerprint of a symmetric picture.
    #[cfg(test)]
    pub fn from_bits(bits: u64) -> Self {
        Self { plain: bits, mirrored: bits }
    }

    /// How many bits differ, 0 to 64, from the other picture or its mirror
    /// image: nearly alike pictures differ in few.
    pub fn distance(self, other: Self) -> u32 {
        let differing = |bits: u64| (self.plain ^ bits).count_ones();
        differing(other.plain).min(differing(other.mirrored))
    }
}

fn bits(small: &RgbImage) -> u64 {
    let low = low_frequencies(&Plane::of(small));
    let mut sorted = low;
    sorted.sort_by(f64::total_cmp);
    let median = (sorted[31] + sorted[32]) / 2.0;
    low.iter().enumerate().fold(0, |hash, (bit, &value)| hash | (u64::from(value > median) << bit))
}

fn low_frequencies(plane: &Plane) -> [f64; LOW * LOW] {
    let wave = |frequency: usize, at: usize| {
        (PI * frequency as f64 * (2 * at + 1) as f64 / (2 * SIDE) as f64).cos()
    };
    let mut rows = [[0.0; LOW]; SIDE]; // each row's lowest frequencies
    for (y, row) in rows.iter_mut().enumerate() {
        for (u, value) in row.iter_mut().enumerate() {
            let term = |x: usize| f64::from(plane.values[y * SIDE + x]) * wave(u, x);
            *value = (0..SIDE).map(term).sum();
        }
    }
    std::array::from_fn(|index| {
        let (v, u) = (index / LOW, index % LOW);
        (0..SIDE).map(|y| rows[y][u] * wave(v, y)).sum()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{jpeg, texture};

    #[test]
    fn scaling_and_encoding_change_little_and_other_pictures_much() {
        let picture = texture(640, 480, 1);
        let half = imageops::resize(&picture, 320, 240, FilterType::Lanczos3);
        let encoded = image::load_from_memory(&jpeg(&half)).expect("a JPEG").into_rgb8();
        let fingerprint = Fingerprint::of(&picture);
        assert!(fingerprint.distance(Fingerprint::of(&encoded)) <= 2);
        let mirrored = imageops::flip_horizontal(&encoded);
        assert!(fingerprint.distance(Fingerprint::of(&mirrored)) <= 2);
        assert!(fingerprint.distance(Fingerprint::of(&texture(640, 480, 2))) > 12);
    }
}
