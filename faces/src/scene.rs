//! Tells what else a picture shows: its place, its light, whatever the reader knows.

use std::path::Path;

use image::RgbImage;
use image::imageops::{FilterType, resize};

use crate::card::{Axis, ModelCard};
use crate::error::FaceError;
use crate::network::Network;
use crate::search::Found;

/// A network that answers for each label of each of its axes. Can be shared between threads.
pub struct SceneReader {
    network: Network,
}

impl SceneReader {
    /// Opens the reader in `dir` or up to two levels below; `None` where there is none.
    pub fn open(dir: &Path) -> Result<Option<Self>, FaceError> {
        let Some((card, bytes)) = Found::in_folder(dir)?.reader else {
            return Ok(None);
        };
        let side = card.input_size;
        let reader = Self { network: Network::load(card, &bytes)? };
        reader.read(&RgbImage::new(side, side))?;
        Ok(Some(reader))
    }

    /// What it tells.
    pub fn axes(&self) -> &[Axis] {
        &self.card().axes
    }

    /// Of each axis the number of the label that `image` shows. The whole picture is looked at,
    /// as a square.
    pub fn read(&self, image: &RgbImage) -> Result<Vec<usize>, FaceError> {
        let side = self.card().input_size;
        let square = match image.dimensions() == (side, side) {
            true => image.clone(),
            false => resize(image, side, side, FilterType::Triangle),
        };
        let outputs = self.network.run(&square)?;
        let labels: usize = self.axes().iter().map(|axis| axis.labels.len()).sum();
        let answers = match outputs.as_slice() {
            [only] if only.values.len() == labels => &only.values,
            _ => {
                let shapes: Vec<String> =
                    outputs.iter().map(|output| format!("{:?}", output.shape)).collect();
                return Err(FaceError::Output {
                    path: self.card().file.clone(),
                    found: format!("outputs of shape {}", shapes.join(", ")),
                    expected: format!("one output of {labels} numbers"),
                });
            }
        };
        let mut rest = answers.as_slice();
        let best = |axis: &Axis| {
            let (own, others) = rest.split_at(axis.labels.len());
            rest = others;
            let best = own.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
            best.map_or(0, |(label, _)| label)
        };
        Ok(self.axes().iter().map(best).collect())
    }

    /// The reader's card.
    pub fn card(&self) -> &ModelCard {
        self.network.card()
    }
}
