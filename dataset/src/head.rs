//! How much of a photo a head takes: the box of its face, grown by hair, ears and chin.

use likeness_faces::Face;

use crate::crop::Crop;

/// Of the face box's width at each side, and of its height above and below it.
const SIDE: f64 = 0.3;
const ABOVE: f64 = 0.45;
const BELOW: f64 = 0.15;

/// The part of a head that is inside its photo, in whole pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Head {
    start: [f64; 2],
    end: [f64; 2],
}

impl Head {
    /// The head of `face` in a photo of `width` x `height`; none where nothing of it is inside.
    pub fn of(face: &Face, width: u32, height: u32) -> Option<Self> {
        let [x, y, w, h] = face.bbox.map(f64::from);
        let [width, height] = [width, height].map(f64::from);
        let inside = |value: f64, side: f64| value.round().clamp(0.0, side);
        let head = Self {
            start: [inside(x - SIDE * w, width), inside(y - ABOVE * h, height)],
            end: [inside(x + w + SIDE * w, width), inside(y + h + BELOW * h, height)],
        };
        (head.length(0) > 0.0 && head.length(1) > 0.0).then_some(head)
    }

    /// Its width (0) or height (1) in pixels.
    pub fn length(&self, axis: usize) -> f64 {
        self.end[axis] - self.start[axis]
    }

    /// Its middle along an axis.
    pub fn middle(&self, axis: usize) -> f64 {
        (self.start[axis] + self.end[axis]) / 2.0
    }

    /// Where it begins and ends along an axis.
    pub fn span(&self, axis: usize) -> (f64, f64) {
        (self.start[axis], self.end[axis])
    }

    /// The share of it that `crop` leaves out, 0 to 1.
    pub fn cut_by(&self, crop: Crop) -> f64 {
        let held = |axis: usize, start: u32, length: u32| {
            let (start, end) = (f64::from(start), f64::from(start) + f64::from(length));
            (self.end[axis].min(end) - self.start[axis].max(start)).max(0.0)
        };
        let held = held(0, crop.x, crop.width) * held(1, crop.y, crop.height);
        1.0 - held / (self.length(0) * self.length(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(bbox: [f32; 4]) -> Option<Head> {
        Head::of(&Face { bbox, landmarks: [[0.0; 2]; 5], score: 1.0 }, 1000, 800)
    }

    #[test]
    fn a_head_is_the_face_with_hair_and_chin_as_far_as_the_photo_goes() {
        let open = head([400.0, 300.0, 100.0, 200.0]).expect("a head");
        assert_eq!((open.span(0), open.span(1)), ((370.0, 530.0), (210.0, 530.0)));
        let edge = head([-50.0, 700.0, 100.0, 200.0]).expect("a part of a head");
        assert_eq!((edge.span(0), edge.span(1)), ((0.0, 80.0), (610.0, 800.0)));
        for nowhere in [[2000.0, 0.0, 50.0, 50.0], [10.0, 10.0, -5.0, 9.0], [f32::NAN; 4]] {
            assert_eq!(head(nowhere), None);
        }
    }

    #[test]
    fn what_a_crop_leaves_out_is_told_as_a_share() {
        let open = head([400.0, 300.0, 100.0, 200.0]).expect("a head");
        let crop = |x, width| Crop { x, y: 0, width, height: 800 };
        assert_eq!(open.cut_by(crop(370, 160)), 0.0);
        assert_eq!(open.cut_by(crop(450, 300)), 0.5);
        assert_eq!(open.cut_by(crop(0, 100)), 1.0);
    }
}
