//! One step of a run: what it is shown, and what it learns from that.

use burn::tensor::{Tensor, TensorData};
use likeness_diffusion::noise;
use likeness_diffusion::probe::FirstNonFinite;

use super::Run;
use crate::class_pictures::Shown;
use crate::inputs::{About, Said};
use crate::objective::{Batch, Objective};

/// What one optimizer step gave.
pub(super) struct Stepped {
    pub loss: Tensor<1>,
    pub norm: Tensor<1>,
}

impl Run<'_> {
    /// One optimizer step: gradients of `accumulate` batches, averaged, each with that of its class
    /// where it is preserved. The loss is the photos' alone.
    pub(super) fn step(&mut self, step: usize, rate: f64) -> Stepped {
        let count = self.config.train.accumulate;
        let preservation = self.config.train.preservation();
        let (mut gradient, mut total) = (None, None);
        for part in 0..count {
            let index = step * count + part;
            let class = preservation.filter(|(_, every)| step.is_multiple_of(*every));
            let (loss, one) = self.gradient(index, class.map(|(weight, _)| weight));
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

    /// Loss and gradient of batch number `index`, and of its class by this weight where it is preserved:
    /// in one pass where both are of one size.
    fn gradient(&mut self, index: usize, class: Option<f64>) -> (Tensor<1>, Tensor<1>) {
        let (loss, gradient, together) = self.pass(|run| {
            let batch = run.batch(index, About::Character);
            let class = class.map(|weight| (run.class_batch(index), weight));
            let class = class.filter(|(class, _)| batch.goes_with(class));
            (batch, class)
        });
        match class.filter(|_| !together) {
            None => (loss, gradient),
            Some(weight) => {
                let (_, more, _) = self.pass(|run| (run.class_batch(index), None));
                (loss, gradient + more * weight)
            }
        }
    }

    /// Loss and gradient of a batch, with those of another by its weight, and whether there was another.
    fn pass(
        &mut self,
        batches: impl FnOnce(&Self) -> (Batch, Option<(Batch, f64)>),
    ) -> (Tensor<1>, Tensor<1>, bool) {
        // Anew for each pass: a backward pass uses its graph up.
        let leaves = self.trainable.install(&mut self.unet, self.text_encoder.as_mut());
        let (batch, other) = batches(self);
        let (objective, how) = (self.objective(), self.checkpointing);
        let (loss, mut pieces) = match &other {
            None => objective.gradients(&self.unet, &self.schedule, &batch, how),
            Some((other, weight)) => {
                let other = (other, *weight);
                objective.gradients_of_both(&self.unet, &self.schedule, &batch, other, how)
            }
        };
        (loss, leaves.gradient(&mut pieces), other.is_some())
    }

    fn objective(&self) -> Objective {
        let gamma = self.config.train.min_snr_gamma;
        Objective { min_snr_gamma: (gamma > 0.0).then_some(gamma) }
    }

    /// Batch number `index`: photos, latents, noise and timesteps are functions of seed and index.
    fn batch(&self, index: usize, about: About) -> Batch {
        let Shown { latents, photos, said } = self.shown(index, about);
        let drawn = |purpose: &str, i: usize| {
            let purpose = format!("{purpose} {i}");
            noise::below(self.config.seed, &purpose, index as u64, self.schedule.len())
        };
        // Who is painted is decided where nearly all is noise yet: the class is looked at there more often.
        let timestep = |i: usize| match about {
            About::Character => drawn("timestep", i),
            About::Class => drawn("timestep", i).max(drawn("class timestep", i)),
        };
        Batch {
            noise: self.draw("noise", index, latents.dims()),
            timesteps: (0..photos.len()).map(timestep).collect(),
            text: self.text(&photos, &said),
            target: None,
            mask: match about {
                About::Character => self.inputs.masks(&photos, self.device),
                About::Class => None,
            },
            latents,
        }
    }

    /// What batch number `index` shows: photos, or pictures of the class where there are such.
    fn shown(&self, index: usize, about: About) -> Shown {
        let pictures = self.class_pictures.as_ref().filter(|_| about == About::Class);
        if let Some(pictures) = pictures {
            return pictures.at(index / self.config.train.preserve_every, self.device);
        }
        let photos = self.batches.at(index);
        let [channels, height, width] = self.inputs.latent_shape(photos[0]);
        let drawn = self.draw("latents", index, [photos.len(), channels, height, width]);
        let latents = self.inputs.latents(&photos, drawn, self.device);
        Shown { latents, photos, said: self.said(index, about) }
    }

    /// Standard normal numbers, a function of the seed, their purpose and the batch's number.
    fn draw(&self, purpose: &str, index: usize, shape: [usize; 4]) -> Tensor<4> {
        let count = shape.iter().product();
        let values = noise::normal(self.config.seed, purpose, index as u64, count);
        Tensor::from_data(TensorData::new(values, shape), self.device)
    }

    /// Batch number `index` as photos of anyone, to be predicted as the base does.
    fn class_batch(&self, index: usize) -> Batch {
        let Shown { photos, said, .. } = self.shown(index, About::Class);
        let states = self.inputs.states(&photos, &said, self.device);
        let states = states.expect("the base's states of the class are kept");
        let mut batch = self.batch(index, About::Class);
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
    pub(super) fn blame(&self, step: usize) -> Option<String> {
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
}
