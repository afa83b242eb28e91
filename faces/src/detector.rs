//! Finds faces on an image of any size.

use image::imageops;
use image::{Rgb, RgbImage};

use crate::decode::{Maps, STRIDES, decode};
use crate::error::FaceError;
use crate::face::Face;
use crate::network::{Network, Output};
use crate::shrink::{factor_to, resized, shrunk};
use crate::suppress::suppress;

const MOST_IOU: f32 = 0.3;

/// A face detector with YuNet's outputs.
pub(crate) struct Detector {
    pub network: Network,
}

impl Detector {
    /// Checks on an empty image that the model gives what a detector gives.
    pub fn new(network: Network) -> Result<Self, FaceError> {
        let detector = Self { network };
        let side = detector.network.card().input_size;
        detector.faces(&RgbImage::new(side, side))?;
        Ok(detector)
    }

    /// The faces in `image`, largest first, in its pixels.
    pub fn faces(&self, image: &RgbImage) -> Result<Vec<Face>, FaceError> {
        if image.width() == 0 || image.height() == 0 {
            return Ok(Vec::new());
        }
        let side = self.network.card().input_size;
        let (square, scale) = letterbox(image, side);
        let outputs = self.network.run(&square)?;
        let mut found = Vec::new();
        for stride in STRIDES {
            found.extend(decode(&self.maps(&outputs, stride)?, self.network.card().least_score));
        }
        let kept = suppress(found, MOST_IOU);
        let mut faces: Vec<Face> = kept.iter().map(|face| face.scaled(1.0 / scale)).collect();
        faces.sort_by(|a, b| b.area().total_cmp(&a.area()));
        Ok(faces)
    }

    /// The maps of `stride`, told by their shapes: exports differ in the names
    /// and the order, and the two scores may be swapped since only their
    /// product counts.
    fn maps<'a>(&self, outputs: &'a [Output], stride: u32) -> Result<Maps<'a>, FaceError> {
        let columns = (self.network.card().input_size / stride) as usize;
        let cells = columns * columns;
        let of_width = |width: usize| {
            let fits = move |output: &&Output| output.shape.ends_with(&[cells, width]);
            outputs.iter().filter(fits).map(|output| output.values.as_slice()).collect::<Vec<_>>()
        };
        let (scores, boxes, points) = (of_width(1), of_width(4), of_width(10));
        match (scores.as_slice(), boxes.as_slice(), points.as_slice()) {
            (&[class, objectness], &[boxes], &[points]) => {
                Ok(Maps { stride, columns, class, objectness, boxes, points })
            }
            _ => Err(self.unexpected(outputs)),
        }
    }

    fn unexpected(&self, outputs: &[Output]) -> FaceError {
        let shapes: Vec<String> = outputs.iter().map(|o| format!("{:?}", o.shape)).collect();
        FaceError::Output {
            path: self.network.card().file.clone(),
            found: format!("outputs of shape {}", shapes.join(", ")),
            expected: "two scores, boxes and points at strides 8, 16 and 32 (YuNet)".into(),
        }
    }
}

/// `image` scaled to fit a square of `side` pixels, black below or right of
/// it, and how much it was scaled.
fn letterbox(image: &RgbImage, side: u32) -> (RgbImage, f32) {
    let (width, height) = image.dimensions();
    let scale = side as f32 / width.max(height) as f32;
    let fit = |length: u32| ((length as f32 * scale).round() as u32).clamp(1, side);
    let fitted = |image: &RgbImage| resized(image, fit(width), fit(height));
    // A sliver is not shrunk: its short side would vanish.
    let small = match factor_to(width.max(height), side).min(width.min(height)) {
        1 => fitted(image),
        factor => fitted(&shrunk(image, factor)),
    };
    let mut square = RgbImage::from_pixel(side, side, Rgb([0; 3]));
    imageops::replace(&mut square, &small, 0, 0);
    (square, scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wide_image_keeps_its_aspect_and_is_padded_below() {
        let (square, scale) = letterbox(&RgbImage::from_pixel(200, 100, Rgb([255; 3])), 64);
        assert_eq!(scale, 0.32);
        assert_eq!(square.get_pixel(63, 31).0, [255; 3]);
        assert_eq!(square.get_pixel(0, 32).0, [0; 3]);
    }

    #[test]
    fn a_sliver_still_has_a_pixel() {
        assert_eq!(letterbox(&RgbImage::new(5000, 1), 64).0.dimensions(), (64, 64));
    }
}
