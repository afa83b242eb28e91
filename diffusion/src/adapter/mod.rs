//! Adapters: low-rank updates as files and as part of a model.
//!
//! An [`Adapter`] is what a LoRA file holds, in one form whatever the dialect:
//! modules with diffusers' paths, factors as PyTorch lays them out, one alpha a
//! module. [`read`] understands kohya's and diffusers' dialects, [`write()`] writes
//! both, [`attach`] puts an adapter on a model.

mod attach;
mod dialects;
mod factors;
mod read;
mod targets;
mod write;

use std::collections::HashMap;

pub use attach::{Strength, attach, detach, merge};
pub use factors::Factors;
pub use read::read;
pub use targets::{Preset, Targets};
pub use write::{Dialect, write};

use crate::layers::{LayerMut, LayerShape};
use crate::text::TextEncoder;
use crate::unet::Unet;
use crate::weights::HostTensor;

/// The model that a module belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Component {
    /// The denoiser.
    Unet,
    /// The text encoder.
    TextEncoder,
}

/// The update of one layer.
#[derive(Debug, Clone, PartialEq)]
pub struct Module {
    /// The layer's model.
    pub component: Component,
    /// The layer's path within it, in diffusers' naming.
    pub path: String,
    /// A: `[rank, in]` or `[rank, c_in, k, k]`.
    pub down: HostTensor,
    /// B: `[out, rank]` or `[c_out, rank, 1, 1]`.
    pub up: HostTensor,
    /// The update is `alpha / rank · B A`.
    pub alpha: f64,
}

impl Module {
    /// The update's rank.
    pub fn rank(&self) -> usize {
        self.down.shape[0]
    }

    /// `alpha / rank`.
    pub fn scale(&self) -> f64 {
        self.alpha / self.rank() as f64
    }
}

/// What a LoRA file holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Adapter {
    /// One module a layer, in the models' order of layers.
    pub modules: Vec<Module>,
    /// The file's free-form header.
    pub metadata: HashMap<String, String>,
}

/// A layer that an adapter may change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The layer's model.
    pub component: Component,
    /// Its path, in diffusers' naming.
    pub path: String,
    /// Its weight's shape.
    pub shape: LayerShape,
}

/// Every layer of the models that an adapter may change, in a fixed order; without a text
/// encoder, those of the UNet.
pub fn places(unet: &mut Unet, text_encoder: Option<&mut TextEncoder>) -> Vec<Place> {
    let place = |component| {
        move |layer: LayerMut| Place {
            component,
            path: layer.path().to_owned(),
            shape: layer.shape(),
        }
    };
    let unet = unet.layers().into_iter().map(place(Component::Unet));
    let text = text_encoder.into_iter().flat_map(TextEncoder::layers);
    unet.chain(text.map(place(Component::TextEncoder))).collect()
}
