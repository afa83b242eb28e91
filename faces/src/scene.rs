//! Tells what else a picture shows: its place, its light, its expression, whatever readers know.

use std::path::Path;

use image::RgbImage;
use image::imageops::{FilterType, resize};

use crate::align::align_with_margin;
use crate::card::{Axis, ModelCard, Region};
use crate::conditions;
use crate::error::FaceError;
use crate::face::Face;
use crate::network::Network;
use crate::search::Found;

/// Networks that answer for each label of each of their axes. Can be shared between threads.
pub struct SceneReader {
    networks: Vec<Network>,
    axes: Vec<Axis>,
}

impl SceneReader {
    /// Opens the readers in `dir` and up to two levels below, but for those of flaws alone, which no
    /// prompt asks for; `None` where there is none.
    pub fn open(dir: &Path) -> Result<Option<Self>, FaceError> {
        let mut readers = Found::in_folder(dir)?.readers;
        readers.retain(|(card, _)| card.axes.iter().any(|axis| !conditions::has(axis)));
        if readers.is_empty() { Ok(None) } else { Self::load(readers).map(Some) }
    }

    /// Those of these files.
    pub(crate) fn load(readers: Vec<(ModelCard, Vec<u8>)>) -> Result<Self, FaceError> {
        let networks = readers.into_iter().map(|(card, bytes)| Network::load(card, &bytes));
        let networks: Vec<Network> = networks.collect::<Result<_, _>>()?;
        let axes = networks.iter().flat_map(|network| network.card().axes.clone()).collect();
        let reader = Self { networks, axes };
        for network in &reader.networks {
            let side = network.card().input_size;
            answers(network, &RgbImage::new(side, side))?;
        }
        Ok(reader)
    }

    /// What they tell.
    pub fn axes(&self) -> &[Axis] {
        &self.axes
    }

    /// Whether one of them looks at faces.
    pub fn looks_at_faces(&self) -> bool {
        self.cards().any(|card| card.looks_at == Region::Face)
    }

    /// Of each axis the number of the label that `image` shows; `None` for what only a face tells
    /// where there is none. Whole pictures are looked at as squares.
    pub fn read(
        &self,
        image: &RgbImage,
        face: Option<&Face>,
    ) -> Result<Vec<Option<usize>>, FaceError> {
        let best = |shares: Vec<f32>| {
            let best = shares.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
            best.map(|(label, _)| label)
        };
        Ok(self.shares(image, face)?.into_iter().map(|shares| shares.and_then(best)).collect())
    }

    /// Of each axis how sure they are of each label, 0 to 1, in sum 1; `None` as for [`Self::read`].
    pub fn shares(
        &self,
        image: &RgbImage,
        face: Option<&Face>,
    ) -> Result<Vec<Option<Vec<f32>>>, FaceError> {
        let mut read = Vec::with_capacity(self.axes.len());
        for network in &self.networks {
            let ModelCard { input_size: side, looks_at, margin, .. } = *network.card();
            let seen = match (looks_at, face) {
                (Region::Picture, _) if image.dimensions() == (side, side) => image.clone(),
                (Region::Picture, _) => resize(image, side, side, FilterType::Triangle),
                (Region::Face, Some(face)) => {
                    align_with_margin(image, &face.landmarks, side, margin)
                }
                (Region::Face, None) => {
                    read.extend(network.card().axes.iter().map(|_| None));
                    continue;
                }
            };
            let answers = answers(network, &seen)?;
            let mut rest = answers.as_slice();
            for axis in &network.card().axes {
                let (own, others) = rest.split_at(axis.labels.len());
                rest = others;
                read.push(Some(softmax(own)));
            }
        }
        Ok(read)
    }

    /// The readers' cards.
    pub fn cards(&self) -> impl Iterator<Item = &ModelCard> {
        self.networks.iter().map(Network::card)
    }
}

/// Answers as shares of 1.
fn softmax(answers: &[f32]) -> Vec<f32> {
    let most = answers.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f32> = answers.iter().map(|answer| (answer - most).exp()).collect();
    let sum: f32 = powers.iter().sum();
    powers.into_iter().map(|power| power / sum).collect()
}

/// One number for each label of each of the network's axes.
fn answers(network: &Network, image: &RgbImage) -> Result<Vec<f32>, FaceError> {
    let outputs = network.run(image)?;
    let labels: usize = network.card().axes.iter().map(|axis| axis.labels.len()).sum();
    match outputs.as_slice() {
        [only] if only.values.len() == labels => Ok(only.values.clone()),
        _ => {
            let shapes: Vec<String> =
                outputs.iter().map(|output| format!("{:?}", output.shape)).collect();
            Err(FaceError::Output {
                path: network.card().file.clone(),
                found: format!("outputs of shape {}", shapes.join(", ")),
                expected: format!("one output of {labels} numbers"),
            })
        }
    }
}
