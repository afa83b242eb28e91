//! Crops that a person can choose from: as large as can be, and around the face
//! at several framings.

use serde::Serialize;

use crate::bucket::Bucket;
use crate::crop::Crop;
use crate::record::ImageRecord;

/// A crop with a name.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CropChoice {
    /// What it shows, in words.
    pub name: &'static str,
    /// The part of the photo.
    #[serde(flatten)]
    pub crop: Crop,
}

/// Framings: the crop's height in heights of the face box, and where in it the
/// face's middle is (0 top, 1 bottom). A face box reaches from brow to chin.
const FRAMINGS: [(&str, f64, f64); 3] =
    [("close-up", 2.2, 0.52), ("head and shoulders", 3.6, 0.42), ("half body", 6.0, 0.30)];

/// The choices for a photo, largest first: all of its bucket's aspect, all
/// inside the photo, none enlarged but the largest, no two alike.
pub(crate) fn choices(record: &ImageRecord) -> Vec<CropChoice> {
    let (Some(_), Some(bucket)) = (record.crop, record.bucket) else {
        return Vec::new();
    };
    let (width, height) = (record.width, record.height);
    let face = record.faces.first();
    let largest = Crop::choose(width, height, bucket, face);
    let mut all = vec![CropChoice { name: "as large as can be", crop: largest }];
    let mut add = |name, crop: Crop| {
        if all.iter().all(|choice| choice.crop != crop) {
            all.push(CropChoice { name, crop });
        }
    };
    add("middle of the photo", Crop::choose(width, height, bucket, None));
    for (name, heights, share) in FRAMINGS.iter().rev() {
        let Some(face) = face else { break };
        let [x, y, w, h] = face.bbox.map(f64::from);
        let wanted = (h * heights).round();
        let framed = sized(wanted, bucket);
        let fits = framed.0 <= largest.width && framed.1 <= largest.height;
        if fits && framed.0 >= bucket.width {
            let start = |middle: f64, size: u32, side: u32| {
                middle.round().clamp(0.0, f64::from(side - size)) as u32
            };
            let left = x + w / 2.0 - f64::from(framed.0) / 2.0;
            let top = y + h / 2.0 - f64::from(framed.1) * share;
            let (x, y) = (start(left, framed.0, width), start(top, framed.1, height));
            add(name, Crop { x, y, width: framed.0, height: framed.1 });
        }
    }
    all
}

/// Width and height of the bucket's aspect, about `height` pixels high.
fn sized(height: f64, bucket: Bucket) -> (u32, u32) {
    let height = height.clamp(1.0, 1e6);
    ((height * bucket.aspect()).round().max(1.0) as u32, height as u32)
}

#[cfg(test)]
mod tests {
    use likeness_faces::Face;

    use super::*;
    use crate::record::{Measures, Verdict};

    /// A photo with a face of an eighth of its height, right above the middle.
    fn record(width: u32, height: u32) -> ImageRecord {
        let bucket = Bucket::nearest(width, height, 512, 64);
        let (w, h) = (width as f32, height as f32);
        let bbox = [w * 0.5, h * 0.2, w * 0.09, h * 0.12];
        let face = Face { bbox, landmarks: [[0.0; 2]; 5], score: 1.0 };
        ImageRecord {
            version: 1,
            path: "a.jpg".into(),
            sha256: "ab".into(),
            width,
            height,
            verdict: Verdict::Keep,
            reasons: Vec::new(),
            notes: Vec::new(),
            measures: Measures::default(),
            faces: vec![face],
            crop: Some(Crop::choose(width, height, bucket, None)),
            bucket: Some(bucket),
            upscale: None,
            duplicate_of: None,
            weight: 1.0,
            caption_file: "a.txt".into(),
            caption_written_sha256: String::new(),
        }
    }

    #[test]
    fn every_choice_fits_and_no_two_are_alike() {
        for (width, height) in [(4000, 3000), (3000, 4000), (2400, 2400), (600, 520)] {
            let record = record(width, height);
            let bucket = record.bucket.expect("a bucket");
            let choices = choices(&record);
            for (index, choice) in choices.iter().enumerate() {
                assert_eq!(choice.crop.check(width, height, bucket), Ok(()), "{choice:?}");
                assert!(index == 0 || choices[..index].iter().all(|c| c.crop != choice.crop));
            }
            let framed = choices.iter().any(|choice| choice.name == "head and shoulders");
            assert_eq!(framed, width > 1000, "{choices:?}");
        }
    }
}
