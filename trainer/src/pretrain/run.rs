//! A whole pretraining: tokenizer, autoencoder, judges, denoiser, and the folders they make.

use std::fs;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use likeness_diffusion::checkpoint::Checkpoint;
use likeness_diffusion::text::{TextConfig, TextEncoder};
use likeness_diffusion::tokenizer::{Tokenizer, learned};

use super::autoencoder::{Autoencoder, Beginning};
use super::axes::Asked;
use super::captions::Captions;
use super::config::{FaceReaderConfig, LatentReaderConfig, PretrainConfig, ReaderConfig, Training};
use super::corpus::Corpus;
use super::denoiser::Denoiser;
use super::export::{self, Models};
use super::judges::finder::Finder;
use super::judges::identity::IdentityEncoder;
use super::judges::reader::{Look, Reader, Rough};
use super::judges::trunk::TrunkConfig;
use super::latent_faces::LatentFaces;
use super::latent_reader::{LatentReader, SIDE};
use super::latents::Latents;
use super::learner::Learner;
use super::parameters::Parameters;
use super::stage::{self, Stage};
use crate::error::TrainError;
use crate::objective::Objective;
use crate::progress::{Event, Stop};

/// The folder of the autoencoder's stage.
const AUTOENCODER: &str = "autoencoder";

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
    /// The reader of pictures.
    Reader,
    /// The reader of faces.
    FaceReader,
    /// The autoencoder alone.
    Autoencoder,
    /// Tokenizer, text encoder and UNet, for which the autoencoder need not be finished.
    Denoiser,
    /// All of these, as a folder.
    Base,
}

impl Part {
    /// All, in the order in which they are trained, by name.
    pub const ALL: [(&'static str, Self); 8] = [
        ("corpus", Self::Corpus),
        ("finder", Self::Finder),
        ("identity", Self::Identity),
        ("reader", Self::Reader),
        ("face-reader", Self::FaceReader),
        ("autoencoder", Self::Autoencoder),
        ("denoiser", Self::Denoiser),
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
            Part::FaceReader => run.face_reader()?,
            Part::Autoencoder => run.autoencoder(&run.beginning()?)?.1,
            Part::Denoiser => run.denoiser(&run.beginning()?.latents)?.1,
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
type Stopped = Option<&'static str>;

/// What reads latents, with the weights that it learned, and how much its answers count.
type Judged<'a> = Option<(LatentReader<'a>, Parameters, f64)>;

/// A text encoder with its sizes, and a UNet.
struct Painter {
    text_config: TextConfig,
    text: Parameters,
    unet: Parameters,
}

impl Run<'_> {
    /// Trains `learners`, unless for no step; whether they came to their end.
    fn train(
        &mut self,
        name: &'static str,
        task: &dyn Stage,
        learners: &mut [Learner],
        training: &Training,
    ) -> Result<Stopped, TrainError> {
        if training.steps == 0 {
            return Ok(None); // as the base has it
        }
        (self.on_stage)(name);
        let folder = self.config.out.join(name);
        let engine = (self.stop, self.device);
        stage::run(task, learners, &training.plan(), &folder, engine, self.on_event)?;
        Ok(self.stop.asked().then_some(name))
    }

    fn finder(&mut self) -> Result<Stopped, TrainError> {
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

    fn identity(&mut self) -> Result<Stopped, TrainError> {
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

    fn reader(&mut self) -> Result<Stopped, TrainError> {
        let ReaderConfig { axes, trunk, train } = &self.config.reader;
        self.reads(("reader", Look::Picture), ("reader.axes", axes), trunk, train)
    }

    fn face_reader(&mut self) -> Result<Stopped, TrainError> {
        let FaceReaderConfig { axes, side, margin, trunk, train } = &self.config.face_reader;
        let look = Look::Face(*side, *margin);
        self.reads(("face_reader", look), ("face_reader.axes", axes), trunk, train)
    }

    /// Trains a reader.
    fn reads(
        &mut self,
        (name, look): (&'static str, Look),
        axes: (&'static str, &[String]),
        trunk: &TrunkConfig,
        training: &Training,
    ) -> Result<Stopped, TrainError> {
        let asked = Asked::named(self.corpus, axes)?;
        let (corpus, seed, device) = (self.corpus, self.config.seed, self.device);
        let batch = training.batch;
        // Who learns flaws shall judge photos, not samples.
        let photos = self.config.corpus.flawed > 0.0;
        let rough = if photos { Rough::Photos } else { Rough::Samples };
        let task = Reader { name, look, asked, rough, trunk, corpus, batch, seed, device };
        let mut learner = [task.learner()];
        let stopped = self.train(name, &task, &mut learner, training)?;
        export::reader(self.config, &task, task.onnx(&learner[0].averaged()))?;
        Ok(stopped)
    }

    /// What an autoencoder begins with: the base's if it has as many latent channels, or the transform
    /// of the corpus, whose first channels are those of a base with fewer.
    fn beginning(&self) -> Result<Beginning, TrainError> {
        let (config, corpus) = (self.config.vae(1.0), self.corpus);
        if let Some(base) = &self.config.from
            && Checkpoint::open(base, None)?.vae.latent_channels == config.latent_channels
        {
            return Beginning::read(&config, corpus, base, self.device);
        }
        let begun = self.config.out.join(AUTOENCODER).join(stage::STATE).exists();
        Ok(Beginning::fresh(&config, corpus, (self.config.seed, begun), self.device))
    }

    /// Trains the decoder of `beginning`; the whole autoencoder.
    fn autoencoder(&mut self, beginning: &Beginning) -> Result<(Parameters, Stopped), TrainError> {
        let config = &self.config.autoencoder;
        let task = Autoencoder {
            config: self.config.vae(1.0),
            corpus: self.corpus,
            beginning,
            square: config.square,
            faces: config.faces,
            batch: config.train.batch,
            seed: self.config.seed,
            device: self.device,
        };
        let mut decoder = [task.learner()];
        let stopped = self.train(AUTOENCODER, &task, &mut decoder, &config.train)?;
        Ok((task.averaged(&decoder[0]), stopped))
    }

    /// Trains the text encoder, or takes the base's.
    fn text(&mut self, tokenizer: &Tokenizer) -> Result<(Parameters, Stopped), TrainError> {
        let training = self.config.text.train;
        let task = Captions {
            text: self.config.text_encoder(tokenizer.vocabulary()),
            corpus: self.corpus,
            tokenizer,
            batch: training.batch,
            seed: self.config.seed,
            device: self.device,
        };
        if let Some(base) = &self.config.from {
            return Ok((task.read(base)?, None));
        }
        let mut learners = task.learners();
        let stopped = self.train("text", &task, &mut learners, &training)?;
        Ok((learners[0].averaged(), stopped))
    }

    /// Trains the reader of latents, if the file has one.
    fn latent_reader<'b>(
        &mut self,
        latents: &'b Latents,
    ) -> Result<(Judged<'b>, Stopped), TrainError>
    where
        Self: 'b,
    {
        let Some(LatentReaderConfig { axes, weight, trunk, train }) = &self.config.latent_reader
        else {
            return Ok((None, None));
        };
        let task = LatentReader {
            asked: Asked::named(self.corpus, ("latent_reader.axes", axes))?,
            trunk,
            corpus: self.corpus,
            latents,
            faces: LatentFaces::new(self.corpus, latents, SIDE, self.device),
            batch: train.batch,
            seed: self.config.seed,
            device: self.device,
        };
        let mut learner = [task.learner()];
        let stopped = self.train("latent_reader", &task, &mut learner, train)?;
        Ok((Some((task, learner[0].averaged(), *weight)), stopped))
    }

    /// Trains the text encoder and, once it is finished, the UNet; `None` before that.
    fn denoiser(&mut self, latents: &Latents) -> Result<(Option<Painter>, Stopped), TrainError> {
        let (config, training) = (self.config, self.config.denoiser.train);
        let tokenizer = tokenizer(config, self.corpus)?;
        let text_config = config.text_encoder(tokenizer.vocabulary());
        let (text, stopped) = self.text(&tokenizer)?;
        if stopped.is_some() {
            return Ok((None, stopped));
        }
        let (reader, stopped) = self.latent_reader(latents)?;
        if stopped.is_some() {
            return Ok((None, stopped));
        }
        let encoder = TextEncoder::load(text_config.clone(), &text.frozen(), self.device);
        let task = Denoiser {
            unet: config.unet(),
            text: encoder.expect("all of its weights are there"),
            schedule: config.noise(),
            objective: Objective { min_snr_gamma: Some(config.denoiser.min_snr_gamma) },
            background: config.denoiser.background,
            reader,
            timestep_power: config.denoiser.timestep_power,
            corpus: self.corpus,
            latents,
            tokenizer: &tokenizer,
            batch: training.batch,
            seed: config.seed,
            device: self.device,
        };
        let mut unet = [task.learner(config.denoiser.average, config.from.as_deref())?];
        let begun = unet[0].parameters.values.clone();
        let stopped = self.train("denoiser", &task, &mut unet, &training)?;
        let unet = unet[0].averaged();
        let kept = config.denoiser.kept;
        let unet = if kept > 0.0 { unet.blended(begun, kept) } else { unet };
        Ok((Some(Painter { text_config, text, unet }), stopped))
    }

    fn base(&mut self) -> Result<Stopped, TrainError> {
        (self.on_stage)("latents");
        let beginning = self.beginning()?;
        let (vae, stopped) = self.autoencoder(&beginning)?;
        if stopped.is_some() {
            return Ok(stopped);
        }
        let (painter, stopped) = self.denoiser(&beginning.latents)?;
        // A base that is not finished can be looked at, too.
        if let Some(Painter { text_config, text, unet }) = &painter {
            let (vae, scaling) = (&vae, beginning.latents.scaling);
            let models = Models { vae, scaling, unet, text, text_config };
            let out = &self.config.out;
            export::base(self.config, &models, &out.join("tokenizer"), &out.join("base"))?;
        }
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
