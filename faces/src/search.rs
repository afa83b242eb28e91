//! Finds model files in a folder and its subfolders.

use std::fs;
use std::path::{Path, PathBuf};

use crate::card::{Kind, ModelCard};
use crate::catalog;
use crate::error::FaceError;
use crate::fingerprint::sha256_hex;

const DEPTH: usize = 2; // subfolders of subfolders, as in `models/faces/yunet/`

/// What a folder holds.
#[derive(Default)]
pub(crate) struct Found {
    /// The best model of each kind, with its file's bytes.
    pub detector: Option<(ModelCard, Vec<u8>)>,
    pub encoder: Option<(ModelCard, Vec<u8>)>,
    /// All that read pictures, in the order of their paths.
    pub readers: Vec<(ModelCard, Vec<u8>)>,
    /// ONNX files that nothing describes.
    pub unknown: Vec<PathBuf>,
}

impl Found {
    /// Searches `dir`, which exists. Models with a TOML go first, then the
    /// catalogue's order, then the path's.
    pub fn in_folder(dir: &Path) -> Result<Self, FaceError> {
        let mut found = Self::default();
        for path in onnx_files(dir, DEPTH)? {
            match card_of(&path)? {
                Some((card, bytes)) => found.offer(card, bytes),
                None => found.unknown.push(path),
            }
        }
        Ok(found)
    }

    fn offer(&mut self, card: ModelCard, bytes: Vec<u8>) {
        let place = match card.kind {
            Kind::Detector => &mut self.detector,
            Kind::Encoder => &mut self.encoder,
            Kind::Reader => return self.readers.push((card, bytes)),
            Kind::Features | Kind::Matte => return, // named by whoever wants one
        };
        if place.as_ref().is_none_or(|(best, _)| preference(&card) < preference(best)) {
            *place = Some((card, bytes));
        }
    }
}

fn preference(card: &ModelCard) -> (bool, usize) {
    (!description_of(&card.file).is_file(), catalog::rank(&card.sha256))
}

fn description_of(model: &Path) -> PathBuf {
    model.with_extension("toml")
}

/// The card of a model file, from its TOML or from the catalogue.
fn card_of(path: &Path) -> Result<Option<(ModelCard, Vec<u8>)>, FaceError> {
    let unreadable = |source| FaceError::Read { path: path.into(), source };
    let description = description_of(path);
    if description.is_file() {
        let bytes = fs::read(path).map_err(unreadable)?;
        let card = ModelCard::read(path.into(), sha256_hex(&bytes), &description)?;
        return Ok(Some((card, bytes)));
    }
    // Only a file of a known size can be known: others are not read at all.
    let size = fs::metadata(path).map_err(unreadable)?.len();
    if catalog::MODELS.iter().any(|known| known.size_bytes == size) {
        let bytes = fs::read(path).map_err(unreadable)?;
        if let Some(known) = catalog::by_sha256(&sha256_hex(&bytes)) {
            return Ok(Some((ModelCard::known(path.into(), known), bytes)));
        }
    }
    let namesake = catalog::MODELS.iter().find(|known| path.ends_with(known.file));
    match namesake {
        Some(known) => Err(FaceError::OtherBytes { path: path.into(), name: known.name }),
        None => Ok(None),
    }
}

/// The ONNX files in `dir` and `depth` levels below, sorted by path.
fn onnx_files(dir: &Path, depth: usize) -> Result<Vec<PathBuf>, FaceError> {
    let unreadable = |source| FaceError::Read { path: dir.into(), source };
    let mut paths = Vec::new();
    for entry in fs::read_dir(dir).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.is_dir() && depth > 0 {
            paths.extend(onnx_files(&path, depth - 1)?);
        } else if path.is_file() && path.extension().is_some_and(|e| e.eq_ignore_ascii_case("onnx"))
        {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}
