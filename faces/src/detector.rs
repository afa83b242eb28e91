//! Finds faces on an image of any size.

use image::RgbImage;
use image::imageops;

use crate::decode::{Maps, STRIDES, decode};
use crate::error::FaceError;
use crate::face::Face;
use crate::network::{Network, Output, Plan};
use crate::shapes::Shapes;
use crate::shrink::{factor_to, resized, shrunk};
use crate::suppress::suppress;

const MOST_IOU: f32 = 0.3;
const COARSEST: u32 = STRIDES[2]; // pixels: sides of an input are whole numbers of cells

/// A face detector with YuNet's outputs.
pub(crate) struct Detector {
    pub network: Network,
    shapes: Shapes,
}

impl Detector {
    /// `network` is that in `bytes`. Checks on an empty image that it gives what a detector gives.
    pub fn new(network: Network, bytes: &[u8]) -> Result<Self, FaceError> {
        let detector = Self { network, shapes: Shapes::new(bytes) };
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
        let scale = side as f32 / image.width().max(image.height()) as f32;
        let small = scaled(image, side, scale);
        let size = [small.width(), small.height()].map(|length| length.next_multiple_of(COARSEST));
        let size = size.map(|length| length.min(side));
        let (plan, size) = match self.rectangle(size) {
            Some(plan) => (plan, size),
            None => (self.network.plan().clone(), [side; 2]),
        };
        let outputs = self.network.run_as(&plan, &padded(&small, size))?;
        let mut found = Vec::new();
        for stride in STRIDES {
            let maps = self.maps(&outputs, stride, size)?;
            found.extend(decode(&maps, self.network.card().least_score));
        }
        let kept = suppress(found, MOST_IOU);
        let mut faces: Vec<Face> = kept.iter().map(|face| face.scaled(1.0 / scale)).collect();
        faces.sort_by(|a, b| b.area().total_cmp(&a.area()));
        Ok(faces)
    }

    /// The plan for a rectangle of that width and height, where the model has one.
    fn rectangle(&self, size: [u32; 2]) -> Option<Plan> {
        let works = |plan: &Plan| {
            let outputs = self.network.run_as(plan, &RgbImage::new(size[0], size[1]));
            let gives = |outputs: &Vec<Output>, stride| self.maps(outputs, stride, size).is_ok();
            outputs.is_ok_and(|outputs| STRIDES.into_iter().all(|stride| gives(&outputs, stride)))
        };
        let square = size == [self.network.card().input_size; 2];
        if square { None } else { self.shapes.plan(size, works) }
    }

    /// The maps of `stride` for an input of that width and height, told by their
    /// shapes: exports differ in the names and the order, and the two scores may be
    /// swapped since only their product counts.
    fn maps<'a>(
        &self,
        outputs: &'a [Output],
        stride: u32,
        size: [u32; 2],
    ) -> Result<Maps<'a>, FaceError> {
        let [columns, rows] = size.map(|length| (length / stride) as usize);
        let cells = columns * rows;
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

/// `image`, `scale` times as large, so that it fits a square of `side` pixels.
fn scaled(image: &RgbImage, side: u32, scale: f32) -> RgbImage {
    let (width, height) = image.dimensions();
    let fit = |length: u32| ((length as f32 * scale).round() as u32).clamp(1, side);
    let fitted = |image: &RgbImage| resized(image, fit(width), fit(height));
    // A sliver is not shrunk: its short side would vanish.
    match factor_to(width.max(height), side).min(width.min(height)) {
        1 => fitted(image),
        factor => fitted(&shrunk(image, factor)),
    }
}

/// `image` with black below and right of it, where it is less than `width` x `height` pixels.
fn padded(image: &RgbImage, [width, height]: [u32; 2]) -> RgbImage {
    let mut padded = RgbImage::new(width, height);
    imageops::replace(&mut padded, image, 0, 0);
    padded
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    #[test]
    fn a_wide_image_keeps_its_aspect_and_is_padded_below() {
        let small = scaled(&RgbImage::from_pixel(200, 100, Rgb([255; 3])), 64, 0.32);
        assert_eq!(small.dimensions(), (64, 32));
        let square = padded(&small, [64, 64]);
        assert_eq!(square.get_pixel(63, 31).0, [255; 3]);
        assert_eq!(square.get_pixel(0, 32).0, [0; 3]);
    }

    #[test]
    fn a_sliver_still_has_a_pixel() {
        let sliver = scaled(&RgbImage::new(5000, 1), 64, 64.0 / 5000.0);
        assert_eq!(sliver.dimensions(), (64, 1));
    }
}
