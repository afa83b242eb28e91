//! What training will see of the photos: what is cut away, and how much is made smaller or larger.

use serde::Serialize;

use crate::bucket::Bucket;
use crate::record::{ImageRecord, rounded};

/// What becomes of one photo.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PhotoPlan {
    /// Its file name.
    pub path: String,
    /// The size that its crop is brought to.
    pub bucket: Bucket,
    /// The share of its pixels that the crop leaves out, 0 to 1.
    pub cut: f64,
    /// Trained pixels over pixels of the crop along a side; above 1 it is enlarged.
    pub scale: f64,
}

/// What becomes of the photos of a bucket.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BucketPlan {
    /// The bucket.
    pub bucket: Bucket,
    /// How many photos it has.
    pub photos: usize,
    /// The mean share of their pixels that the crops leave out, 0 to 1.
    pub cut: f64,
    /// The least and the greatest scale.
    pub scale: (f64, f64),
    /// How many of them are enlarged.
    pub enlarged: usize,
}

impl PhotoPlan {
    /// That of a record; none where it cannot be read.
    pub fn of(record: &ImageRecord) -> Option<Self> {
        let (crop, bucket) = (record.crop?, record.bucket?);
        let all = f64::from(record.width) * f64::from(record.height);
        let held = f64::from(crop.width) * f64::from(crop.height);
        let (cut, scale) = (rounded(1.0 - held / all), rounded(crop.upscale(bucket)));
        Some(Self { path: record.path.clone(), bucket, cut, scale })
    }

    /// "12 % cut away, at 0.41 of its size".
    pub fn in_words(&self) -> String {
        let Self { cut, scale, .. } = self;
        let size = match scale {
            scale if *scale > 1.0 => format!("enlarged {scale:.2} times"),
            scale => format!("at {scale:.2} of its size"),
        };
        format!("{:.0} % cut away, {size}", cut * 100.0)
    }
}

impl BucketPlan {
    /// One a bucket of the photos in `records`, the narrowest first.
    pub fn all<'a>(records: impl Iterator<Item = &'a ImageRecord>) -> Vec<Self> {
        let mut plans: Vec<Self> = Vec::new();
        for PhotoPlan { bucket, cut, scale, .. } in records.filter_map(PhotoPlan::of) {
            let enlarged = usize::from(scale > 1.0);
            match plans.iter_mut().find(|plan| plan.bucket == bucket) {
                Some(plan) => {
                    plan.photos += 1;
                    plan.cut += cut;
                    plan.scale = (plan.scale.0.min(scale), plan.scale.1.max(scale));
                    plan.enlarged += enlarged;
                }
                None => {
                    let scale = (scale, scale);
                    plans.push(Self { bucket, photos: 1, cut, scale, enlarged });
                }
            }
        }
        plans.iter_mut().for_each(|plan| plan.cut = rounded(plan.cut / plan.photos as f64));
        plans.sort_by(|a, b| a.bucket.aspect().total_cmp(&b.bucket.aspect()));
        plans
    }

    /// "448 x 576: 3 photos, 12 % cut away, at 0.21 to 0.41 of their size, none enlarged".
    pub fn in_words(&self) -> String {
        let Self { bucket, photos, cut, scale, enlarged } = self;
        let (least, most) = scale;
        let enlarged = match enlarged {
            0 => "none enlarged".to_owned(),
            count => format!("{count} enlarged"),
        };
        format!(
            "{} x {}: {photos} photo{}, {:.0} % cut away, scaled by {least:.2} to {most:.2}, {enlarged}",
            bucket.width,
            bucket.height,
            if *photos == 1 { "" } else { "s" },
            cut * 100.0,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crop::Crop;

    fn record(width: u32, crop: u32) -> ImageRecord {
        let mut record = crate::captions::testing::record("a.jpg");
        (record.width, record.height) = (width, 512);
        record.crop = Some(Crop { x: 0, y: 0, width: crop, height: crop });
        record.bucket = Some(Bucket { width: 512, height: 512 });
        record
    }

    #[test]
    fn pixels_that_are_lost_and_enlargement_are_told_a_photo_and_a_bucket() {
        let records = [record(1024, 512), record(512, 512), record(512, 256)];
        let one = |at: usize| PhotoPlan::of(&records[at]).expect("a crop");
        assert_eq!((one(0).cut, one(0).scale), (0.5, 1.0));
        assert_eq!(one(2).in_words(), "75 % cut away, enlarged 2.00 times");
        let plans = BucketPlan::all(records.iter());
        assert_eq!(plans.len(), 1);
        let BucketPlan { photos, scale, enlarged, cut, .. } = &plans[0];
        assert_eq!((*photos, *scale, *enlarged), (3, (1.0, 2.0), 1));
        assert!((cut - (0.5 + 0.75) / 3.0).abs() < 1e-6);
        let unread = ImageRecord { crop: None, ..record(512, 512) };
        assert_eq!(PhotoPlan::of(&unread), None);
    }
}
