//! One image as it was painted and seen, before any score.

use image::RgbImage;
use image::imageops::{FilterType, resize};

use crate::painter::Arm;

/// Longest side of the pictures in reports, in pixels.
const THUMBNAIL: u32 = 320;

/// One painted image.
#[derive(Debug, Clone)]
pub(crate) struct Observation {
    /// Number of its prompt in the suite, from 0.
    pub prompt: usize,
    /// Which of the prompt's seeds, from 0.
    pub replicate: usize,
    /// Its arm.
    pub arm: Arm,
    /// Its file, relative to the output folder.
    pub file: String,
    /// Width and height in pixels.
    pub size: (u32, u32),
    /// What the judge saw; `None` without a face or a judge.
    pub seen: Option<Seen>,
    /// Of each of the reader's axes the number of the label, if it can be told; empty without a
    /// reader.
    pub read: Vec<Option<usize>>,
    /// A small copy for the report.
    pub thumbnail: RgbImage,
}

/// The face in an image.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Seen {
    /// Left, top, width, height in pixels.
    pub bbox: [f32; 4],
    /// Cosine to the references' centroid.
    pub cosine: f64,
    /// Number of the nearest reference, and the cosine to it.
    pub nearest: (usize, f64),
}

/// The image's file for prompt and replicate from 0; names count from 1.
pub(crate) fn file_name(prompt: usize, replicate: usize, arm: Arm) -> String {
    format!("images/p{:02}-s{:02}-{}.png", prompt + 1, replicate + 1, arm.name())
}

/// `image`, made to fit 320 x 320 pixels; a smaller one is kept.
pub(crate) fn thumbnail(image: &RgbImage) -> RgbImage {
    let (width, height) = image.dimensions();
    let longest = width.max(height);
    if longest <= THUMBNAIL {
        return image.clone();
    }
    let scaled =
        |side: u32| (u64::from(side) * u64::from(THUMBNAIL) / u64::from(longest)).max(1) as u32;
    resize(image, scaled(width), scaled(height), FilterType::Triangle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thumbnails_fit_and_keep_their_shape() {
        assert_eq!(thumbnail(&RgbImage::new(1024, 768)).dimensions(), (320, 240));
        assert_eq!(thumbnail(&RgbImage::new(64, 48)).dimensions(), (64, 48));
        assert_eq!(thumbnail(&RgbImage::new(4000, 1)).dimensions(), (320, 1));
    }

    #[test]
    fn file_names_count_from_one() {
        assert_eq!(file_name(2, 0, Arm::Adapter), "images/p03-s01-adapter.png");
    }
}
