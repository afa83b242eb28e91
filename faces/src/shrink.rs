//! Makes a picture smaller, fast: first by a whole number, each pixel the mean of a square of pixels,
//! then the rest of the way by a filter.

use std::ops::AddAssign;

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use image::RgbImage;

/// `image` on `width` x `height` pixels, by a triangle filter as wide as a new pixel.
pub fn resized(image: &RgbImage, width: u32, height: u32) -> RgbImage {
    if image.dimensions() == (width, height) || image.is_empty() || width * height == 0 {
        return image::imageops::resize(
            image,
            width,
            height,
            image::imageops::FilterType::Triangle,
        );
    }
    let source = ImageRef::new(image.width(), image.height(), image.as_raw(), PixelType::U8x3);
    let mut small = Image::new(width, height, PixelType::U8x3);
    let triangle = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear));
    let source = source.expect("three bytes a pixel");
    Resizer::new().resize(&source, &mut small, &triangle).expect("both are of one pixel type");
    RgbImage::from_raw(width, height, small.into_vec()).expect("three bytes a pixel")
}

/// `image` with each `factor` x `factor` pixels averaged into one. Pixels at the
/// right and bottom edge that fill no square are left out.
pub fn shrunk(image: &RgbImage, factor: u32) -> RgbImage {
    let (width, height) = image.dimensions();
    shrunk_part(image, [0, 0, width, height], factor)
}

/// As [`shrunk`], of the part at `[left, top, width, height]` in pixels, which
/// lies within `image`.
pub(crate) fn shrunk_part(image: &RgbImage, part: [u32; 4], factor: u32) -> RgbImage {
    let [left, top, width, height] = part.map(|value| value as usize);
    let size = factor.max(1) as usize;
    let (columns, rows) = (width / size, height / size);
    let stride = image.width() as usize * 3;
    let area = (size * size) as u64;
    // A division takes longer than all the sums: this is one wherever 255 area^2 < 2^32.
    let share = (1u64 << 32).div_ceil(area);
    let mean = |sum: u32| match u64::from(sum) + area / 2 {
        sum if size < 64 => ((sum * share) >> 32) as u8,
        sum => (sum / area) as u8,
    };
    let mut small = vec![0u8; columns * rows * 3];
    let lines = |row: usize| {
        (0..size).map(move |line| {
            let start = (top + row * size + line) * stride + left * 3;
            &image.as_raw()[start..start + columns * size * 3]
        })
    };
    // Of 256 lines the sums fit 16 bits, of which a register holds twice as many.
    for (row, out) in small.chunks_exact_mut((columns * 3).max(1)).enumerate() {
        match size <= 256 {
            true => means::<u16>(lines(row), size, out, mean),
            false => means::<u32>(lines(row), size, out, mean),
        }
    }
    RgbImage::from_raw(columns as u32, rows as u32, small).expect("three values a pixel")
}

/// The means of squares of `size` pixels in as many `lines`.
fn means<'a, T: Copy + Default + AddAssign + From<u8> + Into<u32>>(
    lines: impl Iterator<Item = &'a [u8]>,
    size: usize,
    out: &mut [u8],
    mean: impl Fn(u32) -> u8,
) {
    let mut sums = vec![T::default(); out.len() * size];
    for line in lines {
        sums.iter_mut().zip(line).for_each(|(sum, &value)| *sum += T::from(value));
    }
    for (square, pixel) in sums.chunks_exact(size * 3).zip(out.chunks_exact_mut(3)) {
        let mut sum = [0u32; 3];
        for values in square.chunks_exact(3) {
            (0..3).for_each(|c| sum[c] += values[c].into());
        }
        pixel.copy_from_slice(&sum.map(&mean));
    }
}

/// By how much a picture whose longer side has `longer` pixels can be shrunk and
/// still have twice as many as `side`; at least 1.
pub fn factor_to(longer: u32, side: u32) -> u32 {
    (longer / side.saturating_mul(2).max(1)).max(1)
}

#[cfg(test)]
mod tests {
    use image::Rgb;
    use image::imageops::{self, FilterType};

    use super::*;

    #[test]
    fn each_pixel_is_the_mean_of_its_square() {
        let picture = RgbImage::from_fn(7, 5, |x, y| Rgb([(10 * x) as u8, (10 * y) as u8, 9]));
        let small = shrunk(&picture, 2);
        assert_eq!(small.dimensions(), (3, 2));
        assert_eq!(small.get_pixel(1, 0).0, [25, 5, 9]);
        assert_eq!(shrunk_part(&picture, [1, 1, 4, 4], 2).get_pixel(0, 1).0, [15, 35, 9]);
        assert_eq!(shrunk(&picture, 1), picture);
    }

    #[test]
    fn resizing_is_that_of_the_image_crate_but_for_rounding() {
        let noise = |x: u32, y: u32| ((x * 7919 + y * 104_729 + x * y * 31) % 256) as u8;
        let picture = RgbImage::from_fn(90, 70, |x, y| Rgb([noise(x, y), noise(y, x), x as u8]));
        for (width, height) in [(41, 33), (12, 70), (120, 80), (1, 1)] {
            let ours = resized(&picture, width, height);
            let theirs = imageops::resize(&picture, width, height, FilterType::Triangle);
            let off = ours.iter().zip(theirs.iter()).map(|(a, b)| a.abs_diff(*b)).max();
            assert!(ours.dimensions() == (width, height) && off <= Some(1), "{width} {off:?}");
        }
        assert_eq!(resized(&picture, 90, 70), picture);
    }

    #[test]
    fn means_are_exact_whatever_the_factor() {
        for factor in [2, 3, 5, 7, 63, 64] {
            for value in [0, 1, 127, 128, 254, 255] {
                let picture = RgbImage::from_pixel(factor, factor, Rgb([value; 3]));
                assert_eq!(shrunk(&picture, factor).get_pixel(0, 0).0, [value; 3], "{factor}");
            }
            // One value more than half of the area rounds up.
            let half = factor * factor / 2 + 1;
            let picture =
                RgbImage::from_fn(factor, factor, |x, y| Rgb([u8::from(y * factor + x < half); 3]));
            assert_eq!(shrunk(&picture, factor).get_pixel(0, 0).0, [1; 3], "{factor}");
        }
    }

    #[test]
    fn a_picture_smaller_than_a_square_leaves_nothing() {
        assert_eq!(shrunk(&RgbImage::new(3, 9), 4).dimensions(), (0, 2));
    }

    #[test]
    fn twice_the_side_is_left() {
        assert_eq!((factor_to(4000, 512), factor_to(1023, 512), factor_to(0, 512)), (3, 1, 1));
    }
}
