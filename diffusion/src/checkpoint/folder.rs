//! Checkpoints in diffusers' layout: a folder a model, configs beside the weights.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use serde::Deserialize;

use super::{Checkpoint, Layout, Part, family, read_configs, read_json};
use crate::error::Error;
use crate::precision::Precision;
use crate::tokenizer::Tokenizer;
use crate::weights::names::diffusers;
use crate::weights::{Source, TensorFile};

/// File names that a model's weights go by, best first, without their ending.
const STEMS: [&str; 2] = ["diffusion_pytorch_model", "model"];
/// Variants in a name, best first.
const VARIANTS: [&str; 4] = ["", ".fp16", ".bf16", ".non_ema"];

pub fn open(path: &Path) -> Result<Checkpoint, Error> {
    let not_one = |reason: &str| Error::NotACheckpoint { path: path.into(), reason: reason.into() };
    if !path.join("unet").is_dir() {
        let transformer = path.join("transformer").is_dir();
        return Err(match transformer {
            true => Error::Family {
                path: path.into(),
                found: "a transformer pipeline (FLUX, SD 3 or the like)".into(),
            },
            false => not_one("it has no `unet` folder"),
        });
    }
    let first = weights(path, Part::Unet)?;
    let family = family::of_unet(&TensorFile::open(&first[0])?)?;
    let (unet, vae, text, schedule) = read_configs(path)?;
    let tokenizer = Tokenizer::open(&path.join("tokenizer"))?;
    Ok(Checkpoint {
        path: path.into(),
        layout: Layout::Folder,
        family,
        unet,
        vae,
        text,
        schedule,
        precision: Precision::F32,
        tokenizer,
    })
}

pub fn source(path: &Path, part: Part) -> Result<Source, Error> {
    let files = weights(path, part)?;
    let open = |file: &PathBuf| TensorFile::open(file).map(Rc::new);
    let files = files.iter().map(open).collect::<Result<Vec<_>, _>>()?;
    let folder = path.join(subfolder(part));
    Ok(match part {
        Part::Unet => Source::new(&folder, files, "", Box::new(diffusers::unet), diffusers::none),
        Part::Vae => Source::new(&folder, files, "", Box::new(diffusers::vae), diffusers::none),
        Part::Text => {
            Source::new(&folder, files, "", Box::new(diffusers::text), diffusers::text_stray)
        }
    })
}

/// The weight files of all three models.
pub fn all_weights(path: &Path) -> Result<Vec<PathBuf>, Error> {
    let parts = [Part::Unet, Part::Vae, Part::Text];
    let files = parts.into_iter().map(|part| weights(path, part)).collect::<Result<Vec<_>, _>>()?;
    Ok(files.concat())
}

fn subfolder(part: Part) -> &'static str {
    match part {
        Part::Unet => "unet",
        Part::Vae => "vae",
        Part::Text => "text_encoder",
    }
}

/// A sharded model's table of contents.
#[derive(Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

/// The weight file of a model, or its shards.
pub fn weights(path: &Path, part: Part) -> Result<Vec<PathBuf>, Error> {
    let folder = path.join(subfolder(part));
    for stem in STEMS {
        for variant in VARIANTS {
            let whole = folder.join(format!("{stem}{variant}.safetensors"));
            if whole.exists() {
                return Ok(vec![whole]);
            }
            let index = folder.join(format!("{stem}{variant}.safetensors.index.json"));
            if index.exists() {
                let shards: BTreeSet<_> =
                    read_json::<Index>(&index)?.weight_map.into_values().collect();
                return Ok(shards.into_iter().map(|shard| folder.join(shard)).collect());
            }
        }
        let pickle =
            folder.join(format!("{}.bin", if stem == "model" { "pytorch_model" } else { stem }));
        if pickle.exists() {
            return Err(Error::Pickle { path: pickle });
        }
    }
    let reason = format!("it has no weights in `{}`", subfolder(part));
    Err(Error::NotACheckpoint { path: path.into(), reason })
}
