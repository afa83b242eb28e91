//! How much of a face the autoencoder keeps: a bound for what any LoRA on it can show.

use burn::tensor::Device;
use image::RgbImage;
use likeness_diffusion::pipeline::Pipeline;
use likeness_diffusion::vae;
use likeness_faces::FaceModels;

/// Sums of cosines to another picture of the same character.
#[derive(Debug, Default)]
pub struct Kept {
    before: f64,
    after: f64,
    pub pairs: usize,
}

impl Kept {
    /// Counts `picture` as it is and `decoded`, beside `other`, which shows the same character elsewhere. Pairs in which no
    /// face is found say nothing. A face is aligned as in the picture as it is: whether it is found again is another
    /// question.
    pub fn count(
        &mut self,
        [picture, decoded, other]: [&RgbImage; 3],
        models: &FaceModels,
    ) -> anyhow::Result<()> {
        let (shown, compared) = (models.faces(picture)?, models.faces(other)?);
        let (Some(face), Some(compared)) = (shown.first(), compared.first()) else {
            return Ok(());
        };
        let compared = models.identity(other, compared)?;
        self.before += models.identity(picture, face)?.cosine(&compared);
        self.after += models.identity(decoded, face)?.cosine(&compared);
        self.pairs += 1;
        Ok(())
    }

    /// The cosine after, over that before; `None` without pairs.
    pub fn share(&self) -> Option<f64> {
        (self.pairs > 0).then(|| self.after / self.before)
    }
}

/// `picture` as the autoencoder of `pipeline` gives it back.
pub fn decoded(picture: &RgbImage, pipeline: &Pipeline, device: &Device) -> RgbImage {
    let pixels = vae::pixels(picture.as_raw(), picture.width(), picture.height(), device);
    let again = pipeline.decode(pipeline.encode_pixels(pixels));
    let [again] = <[_; 1]>::try_from(again).expect("one picture of one");
    RgbImage::from_raw(again.width, again.height, again.rgb).expect("three bytes a pixel")
}
