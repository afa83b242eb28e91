//! Masks for the masked loss: where the head, or the whole person, is in what is trained on.
//!
//! The head of the main face ([`Head`]) as an ellipse that leans as the face does: 255 inside, 0
//! outside, with an edge of a tenth of its size. A mask's file is named after the photo, its crop
//! and its bucket, so one of another crop is never used; a file that is there is never written
//! again, so that a person may paint it over.

mod person;

use std::io::Cursor;

use image::{GrayImage, ImageFormat, Luma};
use likeness_faces::{Face, Matte};

use crate::atomic;
use crate::bucket::Bucket;
use crate::crop::Crop;
use crate::dataset::Dataset;
use crate::error::DatasetError;
use crate::hash::sha256_of_all;
use crate::head::Head;
use crate::record::ImageRecord;

/// The folder's name in a dataset.
const FOLDER: &str = "masks";
const EDGE: f64 = 0.1; // of the ellipse's size, to either side of it

impl Dataset {
    /// The mask of a photo at the size of its bucket: that of its file, or else of its head; white
    /// where no face was judged, so that the whole picture counts.
    pub fn mask(&self, record: &ImageRecord) -> Result<GrayImage, DatasetError> {
        let (Some(crop), Some(bucket)) = (record.crop, record.bucket) else {
            return Err(DatasetError::NoCrop { path: record.path.clone() });
        };
        let path = self.dir.join(FOLDER).join(file_name(record, crop, bucket));
        match std::fs::read(&path) {
            Ok(bytes) => {
                decoded(&bytes, bucket).map_err(|reason| DatasetError::Mask { path, reason })
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Ok(drawn(record, crop, bucket))
            }
            Err(source) => Err(DatasetError::Read { path, source }),
        }
    }

    /// Writes masks of the heads of all kept photos that have no mask yet; how many.
    pub fn write_masks(&self) -> Result<usize, DatasetError> {
        self.write_each(|record, crop, bucket| Ok(drawn(record, crop, bucket)))
    }

    /// The same of whole persons, as `matte` tells them from what is around: the one with the main
    /// face, or all where it has none. Where it sees nobody, it is the head.
    pub fn write_person_masks(&self, matte: &Matte) -> Result<usize, DatasetError> {
        self.write_each(|record, crop, bucket| {
            let head = drawn(record, crop, bucket);
            let seen = matte.of(&self.pixels(record)?).map_err(|source| DatasetError::Matte {
                path: record.path.clone(),
                source: Box::new(source),
            })?;
            let face = record.faces.first().map(|face| person::middle(face, crop, bucket));
            Ok(person::main(seen, face).unwrap_or(head))
        })
    }

    /// Writes what `mask` gives of each kept photo that has none yet; how many.
    fn write_each(
        &self,
        mask: impl Fn(&ImageRecord, Crop, Bucket) -> Result<GrayImage, DatasetError>,
    ) -> Result<usize, DatasetError> {
        let folder = self.dir.join(FOLDER);
        atomic::create_folder(&folder)?;
        let mut written = 0;
        for record in self.kept() {
            let (Some(crop), Some(bucket)) = (record.crop, record.bucket) else { continue };
            let path = folder.join(file_name(record, crop, bucket));
            if !path.exists() {
                let mut png = Cursor::new(Vec::new());
                mask(record, crop, bucket)?
                    .write_to(&mut png, ImageFormat::Png)
                    .expect("a grey image can be encoded to memory");
                atomic::write(&path, png.get_ref())?;
                written += 1;
            }
        }
        Ok(written)
    }

    /// A sha256 in hex over the masks of the kept photos.
    pub fn masks_hash(&self) -> Result<String, DatasetError> {
        let mut parts = Vec::new();
        for record in self.kept() {
            let values = self.mask(record)?.into_raw();
            parts.push(crate::hash::sha256_hex(&values));
        }
        Ok(sha256_of_all(parts.iter().map(String::as_str)))
    }
}

/// `IMG_1-1f2e3d4c.png`.
fn file_name(record: &ImageRecord, crop: Crop, bucket: Bucket) -> String {
    let stem = record.caption_file.strip_suffix(".txt").unwrap_or(&record.path);
    let of = format!("{crop:?} {bucket:?}");
    let key = sha256_of_all([record.sha256.as_str(), &of]);
    format!("{stem}-{}.png", &key[..8])
}

fn decoded(bytes: &[u8], bucket: Bucket) -> Result<GrayImage, String> {
    let image = image::load_from_memory_with_format(bytes, ImageFormat::Png);
    let image = image.map_err(|error| error.to_string())?.to_luma8();
    match image.dimensions() == (bucket.width, bucket.height) {
        true => Ok(image),
        false => Err(format!(
            "it has {} x {} and not {} x {} pixels",
            image.width(),
            image.height(),
            bucket.width,
            bucket.height
        )),
    }
}

fn drawn(record: &ImageRecord, crop: Crop, bucket: Bucket) -> GrayImage {
    let judged = record.measures.get("yaw").is_some();
    match record.faces.first().filter(|_| judged) {
        Some(face) => ellipse(face, crop, bucket),
        None => GrayImage::from_pixel(bucket.width, bucket.height, Luma([255])),
    }
}

/// The head of `face` in what `crop` shows at the size of `bucket`.
fn ellipse(face: &Face, crop: Crop, bucket: Bucket) -> GrayImage {
    let [left, top, right, bottom] = Head::reach(face);
    let (x, y) = ((left + right) / 2.0, (top + bottom) / 2.0);
    let (across, down) = (((right - left) / 2.0).max(1.0), ((bottom - top) / 2.0).max(1.0));
    let (sin, cos) = f64::from(face.roll_degrees()).to_radians().sin_cos();
    let scale = f64::from(crop.width) / f64::from(bucket.width);
    GrayImage::from_fn(bucket.width, bucket.height, |column, row| {
        let dx = f64::from(crop.x) + (f64::from(column) + 0.5) * scale - x;
        let dy = f64::from(crop.y) + (f64::from(row) + 0.5) * scale - y;
        let far = ((dx * cos + dy * sin) / across).hypot((dy * cos - dx * sin) / down);
        let inside = ((1.0 + EDGE - far) / (2.0 * EDGE)).clamp(0.0, 1.0);
        Luma([(inside * 255.0).round() as u8])
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::Place;

    fn face(lean: f32) -> Face {
        let landmarks = [[450.0, 400.0], [550.0, 400.0 + lean], [0.0; 2], [0.0; 2], [0.0; 2]];
        Face { bbox: [400.0, 320.0, 200.0, 260.0], landmarks, score: 1.0 }
    }

    #[test]
    fn a_head_is_white_in_its_crop_and_the_rest_black() {
        let crop = Crop { x: 200, y: 100, width: 640, height: 640 };
        let bucket = Bucket { width: 320, height: 320 };
        let mask = ellipse(&face(0.0), crop, bucket);
        let at = |x: u32, y: u32| mask.get_pixel((x - 200) / 2, (y - 100) / 2).0[0];
        assert_eq!((at(500, 450), at(500, 250), at(500, 560)), (255, 255, 255));
        assert_eq!((at(220, 120), at(500, 700), at(330, 200)), (0, 0, 0));
        assert!(mask.pixels().any(|pixel| (1..255).contains(&pixel.0[0])), "a soft edge");
        let leaning = ellipse(&face(60.0), crop, bucket);
        let right = |mask: &GrayImage| mask.get_pixel(230, 60).0[0];
        assert!(right(&leaning) > right(&mask), "it leans clockwise");
    }

    #[test]
    fn masks_are_written_once_and_a_painted_one_is_used() {
        let place = Place::with_photos(2);
        place.curate().expect("a curation");
        let dataset = place.dataset();
        let record = dataset.kept().next().expect("a photo");
        let plain = dataset.masks_hash().expect("masks");
        assert!(dataset.mask(record).expect("white").pixels().all(|pixel| pixel.0 == [255]));
        assert_eq!(dataset.write_masks().expect("written"), 2);
        assert_eq!(dataset.write_masks().expect("as they are"), 0);
        assert_eq!(dataset.masks_hash().expect("the same masks"), plain);
        let (crop, bucket) = (record.crop.expect("a crop"), record.bucket.expect("a bucket"));
        let path = place.out().join(FOLDER).join(file_name(record, crop, bucket));
        let black = GrayImage::new(bucket.width, bucket.height);
        black.save(&path).expect("a painted mask");
        assert_eq!(dataset.mask(record).expect("the painted one"), black);
        assert_ne!(dataset.masks_hash().expect("other masks"), plain);
        GrayImage::new(8, 8).save(&path).expect("a wrong size");
        let error = dataset.mask(record).expect_err("a wrong size").to_string();
        assert!(error.contains("8 x 8") && error.contains("remove it"), "{error}");
        let other = ImageRecord { crop: Some(Crop { x: 1, ..crop }), ..record.clone() };
        assert!(dataset.mask(&other).is_ok(), "another crop has another mask");
    }
}
