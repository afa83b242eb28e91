//! Turns the bytes of a photo into upright RGB pixels.
//!
//! JPEG, PNG and WebP, told by their content. The size is checked before any
//! pixel is decoded; EXIF orientation is applied; 16-bit, grey and palette
//! pictures become 8-bit RGB; transparency becomes white. Colour profiles are
//! not applied: values are taken for sRGB.

use std::fs;
use std::io::Cursor;
use std::path::Path;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, RgbImage};

use crate::hash::sha256_hex;
use crate::jpeg_end;

/// A decoded photo.
#[derive(Debug, Clone)]
pub struct Photo {
    /// Upright 8-bit RGB pixels.
    pub image: RgbImage,
    /// The sha256 of the file, in hex.
    pub sha256: String,
    /// "jpeg", "png" or "webp".
    pub format: &'static str,
    /// The EXIF orientation that was applied, 1 (none) to 8.
    pub orientation: u8,
}

/// Why a photo cannot be decoded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The file could not be read.
    #[error("the file cannot be read; check that you may read it")]
    Read(#[source] std::io::Error),
    /// The content is of no known format.
    #[error("the file is not a JPEG, PNG or WebP picture; convert it to one of these")]
    Format,
    /// The picture has too many pixels.
    #[error(
        "the picture has {width}x{height} pixels, more than {max_pixels}; scale it down, or raise the limit"
    )]
    TooLarge {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// The limit in pixels.
        max_pixels: u64,
    },
    /// The file ends before the picture does.
    #[error("the file is cut off; copy it again from where it came from")]
    Truncated,
    /// The content is broken.
    #[error("the file is damaged; copy it again from where it came from")]
    Damaged(#[source] ImageError),
}

/// Decodes the photo at `path`, of at most `max_pixels` pixels.
pub fn decode(path: &Path, max_pixels: u64) -> Result<Photo, DecodeError> {
    decode_bytes(&fs::read(path).map_err(DecodeError::Read)?, max_pixels)
}

/// Decodes the `bytes` of a photo of at most `max_pixels` pixels.
pub fn decode_bytes(bytes: &[u8], max_pixels: u64) -> Result<Photo, DecodeError> {
    let mut reader =
        ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(DecodeError::Read)?;
    let format = match reader.format() {
        Some(ImageFormat::Jpeg) => "jpeg",
        Some(ImageFormat::Png) => "png",
        Some(ImageFormat::WebP) => "webp",
        _ => return Err(DecodeError::Format),
    };
    // The largest pixel is four 16-bit values; decoders keep a copy besides.
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(max_pixels.saturating_mul(16).max(1 << 24));
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(damage)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > max_pixels {
        return Err(DecodeError::TooLarge { width, height, max_pixels });
    }
    if format == "jpeg" && !jpeg_end::is_complete(bytes) {
        return Err(DecodeError::Truncated);
    }
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut image = DynamicImage::from_decoder(decoder).map_err(damage)?;
    image.apply_orientation(orientation);
    Ok(Photo {
        image: on_white(image),
        sha256: sha256_hex(bytes),
        format,
        orientation: orientation.to_exif(),
    })
}

fn damage(error: ImageError) -> DecodeError {
    match &error {
        ImageError::IoError(cause) if cause.kind() == std::io::ErrorKind::UnexpectedEof => {
            DecodeError::Truncated
        }
        _ => DecodeError::Damaged(error),
    }
}

fn on_white(image: DynamicImage) -> RgbImage {
    if !image.color().has_alpha() {
        return image.into_rgb8();
    }
    let rgba = image.into_rgba8();
    RgbImage::from_fn(rgba.width(), rgba.height(), |x, y| {
        let [r, g, b, alpha] = rgba.get_pixel(x, y).0.map(u32::from);
        let over = |value: u32| ((value * alpha + 255 * (255 - alpha) + 127) / 255) as u8;
        image::Rgb([over(r), over(g), over(b)])
    })
}

#[cfg(test)]
mod tests {
    use image::{ImageBuffer, Luma, Rgba, RgbaImage};

    use super::*;
    use crate::testing::{encoded, jpeg, jpeg_with_orientation, texture};

    const LIMIT: u64 = 1_000_000;

    #[test]
    fn exif_orientation_turns_the_picture_upright() {
        let mut lying = RgbImage::from_pixel(64, 32, image::Rgb([20; 3]));
        for y in 0..16 {
            (0..16).for_each(|x| lying.put_pixel(x, y, image::Rgb([240; 3])));
        }
        let photo = decode_bytes(&jpeg_with_orientation(&lying, 6), LIMIT).expect("a photo");
        assert_eq!((photo.image.dimensions(), photo.orientation), ((32, 64), 6));
        assert!(photo.image.get_pixel(28, 4)[0] > 200, "top left comes to the top right");
        assert!(photo.image.get_pixel(4, 4)[0] < 60);
    }

    #[test]
    fn sixteen_bit_grey_becomes_rgb() {
        let grey = ImageBuffer::<Luma<u16>, _>::from_pixel(8, 8, Luma([0x8080]));
        let photo = decode_bytes(&encoded(grey.into(), ImageFormat::Png), LIMIT).expect("a photo");
        assert!(photo.image.pixels().all(|pixel| pixel.0 == [128; 3]));
    }

    #[test]
    fn transparency_becomes_white() {
        let mut clear = RgbaImage::from_pixel(2, 1, Rgba([10, 20, 30, 0]));
        clear.put_pixel(1, 0, Rgba([0, 0, 0, 51]));
        for format in [ImageFormat::Png, ImageFormat::WebP] {
            let photo = decode_bytes(&encoded(clear.clone().into(), format), LIMIT).expect("photo");
            assert_eq!(photo.image.get_pixel(0, 0).0, [255; 3]);
            assert_eq!(photo.image.get_pixel(1, 0).0, [204; 3]);
        }
    }

    #[test]
    fn a_cut_off_picture_is_an_error_in_every_format() {
        let picture = texture(96, 96, 3);
        assert!(matches!(decode_bytes(&cut(jpeg(&picture)), LIMIT), Err(DecodeError::Truncated)));
        for format in [ImageFormat::Png, ImageFormat::WebP] {
            let bytes = cut(encoded(picture.clone().into(), format));
            decode_bytes(&bytes, LIMIT).expect_err("half a picture");
        }
    }

    fn cut(mut bytes: Vec<u8>) -> Vec<u8> {
        bytes.truncate(bytes.len() / 2);
        bytes
    }

    #[test]
    fn a_giant_is_refused_by_its_header() {
        let error = decode_bytes(&crate::testing::png_header(60_000, 60_000), LIMIT);
        assert!(matches!(error, Err(DecodeError::TooLarge { width: 60_000, .. })), "{error:?}");
    }

    #[test]
    fn text_is_no_picture() {
        assert!(matches!(decode_bytes(b"hello", LIMIT), Err(DecodeError::Format)));
    }
}
