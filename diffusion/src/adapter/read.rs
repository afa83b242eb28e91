//! Reads a LoRA file of any known dialect.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use serde_json::Value;

use super::dialects::{self, Part};
use super::{Adapter, Component, Module, Place};
use crate::error::Error;
use crate::weights::{HostTensor, TensorFile};

/// What a file says of one layer so far.
#[derive(Default)]
struct Found {
    down: Option<HostTensor>,
    up: Option<HostTensor>,
    alpha: Option<f64>,
}

/// Reads the adapter at `path` for a model whose layers are `places`.
///
/// Every key must belong to a layer and fit its shape. A module without alpha has the one of
/// the header's `lora_adapter_metadata`, or else alpha = rank.
pub fn read(path: &Path, places: &[Place]) -> Result<Adapter, Error> {
    let file = TensorFile::open(path)?;
    let known: HashMap<String, usize> = places
        .iter()
        .enumerate()
        .flat_map(|(at, place)| dialects::names(place).into_iter().map(move |name| (name, at)))
        .collect();
    let mut found: BTreeMap<usize, Found> = BTreeMap::new();
    let mut unused = Vec::new();
    for key in file.names() {
        if let Some(kind) = dialects::other_kind(&key) {
            return Err(other_kind(path, &key, kind));
        }
        let at = dialects::split(&key)
            .and_then(|(name, part)| Some((*known.get(strip_wrapper(name))?, part)));
        let Some((at, part)) = at else {
            unused.push(key);
            continue;
        };
        let module = found.entry(at).or_default();
        match part {
            Part::Down => module.down = file.read(&key)?,
            Part::Up => module.up = file.read(&key)?,
            Part::Alpha => module.alpha = Some(scalar(&file, &key)?),
        }
    }
    let metadata = file.metadata();
    let declared = Declared::of(&metadata);
    let (mut modules, mut missing, mut misshapen) = (Vec::new(), Vec::new(), Vec::new());
    for (at, found) in found {
        let place = &places[at];
        let (Some(down), Some(up)) = (found.down, found.up) else {
            missing.push(format!("a factor of {}", place.path));
            continue;
        };
        let rank = down.shape.first().copied().unwrap_or_default();
        let alpha = found.alpha.unwrap_or_else(|| declared.alpha(place, rank));
        match shaped(down, up, place) {
            Ok((down, up)) => {
                let (component, path) = (place.component, place.path.clone());
                modules.push(Module { component, path, down, up, alpha });
            }
            Err(reason) => misshapen.push(reason),
        }
    }
    if !(missing.is_empty() && unused.is_empty() && misshapen.is_empty()) {
        let component = "adapter".into();
        return Err(Error::Names { component, path: path.into(), missing, unused, misshapen });
    }
    if modules.is_empty() {
        let reason = "holds no LoRA factors; is it a whole model?".into();
        return Err(Error::Adapter { path: path.into(), reason });
    }
    Ok(Adapter { modules, metadata })
}

/// PEFT's own wrapper around a model's names.
fn strip_wrapper(name: &str) -> &str {
    name.strip_prefix("base_model.model.").unwrap_or(name)
}

fn other_kind(path: &Path, key: &str, kind: &str) -> Error {
    let reason = format!(
        "holds {kind} (`{key}`), which this version cannot apply; convert it to plain LoRA by extracting low-rank factors"
    );
    Error::Adapter { path: path.into(), reason }
}

fn scalar(file: &TensorFile, key: &str) -> Result<f64, Error> {
    let value = if file.is_float(key) {
        file.read(key)?.and_then(|tensor| tensor.values.first().copied().map(f64::from))
    } else {
        file.read_ints(key)?.and_then(|values| values.first().map(|value| *value as f64))
    };
    value.filter(|alpha| alpha.is_finite()).ok_or_else(|| Error::BrokenFile {
        path: file.path().into(),
        reason: format!("`{key}` is not a finite number"),
    })
}

/// The factors in the layer's own form (a 1 x 1 convolution and a linear layer hold the same).
fn shaped(
    down: HostTensor,
    up: HostTensor,
    place: &Place,
) -> Result<(HostTensor, HostTensor), String> {
    let rank = down.shape.first().copied().unwrap_or_default();
    let (want_down, want_up) = place.shape.factors(rank);
    let same = |have: &[usize], want: &[usize]| {
        let core = |s: &[usize]| s.iter().copied().filter(|n| *n != 1).collect::<Vec<_>>();
        have == want || (have.len() != want.len() && core(have) == core(want))
    };
    if rank == 0 || !same(&down.shape, &want_down) || !same(&up.shape, &want_up) {
        return Err(format!(
            "{}: {:?} and {:?} in the file, {want_down:?} and {want_up:?} wanted",
            place.path, down.shape, up.shape
        ));
    }
    let fit = |tensor: HostTensor, shape| HostTensor { shape, values: tensor.values };
    Ok((fit(down, want_down), fit(up, want_up)))
}

/// What the header's `lora_adapter_metadata` says of alpha (diffusers since 0.34).
struct Declared(Value);

impl Declared {
    fn of(metadata: &HashMap<String, String>) -> Self {
        let text = metadata.get("lora_adapter_metadata");
        Self(text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or(Value::Null))
    }

    fn alpha(&self, place: &Place, rank: usize) -> f64 {
        let prefix = match place.component {
            Component::Unet => "unet",
            Component::TextEncoder => "text_encoder",
        };
        let field = |name: &str| &self.0[format!("{prefix}.{name}")];
        let pattern = field("alpha_pattern").as_object().and_then(|patterns| {
            let hit = patterns
                .iter()
                .find(|(key, _)| place.path == **key || place.path.ends_with(&format!(".{key}")));
            hit.and_then(|(_, alpha)| alpha.as_f64())
        });
        let alpha = pattern.or_else(|| field("lora_alpha").as_f64()).unwrap_or(rank as f64);
        // Rank-stabilised LoRA divides by √rank instead of rank.
        match field("use_rslora").as_bool() {
            Some(true) => alpha * (rank as f64).sqrt(),
            _ => alpha,
        }
    }
}
