//! Writes an adapter in kohya's or diffusers' dialect, and reads it back.

use std::collections::HashMap;
use std::path::Path;

use safetensors::Dtype;
use serde::{Deserialize, Serialize};

use super::{Adapter, Module, Place, dialects, read};
use crate::error::Error;
use crate::weights::{HostTensor, save};

/// A dialect of LoRA files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dialect {
    /// `lora_unet_….lora_down.weight` with an alpha a module: kohya, A1111, Forge, ComfyUI.
    #[default]
    Kohya,
    /// `unet.….lora_A.weight`: diffusers and PEFT. alpha / rank is folded into B, since plain
    /// loaders take alpha = rank.
    Diffusers,
}

/// Writes `adapter` to `path` in f32, then reads it back and compares every factor.
pub fn write(
    adapter: &Adapter,
    dialect: Dialect,
    path: &Path,
    places: &[Place],
) -> Result<(), Error> {
    let mut tensors = Vec::with_capacity(3 * adapter.modules.len());
    for module in &adapter.modules {
        match dialect {
            Dialect::Kohya => tensors.extend(kohya(module)),
            Dialect::Diffusers => tensors.extend(diffusers(module)),
        }
    }
    let mut metadata = adapter.metadata.clone();
    metadata.insert("format".into(), "pt".into());
    save(path, &tensors, &metadata, Dtype::F32)?;
    compare(adapter, &read(path, places)?, path)
}

fn kohya(module: &Module) -> Vec<(String, HostTensor)> {
    let name = dialects::kohya(module.component, &module.path);
    let alpha = HostTensor { shape: vec![], values: vec![module.alpha as f32] };
    vec![
        (format!("{name}.alpha"), alpha),
        (format!("{name}.lora_down.weight"), module.down.clone()),
        (format!("{name}.lora_up.weight"), module.up.clone()),
    ]
}

fn diffusers(module: &Module) -> Vec<(String, HostTensor)> {
    let name = dialects::peft(module.component, &module.path);
    let scale = module.scale() as f32;
    let values = module.up.values.iter().map(|v| v * scale).collect();
    let up = HostTensor { shape: module.up.shape.clone(), values };
    vec![
        (format!("{name}.lora_A.weight"), module.down.clone()),
        (format!("{name}.lora_B.weight"), up),
    ]
}

/// Checks that what a reader makes of the file is what was meant.
fn compare(meant: &Adapter, got: &Adapter, path: &Path) -> Result<(), Error> {
    let differs = |reason: String| Error::Adapter { path: path.into(), reason };
    let by_layer: HashMap<_, _> =
        got.modules.iter().map(|m| ((m.component, m.path.as_str()), m)).collect();
    for module in &meant.modules {
        let read = by_layer.get(&(module.component, module.path.as_str()));
        let same = read.is_some_and(|read| {
            let scaled = |m: &Module| {
                m.up.values.iter().map(|v| f64::from(*v) * m.scale()).collect::<Vec<_>>()
            };
            let close = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-6 * a.abs().max(1e-6);
            read.down == module.down && scaled(read).iter().zip(&scaled(module)).all(close)
        });
        if !same {
            let layer = &module.path;
            return Err(differs(format!(
                "reads back differently at `{layer}`; write it again, to another disk if need be"
            )));
        }
    }
    Ok(())
}
