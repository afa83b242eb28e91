//! A photo's mask as weights of its latents' errors.
//!
//! `w = (b + (1 - b) m) / mean`, where m, 0 to 1, is the mask averaged over the pixels of a latent
//! and b the weight of what is outside. Weights have a mean of 1, so that a small face makes no
//! small loss; a mask that is all black weighs all alike.

use image::GrayImage;
use likeness_diffusion::weights::HostTensor;

/// The weights of latents of `[height, width]`, `[1, 1, h, w]`.
pub(crate) fn weights(
    mask: &GrayImage,
    [height, width]: [usize; 2],
    background: f64,
) -> HostTensor {
    let part = |index: usize, count: usize, side: u32| {
        let at = |index: usize| (index * side as usize / count) as u32;
        at(index)..at(index + 1)
    };
    let mut weights = Vec::with_capacity(height * width);
    for row in 0..height {
        for column in 0..width {
            let (rows, columns) =
                (part(row, height, mask.height()), part(column, width, mask.width()));
            let count = (rows.len() * columns.len()).max(1) as f64;
            let all = rows.flat_map(|y| columns.clone().map(move |x| (x, y)));
            let sum: f64 = all.map(|(x, y)| f64::from(mask.get_pixel(x, y).0[0]) / 255.0).sum();
            weights.push(background + (1.0 - background) * sum / count);
        }
    }
    HostTensor { shape: vec![1, 1, height, width], values: normed(weights) }
}

/// The weights of latents of `[height, width]`, row by row, for the mask that is white in the
/// rectangle from `left, top` to `right, bottom`, in latents.
pub(crate) fn rectangle(
    [left, top, right, bottom]: [f32; 4],
    [height, width]: [usize; 2],
    background: f64,
) -> Vec<f32> {
    let covered = |index: usize, from: f32, to: f32| {
        let index = index as f32;
        f64::from((to.min(index + 1.0) - from.max(index)).max(0.0))
    };
    let of_row = |row: usize| {
        let tall = covered(row, top, bottom);
        (0..width).map(move |column| {
            background + (1.0 - background) * tall * covered(column, left, right)
        })
    };
    normed((0..height).flat_map(of_row).collect())
}

/// `weights` over their mean.
fn normed(weights: Vec<f64>) -> Vec<f32> {
    let mean = weights.iter().sum::<f64>() / weights.len().max(1) as f64;
    let normed = |weight: f64| if mean > 0.0 { weight / mean } else { 1.0 };
    weights.into_iter().map(|weight| normed(weight) as f32).collect()
}

#[cfg(test)]
mod tests {
    use image::Luma;

    use super::*;

    /// 64 x 64 px, white on the right.
    fn half() -> GrayImage {
        GrayImage::from_fn(64, 64, |x, _| Luma([if x < 32 { 0 } else { 255 }]))
    }

    #[test]
    fn weights_have_a_mean_of_one_and_the_background_its_share() {
        let weights = weights(&half(), [8, 8], 0.25);
        assert_eq!(weights.shape, [1, 1, 8, 8]);
        let mean = weights.values.iter().sum::<f32>() / 64.0;
        assert!((mean - 1.0).abs() < 1e-6);
        assert!((weights.values[0] / weights.values[7] - 0.25).abs() < 1e-6);
    }

    #[test]
    fn a_rectangle_weighs_as_the_mask_that_shows_it() {
        let mask =
            GrayImage::from_fn(64, 64, |x, y| Luma([if x < 12 || y < 32 { 0 } else { 255 }]));
        let (of_mask, of_corners) =
            (weights(&mask, [8, 8], 0.25).values, rectangle([1.5, 4.0, 9.0, 8.0], [8, 8], 0.25));
        let apart = of_mask.iter().zip(&of_corners).map(|(a, b)| (a - b).abs());
        assert!(apart.fold(0.0, f32::max) < 1e-5, "{of_mask:?}\n{of_corners:?}");
    }

    #[test]
    fn a_black_mask_without_background_and_a_white_one_weigh_all_alike() {
        for value in [0, 255] {
            let flat = GrayImage::from_pixel(64, 64, Luma([value]));
            assert!(weights(&flat, [8, 8], 0.0).values.iter().all(|weight| *weight == 1.0));
        }
    }
}
