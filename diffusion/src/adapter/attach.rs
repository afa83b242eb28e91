//! Puts adapters on a model, takes them off, or folds them in.

use std::collections::HashMap;

use burn::tensor::Device;

use super::{Adapter, Component, Factors, Module};
use crate::layers::LayerMut;
use crate::text::TextEncoder;
use crate::unet::Unet;

/// What an adapter's update is multiplied with; 1 is as trained.
pub type Strength = f64;

/// Adds `adapter` to the two models at `strength`, beside what they already have.
///
/// Layers that the models don't have are impossible: [`super::read`] checked them.
pub fn attach(
    adapter: &Adapter,
    strength: Strength,
    unet: &mut Unet,
    text_encoder: &mut TextEncoder,
    device: &Device,
) {
    let by_layer: HashMap<_, _> =
        adapter.modules.iter().map(|m| ((m.component, m.path.as_str()), m)).collect();
    let put = |component: Component, layers: Vec<LayerMut<'_>>| {
        for mut layer in layers {
            let module = by_layer.get(&(component, layer.path())).copied();
            if let Some(module) = module {
                put_on(&mut layer, module, strength, device);
            }
        }
    };
    put(Component::Unet, unet.layers());
    put(Component::TextEncoder, text_encoder.layers());
}

fn put_on(layer: &mut LayerMut, module: &Module, strength: Strength, device: &Device) {
    let factors = Factors::from_host(&module.down, &module.up, device);
    factors.push_on(layer, strength * module.scale());
}

/// Removes every adapter.
pub fn detach(unet: &mut Unet, text_encoder: &mut TextEncoder) {
    let layers = unet.layers().into_iter().chain(text_encoder.layers());
    layers.for_each(|mut layer| layer.clear());
}

/// Folds every adapter into the weights: the same function, faster, and no way back.
pub fn merge(unet: &mut Unet, text_encoder: &mut TextEncoder) {
    let layers = unet.layers().into_iter().chain(text_encoder.layers());
    layers.for_each(|mut layer| layer.merge());
}
