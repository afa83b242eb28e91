//! A photo as a person looks at it: of a size that a screen shows.

use std::io::Cursor;

use image::RgbImage;
use image::codecs::jpeg::JpegEncoder;

use crate::luminance::fitted;

const QUALITY: u8 = 88; // of 100: no artefact that a person could take for the photo's own

/// `photo` as a JPEG whose longer side is at most `side` pixels, 1 to 65535,
/// without any metadata.
pub(crate) fn jpeg(photo: &RgbImage, side: u16) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    JpegEncoder::new_with_quality(&mut bytes, QUALITY)
        .encode_image(&fitted(photo, side.max(1).into()))
        .expect("an RGB image with sides below 65536 can be encoded to memory");
    bytes.into_inner()
}
