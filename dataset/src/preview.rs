//! A photo as a person looks at it: upright, of a size that a screen shows.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;

use crate::dataset::Dataset;
use crate::error::DatasetError;
use crate::luminance::fitted;
use crate::record::ImageRecord;

const QUALITY: u8 = 88; // of 100: no artefact that a person could take for the photo's own

impl Dataset {
    /// The photo as a JPEG whose longer side is at most `side` pixels, EXIF
    /// orientation applied and nothing of the file's metadata kept. A photo
    /// that changed since curation is an error.
    pub fn preview(&self, record: &ImageRecord, side: u32) -> Result<Vec<u8>, DatasetError> {
        let photo = self.photo(record)?;
        let mut bytes = Cursor::new(Vec::new());
        JpegEncoder::new_with_quality(&mut bytes, QUALITY)
            .encode_image(&fitted(&photo, side.max(1)))
            .expect("an RGB image of at most a screen's size can be encoded to memory");
        Ok(bytes.into_inner())
    }
}
