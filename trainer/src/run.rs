//! The loop of a training run.

mod step;

use std::path::PathBuf;

use burn::tensor::Device;
use likeness_diffusion::adapter::{Adapter, Place, places};
use likeness_diffusion::schedule::Schedule;
use likeness_diffusion::text::TextEncoder;
use likeness_diffusion::unet::{Checkpointing, Unet};

use crate::batches::Batches;
use crate::cache::Cache;
use crate::checkpoints::{self, Snapshot};
use crate::class_pictures::{ClassPictures, Painter};
use crate::config::RunConfig;
use crate::error::TrainError;
use crate::header;
use crate::identity::Identity;
use crate::inputs::Inputs;
use crate::learning_rate::LearningRate;
use crate::optimizer::AdamW;
use crate::pace::Pace;
use crate::prepare::{Machine, Prepared};
use crate::progress::{Event, Stop, peak_memory_mib};
use crate::run_folder::RunFolder;
use crate::steps_log::{StepRecord, StepsLog};
use crate::trainable::Trainable;

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// All steps are taken; here is the adapter.
    Finished(PathBuf),
    /// Someone asked to stop; here is the checkpoint to go on from.
    Stopped(PathBuf),
}

/// Trains what `config` says on `machine`.
///
/// With `resume`, goes on from the last checkpoint. `stop` ends the run after its current step, or
/// its current picture of the class, with a checkpoint.
pub fn train(
    config: &RunConfig,
    machine: &Machine<'_>,
    resume: bool,
    stop: &Stop,
    on_event: &mut dyn FnMut(Event),
) -> Result<Outcome, TrainError> {
    let prepared = Prepared::open(config, machine.engine)?;
    let (fingerprint, identity) = prepared.identity(machine.engine)?;
    let folder = RunFolder::claim(config, &identity, resume)?;
    let maker = prepared.maker(&fingerprint, machine.device);
    let mut cache = Cache::new(&folder.cache());
    let caching = prepared.to_encode(&maker, &cache)? > 0;
    let plan = prepared.plan(caching, machine)?;
    folder.describe(config, &identity, &plan)?;
    on_event(Event::Planned(&plan));
    // VAE and text encoder are loaded and dropped in here.
    let inputs = maker.make(&prepared.dataset, &mut cache, &mut |done, of| {
        on_event(Event::Caching { done, of });
    })?;
    let checkpointing = plan.estimate.checkpointing;
    let mut run = Run::load(config, &prepared, inputs, machine.device, checkpointing)?;
    run.header = header::metadata(config, &prepared.checkpoint, &fingerprint, &prepared.dataset);
    let painted = run.paint_class(&fingerprint, &mut cache, stop, on_event)?;
    run.resume(&folder)?;
    if !painted {
        return run.stopped(&folder, &identity);
    }
    let outcome = run.go_on(&folder, &identity, stop, on_event)?;
    if let (true, Some(measured_mib)) = (machine.own_memory, peak_memory_mib()) {
        on_event(Event::Memory { plan: &plan, measured_mib });
    }
    Ok(outcome)
}

/// Everything that the loop holds.
struct Run<'a> {
    config: &'a RunConfig,
    device: &'a Device,
    schedule: Schedule,
    unet: Unet,
    base: Unet, // without any update
    text_encoder: Option<TextEncoder>,
    places: Vec<Place>,
    inputs: Inputs,
    batches: Batches,
    class_pictures: Option<ClassPictures>,
    trainable: Trainable,
    adam: AdamW,
    checkpointing: Checkpointing,
    header: std::collections::HashMap<String, String>,
}

impl<'a> Run<'a> {
    fn load(
        config: &'a RunConfig,
        prepared: &Prepared<'_>,
        inputs: Inputs,
        device: &'a Device,
        checkpointing: Checkpointing,
    ) -> Result<Self, TrainError> {
        let Prepared { checkpoint, targets, .. } = prepared;
        let mut unet = checkpoint.load_unet(device)?;
        let base = unet.clone(); // the same weights in memory
        let adapter = &config.adapter;
        let mut text_encoder = match adapter.text_encoder {
            true => Some(checkpoint.load_text_encoder(device)?),
            false => None,
        };
        let places = places(&mut unet, text_encoder.as_mut());
        let (rank, alpha) = (adapter.rank, adapter.alpha());
        let trainable = Trainable::fresh(&places, targets, rank, alpha, config.seed, device);
        let adam = AdamW::new(config.train.optimizer(), trainable.parameters(), device);
        let (buckets, weights) = (inputs.buckets(), inputs.weights());
        let batches = Batches::weighted(&buckets, &weights, config.train.batch, config.seed);
        Ok(Self {
            config,
            device,
            schedule: checkpoint.noise_schedule(),
            unet,
            base,
            text_encoder,
            places,
            inputs,
            batches,
            class_pictures: None,
            trainable,
            adam,
            checkpointing,
            header: Default::default(),
        })
    }

    /// Paints what the class is preserved on, if it is on pictures of it; `false` if someone asked to stop.
    fn paint_class(
        &mut self,
        fingerprint: &str,
        cache: &mut Cache,
        stop: &Stop,
        on_event: &mut dyn FnMut(Event),
    ) -> Result<bool, TrainError> {
        let train = &self.config.train;
        if train.class_pictures == 0 {
            return Ok(true);
        }
        let depends = format!("{fingerprint} {} {:?}", train.clip_skip, train.precision);
        let painter = Painter {
            base: &self.base,
            schedule: &self.schedule,
            inputs: &self.inputs,
            batch: train.batch,
            seed: self.config.seed,
            depends: &depends,
            device: self.device,
        };
        let pictures = painter.paint(train.class_pictures, cache, stop, &mut |done, of| {
            on_event(Event::Painting { done, of });
        })?;
        self.class_pictures = pictures;
        Ok(self.class_pictures.is_some())
    }

    /// Ends before any step of its own, with a checkpoint to go on from.
    fn stopped(&self, folder: &RunFolder, identity: &Identity) -> Result<Outcome, TrainError> {
        let path = match self.adam.steps {
            0 => self.store(folder, identity, 0)?,
            steps => checkpoints::folder_of(&folder.checkpoints(), steps),
        };
        Ok(Outcome::Stopped(path))
    }

    fn resume(&mut self, folder: &RunFolder) -> Result<(), TrainError> {
        let Some(manifest) = &folder.from else {
            return Ok(());
        };
        let length = self.trainable.parameters();
        let state = checkpoints::load(&folder.checkpoints(), manifest, length, self.device)?;
        self.trainable.values = state.values;
        (self.adam.first, self.adam.second) = (state.first, state.second);
        self.adam.steps = state.step;
        Ok(())
    }

    fn go_on(
        &mut self,
        folder: &RunFolder,
        identity: &Identity,
        stop: &Stop,
        on_event: &mut dyn FnMut(Event),
    ) -> Result<Outcome, TrainError> {
        let train = &self.config.train;
        let (steps, from) = (train.steps, self.adam.steps);
        let mut log = StepsLog::open(&folder.steps_log(), from)?;
        let (layers, parameters) = (self.trainable.layers(), self.trainable.parameters());
        on_event(Event::Starting { from, steps, layers, parameters });
        let mut pace = Pace::from(from, train.batch * train.accumulate);
        for step in from..steps {
            let rate = self.learning_rate().at(step);
            let stepped = self.step(step, rate);
            let done = step + 1;
            let asked = stop.asked();
            let saves = train.save_every > 0 && done % train.save_every == 0;
            if done % train.log_every == 0 || done == steps || asked || saves {
                let loss = stepped.loss.into_scalar::<f32>();
                let gradient_norm = stepped.norm.into_scalar::<f32>();
                if !(loss.is_finite() && gradient_norm.is_finite()) {
                    let module = self.blame(step);
                    return Err(TrainError::NotFinite { step: done, loss, module });
                }
                let record = StepRecord {
                    step: done,
                    loss,
                    learning_rate: rate,
                    gradient_norm,
                    images_per_second: pace.lap(done),
                    peak_memory_mib: peak_memory_mib(),
                };
                log.add(&record)?;
                on_event(Event::Step(&record));
            }
            if saves || asked || done == steps {
                let path = self.store(folder, identity, done)?;
                on_event(Event::Saved(&path));
                if asked && done < steps {
                    return Ok(Outcome::Stopped(path));
                }
            }
        }
        let last = checkpoints::folder_of(&folder.checkpoints(), steps);
        Ok(Outcome::Finished(folder.publish(&last)?))
    }

    fn learning_rate(&self) -> LearningRate {
        let train = &self.config.train;
        LearningRate {
            peak: train.learning_rate,
            shape: train.schedule,
            warmup_steps: train.warmup_steps,
            steps: train.steps,
        }
    }

    fn store(
        &self,
        folder: &RunFolder,
        identity: &Identity,
        step: usize,
    ) -> Result<PathBuf, TrainError> {
        let mut metadata = self.header.clone();
        metadata.insert("ss_steps".into(), step.to_string());
        let adapter = Adapter { metadata, ..self.trainable.to_adapter() };
        let snapshot = Snapshot {
            step,
            adapter: &adapter,
            dialect: self.config.save.dialect,
            places: &self.places,
            values: &self.trainable.values,
            adam: &self.adam,
            identity,
        };
        checkpoints::store(&folder.checkpoints(), &snapshot)
    }
}
