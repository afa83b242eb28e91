//! Pictures of the class, painted by the base before anything is learned.
//!
//! What is preserved on photos of the character alone is not preserved where someone else is painted: those latents
//! are never seen in training. So the base paints some pictures of anyone, in the photos' scenes, and the class is preserved on
//! these. DreamBooth's prior preservation (Ruiz et al. 2022, <https://arxiv.org/abs/2208.12242>, section 3.3) learns such
//! pictures; here the base's predictions on them are kept, which have no noise of their own.

use burn::tensor::{Device, Tensor, TensorData};
use likeness_diffusion::noise;
use likeness_diffusion::sampler::SamplerKind;
use likeness_diffusion::sampling::Sampling;
use likeness_diffusion::schedule::Schedule;
use likeness_diffusion::unet::Unet;
use likeness_diffusion::weights::HostTensor;

use crate::batches::Batches;
use crate::cache::Cache;
use crate::error::TrainError;
use crate::inputs::{About, Inputs, Said, host, tensor};
use crate::progress::Stop;

/// Sampling steps of a picture, with the sampler and the guidance of `likeness demo`.
const STEPS: usize = 20;
const GUIDANCE: f64 = 4.0;
const SAMPLER: &str = "dpm++-2m-karras";

/// What pictures are painted with.
pub(crate) struct Painter<'a> {
    /// The base, without any update.
    pub base: &'a Unet,
    /// Its noise schedule.
    pub schedule: &'a Schedule,
    /// The photos, whose texts are used with the class word in place of the character.
    pub inputs: &'a Inputs,
    /// Photos a step.
    pub batch: usize,
    /// Of the noise and the texts.
    pub seed: u64,
    /// What else the pictures depend on: base, layers of the text encoder, precision.
    pub depends: &'a str,
    /// Where it is computed.
    pub device: &'a Device,
}

/// Painted pictures, as latents.
pub(crate) struct ClassPictures {
    pictures: Vec<Picture>,
    batches: Batches,
    seed: u64,
    variants: usize, // of each photo's texts
}

struct Picture {
    latents: HostTensor, // [1, 4, h, w], scaled
    photo: usize,        // from whose text it was painted
}

/// What a step is shown: latents, and the photos whose texts go with them.
pub(crate) struct Shown {
    pub latents: Tensor<4>,
    pub photos: Vec<usize>,
    pub said: Said,
}

impl Painter<'_> {
    /// `count` pictures, from `cache` where it has them, of the photos' sizes in turn; `None` if someone asked to
    /// stop before the last.
    pub fn paint(
        &self,
        count: usize,
        cache: &mut Cache,
        stop: &Stop,
        on_picture: &mut dyn FnMut(usize, usize),
    ) -> Result<Option<ClassPictures>, TrainError> {
        let photos = self.inputs.examples.len();
        let mut pictures = Vec::with_capacity(count);
        for index in 0..count {
            if stop.asked() {
                return Ok(None);
            }
            on_picture(index, count);
            let photo = index % photos;
            let variant =
                noise::below(self.seed, "class text", index as u64, self.inputs.variants());
            let said = Said { about: About::Class, variants: vec![variant] };
            let shape = self.inputs.latent_shape(photo);
            let (windows, longest) = self.inputs.windows(&[photo], &said);
            let painted = format!("{windows:?} {shape:?} {} {index}", self.seed);
            let [latents] = cache.get("class", &[&painted, self.depends], ["latents"], || {
                Ok([host(self.latents(index, shape, (photo, &said), longest))])
            })?;
            pictures.push(Picture { latents, photo });
        }
        on_picture(count, count);
        let size = |picture: &Picture| (picture.latents.shape[2], picture.latents.shape[3]);
        let sizes: Vec<_> = pictures.iter().map(size).collect();
        let batches = Batches::new(&sizes, self.batch, self.seed);
        let (seed, variants) = (self.seed, self.inputs.variants());
        Ok(Some(ClassPictures { pictures, batches, seed, variants }))
    }

    fn latents(
        &self,
        index: usize,
        [channels, height, width]: [usize; 3],
        (photo, said): (usize, &Said),
        windows: usize,
    ) -> Tensor<4> {
        let shape = [1, channels, height, width];
        let start = noise::normal(self.seed, "class picture", index as u64, shape.iter().product());
        let start = Tensor::from_data(TensorData::new(start, shape), self.device);
        let kept = "the base's states of the class and of nothing are kept";
        let prompt = self.inputs.states(&[photo], said, self.device).expect(kept);
        let negative = self.inputs.nothing(windows, self.device).expect(kept);
        let sampling = Sampling {
            unet: self.base,
            schedule: self.schedule,
            sampler: SamplerKind::named(SAMPLER).expect("a sampler of this name"),
            steps: STEPS.min(self.schedule.len() - 1),
            guidance: GUIDANCE,
            guidance_rescale: 0.0,
            seed: self.seed,
        };
        sampling.latents(start, prompt, negative, &mut |_, _| ())
    }
}

impl ClassPictures {
    /// Batch number `index`, of pictures of one size, each with some variant of its photo's text: the base
    /// predicts something for any, and what is noise yet depends on the text alone.
    pub fn at(&self, index: usize, device: &Device) -> Shown {
        let chosen: Vec<_> =
            self.batches.at(index).into_iter().map(|at| &self.pictures[at]).collect();
        let latents = chosen.iter().map(|picture| tensor(&picture.latents, device));
        let variant = |place: usize| {
            noise::below(self.seed, &format!("class text {place}"), index as u64, self.variants)
        };
        Shown {
            latents: Tensor::cat(latents.collect(), 0),
            photos: chosen.iter().map(|picture| picture.photo).collect(),
            said: Said { about: About::Class, variants: (0..chosen.len()).map(variant).collect() },
        }
    }
}
