//! How much of a photo a head takes: the box of its face, grown by hair, ears and chin.
//!
//! YuNet's box reaches from hairline to chin. On five public-domain portraits and six renders with
//! large hair the crown is .1 to .55 of its height above it, hair and ears up to .35 of its width
//! at a side, and in a view from the side (yaw 69) the back of the head .70.

use likeness_faces::{Face, Pose};

use crate::crop::Crop;

/// Of the face box's width at each side, and of its height above and below it.
const SIDE: f64 = 0.35;
const ABOVE: f64 = 0.55;
const BELOW: f64 = 0.15;
/// Of its width behind a head that is seen from the side, in the sine of its yaw.
const BEHIND: f64 = 0.4;

/// The part of a head that is inside its photo, in whole pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Head {
    start: [f64; 2],
    end: [f64; 2],
}

impl Head {
    /// Left, top, right and bottom of the head of `face`, whether inside the photo or not.
    pub fn reach(face: &Face) -> [f64; 4] {
        let [x, y, w, h] = face.bbox.map(f64::from);
        let turned = turned(face);
        let [left, right] = [turned, -turned].map(|away| (SIDE + BEHIND * away.max(0.0)) * w);
        [x - left, y - ABOVE * h, x + w + right, y + h + BELOW * h]
    }

    /// The head of `face` in a photo of `width` x `height`; none where nothing of it is inside.
    pub fn of(face: &Face, width: u32, height: u32) -> Option<Self> {
        let [left, top, right, bottom] = Self::reach(face);
        let inside = |value: f64, side: u32| value.round().clamp(0.0, f64::from(side));
        let head = Self {
            start: [inside(left, width), inside(top, height)],
            end: [inside(right, width), inside(bottom, height)],
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

/// The sine of the yaw, positive where the face looks to the right, so that its back is left.
fn turned(face: &Face) -> f64 {
    match face.landmarks.iter().all(|point| *point == face.landmarks[0]) {
        true => 0.0, // no landmarks to tell by
        false => Pose::of(&face.landmarks).yaw.to_radians().sin(),
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
        assert_eq!((open.span(0), open.span(1)), ((365.0, 535.0), (190.0, 530.0)));
        let edge = head([-50.0, 700.0, 100.0, 200.0]).expect("a part of a head");
        assert_eq!((edge.span(0), edge.span(1)), ((0.0, 85.0), (590.0, 800.0)));
        for nowhere in [[2000.0, 0.0, 50.0, 50.0], [10.0, 10.0, -5.0, 9.0], [f32::NAN; 4]] {
            assert_eq!(head(nowhere), None);
        }
    }

    #[test]
    fn the_back_of_a_head_is_behind_its_face() {
        let side = |landmarks: [[f32; 2]; 5]| {
            let bbox = [400.0, 300.0, 100.0, 140.0];
            let face = Face { bbox, landmarks, score: 1.0 };
            Head::of(&face, 1000, 800).expect("a head").span(0)
        };
        // Both eyes and the nose far to the right of the box: the face looks there.
        let right =
            [[470.0, 350.0], [485.0, 350.0], [505.0, 380.0], [470.0, 410.0], [482.0, 410.0]];
        let (start, end) = side(right);
        assert!(start < 335.0 && end == 535.0, "{start} {end}");
        let left = right.map(|[x, y]| [900.0 - x, y]);
        let mirrored = [left[1], left[0], left[2], left[4], left[3]];
        assert_eq!(side(mirrored), (900.0 - end, 900.0 - start));
    }

    #[test]
    fn what_a_crop_leaves_out_is_told_as_a_share() {
        let open = head([400.0, 300.0, 100.0, 200.0]).expect("a head");
        let crop = |x, width| Crop { x, y: 0, width, height: 800 };
        assert_eq!(open.cut_by(crop(365, 170)), 0.0);
        assert_eq!(open.cut_by(crop(450, 300)), 0.5);
        assert_eq!(open.cut_by(crop(0, 100)), 1.0);
    }
}
