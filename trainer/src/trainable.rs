//! What learns: the factors of every chosen layer, in one flat tensor.

use std::ops::Range;

use burn::tensor::{Device, Gradients, Tensor, TensorData};
use likeness_diffusion::adapter::{Adapter, Component, Factors, Module, Place, Targets};
use likeness_diffusion::layers::{LayerMut, LayerShape};
use likeness_diffusion::noise;
use likeness_diffusion::text::TextEncoder;
use likeness_diffusion::unet::Unet;
use likeness_diffusion::weights::HostTensor;

/// A layer's share of the flat tensor.
#[derive(Debug, Clone, PartialEq)]
struct Slot {
    place: Place,
    rank: usize,
    alpha: f64,
    down: Range<usize>,
    up: Range<usize>,
}

/// The factors of every chosen layer.
#[derive(Debug, Clone)]
pub struct Trainable {
    slots: Vec<Slot>,
    /// All factors as files have them, one after the other. Not tracked.
    pub values: Tensor<1>,
}

/// The tracked pieces of one forward pass, in the order of the flat tensor.
pub struct Leaves(Vec<Tensor<1>>);

impl Trainable {
    /// Fresh factors on every layer that `targets` means: A evenly from ±1/√fan-in, B zero, so
    /// that the model computes what its base does.
    pub fn fresh(
        places: &[Place],
        targets: &Targets,
        rank: usize,
        alpha: f64,
        seed: u64,
        device: &Device,
    ) -> Self {
        let chosen = places.iter().filter(|place| targets.has(place));
        let slots = slots(chosen.map(|place| (place.clone(), rank, alpha)));
        let mut values = Vec::with_capacity(slots.last().map_or(0, |slot| slot.up.end));
        for (index, slot) in slots.iter().enumerate() {
            let fan_in = slot.down.len() / slot.rank;
            let bound = 1.0 / (fan_in as f32).sqrt();
            let drawn = noise::uniform(seed, "factors", index as u64, slot.down.len());
            values.extend(drawn.into_iter().map(|x| x * bound));
            values.resize(slot.up.end, 0.0);
        }
        Self { slots, values: flat(values, device) }
    }

    /// The factors of an adapter, to go on with.
    pub fn of_adapter(adapter: &Adapter, places: &[Place], device: &Device) -> Self {
        let module_of = |place: &Place| {
            adapter.modules.iter().find(|m| m.component == place.component && m.path == place.path)
        };
        let found: Vec<_> =
            places.iter().filter_map(|place| Some((place, module_of(place)?))).collect();
        let slots = slots(found.iter().map(|(place, m)| ((*place).clone(), m.rank(), m.alpha)));
        let mut values = Vec::new();
        for (_, module) in found {
            values.extend_from_slice(&module.down.values);
            values.extend_from_slice(&module.up.values);
        }
        Self { slots, values: flat(values, device) }
    }

    /// Number of layers.
    pub fn layers(&self) -> usize {
        self.slots.len()
    }

    /// Number of trainable parameters.
    pub fn parameters(&self) -> usize {
        self.slots.last().map_or(0, |slot| slot.up.end)
    }

    /// Whether any layer of the text encoder learns.
    pub fn has_text_encoder(&self) -> bool {
        self.slots.iter().any(|slot| slot.place.component == Component::TextEncoder)
    }

    /// Puts the factors on the two models as tracked leaves.
    pub fn install(&self, unet: &mut Unet, text_encoder: Option<&mut TextEncoder>) -> Leaves {
        let mut leaves = Vec::with_capacity(2 * self.slots.len());
        let of = |component| self.slots.iter().filter(move |s| s.place.component == component);
        self.put(of(Component::Unet), unet.layers(), &mut leaves);
        if let Some(text_encoder) = text_encoder {
            self.put(of(Component::TextEncoder), text_encoder.layers(), &mut leaves);
        }
        Leaves(leaves)
    }

    /// Slots and layers are both in the models' order, so one pass meets every slot.
    fn put<'a>(
        &self,
        slots: impl Iterator<Item = &'a Slot>,
        layers: Vec<LayerMut<'_>>,
        leaves: &mut Vec<Tensor<1>>,
    ) {
        let mut layers = layers.into_iter();
        for slot in slots {
            let mut layer = layers
                .find(|layer| layer.path() == slot.place.path)
                .expect("slots were made from these layers, in this order");
            let leaf = |range: &Range<usize>| {
                self.values.clone().slice(range.clone()).autodiff().require_grad()
            };
            let (down, up) = (leaf(&slot.down), leaf(&slot.up));
            leaves.extend([down.clone(), up.clone()]);
            layer.clear();
            let factors = Factors::from_flat(slot.place.shape, slot.rank, down, up);
            factors.push_on(&mut layer, slot.alpha / slot.rank as f64);
        }
    }

    /// The flat values in `values`, as an adapter.
    pub fn to_adapter(&self) -> Adapter {
        let values: Vec<f32> = self.values.to_data().iter::<f32>().collect();
        let modules = self.slots.iter().map(|slot| {
            let (down, up) = slot.place.shape.factors(slot.rank);
            let host = |shape, range: &Range<usize>| HostTensor {
                shape,
                values: values[range.clone()].to_vec(),
            };
            let (down, up) = (host(down, &slot.down), host(up, &slot.up));
            let (component, path) = (slot.place.component, slot.place.path.clone());
            Module { component, path, down, up, alpha: slot.alpha }
        });
        Adapter { modules: modules.collect(), metadata: Default::default() }
    }

    /// The layers' paths with their shapes, for messages and tests.
    pub fn describe(&self) -> impl Iterator<Item = (&str, LayerShape)> {
        self.slots.iter().map(|slot| (slot.place.path.as_str(), slot.place.shape))
    }

    /// Splits a flat tensor (values, gradient, moments) by layer into A and B as files have them.
    pub fn modules_of(&self, flat: Tensor<1>) -> Adapter {
        Self { slots: self.slots.clone(), values: flat }.to_adapter()
    }
}

impl Leaves {
    /// Tracked leaves, in the order of the flat tensor.
    pub fn new(leaves: Vec<Tensor<1>>) -> Self {
        Self(leaves)
    }

    /// The flat gradient of a backward pass in one or more pieces; zeros where nothing arrived.
    pub fn gradient(&self, pieces: &mut [Gradients]) -> Tensor<1> {
        let mut one = |leaf: &Tensor<1>| {
            let found = pieces.iter_mut().filter_map(|grads| leaf.grad_remove(grads));
            found
                .reduce(|sum, term| sum + term)
                .unwrap_or_else(|| leaf.clone().inner().zeros_like())
        };
        Tensor::cat(self.0.iter().map(&mut one).collect(), 0)
    }
}

fn slots(layers: impl Iterator<Item = (Place, usize, f64)>) -> Vec<Slot> {
    let mut end = 0;
    let mut take = |length: usize| {
        end += length;
        end - length..end
    };
    let slot = |(place, rank, alpha): (Place, usize, f64)| {
        let (down, up) = Factors::lengths(place.shape, rank);
        Slot { rank, alpha, down: take(down), up: take(up), place }
    };
    layers.map(slot).collect()
}

fn flat(values: Vec<f32>, device: &Device) -> Tensor<1> {
    let length = values.len();
    Tensor::from_data(TensorData::new(values, [length]), device)
}
