//! All of a model's weights in one flat tensor, for training from scratch.
//!
//! Which weights a model has is what it asks for when it is loaded: it is loaded once from zeros
//! that note each name and shape, then at each step from tracked slices of the flat tensor.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use burn::tensor::{Device, Tensor, TensorData};
use likeness_diffusion::noise;
use likeness_diffusion::weights::{HostTensor, Source, TensorFile};

use crate::error::TrainError;
use crate::trainable::Leaves;

/// One weight's place in the flat tensor.
#[derive(Debug, Clone, PartialEq)]
struct Entry {
    name: String,
    shape: Vec<usize>,
    range: Range<usize>,
}

/// A model's weights.
#[derive(Debug, Clone)]
pub struct Parameters {
    entries: Arc<Vec<Entry>>,
    /// All weights, one after the other. Not tracked.
    pub values: Tensor<1>,
}

impl Parameters {
    /// Fresh weights of the model that `load` loads.
    ///
    /// Scales are one, biases and all weights whose names end in one of `zeros` are zero, all
    /// others even within ±1/√fan-in, as PyTorch's layers begin.
    pub fn fresh<M, E>(
        load: impl Fn(&Source) -> Result<M, E>,
        zeros: &[&str],
        seed: u64,
        device: &Device,
    ) -> Result<Self, E> {
        let entries = entries(load, device)?;
        let mut values = Vec::with_capacity(length(&entries));
        for (index, Entry { name, shape, range }) in entries.iter().enumerate() {
            let length = range.len();
            let fan_in: usize = shape.iter().skip(1).product();
            match shape.len() {
                1 if name.ends_with("weight") => values.resize(range.end, 1.0),
                1 => values.resize(range.end, 0.0),
                _ if zeros.iter().any(|end| name.ends_with(end)) => values.resize(range.end, 0.0),
                _ => {
                    let bound = 1.0 / (fan_in as f32).sqrt();
                    let drawn = noise::uniform(seed, "weights", index as u64, length);
                    values.extend(drawn.into_iter().map(|x| x * bound));
                }
            }
        }
        Ok(Self { entries: Arc::new(entries), values: flat(values, device) })
    }

    /// The same model's weights as the file at `path` has them, each name behind `prefix`.
    pub fn read(&self, path: &Path, prefix: &str, device: &Device) -> Result<Self, TrainError> {
        let file = TensorFile::open(path)?;
        let mut values = Vec::with_capacity(self.len());
        for Entry { name, shape, .. } in self.entries.iter() {
            match file.read(&format!("{prefix}{name}"))? {
                Some(tensor) if tensor.shape == *shape => values.extend(tensor.values),
                _ => {
                    let reason = format!(
                        "lacks `{prefix}{name}` of shape {shape:?}; give a base of the sizes in the file, or none"
                    );
                    return Err(TrainError::Folder { path: path.into(), reason });
                }
            }
        }
        Ok(self.with(flat(values, device)))
    }

    /// As [`read`](Self::read), from a file in which those of `wider` may have fewer channels in one
    /// dimension: they are the first ones here, and the others are zero.
    pub fn read_into(
        &self,
        path: &Path,
        wider: &[&str],
        device: &Device,
    ) -> Result<Self, TrainError> {
        let file = TensorFile::open(path)?;
        let mut values: Vec<f32> = self.values.to_data().iter::<f32>().collect();
        for Entry { name, shape, range } in self.entries.iter() {
            let found = file.read(name)?;
            let may = |found: &[usize]| found == shape || wider.contains(&name.as_str());
            let fits = found
                .as_ref()
                .filter(|found| may(&found.shape))
                .is_some_and(|found| laid_into(&mut values[range.clone()], shape, found));
            if !fits {
                let reason = format!(
                    "lacks `{name}` of shape {shape:?}; give a base of the sizes in the file, with as many latent channels or fewer, or none"
                );
                return Err(TrainError::Folder { path: path.into(), reason });
            }
        }
        Ok(self.with(flat(values, device)))
    }

    /// The same model's weights as `named` has them.
    pub fn valued(&self, named: &HashMap<String, HostTensor>, device: &Device) -> Self {
        let all = self.entries.iter().flat_map(|entry| named[&entry.name].values.iter().copied());
        self.with(flat(all.collect(), device))
    }

    /// Those whose names `first` holds for, and the others.
    pub fn split(&self, first: impl Fn(&str) -> bool, device: &Device) -> [Self; 2] {
        let all: Vec<f32> = self.values.to_data().iter::<f32>().collect();
        [true, false].map(|wanted| {
            let (mut entries, mut values) = (Vec::new(), Vec::new());
            for entry in self.entries.iter().filter(|entry| first(&entry.name) == wanted) {
                let start = values.len();
                values.extend_from_slice(&all[entry.range.clone()]);
                entries.push(Entry { range: start..values.len(), ..entry.clone() });
            }
            Self { entries: Arc::new(entries), values: flat(values, device) }
        })
    }

    /// These and `others`, which have other names.
    pub fn joined(&self, others: &Self) -> Self {
        let start = self.len();
        let moved = |entry: &Entry| Entry {
            range: entry.range.start + start..entry.range.end + start,
            ..entry.clone()
        };
        let entries = self.entries.iter().cloned().chain(others.entries.iter().map(moved));
        let values = Tensor::cat(vec![self.values.clone(), others.values.clone()], 0);
        Self { entries: Arc::new(entries.collect()), values }
    }

    /// The same model's weights with other values.
    pub fn with(&self, values: Tensor<1>) -> Self {
        Self { entries: self.entries.clone(), values }
    }

    /// The same model's weights on the way to `other` ones, of which they take this `share` (Wortsman et al.
    /// 2022, <https://arxiv.org/abs/2109.01903>).
    pub fn blended(&self, other: Tensor<1>, share: f64) -> Self {
        self.with(self.values.clone() * (1.0 - share) + other * share)
    }

    /// Number of weights.
    pub fn len(&self) -> usize {
        length(&self.entries)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// A source of tracked slices, and the slices.
    pub fn learning(&self) -> (Source, Leaves) {
        self.learning_beside(None)
    }

    /// A source of tracked slices of these weights and untracked ones of those that are `fixed`, and
    /// the tracked ones.
    pub fn learning_beside(&self, fixed: Option<&Self>) -> (Source, Leaves) {
        let slice = |entry: &Entry| self.slice(entry).autodiff().require_grad();
        let leaves: Vec<_> = self.entries.iter().map(slice).collect();
        let mut by_name = self.by_name(leaves.clone());
        if let Some(fixed) = fixed {
            by_name.extend(fixed.by_name(fixed.slices()));
        }
        (Source::given(Box::new(move |name, _| by_name[name].clone())), Leaves::new(leaves))
    }

    /// A source of the weights, not tracked.
    pub fn frozen(&self) -> Source {
        let by_name = self.by_name(self.slices());
        Source::given(Box::new(move |name, _| by_name[name].clone()))
    }

    fn slices(&self) -> Vec<Tensor<1>> {
        self.entries.iter().map(|entry| self.slice(entry)).collect()
    }

    fn slice(&self, entry: &Entry) -> Tensor<1> {
        self.values.clone().slice(entry.range.clone())
    }

    fn by_name(&self, slices: Vec<Tensor<1>>) -> HashMap<String, Tensor<1>> {
        self.entries.iter().map(|entry| entry.name.clone()).zip(slices).collect()
    }

    /// `values` by name, as files have them.
    pub fn named(&self, values: &Tensor<1>) -> Vec<(String, HostTensor)> {
        let values: Vec<f32> = values.to_data().iter::<f32>().collect();
        let host = |Entry { name, shape, range }: &Entry| {
            let values = values[range.clone()].to_vec();
            (name.clone(), HostTensor { shape: shape.clone(), values })
        };
        self.entries.iter().map(host).collect()
    }
}

/// What a model asks for when it is loaded.
fn entries<M, E>(load: impl Fn(&Source) -> Result<M, E>, device: &Device) -> Result<Vec<Entry>, E> {
    let asked: Rc<RefCell<Vec<Entry>>> = Rc::default();
    let (notes, zeros_on) = (asked.clone(), device.clone());
    let source = Source::given(Box::new(move |name, shape| {
        let mut entries = notes.borrow_mut();
        let start = length(&entries);
        let elements: usize = shape.iter().product();
        let range = start..start + elements;
        entries.push(Entry { name: name.into(), shape: shape.to_vec(), range });
        Tensor::zeros([elements], &zeros_on)
    }));
    load(&source)?;
    drop(source);
    Ok(asked.take())
}

fn length(entries: &[Entry]) -> usize {
    entries.last().map_or(0, |entry| entry.range.end)
}

/// Lays `found` over the first places of a tensor of `shape`; whether it fits: whether it has as many
/// dimensions, of which at most one is smaller.
fn laid_into(values: &mut [f32], shape: &[usize], found: &HostTensor) -> bool {
    let dims = shape.iter().zip(&found.shape);
    let smaller: Vec<usize> =
        (0..).zip(dims.clone()).filter(|(_, (a, b))| a != b).map(|d| d.0).collect();
    if shape.len() != found.shape.len() || dims.clone().any(|(a, b)| b > a) || smaller.len() > 1 {
        return false;
    }
    values.fill(0.0);
    let at = smaller.first().copied().unwrap_or(0);
    let inner = |shape: &[usize]| shape[at..].iter().product::<usize>().max(1);
    let (row, kept) = (inner(shape), inner(&found.shape));
    for (to, from) in values.chunks_exact_mut(row).zip(found.values.chunks_exact(kept)) {
        to[..kept].copy_from_slice(from);
    }
    true
}

fn flat(values: Vec<f32>, device: &Device) -> Tensor<1> {
    let length = values.len();
    Tensor::from_data(TensorData::new(values, [length]), device)
}
