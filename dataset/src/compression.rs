//! How much a picture lost to JPEG, by its tables and by its pixels.
//!
//! `quality`: libjpeg scales the luminance table of ITU-T T.81, annex K.1, by `5000 / q` percent
//! below a quality `q` of 50 and by `200 - 2 q` from there on; the coarsest waves of a file's table,
//! which no byte cuts off, tell `q`.
//! `blocks`: a coarse table leaves steps between blocks of 8 px. Of the jumps between neighbours,
//! less the mean of the jumps on both sides, those on the grid are larger: the mean of the phase of
//! eight with the largest less that of the others, along rows and columns. Detail and noise have no
//! phase. This is also seen where the file was stored again at a high quality.

use image::{RgbImage, imageops};
use likeness_faces::Face;
use serde::{Deserialize, Serialize};

use crate::luminance::Plane;

/// What is measured of a file and its pixels.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Compression {
    /// The quality that the file was stored at, 1 to 100; none where it is no JPEG.
    pub quality: Option<f64>,
    /// How much larger jumps are on the grid of blocks, of 255.
    pub blocks: f64,
}

const COARSEST: usize = 10; // entries of a table, which is stored from the coarsest wave on
/// The sum of these in the luminance table of annex K.1.
const SUM_AT_50: f64 = 132.0;
const BLOCK: usize = 8; // pixels
const WINDOW: u32 = 1024; // pixels of a side that are looked at, in the photo's own size

impl Compression {
    /// Looks at the file's `bytes` and at the part of `image` around `face`, or its middle.
    pub fn of(bytes: &[u8], image: &RgbImage, face: Option<&Face>) -> Self {
        let (width, height) = image.dimensions();
        let [x, y] = face.map_or([width as f32 / 2.0, height as f32 / 2.0], Face::center);
        let start = |middle: f32, length: u32| {
            (middle as u32).saturating_sub(WINDOW / 2).min(length.saturating_sub(WINDOW))
        };
        let (left, top) = (start(x, width), start(y, height));
        let (width, height) = (WINDOW.min(width), WINDOW.min(height));
        let part = imageops::crop_imm(image, left, top, width, height).to_image();
        Self { quality: quality(bytes), blocks: blocks(&Plane::of(&part)) }
    }
}

/// The quality of a JPEG by its luminance table.
fn quality(bytes: &[u8]) -> Option<f64> {
    let sum = f64::from(luminance_table(bytes)?);
    let percent = 100.0 * sum / SUM_AT_50;
    let quality = if percent > 100.0 { 5000.0 / percent } else { (200.0 - percent) / 2.0 };
    Some(quality.clamp(1.0, 100.0))
}

/// The sum of the coarsest entries of the table number 0 of a JPEG.
fn luminance_table(bytes: &[u8]) -> Option<u32> {
    if !bytes.starts_with(&[0xff, 0xd8]) {
        return None;
    }
    let mut at = 2;
    loop {
        let &[0xff, marker, high, low] = bytes.get(at..at + 4)? else { return None };
        let length = usize::from(u16::from_be_bytes([high, low]));
        let segment = bytes.get(at + 4..at + 2 + length)?;
        match marker {
            0xdb => {
                if let Some(sum) = table_zero(segment) {
                    return Some(sum);
                }
            }
            0xda => return None, // the pixels begin
            _ => {}
        }
        at += 2 + length;
    }
}

/// That sum, of a segment of tables.
fn table_zero(mut segment: &[u8]) -> Option<u32> {
    while let [head, rest @ ..] = segment {
        let length = if head >> 4 == 0 { 64 } else { 128 };
        let table = rest.get(..length)?;
        if head & 15 == 0 {
            return Some(match length {
                64 => table[..COARSEST].iter().map(|value| u32::from(*value)).sum(),
                _ => table[..2 * COARSEST]
                    .chunks(2)
                    .map(|two| u32::from(two[0]) << 8 | u32::from(two[1]))
                    .sum(),
            });
        }
        segment = &rest[length..];
    }
    None
}

/// The mean of both directions; a picture too small to tell has none.
fn blocks(plane: &Plane) -> f64 {
    let (width, height) = (plane.width, plane.height);
    if width < 4 * BLOCK || height < 4 * BLOCK {
        return 0.0;
    }
    let across = grid(plane, (width, height), |x, y| y * width + x);
    let down = grid(plane, (height, width), |y, x| y * width + x);
    (across + down) / 2.0
}

/// How much larger the jumps of one phase are, along lines of `length` pixels.
fn grid(
    plane: &Plane,
    (length, lines): (usize, usize),
    place: impl Fn(usize, usize) -> usize,
) -> f64 {
    let mut sums = [0f64; BLOCK];
    let mut counts = [0f64; BLOCK];
    for line in 0..lines {
        let at = |along: usize| plane.values[place(along, line)];
        for along in 2..length - 1 {
            let jump = |to: usize| (at(to) - at(to - 1)).abs();
            let beside = (jump(along - 1) + jump(along + 1)) / 2.0;
            sums[along % BLOCK] += f64::from(jump(along) - beside);
            counts[along % BLOCK] += 1.0;
        }
    }
    let mut means: Vec<f64> = sums.iter().zip(counts).map(|(sum, n)| sum / n).collect();
    means.sort_by(f64::total_cmp);
    (means[BLOCK - 1] - means[..BLOCK - 1].iter().sum::<f64>() / (BLOCK - 1) as f64).max(0.0)
}

#[cfg(test)]
mod tests {
    use image::codecs::jpeg::JpegEncoder;

    use super::*;
    use crate::testing::texture;

    fn stored(image: &RgbImage, quality: u8) -> Vec<u8> {
        let mut bytes = Vec::new();
        let encoder = JpegEncoder::new_with_quality(&mut bytes, quality);
        image.write_with_encoder(encoder).expect("a JPEG");
        bytes
    }

    fn read(bytes: &[u8]) -> RgbImage {
        image::load_from_memory(bytes).expect("a picture").to_rgb8()
    }

    #[test]
    fn the_quality_of_a_jpeg_is_read_from_its_tables() {
        let picture = texture(64, 64, 1);
        for asked in [10, 30, 50, 75, 95] {
            let found = quality(&stored(&picture, asked)).expect("a quality");
            assert!((found - f64::from(asked)).abs() < 1.5, "{asked} {found}");
        }
        assert_eq!(quality(b"\x89PNG"), None);
        assert_eq!(quality(&[0xff, 0xd8, 0xff, 0xdb, 0xff]), None);
    }

    #[test]
    fn blocks_stay_when_a_coarse_jpeg_is_stored_again_finely() {
        let picture = texture(400, 300, 2);
        let coarse = read(&stored(&picture, 8));
        let again = stored(&coarse, 98);
        let found = Compression::of(&again, &read(&again), None);
        assert!(found.quality.is_some_and(|quality| quality > 95.0), "{found:?}");
        let clean = blocks(&Plane::of(&picture));
        assert!(found.blocks > 4.0 * clean + 1.0, "{found:?} {clean}");
    }

    #[test]
    fn tiny_pictures_have_no_blocks() {
        assert_eq!(blocks(&Plane::of(&texture(9, 200, 3))), 0.0);
    }
}
