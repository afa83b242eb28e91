//! Pictures with captions and labels, all of one size, in two files of one folder.
//!
//! `pictures.rgb` holds the pictures one after the other, 8 bits a channel, row by row;
//! `pictures.jsonl` a line for each: its [`Label`]. The last ones are held out: they
//! are never trained on.

use std::fs;
use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};
use serde::{Deserialize, Serialize};

use crate::error::TrainError;

/// What is known of a picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Label {
    /// Whom it shows.
    pub character: u64,
    /// Wordings of what it shows.
    pub captions: Vec<String>,
    /// A number for each thing that may be asked of it (place, light...), in the corpus's order.
    pub classes: Vec<usize>,
}

/// Pictures in memory.
#[derive(Debug)]
pub struct Corpus {
    side: usize,
    pixels: Vec<u8>,
    labels: Vec<Label>,
    held_out: usize,
}

impl Corpus {
    /// Opens the corpus in `folder`, of square pictures of `side` pixels; its last `held_out`
    /// pictures are not trained on.
    pub fn open(folder: &Path, side: usize, held_out: usize) -> Result<Self, TrainError> {
        let broken = |reason: String| TrainError::Folder { path: folder.into(), reason };
        let path = folder.join("pictures.rgb");
        let pixels = fs::read(&path).map_err(TrainError::io("read", &path))?;
        let path = folder.join("pictures.jsonl");
        let text = fs::read_to_string(&path).map_err(TrainError::io("read", &path))?;
        let labels = text.lines().map(serde_json::from_str).collect::<Result<Vec<Label>, _>>();
        let labels = labels.map_err(|error| {
            broken(format!("has a broken `pictures.jsonl`: {error}; delete the folder"))
        })?;
        if pixels.len() != labels.len() * side * side * 3 || labels.len() <= held_out {
            return Err(broken(format!(
                "holds {} labels and {} bytes of pixels, which is not a corpus of {side} x {side} pixels with {held_out} pictures held out; delete the folder",
                labels.len(),
                pixels.len()
            )));
        }
        Ok(Self { side, pixels, labels, held_out })
    }

    /// Pictures to train on.
    pub fn training(&self) -> usize {
        self.labels.len() - self.held_out
    }

    /// The indices of the pictures that are held out.
    pub fn held_out(&self) -> std::ops::Range<usize> {
        self.training()..self.labels.len()
    }

    /// What is known of picture `index`.
    pub fn label(&self, index: usize) -> &Label {
        &self.labels[index]
    }

    /// Pixels in [-1, 1], `[pictures, 3, side, side]`.
    pub fn pixels(&self, indices: &[usize], device: &Device) -> Tensor<4> {
        let plane = self.side * self.side;
        let mut values = vec![0f32; indices.len() * 3 * plane];
        for (picture, &index) in values.chunks_exact_mut(3 * plane).zip(indices) {
            let bytes = &self.pixels[index * 3 * plane..(index + 1) * 3 * plane];
            for (place, pixel) in bytes.chunks_exact(3).enumerate() {
                for (channel, &value) in pixel.iter().enumerate() {
                    picture[channel * plane + place] = f32::from(value) / 127.5 - 1.0;
                }
            }
        }
        let shape = [indices.len(), 3, self.side, self.side];
        Tensor::from_data(TensorData::new(values, shape), device)
    }
}
