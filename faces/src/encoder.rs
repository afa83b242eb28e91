//! Tells who a face is.

use image::RgbImage;

use crate::align::align_with_margin;
use crate::error::FaceError;
use crate::face::Face;
use crate::identity::Identity;
use crate::network::Network;

/// An identity encoder that reads aligned faces.
pub(crate) struct Encoder {
    pub network: Network,
}

impl Encoder {
    /// Checks on an empty image that the model gives as many numbers as its
    /// description says.
    pub fn new(network: Network) -> Result<Self, FaceError> {
        let encoder = Self { network };
        let side = encoder.network.card().input_size;
        encoder.encode(&RgbImage::new(side, side))?;
        Ok(encoder)
    }

    /// The identity of `face` in `image`.
    pub fn identity(&self, image: &RgbImage, face: &Face) -> Result<Identity, FaceError> {
        let card = self.network.card();
        let (side, margin) = (card.input_size, card.margin);
        self.encode(&align_with_margin(image, &face.landmarks, side, margin))
    }

    fn encode(&self, aligned: &RgbImage) -> Result<Identity, FaceError> {
        self.network.direction(aligned)
    }
}
