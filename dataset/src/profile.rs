//! Colours as their profile means them: phones write Display P3, cameras Adobe RGB.
//!
//! A base was trained on values that were taken for sRGB; P3 values taken for sRGB make skin pale.

use image::RgbImage;
use moxcms::{ColorProfile, DataColorSpace, Layout, TransformOptions};

/// `image`, whose values are of the ICC `profile`, in sRGB. Unchanged where the profile cannot be read
/// or is not of red, green and blue: grey and CMYK were made RGB by the decoder.
pub(crate) fn to_srgb(image: RgbImage, profile: &[u8]) -> RgbImage {
    let Ok(from) = ColorProfile::new_from_slice(profile) else {
        return image;
    };
    let (rgb, to, options) = (Layout::Rgb, ColorProfile::new_srgb(), TransformOptions::default());
    if from.color_space != DataColorSpace::Rgb {
        return image;
    }
    let Ok(transform) = from.create_transform_8bit(rgb, &to, rgb, options) else {
        return image;
    };
    let (width, height) = image.dimensions();
    let mut converted = vec![0; image.as_raw().len()];
    match transform.transform(image.as_raw(), &mut converted) {
        Ok(()) if apart(image.as_raw(), &converted) > ROUNDING => {
            RgbImage::from_raw(width, height, converted).expect("three bytes a pixel")
        }
        _ => image,
    }
}

/// Values of a profile that is sRGB by another name move by so much at the most.
const ROUNDING: u8 = 1;

/// The largest difference of two values.
fn apart(a: &[u8], b: &[u8]) -> u8 {
    a.iter().zip(b).map(|(a, b)| a.abs_diff(*b)).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use image::codecs::{jpeg::JpegEncoder, png::PngEncoder};
    use image::{ExtendedColorType, ImageEncoder, Rgb};

    use super::*;
    use crate::decode::decode_bytes;

    const SKIN: [u8; 3] = [210, 150, 120];

    /// A picture of one colour in a file that names `profile`.
    fn file(profile: &ColorProfile, jpeg: bool) -> Vec<u8> {
        let image = RgbImage::from_pixel(16, 16, Rgb(SKIN));
        let (mut bytes, icc) = (Vec::new(), profile.encode().expect("a profile"));
        let write = |mut encoder: Box<dyn Encode + '_>| encoder.write(icc, &image);
        match jpeg {
            true => write(Box::new(Some(JpegEncoder::new_with_quality(&mut bytes, 100)))),
            false => write(Box::new(Some(PngEncoder::new(&mut bytes)))),
        }
        bytes
    }

    trait Encode {
        fn write(&mut self, icc: Vec<u8>, image: &RgbImage);
    }

    impl<E: ImageEncoder> Encode for Option<E> {
        fn write(&mut self, icc: Vec<u8>, image: &RgbImage) {
            let mut encoder = self.take().expect("written once");
            encoder.set_icc_profile(icc).expect("a format with profiles");
            let (width, height) = image.dimensions();
            let kind = ExtendedColorType::Rgb8;
            encoder.write_image(image, width, height, kind).expect("a file");
        }
    }

    fn middle(bytes: &[u8]) -> [u8; 3] {
        decode_bytes(bytes, 1_000_000).expect("a photo").image.get_pixel(8, 8).0
    }

    #[test]
    fn display_p3_becomes_srgb_in_every_format() {
        // By the matrices of CSS Color 4: P3 (210, 150, 120) is sRGB (220.7, 146.8, 114.4).
        for jpeg in [true, false] {
            let found = middle(&file(&ColorProfile::new_display_p3(), jpeg));
            let apart = found.iter().zip([221, 147, 114]).map(|(a, b): (&u8, u8)| a.abs_diff(b));
            assert!(apart.max() <= Some(2), "{found:?}");
        }
    }

    #[test]
    fn srgb_and_broken_profiles_change_nothing() {
        assert_eq!(middle(&file(&ColorProfile::new_srgb(), false)), SKIN);
        let image = RgbImage::from_pixel(4, 4, Rgb(SKIN));
        assert_eq!(to_srgb(image.clone(), b"no profile"), image);
    }
}
