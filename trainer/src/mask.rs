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
    let mean = weights.iter().sum::<f64>() / weights.len().max(1) as f64;
    let normed = |weight: f64| if mean > 0.0 { weight / mean } else { 1.0 };
    let values = weights.into_iter().map(|weight| normed(weight) as f32).collect();
    HostTensor { shape: vec![1, 1, height, width], values }
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
    fn a_black_mask_without_background_and_a_white_one_weigh_all_alike() {
        for value in [0, 255] {
            let flat = GrayImage::from_pixel(64, 64, Luma([value]));
            assert!(weights(&flat, [8, 8], 0.0).values.iter().all(|weight| *weight == 1.0));
        }
    }
}
