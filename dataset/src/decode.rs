//! Turns the bytes of a photo into upright RGB pixels.
//!
//! JPEG, PNG and WebP, told by their content. The size of the file and of the
//! picture are checked before any pixel is decoded, and animations are refused; EXIF orientation is applied; 16-bit, grey and palette
//! pictures become 8-bit sRGB by their colour profile; transparency becomes white.

use std::fs::{self, File};
use std::io::{Cursor, ErrorKind, Read};
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, RgbImage};

use crate::foreign;
use crate::hash::sha256_hex;
use crate::jpeg_end;
use crate::profile;
use crate::taken;

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
    /// The file was there and is not any more.
    #[error("the file went away after the folder was listed; curate again")]
    Gone,
    /// A folder, a pipe or a device.
    #[error("this is no plain file; put the picture itself there")]
    NotAFile,
    /// The file has no byte.
    #[error("the file is empty; copy it again from where it came from")]
    Empty,
    /// The file is larger than a picture of the most pixels can be.
    #[error(
        "the file has {bytes} bytes, no picture within the limits needs more than {most}; save it again as JPEG"
    )]
    TooLong {
        /// Its size in bytes.
        bytes: u64,
        /// The limit in bytes.
        most: u64,
    },
    /// The content is of no known format.
    #[error("the file is not a JPEG, PNG or WebP picture; convert it to one of these")]
    Format,
    /// The content is a picture of a format that is not read.
    #[error("the file is {0} picture; convert it to JPEG, PNG or WebP")]
    Foreign(&'static str),
    /// The picture moves.
    #[error("the file is an animation; save the one picture of it that you want")]
    Animated,
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
    /// The picture is stored in so many passes over all pixels that decoding it would take minutes.
    #[error(
        "the picture is stored in {scans} passes over its pixels; save it again as a plain JPEG"
    )]
    TooManyScans {
        /// How many.
        scans: usize,
    },
    /// The file ends before the picture does.
    #[error("the file is cut off; copy it again from where it came from")]
    Truncated,
    /// The content is broken.
    #[error("the file is damaged; copy it again from where it came from")]
    Damaged(#[source] ImageError),
    /// The content is broken in a way that the decoder did not expect.
    #[error(
        "the file is damaged so that the decoder gave up; copy it again from where it came from"
    )]
    Panicked,
}

/// Progressive JPEGs have about 10 scans; more than this many times the most
/// pixels are not gone through.
const MOST_SCANS: u64 = 16;

/// Decodes the photo at `path`, of at most `max_pixels` pixels.
pub fn decode(path: &Path, max_pixels: u64) -> Result<Photo, DecodeError> {
    read_file(path, length(path, max_pixels)?).and_then(|bytes| decode_bytes(&bytes, max_pixels))
}

/// Decodes the `bytes` of a photo of at most `max_pixels` pixels.
pub fn decode_bytes(bytes: &[u8], max_pixels: u64) -> Result<Photo, DecodeError> {
    let (image, format, orientation) = Opened::new(bytes, max_pixels)?.pixels()?;
    let orientation = orientation.to_exif();
    Ok(Photo { image, sha256: sha256_hex(bytes), format, orientation })
}

/// How many bytes the plain file at `path` has, if a picture of at most
/// `max_pixels` pixels can have so many: four 16-bit values a pixel and 16 MiB
/// of profiles.
pub(crate) fn length(path: &Path, max_pixels: u64) -> Result<u64, DecodeError> {
    let file = fs::metadata(path).map_err(unread)?;
    let (bytes, most) = (file.len(), max_pixels.saturating_mul(8).saturating_add(16 << 20));
    if !file.is_file() {
        return Err(DecodeError::NotAFile);
    }
    if bytes > most { Err(DecodeError::TooLong { bytes, most }) } else { Ok(bytes) }
}

/// The file at `path`, of which at most `length` bytes are read.
pub(crate) fn read_file(path: &Path, length: u64) -> Result<Vec<u8>, DecodeError> {
    let mut bytes = Vec::with_capacity(length as usize);
    let file = File::open(path).map_err(unread)?;
    file.take(length).read_to_end(&mut bytes).map_err(unread)?;
    Ok(bytes)
}

fn unread(error: std::io::Error) -> DecodeError {
    match error.kind() {
        ErrorKind::NotFound => DecodeError::Gone,
        _ => DecodeError::Read(error),
    }
}

/// A photo whose header was read and found to be within the limits.
pub(crate) struct Opened<'a> {
    decoder: Box<dyn ImageDecoder + 'a>,
    format: &'static str,
    orientation: Orientation,
}

impl<'a> Opened<'a> {
    /// Reads the header of a photo of at most `max_pixels` pixels.
    pub fn new(bytes: &'a [u8], max_pixels: u64) -> Result<Self, DecodeError> {
        unpanicked(|| Self::of_header(bytes, max_pixels))
    }

    fn of_header(bytes: &'a [u8], max_pixels: u64) -> Result<Self, DecodeError> {
        let reader = ImageReader::new(Cursor::new(bytes))
            .with_guessed_format()
            .map_err(DecodeError::Read)?;
        let format = match reader.format() {
            Some(ImageFormat::Jpeg) => "jpeg",
            Some(ImageFormat::Png) => "png",
            Some(ImageFormat::WebP) => "webp",
            _ if bytes.is_empty() => return Err(DecodeError::Empty),
            _ => return Err(foreign::name(bytes).map_or(DecodeError::Format, DecodeError::Foreign)),
        };
        if format != "jpeg" && foreign::is_animated(bytes) {
            return Err(DecodeError::Animated);
        }
        let mut opened = Self::limited(reader, format, max_pixels)?;
        let (width, height) = opened.decoder.dimensions();
        let pixels = u64::from(width) * u64::from(height);
        if pixels > max_pixels {
            return Err(DecodeError::TooLarge { width, height, max_pixels });
        }
        if format == "jpeg" {
            let scans = jpeg_end::scans(bytes).ok_or(DecodeError::Truncated)?;
            if pixels.saturating_mul(scans as u64) > max_pixels.saturating_mul(MOST_SCANS) {
                return Err(DecodeError::TooManyScans { scans });
            }
        }
        opened.orientation = opened.decoder.orientation().unwrap_or(Orientation::NoTransforms);
        Ok(opened)
    }

    fn limited(
        mut reader: ImageReader<Cursor<&'a [u8]>>,
        format: &'static str,
        max_pixels: u64,
    ) -> Result<Self, DecodeError> {
        // The largest pixel is four 16-bit values; decoders keep a copy besides.
        let mut limits = Limits::no_limits();
        limits.max_alloc = Some(max_pixels.saturating_mul(16).max(1 << 24));
        reader.limits(limits);
        let decoder = Box::new(reader.into_decoder().map_err(damage)?);
        Ok(Self { decoder, format, orientation: Orientation::NoTransforms })
    }

    /// The most bytes that decoding takes at a time: the decoder's pixels and a
    /// turned copy, and either 8-bit RGB or the coefficients of all scans.
    pub fn working_bytes(&self) -> u64 {
        let (width, height) = self.decoder.dimensions();
        let pixels = u64::from(width) * u64::from(height);
        self.decoder.total_bytes().saturating_mul(2).saturating_add(pixels.saturating_mul(6))
    }

    /// When it was taken, in seconds since 1970 by the camera's clock, where the
    /// photo says so.
    pub fn taken(&mut self) -> Option<f64> {
        let exif = unpanicked(|| self.decoder.exif_metadata().map_err(damage));
        exif.ok().flatten().and_then(|exif| taken::seconds(&exif))
    }

    /// The upright pixels, the format's name and how they were turned.
    pub fn pixels(self) -> Result<(RgbImage, &'static str, Orientation), DecodeError> {
        let Self { mut decoder, format, orientation } = self;
        let image = unpanicked(|| {
            let profile = decoder.icc_profile().ok().flatten();
            let mut image = DynamicImage::from_decoder(decoder).map_err(damage)?;
            image.apply_orientation(orientation);
            let image = on_white(image);
            Ok(match profile {
                Some(profile) => profile::to_srgb(image, &profile),
                None => image,
            })
        })?;
        Ok((image, format, orientation))
    }
}

/// What `decode` gives. Decoders are fed with whatever lies in a folder: that
/// one panics is a finding about the file, not the end of the work.
fn unpanicked<T>(decode: impl FnOnce() -> Result<T, DecodeError>) -> Result<T, DecodeError> {
    panic::catch_unwind(AssertUnwindSafe(decode)).unwrap_or(Err(DecodeError::Panicked))
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
    fn what_is_no_picture_says_what_it_is() {
        assert!(matches!(decode_bytes(b"hello", LIMIT), Err(DecodeError::Format)));
        assert!(matches!(decode_bytes(b"", LIMIT), Err(DecodeError::Empty)));
        let gif = decode_bytes(b"GIF89a\x01\0\x01\0", LIMIT).map_err(|error| error.to_string());
        assert!(gif.is_err_and(|text| text.contains("a GIF picture; convert")));
        assert!(matches!(decode(Path::new("/"), LIMIT), Err(DecodeError::NotAFile)));
        assert!(matches!(decode(Path::new("/absent.jpg"), LIMIT), Err(DecodeError::Gone)));
    }

    #[test]
    fn a_file_longer_than_any_picture_is_not_read() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = dir.path().join("long.jpg");
        File::create(&path).and_then(|file| file.set_len(1 << 40)).expect("a sparse file");
        assert!(matches!(decode(&path, LIMIT), Err(DecodeError::TooLong { .. })));
    }

    #[test]
    fn passes_without_end_over_many_pixels_are_not_gone_through() {
        let picture = jpeg(&texture(800, 800, 1));
        let scan = picture.windows(2).position(|pair| pair == [0xff, 0xda]).expect("a scan");
        let (head, body) = picture.split_at(scan);
        let body = &body[..body.len() - 2]; // without the end of the image
        let bytes = [head, &body.repeat(40), &[0xff, 0xd9]].concat();
        assert!(matches!(
            decode_bytes(&bytes, LIMIT),
            Err(DecodeError::TooManyScans { scans: 40 })
        ));
    }
}
