//! Checkpoints as one file in the original (CompVis) layout.

use std::path::Path;
use std::rc::Rc;

use super::{Checkpoint, Family, Layout, Part, family, infer, read_configs};
use crate::error::Error;
use crate::precision::Precision;
use crate::schedule::{Prediction, ScheduleConfig};
use crate::tokenizer::{Pad, Tokenizer};
use crate::weights::names::{ldm, openclip};
use crate::weights::{Source, TensorFile};

pub fn open(path: &Path, configs: Option<&Path>) -> Result<Checkpoint, Error> {
    let file = TensorFile::open(path)?;
    let family = family::of_single(&file)?;
    refuse_unknown(&file)?;
    let (unet, vae, text, schedule, tokenizer) = match configs {
        Some(folder) => {
            let (unet, vae, text, schedule) = read_configs(folder)?;
            (unet, vae, text, schedule, Tokenizer::open(&folder.join("tokenizer"))?)
        }
        None => {
            let inferred = infer::configs(&file, family)?;
            let (pad, prediction_type) = match family {
                Family::Sd1 => (Pad::End, Prediction::Epsilon),
                // A file does not say it; SD 2.x at 768 px, the usual one, predicts velocity.
                Family::Sd2 => (Pad::Zero, Prediction::VPrediction),
            };
            let schedule = ScheduleConfig { prediction_type, ..ScheduleConfig::default() };
            let (unet, vae, text) = inferred;
            (unet, vae, text, schedule, Tokenizer::builtin(pad))
        }
    };
    unet.check().map_err(|reason| Error::Config { path: path.into(), reason })?;
    let layout = Layout::Single;
    let (path, precision) = (path.into(), Precision::F32);
    Ok(Checkpoint { path, layout, family, unet, vae, text, schedule, precision, tokenizer })
}

pub fn source(checkpoint: &Checkpoint, part: Part) -> Result<Source, Error> {
    let path = &checkpoint.path;
    let files = vec![Rc::new(TensorFile::open(path)?)];
    Ok(match part {
        Part::Unet => {
            let config = checkpoint.unet.clone();
            let rename = move |name: &str| ldm::unet(name, &config).into_iter().collect();
            Source::new(path, files, ldm::UNET, Box::new(rename), |_| false)
        }
        Part::Vae => {
            let levels = checkpoint.vae.block_out_channels.len();
            let rename = move |name: &str| ldm::vae(name, levels).into_iter().collect();
            Source::new(path, files, ldm::VAE, Box::new(rename), ldm::vae_stray)
        }
        Part::Text => match checkpoint.family {
            Family::Sd1 => {
                let stray = |name: &str| name.ends_with("embeddings.position_ids");
                Source::new(path, files, ldm::TEXT, Box::new(ldm::text), stray)
            }
            Family::Sd2 => {
                let rename = |name: &str| openclip::text(name).into_iter().collect();
                // The last layer is not used: the text states are those before it.
                Source::new(path, files, openclip::TEXT, Box::new(rename), openclip_stray)
            }
        },
    })
}

/// What the tower has beside what is used. A missing layer would be missed by name, so a
/// layer that no one asked for is the unused last one.
fn openclip_stray(name: &str) -> bool {
    openclip::stray(name) || openclip::layer(name).is_some()
}

/// Refuses tensors that belong to none of the three models.
fn refuse_unknown(file: &TensorFile) -> Result<(), Error> {
    let known = [ldm::UNET, ldm::VAE, "cond_stage_model."];
    let unknown =
        |name: &String| !known.iter().any(|prefix| name.starts_with(prefix)) && !ldm::stray(name);
    let unused: Vec<_> = file.names().into_iter().filter(unknown).collect();
    if unused.is_empty() {
        return Ok(());
    }
    let (missing, misshapen) = (Vec::new(), Vec::new());
    let component = "checkpoint".into();
    Err(Error::Names { component, path: file.path().into(), missing, unused, misshapen })
}
