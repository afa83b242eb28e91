//! Crops that a person can choose from: as large as can be, and around the face
//! at several framings.

use serde::Serialize;

use crate::crop::Crop;
use crate::framing;
use crate::head::Head;
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

/// The choices for a photo, largest first: all of its bucket's aspect, all
/// inside the photo, none enlarged but the largest, no two alike. Those around
/// the face never cut the head where the photo has room for it.
pub(crate) fn choices(record: &ImageRecord) -> Vec<CropChoice> {
    let (Some(_), Some(bucket)) = (record.crop, record.bucket) else {
        return Vec::new();
    };
    let (width, height) = (record.width, record.height);
    let face = record.faces.first();
    let head = face.and_then(|face| Head::of(face, width, height));
    let largest = Crop::choose(width, height, bucket, head.as_ref());
    let mut all = vec![CropChoice { name: "as large as can be", crop: largest }];
    let mut add = |name, crop: Crop| {
        if all.iter().all(|choice| choice.crop != crop) {
            all.push(CropChoice { name, crop });
        }
    };
    add("middle of the photo", Crop::choose(width, height, bucket, None));
    let (Some(face), Some(head)) = (face, head) else { return all };
    for (name, view) in [
        ("half body", framing::HALF_BODY),
        ("head and shoulders", framing::PORTRAIT),
        ("close-up", framing::CLOSE_UP),
    ] {
        let crop = view.crop((width, height), bucket, face, &head);
        if crop.width >= bucket.width && crop.height < largest.height {
            add(name, crop);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use likeness_faces::Face;

    use super::*;
    use crate::bucket::Bucket;
    use crate::measures::Measures;
    use crate::record::Verdict;

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

    #[test]
    fn no_choice_around_a_face_cuts_its_head_in_the_narrowest_bucket() {
        let mut record = record(4000, 3000);
        record.bucket = Some(Bucket { width: 256, height: 1024 });
        let head = Head::of(&record.faces[0], 4000, 3000).expect("a head");
        let choices = choices(&record);
        for choice in choices.iter().filter(|choice| choice.name != "middle of the photo") {
            assert_eq!(head.cut_by(choice.crop), 0.0, "{choice:?}");
        }
        assert!(choices.len() > 1);
    }
}
