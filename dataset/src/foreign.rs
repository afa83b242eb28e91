//! Names pictures of formats that are not read, so that their owner learns what
//! to do with them.

use image::ImageFormat;

/// Endings of pictures' names, those that are read and those that are not.
pub(crate) const ENDINGS: [&str; 16] = [
    "jpg", "jpeg", "jpe", "jfif", "png", "webp", "gif", "bmp", "tif", "tiff", "heic", "heif",
    "avif", "jxl", "jp2", "psd",
];

/// What kind of picture begins with `bytes`, if it is a known one.
pub(crate) fn name(bytes: &[u8]) -> Option<&'static str> {
    if let Some(brand) = bytes.get(4..12).filter(|box_| box_.starts_with(b"ftyp")) {
        // ISO/IEC 23008-12, "File Type Box": the brand says what is inside.
        return match &brand[4..] {
            b"avif" | b"avis" => Some("an AVIF"),
            b"heic" | b"heix" | b"hevc" | b"heim" | b"heis" | b"mif1" | b"msf1" => Some("a HEIC"),
            _ => None,
        };
    }
    if bytes.starts_with(b"\xff\x0a") || bytes.starts_with(b"\0\0\0\x0cJXL ") {
        return Some("a JPEG XL");
    }
    match image::guess_format(bytes).ok()? {
        ImageFormat::Gif => Some("a GIF"),
        ImageFormat::Bmp => Some("a BMP"),
        ImageFormat::Tiff => Some("a TIFF"),
        ImageFormat::Hdr => Some("a Radiance HDR"),
        ImageFormat::OpenExr => Some("an OpenEXR"),
        _ => None,
    }
}

/// Whether a PNG or WebP picture moves.
pub(crate) fn is_animated(bytes: &[u8]) -> bool {
    if bytes.starts_with(b"RIFF") {
        // The extended header's second flag: WebP container specification, "Extended File Format".
        return bytes.get(12..16) == Some(b"VP8X") && bytes.get(20).is_some_and(|f| f & 2 != 0);
    }
    // The chunk `acTL` before the first `IDAT`: PNG specification, third edition, 11.3.6.
    let mut at = 8;
    while let Some(&[a, b, c, d, ref kind @ ..]) = bytes.get(at..at + 8) {
        match kind {
            b"acTL" => return true,
            b"IDAT" => return false,
            _ => {
                at = at.saturating_add(12).saturating_add(u32::from_be_bytes([a, b, c, d]) as usize)
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use image::DynamicImage;

    use super::*;
    use crate::testing::{encoded, texture};

    #[test]
    fn formats_that_are_not_read_are_named() {
        assert_eq!(name(b"GIF89a......"), Some("a GIF"));
        assert_eq!(name(b"\0\0\0\x18ftypheic"), Some("a HEIC"));
        assert_eq!(name(b"\0\0\0\x18ftypmp42"), None);
        assert_eq!(name(b"II*\0........"), Some("a TIFF"));
        assert_eq!(name(b"\xff\x0a"), Some("a JPEG XL"));
        assert_eq!((name(b""), name(b"hello, world")), (None, None));
    }

    #[test]
    fn animations_are_told_by_their_headers() {
        let still: DynamicImage = texture(20, 20, 1).into();
        let mut png = encoded(still.clone(), ImageFormat::Png);
        assert!(!is_animated(&png) && !is_animated(&png[..20]));
        let chunk = *b"\0\0\0\x08acTL\0\0\0\x02\0\0\0\0\0\0\0\0";
        png.splice(33..33, chunk); // behind IHDR
        assert!(is_animated(&png));
        assert!(!is_animated(&encoded(still, ImageFormat::WebP)));
        assert!(is_animated(b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\x02"));
    }
}
