//! A whole pretraining: tokenizer, autoencoder, judges, denoiser, and the folders they make.

use std::fs;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use likeness_diffusion::tokenizer::{Tokenizer, learned};

use super::autoencoder::Autoencoder;
use super::config::{PretrainConfig, Training};
use super::corpus::Corpus;
use super::denoiser::{Denoiser, Latents};
use super::export::{self, Models};
use super::judges::finder::Finder;
use super::judges::identity::IdentityEncoder;
use super::judges::reader::Reader;
use super::learner::Learner;
use super::stage::{self, Stage};
use crate::error::TrainError;
use crate::objective::Objective;
use crate::progress::{Event, Stop};

/// How a pretraining ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pretrained {
    /// All that was asked for is done; here it is.
    Finished(PathBuf),
    /// Someone asked to stop; the stage's last state is kept.
    Stopped(&'static str),
}

/// Something that is trained for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The pictures alone; every other part makes sure of them, too.
    Corpus,
    /// The face finder.
    Finder,
    /// The identity encoder.
    Identity,
    /// The scene reader.
    Reader,
    /// The autoencoder alone; the base begins with it.
    Autoencoder,
    /// Tokenizer, autoencoder, text encoder and UNet.
    Base,
}

impl Part {
    /// All, in the order in which they are trained, by name.
    pub const ALL: [(&'static str, Self); 6] = [
        ("corpus", Self::Corpus),
        ("finder", Self::Finder),
        ("identity", Self::Identity),
        ("reader", Self::Reader),
        ("autoencoder", Self::Autoencoder),
        ("base", Self::Base),
    ];
}

/// Where the pictures of a pretraining in `out` are.
pub fn corpus_folder(out: &Path) -> PathBuf {
    out.join("corpus")
}

/// Trains `parts` of what `config` says on the corpus in its folder, going on where it was cut off.
///
/// `on_stage` hears the name of each stage that begins.
pub fn pretrain(
    config: &PretrainConfig,
    parts: &[Part],
    (device, stop): (&Device, &Stop),
    on_stage: &mut dyn FnMut(&str),
    on_event: &mut dyn FnMut(Event),
) -> Result<Pretrained, TrainError> {
    let folder = corpus_folder(&config.out);
    let corpus = Corpus::open(&folder, config.corpus.side, config.pictures())?;
    let mut run = Run { config, corpus: &corpus, device, stop, on_stage, on_event };
    for part in parts {
        let stopped = match part {
            Part::Corpus => None, // it is open
            Part::Finder => run.finder()?,
            Part::Identity => run.identity()?,
            Part::Reader => run.reader()?,
            Part::Autoencoder => run.autoencoder()?.1,
            Part::Base => run.base()?,
        };
        if let Some(stage) = stopped {
            return Ok(Pretrained::Stopped(stage));
        }
    }
    Ok(Pretrained::Finished(config.out.clone()))
}

/// What all stages share.
struct Run<'a> {
    config: &'a PretrainConfig,
    corpus: &'a Corpus,
    device: &'a Device,
    stop: &'a Stop,
    on_stage: &'a mut dyn FnMut(&str),
    on_event: &'a mut dyn FnMut(Event),
}

/// The stage that someone stopped, if so.
type Stopped = Result<Option<&'static str>, TrainError>;

impl<'a> Run<'a> {
    /// Trains `learners`; whether they came to their end.
    fn train(
        &mut self,
        name: &'static str,
        task: &dyn Stage,
        learners: &mut [Learner],
        training: &Training,
    ) -> Stopped {
        (self.on_stage)(name);
        let folder = self.config.out.join(name);
        let engine = (self.stop, self.device);
        stage::run(task, learners, &training.plan(), &folder, engine, self.on_event)?;
        Ok(self.stop.asked().then_some(name))
    }

    fn finder(&mut self) -> Stopped {
        let config = &self.config.finder;
        let task = Finder {
            trunk: &config.trunk,
            side: config.side,
            corpus: self.corpus,
            batch: config.train.batch,
            seed: self.config.seed,
            device: self.device,
        };
        let mut learner = [task.learner()];
        let stopped = self.train("finder", &task, &mut learner, &config.train)?;
        export::finder(self.config, task.onnx(&learner[0].averaged()))?;
        Ok(stopped)
    }

    fn identity(&mut self) -> Stopped {
        let config = &self.config.identity;
        let task = IdentityEncoder {
            trunk: &config.trunk,
            side: config.side,
            margin: config.margin,
            dimension: config.dimension,
            corpus: self.corpus,
            batch: config.train.batch,
            seed: self.config.seed,
            device: self.device,
        };
        let mut learners = task.learners();
        let stopped = self.train("identity", &task, &mut learners, &config.train)?;
        export::identity(self.config, task.onnx(&learners[0].averaged()))?;
        Ok(stopped)
    }

    fn reader(&mut self) -> Stopped {
        let config = &self.config.reader;
        let task = Reader {
            trunk: &config.trunk,
            corpus: self.corpus,
            batch: config.train.batch,
            seed: self.config.seed,
            device: self.device,
        };
        let mut learner = [task.learner()];
        let stopped = self.train("reader", &task, &mut learner, &config.train)?;
        export::reader(self.config, self.corpus.axes(), task.onnx(&learner[0].averaged()))?;
        Ok(stopped)
    }

    /// What was learned of the autoencoder, and whether someone stopped it.
    fn autoencoder(&mut self) -> Result<(Learner, Option<&'static str>), TrainError> {
        let training = self.config.autoencoder.train;
        let task = self.autoencoder_stage();
        let mut vae = [task.learner(self.config.from.as_deref())?];
        let stopped = self.train("autoencoder", &task, &mut vae, &training)?;
        let [vae] = vae;
        Ok((vae, stopped))
    }

    fn autoencoder_stage(&self) -> Autoencoder<'a> {
        let (config, corpus, device) = (self.config, self.corpus, self.device);
        let batch = config.autoencoder.train.batch;
        Autoencoder { config: config.vae(1.0), corpus, batch, seed: config.seed, device }
    }

    fn base(&mut self) -> Stopped {
        let (config, corpus, device) = (self.config, self.corpus, self.device);
        let (out, seed, from) = (&config.out, config.seed, config.from.as_deref());
        let tokenizer = tokenizer(config, corpus)?;
        let (vae, stopped) = self.autoencoder()?;
        if stopped.is_some() {
            return Ok(stopped);
        }
        (self.on_stage)("latents");
        let latents = Latents::of(corpus, &self.autoencoder_stage().averaged(&vae), device);

        let training = config.denoiser.train;
        let text = config.text_encoder(tokenizer.vocabulary());
        let task = Denoiser {
            unet: config.unet(),
            text: text.clone(),
            schedule: config.noise(),
            objective: Objective { min_snr_gamma: Some(config.denoiser.min_snr_gamma) },
            corpus,
            latents: &latents,
            tokenizer: &tokenizer,
            batch: training.batch,
            seed,
            device,
        };
        let mut denoiser = task.learners(config.denoiser.average, from)?;
        let stopped = self.train("denoiser", &task, &mut denoiser, &training)?;

        // A base that is not finished can be looked at, too.
        let (vae, scaling) = (&vae.averaged(), latents.scaling);
        let models = Models { vae, scaling, denoiser: &denoiser, text: &text };
        export::base(config, &models, &out.join("tokenizer"), &out.join("base"))?;
        Ok(stopped)
    }
}

/// The tokenizer of an earlier call, of the base that is begun with, or one learned from the captions.
fn tokenizer(config: &PretrainConfig, corpus: &Corpus) -> Result<Tokenizer, TrainError> {
    let folder = config.out.join("tokenizer");
    if !folder.join("tokenizer_config.json").exists() {
        if let Some(base) = &config.from {
            export::copied_tokenizer(&base.join("tokenizer"), &folder)?;
            return Ok(Tokenizer::open(&folder)?);
        }
        fs::create_dir_all(&folder).map_err(TrainError::io("create", &folder))?;
        let pictures = (0..corpus.training()).flat_map(|i| &corpus.label(i).captions);
        let text = &config.text;
        learned(pictures.map(String::as_str), text.merges, text.window, &folder)?;
    }
    Ok(Tokenizer::open(&folder)?)
}
