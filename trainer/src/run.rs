//! The loop of a training run.

use std::path::PathBuf;

use burn::tensor::{Device, Tensor, TensorData};
use likeness_diffusion::adapter::{Adapter, Place, places};
use likeness_diffusion::noise;
use likeness_diffusion::probe::FirstNonFinite;
use likeness_diffusion::schedule::Schedule;
use likeness_diffusion::text::TextEncoder;
use likeness_diffusion::unet::{Checkpointing, Unet};

use crate::batches::Batches;
use crate::cache::Cache;
use crate::checkpoints::{self, Snapshot};
use crate::config::RunConfig;
use crate::error::TrainError;
use crate::header;
use crate::identity::Identity;
use crate::inputs::{About, Inputs, Said};
use crate::learning_rate::LearningRate;
use crate::objective::{Batch, Objective};
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
/// With `resume`, goes on from the last checkpoint. `stop` ends the run after its current step
/// with a checkpoint.
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
    run.resume(&folder)?;
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
    trainable: Trainable,
    adam: AdamW,
    checkpointing: Checkpointing,
    header: std::collections::HashMap<String, String>,
}

/// What one optimizer step gave.
struct Stepped {
    loss: Tensor<1>,
    norm: Tensor<1>,
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
            trainable,
            adam,
            checkpointing,
            header: Default::default(),
        })
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

    /// One optimizer step: gradients of `accumulate` batches, averaged, each with that of its class
    /// where it is preserved. The loss is the photos' alone.
    fn step(&mut self, step: usize, rate: f64) -> Stepped {
        let count = self.config.train.accumulate;
        let preservation = self.config.train.preservation();
        let (mut gradient, mut total) = (None, None);
        for part in 0..count {
            let index = step * count + part;
            let (loss, mut one) = self.gradient(|run| run.batch(index, About::Character));
            if let Some((weight, _)) = preservation.filter(|(_, every)| step.is_multiple_of(*every))
            {
                one = one + self.gradient(|run| run.class_batch(index)).1 * weight;
            }
            gradient = Some(gradient.map_or(one.clone(), |sum: Tensor<1>| sum + one));
            total = Some(total.map_or(loss.clone(), |sum: Tensor<1>| sum + loss));
        }
        let some = "at least one batch is accumulated";
        let (gradient, loss) = (gradient.expect(some), total.expect(some));
        let (gradient, loss) = (gradient / count as f64, loss / count as f64);
        let (values, norm) = self.adam.step(self.trainable.values.clone(), gradient, rate);
        self.trainable.values = values;
        Stepped { loss, norm }
    }

    /// Loss and gradient of one batch.
    fn gradient(&mut self, batch: impl FnOnce(&Self) -> Batch) -> (Tensor<1>, Tensor<1>) {
        // Anew for each batch: a backward pass uses its graph up.
        let leaves = self.trainable.install(&mut self.unet, self.text_encoder.as_mut());
        let (batch, how) = (batch(self), self.checkpointing);
        let (loss, mut pieces) =
            self.objective().gradients(&self.unet, &self.schedule, &batch, how);
        (loss, leaves.gradient(&mut pieces))
    }

    fn objective(&self) -> Objective {
        let gamma = self.config.train.min_snr_gamma;
        Objective { min_snr_gamma: (gamma > 0.0).then_some(gamma) }
    }

    /// Batch number `index`: photos, latents, noise and timesteps are functions of seed and index.
    fn batch(&self, index: usize, about: About) -> Batch {
        let (seed, at) = (self.config.seed, index as u64);
        let photos = self.batches.at(index);
        let [channels, height, width] = self.inputs.latent_shape(photos[0]);
        let shape = [photos.len(), channels, height, width];
        let draw = |purpose: &str| {
            let values = noise::normal(seed, purpose, at, shape.iter().product());
            Tensor::<4>::from_data(TensorData::new(values, shape), self.device)
        };
        let timestep =
            |i: usize| noise::below(seed, &format!("timestep {i}"), at, self.schedule.len());
        Batch {
            latents: self.inputs.latents(&photos, draw("latents"), self.device),
            noise: draw("noise"),
            timesteps: (0..photos.len()).map(timestep).collect(),
            text: self.text(&photos, &self.said(index, about)),
            target: None,
            mask: self.inputs.masks(&photos, self.device),
        }
    }

    /// Batch number `index` as photos of anyone, to be predicted as the base does.
    fn class_batch(&self, index: usize) -> Batch {
        let photos = self.batches.at(index);
        let mut batch = Batch { mask: None, ..self.batch(index, About::Class) };
        let said = self.said(index, About::Class);
        let states = self.inputs.states(&photos, &said, self.device);
        let states = states.expect("the base's states of the class are kept");
        let (noisy, times) = batch.noisy(&self.schedule);
        batch.target = Some(self.base.forward(noisy, &times, states));
        batch
    }

    /// The texts of batch number `index`: variants are functions of seed and index, too.
    fn said(&self, index: usize, about: About) -> Said {
        let count = self.inputs.variants();
        let one =
            |i: usize| noise::below(self.config.seed, &format!("text {i}"), index as u64, count);
        Said { about, variants: (0..self.batches.at(index).len()).map(one).collect() }
    }

    /// Text states of `photos`, by the encoder as it is now.
    fn text(&self, photos: &[usize], said: &Said) -> Tensor<3> {
        let Some(encoder) = &self.text_encoder else {
            let states = self.inputs.states(photos, said, self.device);
            return states.expect("states are kept unless the encoder learns");
        };
        let (windows, each) = self.inputs.windows(photos, said);
        let states = encoder.encode(&windows, self.config.train.clip_skip);
        let [_, tokens, width] = states.dims();
        states.reshape([photos.len(), each * tokens, width])
    }

    /// The first block whose output is not finite in the batches of `step`.
    fn blame(&self, step: usize) -> Option<String> {
        let (count, unet) = (self.config.train.accumulate, self.unet.untracked());
        (0..count).find_map(|part| {
            let mut batch = self.batch(step * count + part, About::Character);
            batch.text = batch.text.inner();
            let mut probe = FirstNonFinite::default();
            let objective = self.objective();
            objective.loss_probed(&unet, &self.schedule, &batch, &mut Some(&mut probe));
            probe.name
        })
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
