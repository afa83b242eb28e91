//! A dataset as the UNet sees it: latents and text states, computed once.

use std::collections::{BTreeMap, BTreeSet};

use burn::tensor::{Device, Tensor, TensorData};
use likeness_dataset::{Dataset, ImageRecord};
use likeness_diffusion::checkpoint::Checkpoint;
use likeness_diffusion::text::TextEncoder;
use likeness_diffusion::tokenizer::Window;
use likeness_diffusion::vae::{self, Moments, Vae, VaeConfig};
use likeness_diffusion::weights::HostTensor;

use crate::cache::Cache;
use crate::class;
use crate::error::TrainError;
use crate::mask;
use crate::variants::Variants;

/// One photo's inputs.
#[derive(Debug, Clone)]
pub struct Example {
    /// Its file name, for messages.
    pub path: String,
    /// How often it is visited beside the others.
    weight: f64,
    /// Mean and log-variance of its latents, `[1, 4, h, w]` each.
    moments: [HostTensor; 2],
    /// Its caption's variants; their states are kept unless the encoder learns.
    captions: Vec<Text>,
    /// The same of anyone of the class, if the class is preserved.
    classes: Vec<Text>,
    /// Weights of its latents' errors, `[1, 1, h, w]` of mean 1, if there is a mask.
    mask: Option<HostTensor>,
}

/// A text, cut and read.
#[derive(Debug, Clone)]
struct Text {
    windows: Vec<Window>,
    /// `[windows, 77, d_text]`
    states: Option<HostTensor>,
}

/// What a text of a photo is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// The character: its caption.
    Character,
    /// Anyone: its caption with the class word in place of the character.
    Class,
}

/// Which texts of a batch's photos are meant.
#[derive(Debug, Clone)]
pub struct Said {
    /// Whom they are about.
    pub about: About,
    /// The variant of each photo's text.
    pub variants: Vec<usize>,
}

impl Said {
    /// The texts of `photos`.
    fn texts<'a>(&self, photos: &[usize], of: &'a Inputs) -> Vec<&'a Text> {
        let one = |(photo, variant): (&usize, &usize)| {
            let Example { captions, classes, .. } = &of.examples[*photo];
            match self.about {
                About::Character => &captions[*variant],
                About::Class => &classes[*variant], // made where the class is preserved
            }
        };
        photos.iter().zip(&self.variants).map(one).collect()
    }
}

/// Every kept photo.
#[derive(Debug, Clone)]
pub struct Inputs {
    /// The photos, in the dataset's order.
    pub examples: Vec<Example>,
    vae: VaeConfig,
    empty: Window,
    empty_states: Option<HostTensor>, // of the window of an empty text
}

/// What a photo's inputs are made with, and what they depend on.
pub struct Maker<'a> {
    /// The base.
    pub checkpoint: &'a Checkpoint,
    /// Its fingerprint.
    pub fingerprint: &'a str,
    /// Last layers of the text encoder that are left out.
    pub clip_skip: usize,
    /// Whether states can be kept: not if the encoder learns.
    pub keep_states: bool,
    /// Whether the class is preserved.
    pub class: bool,
    /// How captions vary.
    pub variants: Variants<'a>,
    /// The weight outside the photos' masks, if the loss is masked.
    pub mask_background: Option<f64>,
    /// Where it is computed.
    pub device: &'a Device,
}

impl Maker<'_> {
    /// The inputs of every kept photo, from `cache` where it has them. The models are loaded only
    /// if something is missing, and dropped when all is made. `on_photo` is told how many are done.
    pub fn make(
        &self,
        dataset: &Dataset,
        cache: &mut Cache,
        on_photo: &mut dyn FnMut(usize, usize),
    ) -> Result<Inputs, TrainError> {
        let records: Vec<_> = dataset.kept().collect();
        let tokenizer = self.checkpoint.tokenizer();
        let (mut vae, mut text_encoder) = (None, None);
        let mut examples = Vec::with_capacity(records.len());
        for (done, record) in records.iter().enumerate() {
            on_photo(done, records.len());
            let moments = self.moments(dataset, record, cache, &mut vae)?;
            let mut text = |text: String, kept: bool| -> Result<Text, TrainError> {
                let windows = tokenizer.windows(&text);
                let states = match kept {
                    true => Some(self.states(&windows, cache, &mut text_encoder)?),
                    false => None,
                };
                Ok(Text { windows, states })
            };
            let [captions, classes] = self.texts(dataset, record, done)?;
            let captions = captions.into_iter().map(|said| text(said, self.keep_states));
            let captions = captions.collect::<Result<_, _>>()?;
            let classes = classes.into_iter().map(|said| text(said, true));
            let classes = classes.collect::<Result<_, _>>()?;
            let latents = [moments[0].shape[2], moments[0].shape[3]];
            let mask = match self.mask_background {
                Some(background) => {
                    Some(mask::weights(&dataset.mask(record)?, latents, background))
                }
                None => None,
            };
            // Whatever a person wrote there, every photo has its turn.
            let (path, weight) = (record.path.clone(), record.weight.clamp(0.01, 100.0));
            examples.push(Example { path, weight, moments, captions, classes, mask });
        }
        on_photo(records.len(), records.len());
        let empty = tokenizer.window("");
        let empty_states = match self.keep_states || self.class {
            true => Some(self.states(std::slice::from_ref(&empty), cache, &mut text_encoder)?),
            false => None,
        };
        Ok(Inputs { examples, vae: self.checkpoint.vae.clone(), empty, empty_states })
    }

    /// How many entries `cache` lacks: one a photo, and one a text if states are kept.
    pub fn missing(&self, dataset: &Dataset, cache: &Cache) -> Result<usize, TrainError> {
        let tokenizer = self.checkpoint.tokenizer();
        let (mut photos, mut texts) = (BTreeSet::new(), BTreeSet::new());
        if self.keep_states || self.class {
            texts.insert(format!("{:?}", [tokenizer.window("")]));
        }
        for (index, record) in dataset.kept().enumerate() {
            photos.insert((&record.sha256, place(record)));
            let [captions, classes] = self.texts(dataset, record, index)?;
            let captions = captions.into_iter().filter(|_| self.keep_states);
            let ids = |text: String| format!("{:?}", tokenizer.windows(&text));
            texts.extend(captions.chain(classes).map(ids));
        }
        let lacks_photo = |(hash, place): &(&String, String)| {
            !cache.has("latents", &[hash.as_str(), place, self.fingerprint])
        };
        let skip = self.clip_skip.to_string();
        let lacks_text = |ids: &String| !cache.has("text", &[ids, &skip, self.fingerprint]);
        let texts = texts.iter().filter(|ids| lacks_text(ids)).count();
        Ok(texts + photos.iter().filter(|photo| lacks_photo(photo)).count())
    }

    /// The variants of the caption of kept photo number `index`, and of the class's if it is preserved.
    fn texts(
        &self,
        dataset: &Dataset,
        record: &ImageRecord,
        index: usize,
    ) -> Result<[Vec<String>; 2], TrainError> {
        let captions = self.variants.of(&dataset.caption(record)?, index);
        let of_class = |caption: &String| class::caption(dataset, record, caption);
        let classes = match self.class {
            true => captions.iter().map(of_class).collect::<Result<_, _>>()?,
            false => Vec::new(),
        };
        Ok([captions, classes])
    }

    fn moments(
        &self,
        dataset: &Dataset,
        record: &ImageRecord,
        cache: &mut Cache,
        loaded: &mut Option<Vae>,
    ) -> Result<[HostTensor; 2], TrainError> {
        let place = place(record);
        let parts = [record.sha256.as_str(), &place, self.fingerprint];
        cache.get("latents", &parts, ["mean", "log_variance"], || {
            let pixels = dataset.pixels(record)?;
            let (width, height) = pixels.dimensions();
            let pixels = vae::pixels(pixels.as_raw(), width, height, self.device);
            if loaded.is_none() {
                *loaded = Some(self.checkpoint.load_vae(self.device)?);
            }
            let Moments { mean, log_variance } =
                loaded.as_ref().expect("it was just loaded").encode(pixels);
            Ok([host(mean), host(log_variance)])
        })
    }

    fn states(
        &self,
        windows: &[Window],
        cache: &mut Cache,
        encoder: &mut Option<TextEncoder>,
    ) -> Result<HostTensor, TrainError> {
        let (ids, skip) = (format!("{windows:?}"), self.clip_skip.to_string());
        let parts = [ids.as_str(), &skip, self.fingerprint];
        let [states] = cache.get("text", &parts, ["states"], || {
            if encoder.is_none() {
                *encoder = Some(self.checkpoint.load_text_encoder(self.device)?);
            }
            let encoder = encoder.as_ref().expect("it was just loaded");
            Ok([host(encoder.encode(windows, self.clip_skip))])
        })?;
        Ok(states)
    }
}

/// The part of a photo that is trained on, and the size that it is brought to.
fn place(record: &ImageRecord) -> String {
    format!("{:?} {:?}", record.crop, record.bucket)
}

pub(crate) fn host<const D: usize>(tensor: Tensor<D>) -> HostTensor {
    let shape = tensor.dims().to_vec();
    HostTensor { shape, values: tensor.into_data().iter::<f32>().collect() }
}

impl Inputs {
    /// How many variants each photo's texts have.
    pub fn variants(&self) -> usize {
        self.examples.first().map_or(1, |example| example.captions.len())
    }

    /// Height and width of each photo's latents: its bucket.
    pub fn buckets(&self) -> Vec<(usize, usize)> {
        let size = |e: &Example| (e.moments[0].shape[2], e.moments[0].shape[3]);
        self.examples.iter().map(size).collect()
    }

    /// How often each photo is visited beside the others.
    pub fn weights(&self) -> Vec<f64> {
        self.examples.iter().map(|example| example.weight).collect()
    }

    /// How many photos each bucket has.
    pub fn bucket_counts(&self) -> BTreeMap<(usize, usize), usize> {
        let mut counts = BTreeMap::new();
        self.buckets().into_iter().for_each(|bucket| *counts.entry(bucket).or_insert(0) += 1);
        counts
    }

    /// Latents of `photos` (of one bucket), drawn with `noise` `[photos, 4, h, w]`, scaled.
    pub fn latents(&self, photos: &[usize], noise: Tensor<4>, device: &Device) -> Tensor<4> {
        let stack = |which: usize| {
            let one = |photo: &usize| tensor(&self.examples[*photo].moments[which], device);
            Tensor::cat(photos.iter().map(one).collect(), 0)
        };
        let moments = Moments { mean: stack(0), log_variance: stack(1) };
        moments.sample(noise, &self.vae)
    }

    /// Weights of the errors of `photos` (of one bucket), `[photos, 1, h, w]`, if there are masks.
    pub fn masks(&self, photos: &[usize], device: &Device) -> Option<Tensor<4>> {
        let mask = |photo: &usize| self.examples[*photo].mask.as_ref();
        let masks: Vec<&HostTensor> = photos.iter().map(mask).collect::<Option<_>>()?;
        Some(Tensor::cat(masks.into_iter().map(|mask| tensor(mask, device)).collect(), 0))
    }

    /// Shape of one photo's latents: channels, height, width.
    pub fn latent_shape(&self, photo: usize) -> [usize; 3] {
        let shape = &self.examples[photo].moments[0].shape;
        [shape[1], shape[2], shape[3]]
    }

    /// Windows of `photos`, each photo with as many as the longest text among them.
    pub fn windows(&self, photos: &[usize], said: &Said) -> (Vec<Window>, usize) {
        let texts = said.texts(photos, self);
        let longest = texts.iter().map(|text| text.windows.len()).max().unwrap_or(1);
        let padded = texts.into_iter().flat_map(|text| {
            let mut windows = text.windows.clone();
            windows.resize(longest, self.empty.clone());
            windows
        });
        (padded.collect(), longest)
    }

    /// The base's states of an empty text of so many windows, `[1, tokens, d_text]`, if they are kept.
    pub fn nothing(&self, windows: usize, device: &Device) -> Option<Tensor<3>> {
        let empty = tensor::<3>(self.empty_states.as_ref()?, device);
        Some(empty.repeat_dim(1, windows))
    }

    /// The base's text states of `photos`, `[photos, tokens, d_text]`, if they are kept. A shorter
    /// text is filled up with the states of an empty window, as sampling does it.
    pub fn states(&self, photos: &[usize], said: &Said, device: &Device) -> Option<Tensor<3>> {
        let empty = tensor::<3>(self.empty_states.as_ref()?, device);
        let texts = said.texts(photos, self).into_iter();
        let states: Vec<_> = texts.map(|text| text.states.as_ref()).collect::<Option<_>>()?;
        let longest = states.iter().map(|s| s.shape[0]).max()?;
        let one = |host: &HostTensor| {
            let mut windows = vec![tensor::<3>(host, device)]; // [windows, 77, d_text]
            windows.resize(1 + longest - host.shape[0], empty.clone());
            let x = Tensor::cat(windows, 0);
            let [windows, tokens, width] = x.dims();
            x.reshape([1, windows * tokens, width])
        };
        Some(Tensor::cat(states.into_iter().map(one).collect(), 0))
    }
}

pub(crate) fn tensor<const D: usize>(host: &HostTensor, device: &Device) -> Tensor<D> {
    Tensor::from_data(TensorData::new(host.values.clone(), host.shape.clone()), device)
}
