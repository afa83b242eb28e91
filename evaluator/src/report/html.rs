//! Text and pictures, made safe to put into a page.

use std::io::Cursor;
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::RgbImage;
use image::codecs::jpeg::JpegEncoder;

use crate::error::Error;

/// JPEG quality of the pictures, 1 to 100.
const QUALITY: u8 = 82;

/// `text` with everything that HTML reads as markup, in text or attributes, written as entities.
pub(super) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}

/// `image` as a `data:` address that holds a JPEG.
pub(super) fn picture(image: &RgbImage) -> Result<String, Error> {
    let mut bytes = Cursor::new(Vec::new());
    JpegEncoder::new_with_quality(&mut bytes, QUALITY)
        .encode_image(image)
        .map_err(|source| Error::Image { path: PathBuf::from("report.html"), source })?;
    Ok(format!("data:image/jpeg;base64,{}", STANDARD.encode(bytes.get_ref())))
}

/// `value` with two decimals and a true minus, or a dash where there is none.
pub(super) fn number(value: Option<f64>) -> String {
    match value {
        Some(value) => {
            let value = if value.abs() < 0.005 { 0.0 } else { value }; // no minus before 0.00
            format!("{value:.2}").replace('-', "\u{2212}")
        }
        None => "–".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_becomes_text() {
        assert_eq!(
            escape("<script>alert('x' & \"y\")</script>"),
            "&lt;script&gt;alert(&#39;x&#39; &amp; &quot;y&quot;)&lt;/script&gt;"
        );
    }

    #[test]
    fn a_picture_is_a_jpeg_in_base64() {
        let address = picture(&RgbImage::new(8, 8)).expect("encoded");
        assert!(address.starts_with("data:image/jpeg;base64,/9j/"));
    }

    #[test]
    fn numbers_have_two_decimals() {
        assert_eq!(number(Some(-0.256)), "\u{2212}0.26");
        assert_eq!(number(Some(-1e-17)), "0.00");
        assert_eq!(number(None), "–");
    }
}
