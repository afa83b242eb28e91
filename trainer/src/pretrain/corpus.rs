//! Pictures with captions and labels, all of one size, in four files of one folder.
//!
//! `axes.json` says what labels count ([`Axis`]), `characters.json` what each character looks like in
//! numbers; `pictures.rgb` holds the pictures one after the other, 8 bits a channel, row by row;
//! `pictures.jsonl` a line for each: its [`Label`]. The last ones are held out: they are never
//! trained on.

use std::fs;
use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};
use likeness_faces::Axis;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::error::TrainError;

/// What is known of a picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Label {
    /// Whom it shows.
    pub character: u64,
    /// Wordings of what it shows.
    pub captions: Vec<String>,
    /// Of each [`Axis`] the label that is true of it.
    pub classes: Vec<usize>,
    /// The face: left, top, right, bottom in pixels.
    pub face: [f32; 4],
    /// Right eye, left eye, nose tip, right and left mouth corner, of the character, in pixels.
    pub landmarks: [[f32; 2]; 5],
    /// How far the face is turned, in degrees; positive to the picture's right.
    pub yaw: f32,
}

impl Label {
    /// The middle of the landmarks, and how far they are spread, in pixels.
    pub fn middle(&self) -> ([f32; 2], f32) {
        let [right, left, _, mouth, _] = self.landmarks;
        let apart = |a: [f32; 2], b: [f32; 2]| (a[0] - b[0]).hypot(a[1] - b[1]);
        let middle = [0, 1].map(|axis| self.landmarks.iter().map(|p| p[axis]).sum::<f32>() / 5.0);
        (middle, apart(right, mouth).max(apart(right, left)).max(1.0))
    }
}

/// The file of the [`Axis`]es.
pub const AXES: &str = "axes.json";
/// The file of the characters' numbers.
pub const CHARACTERS: &str = "characters.json";
/// The file of the pixels.
pub const PIXELS: &str = "pictures.rgb";
/// The file of the [`Label`]s.
pub const LABELS: &str = "pictures.jsonl";

/// Pictures in memory.
#[derive(Debug)]
pub struct Corpus {
    side: usize,
    pixels: Vec<u8>,
    labels: Vec<Label>,
    axes: Vec<Axis>,
    characters: Vec<Vec<f32>>,
    held_out: usize,
}

impl Corpus {
    /// Opens the first `count` pictures of the corpus in `folder`, squares of `side` pixels; the
    /// last `held_out` of them are not trained on.
    pub fn open(
        folder: &Path,
        side: usize,
        (count, held_out): (usize, usize),
    ) -> Result<Self, TrainError> {
        let broken = |reason: String| TrainError::Folder { path: folder.into(), reason };
        let path = folder.join(PIXELS);
        let mut pixels = fs::read(&path).map_err(TrainError::io("read", &path))?;
        let text = |name: &str| {
            let path = folder.join(name);
            fs::read_to_string(&path).map_err(TrainError::io("read", &path))
        };
        let invalid = |name: &str, error: serde_json::Error| {
            broken(format!("has a broken `{name}`: {error}; delete the folder"))
        };
        let lines = text(LABELS)?;
        let labels = lines.lines().take(count).map(serde_json::from_str);
        let labels = labels.collect::<Result<Vec<Label>, _>>();
        let labels = labels.map_err(|error| invalid(LABELS, error))?;
        let axes = serde_json::from_str(&text(AXES)?).map_err(|error| invalid(AXES, error))?;
        let characters = serde_json::from_str(&text(CHARACTERS)?);
        let characters: Vec<Vec<f32>> = characters.map_err(|error| invalid(CHARACTERS, error))?;
        let known = |label: &Label| {
            let numbers = characters.get(label.character as usize);
            numbers.is_some_and(|numbers| numbers.len() == characters[0].len())
        };
        if !labels.iter().all(known) {
            return Err(broken(format!(
                "has a `{CHARACTERS}` that lacks numbers of some character; delete the folder"
            )));
        }
        if pixels.len() < count * side * side * 3 || labels.len() < count {
            return Err(broken(format!(
                "holds {} labels and {} bytes of pixels, too few for {count} pictures of {side} x {side} pixels; delete the folder",
                labels.len(),
                pixels.len()
            )));
        }
        pixels.truncate(count * side * side * 3);
        Ok(Self { side, pixels, labels, axes, characters, held_out })
    }

    /// Pictures to train on.
    pub fn training(&self) -> usize {
        self.labels.len() - self.held_out
    }

    /// The indices of the pictures that are held out.
    pub fn held_out(&self) -> std::ops::Range<usize> {
        self.training()..self.labels.len()
    }

    /// What may be asked of each picture.
    pub fn axes(&self) -> &[Axis] {
        &self.axes
    }

    /// What the character of picture `index` looks like: as many numbers for all, about one in size.
    pub fn traits(&self, index: usize) -> &[f32] {
        &self.characters[self.labels[index].character as usize]
    }

    /// Pixels a side.
    pub fn side(&self) -> usize {
        self.side
    }

    /// Red, green and blue of picture `index`, row by row, 0 to 255.
    pub fn rgb(&self, index: usize) -> &[u8] {
        let each = self.side * self.side * 3;
        &self.pixels[index * each..(index + 1) * each]
    }

    /// What is known of picture `index`.
    pub fn label(&self, index: usize) -> &Label {
        &self.labels[index]
    }

    /// Pixels in [-1, 1], `[pictures, 3, side, side]`.
    pub fn pixels(&self, indices: &[usize], device: &Device) -> Tensor<4> {
        let whole: Vec<_> = indices.iter().map(|index| (*index, [0, 0])).collect();
        self.squares(&whole, self.side, device)
    }

    /// Squares of `side` pixels of some pictures, each from a row and a column, in [-1, 1]:
    /// `[pictures, 3, side, side]`.
    pub fn squares(
        &self,
        squares: &[(usize, [usize; 2])],
        side: usize,
        device: &Device,
    ) -> Tensor<4> {
        let plane = side * side;
        let mut values = vec![0f32; squares.len() * 3 * plane];
        values.par_chunks_exact_mut(3 * plane).zip(squares).for_each(|(square, &(index, from))| {
            let rgb = self.rgb(index);
            for place in 0..plane {
                let (y, x) = (from[0] + place / side, from[1] + place % side);
                let pixel = &rgb[(y * self.side + x) * 3..][..3];
                for (channel, &value) in pixel.iter().enumerate() {
                    square[channel * plane + place] = f32::from(value) / 127.5 - 1.0;
                }
            }
        });
        let shape = [squares.len(), 3, side, side];
        Tensor::from_data(TensorData::new(values, shape), device)
    }
}
