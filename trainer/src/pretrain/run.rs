//! A whole pretraining: tokenizer, autoencoder, latents, denoiser, and the folder they make.

use std::fs;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use likeness_diffusion::tokenizer::{Tokenizer, learned};

use super::autoencoder::Autoencoder;
use super::config::PretrainConfig;
use super::corpus::Corpus;
use super::denoiser::{Denoiser, Latents};
use super::export::{Models, export};
use super::stage;
use crate::error::TrainError;
use crate::objective::Objective;
use crate::progress::{Event, Stop};

/// How a pretraining ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pretrained {
    /// All stages are done; here is the base.
    Finished(PathBuf),
    /// Someone asked to stop; the stage's last state is kept.
    Stopped(&'static str),
}

/// Where the pictures of a pretraining in `out` are.
pub fn corpus_folder(out: &Path) -> PathBuf {
    out.join("corpus")
}

/// Trains what `config` says on the corpus in its folder, going on where it was cut off.
///
/// `on_stage` hears the name of each stage that begins.
pub fn pretrain(
    config: &PretrainConfig,
    device: &Device,
    stop: &Stop,
    on_stage: &mut dyn FnMut(&str),
    on_event: &mut dyn FnMut(Event),
) -> Result<Pretrained, TrainError> {
    let (out, seed) = (&config.out, config.seed);
    let corpus = Corpus::open(&corpus_folder(out), config.corpus.side, config.pictures().1)?;
    let tokenizer = tokenizer(config, &corpus)?;

    on_stage("autoencoder");
    let training = config.autoencoder.train;
    let batch = training.batch;
    let task = Autoencoder { config: config.vae(1.0), corpus: &corpus, batch, seed, device };
    let mut vae = [task.learner()];
    let folder = out.join("autoencoder");
    stage::run(&task, &mut vae, &training.plan(), &folder, (stop, device), on_event)?;
    if stop.asked() {
        return Ok(Pretrained::Stopped("autoencoder"));
    }

    on_stage("latents");
    let latents = Latents::of(&corpus, &task.averaged(&vae[0]), device);

    on_stage("denoiser");
    let training = config.denoiser.train;
    let text = config.text_encoder(tokenizer.vocabulary());
    let task = Denoiser {
        unet: config.unet(),
        text: text.clone(),
        schedule: config.noise(),
        objective: Objective { min_snr_gamma: Some(config.denoiser.min_snr_gamma) },
        corpus: &corpus,
        latents: &latents,
        tokenizer: &tokenizer,
        batch: training.batch,
        seed,
        device,
    };
    let mut denoiser = task.learners(config.denoiser.average);
    let folder = out.join("denoiser");
    stage::run(&task, &mut denoiser, &training.plan(), &folder, (stop, device), on_event)?;

    // A base that is not finished can be looked at, too.
    let base = out.join("base");
    let (vae, scaling) = (&vae[0].averaged(), latents.scaling);
    let models = Models { vae, scaling, denoiser: &denoiser, text: &text };
    export(config, &models, &out.join("tokenizer"), &base)?;
    Ok(if stop.asked() { Pretrained::Stopped("denoiser") } else { Pretrained::Finished(base) })
}

/// The tokenizer of an earlier call, or one learned from the captions.
fn tokenizer(config: &PretrainConfig, corpus: &Corpus) -> Result<Tokenizer, TrainError> {
    let folder = config.out.join("tokenizer");
    if !folder.join("tokenizer_config.json").exists() {
        fs::create_dir_all(&folder).map_err(TrainError::io("create", &folder))?;
        let pictures = (0..corpus.training()).flat_map(|i| &corpus.label(i).captions);
        let text = &config.text;
        learned(pictures.map(String::as_str), text.merges, text.window, &folder)?;
    }
    Ok(Tokenizer::open(&folder)?)
}
