//! Where a person is in a picture: a matting or segmentation network, such as a U²-Net or a MODNet.
//!
//! One output, a picture of shares. One channel is taken as it is, 0 to 1; of several, one a class, the
//! card's `output_channel` after a softmax. The picture is squeezed onto the network's square, as these
//! networks are trained.

use std::path::Path;

use image::imageops::{FilterType, resize};
use image::{GrayImage, RgbImage};

use crate::card::Kind;
use crate::error::FaceError;
use crate::network::{Network, Output};

/// A network that tells a person from what is around, ready to run. Can be shared between threads.
pub struct Matte {
    network: Network,
}

impl Matte {
    /// Opens the model `file`, `X.onnx`, that the TOML `X.toml` beside it describes.
    pub fn open(file: &Path) -> Result<Self, FaceError> {
        let matte = Self { network: Network::open(file, Kind::Matte)? };
        matte.of(&RgbImage::new(8, 8))?; // another output is found before any work
        Ok(matte)
    }

    /// How much of each pixel of `image` is the person, 0 to 255, at the size of `image`.
    pub fn of(&self, image: &RgbImage) -> Result<GrayImage, FaceError> {
        let side = self.network.card().input_size;
        let mut outputs = self.network.run(&resize(image, side, side, FilterType::Triangle))?;
        outputs.truncate(1); // others are coarser drafts of it, as U²-Net has them
        let output = outputs.pop();
        let shares = output.as_ref().and_then(|output| self.shares(output));
        let Some(shares) = shares else {
            return Err(FaceError::Output {
                path: self.network.card().file.clone(),
                found: format!("{:?}", output.map(|output| output.shape).unwrap_or_default()),
                expected: "[1, channels, height, width] with the card's output_channel".into(),
            });
        };
        Ok(resize(&shares, image.width(), image.height(), FilterType::Triangle))
    }

    /// The person's share of each pixel of `[1, channels, height, width]`.
    fn shares(&self, output: &Output) -> Option<GrayImage> {
        let [1, channels, height, width] = output.shape[..] else {
            return None;
        };
        let (chosen, plane) = (self.network.card().output_channel, height * width);
        if chosen >= channels {
            return None;
        }
        let share = |at: usize| match channels {
            1 => output.values[at],
            _ => softmax(chosen, (0..channels).map(|c| output.values[c * plane + at])),
        };
        let pixels = (0..plane).map(|at| (share(at) * 255.0).round().clamp(0.0, 255.0) as u8);
        GrayImage::from_raw(width as u32, height as u32, pixels.collect())
    }
}

/// The share of number `chosen` of some logits.
fn softmax(chosen: usize, logits: impl Iterator<Item = f32> + Clone) -> f32 {
    let most = logits.clone().fold(f32::NEG_INFINITY, f32::max);
    let sum: f32 = logits.clone().map(|logit| (logit - most).exp()).sum();
    logits.clone().nth(chosen).map_or(0.0, |logit| (logit - most).exp() / sum)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;

    use image::Rgb;

    use super::*;
    use crate::onnx::Graph;

    const CARD: &str = "kind = \"matte\"\ninput_size = 16\nchannels = \"rgb\"\nmean = 0\nscale = 255\n\
        licence = \"MIT\"\nsource = \"mine\"\n";

    /// Opens a network that gives back the first `channels` colours of what it sees.
    fn open(card: &str, channels: i64) -> Result<Matte, FaceError> {
        let mut graph = Graph::new();
        let seen = graph.slice(Graph::INPUT, 1, 0, channels);
        let shape = vec![1, channels as usize, 16, 16];
        let outputs = BTreeMap::from([("matte".to_owned(), (seen, shape))]);
        let file = graph.file(&[1, 3, 16, 16], &outputs);
        let dir = tempfile::tempdir().expect("a temporary folder");
        fs::write(dir.path().join("net.onnx"), file).expect("a model");
        fs::write(dir.path().join("net.toml"), card).expect("a card");
        Matte::open(&dir.path().join("net.onnx"))
    }

    /// Red on its left half, green on its right.
    fn picture() -> RgbImage {
        RgbImage::from_fn(64, 32, |x, _| Rgb(if x < 32 { [255, 0, 0] } else { [0, 255, 0] }))
    }

    #[test]
    fn one_channel_is_taken_as_it_is_at_the_size_of_the_picture() {
        let mask = open(CARD, 1).expect("a network").of(&picture()).expect("it runs");
        assert_eq!(mask.dimensions(), (64, 32));
        assert_eq!((mask.get_pixel(5, 20).0, mask.get_pixel(60, 20).0), ([255], [0]));
    }

    #[test]
    fn of_several_channels_the_named_one_counts() {
        let card = format!("{CARD}output_channel = 1\n");
        let mask = open(&card, 3).expect("a network").of(&picture()).expect("it runs");
        let at = |x| mask.get_pixel(x, 20).0[0];
        // e over e + 1 + 1, and 1 over the same
        assert_eq!((at(60), at(5)), (147, 54));
        let error = open(&card, 1).err().expect("no such channel").to_string();
        assert!(error.contains("[1, 1, 16, 16]") && error.contains("output_channel"), "{error}");
    }

    #[test]
    fn another_kind_is_refused() {
        let card =
            CARD.replace("matte", "features") + "output_dimension = 3\nsame_person_cosine = 0.5\n";
        let error = open(&card, 1).err().expect("refused").to_string();
        assert!(error.contains("\"matte\" is needed"), "{error}");
    }
}
