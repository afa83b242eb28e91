//! Pictures for tests, made in code.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};

/// A picture with detail at every scale and a few colours: the same for the same `seed`.
pub(crate) fn texture(width: u32, height: u32, seed: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        // Cells of no whole pixels, since those would lie on the grid of a JPEG's blocks.
        let [x, y] = [x * 8 / 9, y * 8 / 9];
        let mut value = 0.0;
        for octave in 0..7u32 {
            let size = 128 >> octave;
            value += cell(x / size, y / size, seed + octave * 7919) - 0.5;
        }
        let tint = |number: u32| 60.0 * (cell(x / 64, y / 64, seed + number) - 0.5);
        Rgb([tint(101), 0.0, tint(202)]
            .map(|tint| (128.0 + value * 70.0 + tint).clamp(0.0, 255.0) as u8))
    })
}

/// A pseudo-random number in 0..1 of a place.
fn cell(x: u32, y: u32, seed: u32) -> f64 {
    let mut hash = x.wrapping_mul(0x9e37_79b1) ^ y.wrapping_mul(0x85eb_ca77) ^ seed;
    for _ in 0..3 {
        hash = (hash ^ (hash >> 15)).wrapping_mul(0x2c1b_3c6d);
    }
    f64::from(hash >> 8) / f64::from(1u32 << 24)
}

/// `image` in `format`.
pub(crate) fn encoded(image: DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).expect("an image that can be written to memory");
    bytes.into_inner()
}

/// `image` as a JPEG of a camera's quality.
pub(crate) fn jpeg(image: &RgbImage) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let encoder = JpegEncoder::new_with_quality(&mut bytes, 92);
    image.write_with_encoder(encoder).expect("an image that can be written to memory");
    bytes.into_inner()
}

/// An EXIF block, without its header, of a photo that was taken then.
pub(crate) fn exif_taken(moment: &str, fraction: &str) -> Vec<u8> {
    let mut block = b"II*\0\x08\0\0\0\x01\0".to_vec(); // little endian, one entry
    block.extend([0x69, 0x87, 4, 0, 1, 0, 0, 0, 26, 0, 0, 0, 0, 0, 0, 0]); // the EXIF directory at 26
    block.extend([2, 0, 0x03, 0x90, 2, 0, 20, 0, 0, 0, 56, 0, 0, 0]); // 20 bytes of text at 56
    block.extend([0x91, 0x92, 2, 0, 3, 0, 0, 0]); // 3 bytes of text, in place
    block.extend(format!("{fraction:\0<4}").bytes().take(4));
    block.extend([0; 4]); // no further directory
    block.extend(format!("{moment}\0").bytes());
    block
}

/// `image` as a JPEG that was taken then.
pub(crate) fn jpeg_taken(image: &RgbImage, moment: &str) -> Vec<u8> {
    with_exif(image, &exif_taken(moment, "0"))
}

/// `image` as a JPEG with an EXIF block that holds only the orientation.
pub(crate) fn jpeg_with_orientation(image: &RgbImage, orientation: u8) -> Vec<u8> {
    let mut exif = b"II*\0\x08\0\0\0\x01\0".to_vec(); // little endian, one entry
    exif.extend([0x12, 0x01, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0]); // tag 0x112, one short
    exif.extend([0; 4]); // no further directory
    with_exif(image, &exif)
}

fn with_exif(image: &RgbImage, block: &[u8]) -> Vec<u8> {
    let plain = jpeg(image);
    let mut bytes = plain[..2].to_vec();
    bytes.extend([0xff, 0xe1]);
    bytes.extend((block.len() as u16 + 8).to_be_bytes());
    bytes.extend(b"Exif\0\0");
    bytes.extend(block);
    bytes.extend(&plain[2..]);
    bytes
}

/// The start of a PNG that claims to be `width` x `height`.
pub(crate) fn png_header(width: u32, height: u32) -> Vec<u8> {
    let mut chunk = b"IHDR".to_vec();
    chunk.extend(width.to_be_bytes());
    chunk.extend(height.to_be_bytes());
    chunk.extend([8, 2, 0, 0, 0]); // 8-bit RGB
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0d".to_vec();
    bytes.extend(&chunk);
    bytes.extend(crc32(&chunk).to_be_bytes());
    bytes.extend(b"\0\0\0\0IDAT");
    bytes.extend(crc32(b"IDAT").to_be_bytes());
    bytes
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 }
        })
    })
}
