//! Which of the persons in a matte is the character.

use image::{GrayImage, Luma};
use likeness_faces::Face;

use crate::bucket::Bucket;
use crate::crop::Crop;

/// From here a pixel belongs to a person; a soft edge begins a little outside.
const INSIDE: u8 = 64;

/// The middle of `face` in what `crop` shows at the size of `bucket`.
pub(super) fn middle(face: &Face, crop: Crop, bucket: Bucket) -> [f64; 2] {
    let [left, top, width, height] = face.bbox.map(f64::from);
    let [x, y] = [left + width / 2.0 - f64::from(crop.x), top + height / 2.0 - f64::from(crop.y)];
    let scale = f64::from(bucket.width) / f64::from(crop.width);
    [x * scale, y * scale]
}

/// The part of `matte` that hangs together with the place `face`, and nothing else; all of it where
/// there is no face or nobody at its place. `None` where it shows nobody.
pub(super) fn main(matte: GrayImage, face: Option<[f64; 2]>) -> Option<GrayImage> {
    let (width, height) = matte.dimensions();
    if matte.pixels().all(|pixel| pixel.0[0] < INSIDE) {
        return None;
    }
    let inside = |x: u32, y: u32| matte.get_pixel(x, y).0[0] >= INSIDE;
    let start = face.map(|place| place.map(|value| value.max(0.0) as u32));
    let Some([x, y]) = start.filter(|[x, y]| *x < width && *y < height && inside(*x, *y)) else {
        return Some(matte);
    };
    let mut reached = GrayImage::new(width, height);
    let mut open = vec![(x, y)];
    reached.put_pixel(x, y, Luma([255]));
    while let Some((x, y)) = open.pop() {
        // Its neighbours get their share, too: that is the soft edge.
        for (dx, dy) in [(-1, 0), (1, 0), (0, -1), (0, 1)] {
            let (Some(x), Some(y)) = (x.checked_add_signed(dx), y.checked_add_signed(dy)) else {
                continue;
            };
            if x < width && y < height && reached.get_pixel(x, y).0[0] == 0 {
                reached.put_pixel(x, y, Luma([255]));
                if inside(x, y) {
                    open.push((x, y));
                }
            }
        }
    }
    Some(GrayImage::from_fn(width, height, |x, y| match reached.get_pixel(x, y).0[0] {
        0 => Luma([0]),
        _ => *matte.get_pixel(x, y),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two people, a gap of two pixels between them, one with a soft edge.
    fn two() -> GrayImage {
        GrayImage::from_fn(20, 8, |x, _| {
            Luma([[255, 40, 0, 200][usize::from(x > 8) + usize::from(x > 9) + usize::from(x > 10)]])
        })
    }

    #[test]
    fn the_person_with_the_face_is_kept_with_its_edge_and_the_other_is_not() {
        let mask = main(two(), Some([4.0, 3.0])).expect("a person");
        let row: Vec<u8> = (0..20).map(|x| mask.get_pixel(x, 3).0[0]).collect();
        assert_eq!(row[..11], [255, 255, 255, 255, 255, 255, 255, 255, 255, 40, 0]);
        assert!(row[11..].iter().all(|value| *value == 0), "{row:?}");
        let other = main(two(), Some([15.0, 3.0])).expect("a person");
        assert_eq!((other.get_pixel(4, 3).0, other.get_pixel(15, 3).0), ([0], [200]));
    }

    #[test]
    fn without_a_face_all_count_and_nobody_is_nobody() {
        assert_eq!(main(two(), None), Some(two()));
        assert_eq!(main(two(), Some([9.5, 3.0])), Some(two()), "nobody is at the face's place");
        assert_eq!(main(two(), Some([400.0, -3.0])), Some(two()));
        assert_eq!(main(GrayImage::new(4, 4), Some([1.0, 1.0])), None);
    }

    #[test]
    fn a_face_is_where_the_crop_shows_it() {
        let face =
            Face { bbox: [400.0, 320.0, 200.0, 260.0], landmarks: [[0.0; 2]; 5], score: 1.0 };
        let crop = Crop { x: 200, y: 100, width: 640, height: 640 };
        assert_eq!(middle(&face, crop, Bucket { width: 320, height: 320 }), [150.0, 175.0]);
    }
}
