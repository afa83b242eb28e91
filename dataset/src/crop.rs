//! Which part of a photo is trained on.

use serde::{Deserialize, Serialize};

use crate::bucket::Bucket;
use crate::head::Head;
use crate::record::Reason;

/// A rectangle in a photo's pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Crop {
    /// Left edge in pixels.
    pub x: u32,
    /// Top edge in pixels.
    pub y: u32,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}

const MOST_ENLARGED: f64 = 4.0; // sixteen trained pixels from one hold nothing to learn

impl Crop {
    /// The largest crop of the bucket's aspect in a photo of `width` x
    /// `height`, with the head in the middle as far as the edges allow;
    /// without one the photo's middle. The aspect is off by less than a pixel.
    pub(crate) fn choose(width: u32, height: u32, bucket: Bucket, head: Option<&Head>) -> Self {
        let middle = |axis: usize, side: u32| match head {
            Some(head) => head.middle(axis),
            None => f64::from(side) / 2.0,
        };
        let middles = [middle(0, width), middle(1, height)];
        Self::placed((width, height), largest(width, height, bucket), middles, head)
    }

    /// The crop of the bucket's aspect that is `high` pixels high, or as much
    /// higher as the `head` needs and as the photo allows, around `middles`; it
    /// is moved and made larger rather than that it cuts the head.
    pub(crate) fn framed(
        (width, height): (u32, u32),
        bucket: Bucket,
        head: &Head,
        middles: [f64; 2],
        high: f64,
    ) -> Self {
        let most = largest(width, height, bucket);
        let needed = head.length(1).max(head.length(0) / bucket.aspect());
        let high = high.max(needed).ceil().max(1.0);
        let wide = (high * bucket.aspect()).ceil();
        let fits = high <= f64::from(most.1) && wide <= f64::from(most.0);
        let size = if fits { (wide as u32, high as u32) } else { most };
        Self::placed((width, height), size, middles, Some(head))
    }

    fn placed(
        photo: (u32, u32),
        size: (u32, u32),
        [across, down]: [f64; 2],
        head: Option<&Head>,
    ) -> Self {
        let span = |axis: usize| head.map(|head| head.span(axis));
        Self {
            x: start(across, size.0, photo.0, span(0)),
            y: start(down, size.1, photo.1, span(1)),
            width: size.0,
            height: size.1,
        }
    }

    /// How many times larger the bucket is; above 1 the crop is upscaled.
    pub fn upscale(self, bucket: Bucket) -> f64 {
        f64::from(bucket.width) / f64::from(self.width)
    }

    /// Whether a crop that a person chose can be used on a photo of `width` x
    /// `height`: inside it, of the bucket's aspect within a pixel, and enlarged
    /// at most four times. Else the reason in words.
    pub fn check(self, width: u32, height: u32, bucket: Bucket) -> Result<(), String> {
        let Self { x, y, width: w, height: h } = self;
        let inside = |start: u32, length: u32, side: u32| {
            length > 0 && u64::from(start) + u64::from(length) <= u64::from(side)
        };
        if !inside(x, w, width) || !inside(y, h, height) {
            return Err(format!(
                "{w} x {h} px at {x}, {y} is not inside the photo of {width} x {height} px"
            ));
        }
        let off = f64::from(h) * bucket.aspect() - f64::from(w);
        let off_high = f64::from(w) / bucket.aspect() - f64::from(h);
        let (bw, bh) = (bucket.width, bucket.height);
        if off.abs().min(off_high.abs()) > 1.0 {
            return Err(format!("{w} x {h} px has not the aspect of its bucket, {bw} x {bh}"));
        }
        match self.upscale(bucket) > MOST_ENLARGED {
            true => Err(format!("{w} x {h} px is less than a quarter of its bucket, {bw} x {bh}")),
            false => Ok(()),
        }
    }

    /// The note on a crop that is enlarged.
    pub(crate) fn enlarged(self, bucket: Bucket) -> Option<Reason> {
        let upscale = self.upscale(bucket);
        let message = || format!("its crop is enlarged {upscale:.2} times");
        (upscale > 1.0).then(|| Reason::measured("enlarged", message(), upscale, 1.0))
    }
}

/// Width and height of the largest crop of the bucket's aspect.
fn largest(width: u32, height: u32, bucket: Bucket) -> (u32, u32) {
    let (bucket_width, bucket_height) = (u64::from(bucket.width), u64::from(bucket.height));
    let share = |side: u32, to: u64, from: u64| ((u64::from(side) * to + from / 2) / from).max(1);
    let wide = u64::from(width) * bucket_height >= u64::from(height) * bucket_width;
    match wide {
        true => (share(height, bucket_width, bucket_height).min(width.into()) as u32, height),
        false => (width, share(width, bucket_height, bucket_width).min(height.into()) as u32),
    }
}

/// The start of a span of `length` around `middle` that stays inside `side` and
/// holds the `head`, if it can.
fn start(middle: f64, length: u32, side: u32, head: Option<(f64, f64)>) -> u32 {
    let (length, last) = (f64::from(length), f64::from(side - length));
    let around = |middle: f64| (middle - length / 2.0).round().clamp(0.0, last);
    let start = match head {
        Some((from, to)) if to - from > length => around((from + to) / 2.0),
        Some((from, to)) => around(middle).clamp((to - length).max(0.0), from.min(last)),
        None => around(middle),
    };
    start as u32
}

#[cfg(test)]
mod tests {
    use likeness_faces::Face;

    use super::*;

    fn head(x: f32, y: f32, size: f32, (width, height): (u32, u32)) -> Head {
        let bbox = [x, y, size, size * 1.3];
        let face = Face { bbox, landmarks: [[0.0; 2]; 5], score: 1.0 };
        Head::of(&face, width, height).expect("a head in the photo")
    }

    #[test]
    fn every_crop_is_inside_largest_and_of_its_buckets_aspect() {
        for (width, height) in [(512, 512), (640, 480), (479, 811), (4000, 513), (700, 2999)] {
            let bucket = Bucket::nearest(width, height, 512, 64);
            let crop = Crop::choose(width, height, bucket, None);
            assert!(crop.x + crop.width <= width && crop.y + crop.height <= height);
            assert!(crop.width == width || crop.height == height, "{crop:?}");
            let off = f64::from(crop.height) * bucket.aspect() - f64::from(crop.width);
            let off_high = f64::from(crop.width) / bucket.aspect() - f64::from(crop.height);
            assert!(off.abs().min(off_high.abs()) < 1.0, "{crop:?} {bucket:?}");
        }
    }

    #[test]
    fn a_chosen_crop_has_to_be_inside_of_the_aspect_and_large_enough() {
        let bucket = Bucket { width: 576, height: 448 };
        let check = |x, y, width, height| Crop { x, y, width, height }.check(2000, 1500, bucket);
        for width in 144..=1928 {
            let height = (f64::from(width) / bucket.aspect()).round() as u32;
            assert_eq!(check(2000 - width, 1500 - height, width, height), Ok(()));
        }
        for (x, y, w, h, why) in [
            (1500, 0, 576, 448, "inside"),
            (0, 1100, 576, 448, "inside"),
            (u32::MAX, 0, 576, 448, "inside"),
            (0, 0, 0, 0, "inside"),
            (0, 0, 576, 460, "aspect"),
            (0, 0, 90, 70, "quarter"),
        ] {
            let refused = check(x, y, w, h).expect_err("a crop that does not fit");
            assert!(refused.contains(why), "{refused}");
        }
    }

    #[test]
    fn the_head_is_inside_wherever_the_face_is() {
        for photo in [(1600u32, 700u32), (700, 1600), (3000, 600), (900, 1000)] {
            let bucket = Bucket::nearest(photo.0, photo.1, 512, 64);
            for step in 0..=10 {
                let size = 150.0;
                let along = |side: u32, size: f32| (side as f32 - size) * step as f32 / 10.0;
                let head = head(along(photo.0, size), along(photo.1, size * 1.3), size, photo);
                let crop = Crop::choose(photo.0, photo.1, bucket, Some(&head));
                assert_eq!(head.cut_by(crop), 0.0, "{head:?} {crop:?}");
            }
        }
    }

    #[test]
    fn a_framing_that_would_cut_the_head_is_widened() {
        let narrow = Bucket { width: 256, height: 1024 };
        let head = head(900.0, 900.0, 200.0, (4000, 4000));
        let crop = Crop::framed((4000, 4000), narrow, &head, [1000.0, 1030.0], 300.0);
        assert_eq!((head.cut_by(crop), crop.width), (0.0, 340));
        assert_eq!(crop.check(4000, 4000, narrow), Ok(()));
    }

    #[test]
    fn a_face_in_the_open_is_centred_and_none_gives_the_middle() {
        let bucket = Bucket { width: 512, height: 512 };
        let head = head(650.0, 300.0, 100.0, (2000, 1000));
        let crop = Crop::choose(2000, 1000, bucket, Some(&head));
        assert_eq!((crop.x, crop.width), (200, 1000));
        assert_eq!(Crop::choose(2000, 1000, bucket, None).x, 500);
        assert_eq!(crop.upscale(bucket), 0.512);
    }
}
