//! What a whole picture shows, as a direction: drawings, toys and animals have no face to tell by.
//!
//! Any network that gives one vector of a picture will do, such as a MobileNet without its last
//! layer. A TOML beside it says how it is fed; the picture stands on a white square.

use std::path::Path;

use image::imageops::{FilterType, overlay, resize};
use image::{Rgb, RgbImage};

use crate::card::Kind;
use crate::error::FaceError;
use crate::fingerprint::sha256_hex;
use crate::identity::Identity;
use crate::network::Network;

/// An encoder of whole pictures, ready to run. Can be shared between threads.
pub struct Features {
    network: Network,
    fingerprint: String,
}

impl Features {
    /// Opens the model `file`, `X.onnx`, that the TOML `X.toml` beside it describes.
    pub fn open(file: &Path) -> Result<Self, FaceError> {
        let network = Network::open(file, Kind::Features)?;
        let fingerprint = sha256_hex(format!("{:?}", network.card()).as_bytes());
        let features = Self { network, fingerprint };
        features.of(&RgbImage::new(8, 8))?; // another number of values is found before any work
        Ok(features)
    }

    /// What `image` shows. Two of them compare by [`Identity::cosine`].
    pub fn of(&self, image: &RgbImage) -> Result<Identity, FaceError> {
        self.network.direction(&squared(image, self.network.card().input_size))
    }

    /// The cosine below which two pictures show two subjects.
    pub fn same_subject_cosine(&self) -> f64 {
        self.network.card().same_person_cosine
    }

    /// A sha256 in hex over the model and how it is fed.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }
}

/// `image` in the middle of a white square of `side` pixels.
pub(crate) fn squared(image: &RgbImage, side: u32) -> RgbImage {
    let (width, height) = image.dimensions();
    let longer = width.max(height);
    let at = |length: u32| i64::from((longer - length) / 2);
    let mut square = RgbImage::from_pixel(longer, longer, Rgb([255; 3]));
    overlay(&mut square, image, at(width), at(height));
    match longer == side {
        true => square,
        false if longer > side => resize(&square, side, side, FilterType::Triangle),
        false => resize(&square, side, side, FilterType::Lanczos3),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;

    use super::*;
    use crate::onnx::Graph;

    const CARD: &str = "kind = \"features\"\ninput_size = 16\nchannels = \"rgb\"\nmean = 127.5\n\
        scale = 127.5\noutput_dimension = 3\nsame_person_cosine = 0.7\nlicence = \"MIT\"\n\
        source = \"mine\"\n";

    /// A network whose answer is the picture's mean colour.
    fn folder(card: &str) -> tempfile::TempDir {
        let mut graph = Graph::new();
        let mean = graph.mean(Graph::INPUT, &[2, 3]);
        let flat = graph.reshape(&mean, &[1, 3]);
        let file =
            graph.file(&[1, 3, 16, 16], &BTreeMap::from([("f".to_owned(), (flat, vec![1, 3]))]));
        let dir = tempfile::tempdir().expect("a temporary folder");
        fs::write(dir.path().join("net.onnx"), file).expect("a model");
        fs::write(dir.path().join("net.toml"), card).expect("a card");
        dir
    }

    fn open(card: &str) -> Result<Features, FaceError> {
        Features::open(&folder(card).path().join("net.onnx"))
    }

    #[test]
    fn pictures_alike_point_the_same_way() {
        let features = open(CARD).expect("an encoder");
        let of = |colour| features.of(&RgbImage::from_pixel(40, 40, Rgb(colour))).expect("it runs");
        assert!(of([250, 0, 0]).cosine(&of([200, 20, 10])) > 0.9);
        assert!(of([250, 0, 0]).cosine(&of([0, 250, 250])) < -0.9);
        assert_eq!(features.same_subject_cosine(), 0.7);
    }

    #[test]
    fn another_kind_another_length_and_no_cosine_are_refused() {
        let error = |card: &str| open(card).err().expect("refused").to_string();
        assert!(error(&CARD.replace("features", "encoder")).contains("\"features\""));
        assert!(error(&CARD.replace("= 3", "= 4")).contains("4 numbers"));
        let none = error(&CARD.replace("same_person_cosine = 0.7\n", ""));
        assert!(none.contains("same_person_cosine"), "{none}");
    }
}
