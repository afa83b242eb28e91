//! A face that was found: its box, its five landmarks, its score.

use serde::{Deserialize, Serialize};

/// One face in an image, in that image's pixels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Face {
    /// Left, top, width and height in pixels; may reach past the image's edge.
    pub bbox: [f32; 4],
    /// Right eye, left eye, nose, right and left corner of the mouth, as x and
    /// y in pixels. Right is the subject's, so the viewer's left.
    pub landmarks: [[f32; 2]; 5],
    /// How sure the detector is, 0 to 1.
    pub score: f32,
}

impl Face {
    /// The box's area in square pixels, never negative.
    pub fn area(&self) -> f32 {
        self.bbox[2].max(0.0) * self.bbox[3].max(0.0)
    }

    /// The middle of the box, as x and y in pixels.
    pub fn center(&self) -> [f32; 2] {
        let [x, y, width, height] = self.bbox;
        [x + width / 2.0, y + height / 2.0]
    }

    /// The distance between the eyes in pixels.
    pub fn eye_distance_px(&self) -> f32 {
        let [right, left, ..] = self.landmarks;
        (left[0] - right[0]).hypot(left[1] - right[1])
    }

    /// How far the head leans, in degrees: 0 is upright, positive when the
    /// viewer sees it leaning clockwise, -180 to 180.
    pub fn roll_degrees(&self) -> f32 {
        let [right, left, ..] = self.landmarks;
        (left[1] - right[1]).atan2(left[0] - right[0]).to_degrees()
    }

    /// The box grown around its middle by `factor`, as left, top, width and
    /// height. About 1.6 holds a whole head.
    pub fn enlarged(&self, factor: f32) -> [f32; 4] {
        let [x, y, width, height] = self.bbox;
        let (wider, higher) = (width * factor, height * factor);
        [x - (wider - width) / 2.0, y - (higher - height) / 2.0, wider, higher]
    }

    /// Intersection over union of two boxes, 0 to 1.
    pub fn iou(&self, other: &Self) -> f32 {
        let overlap = |axis: usize| {
            let start = self.bbox[axis].max(other.bbox[axis]);
            let end = (self.bbox[axis] + self.bbox[axis + 2])
                .min(other.bbox[axis] + other.bbox[axis + 2]);
            (end - start).max(0.0)
        };
        let shared = overlap(0) * overlap(1);
        let all = self.area() + other.area() - shared;
        if all > 0.0 { shared / all } else { 0.0 }
    }

    /// The same face in an image that is `factor` times as large.
    pub fn scaled(&self, factor: f32) -> Self {
        Self {
            bbox: self.bbox.map(|value| value * factor),
            landmarks: self.landmarks.map(|point| point.map(|value| value * factor)),
            score: self.score,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn face(bbox: [f32; 4]) -> Face {
        Face { bbox, landmarks: [[0.0, 0.0], [3.0, 4.0], [0.0; 2], [0.0; 2], [0.0; 2]], score: 1.0 }
    }

    #[test]
    fn eyes_give_distance_and_roll() {
        let face = face([0.0, 0.0, 1.0, 1.0]);
        assert_eq!(face.eye_distance_px(), 5.0);
        assert!((face.roll_degrees() - 53.13).abs() < 0.01);
    }

    #[test]
    fn half_overlapping_boxes_share_a_third() {
        let (a, b) = (face([0.0, 0.0, 2.0, 2.0]), face([1.0, 0.0, 2.0, 2.0]));
        assert!((a.iou(&b) - 1.0 / 3.0).abs() < 1e-6);
        assert_eq!(a.iou(&face([5.0, 5.0, 1.0, 1.0])), 0.0);
    }

    #[test]
    fn an_enlarged_box_keeps_its_middle() {
        assert_eq!(face([10.0, 10.0, 10.0, 20.0]).enlarged(2.0), [5.0, 0.0, 20.0, 40.0]);
    }
}
