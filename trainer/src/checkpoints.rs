//! Checkpoints: a folder a step, written under another name and renamed whole.
//!
//! `step-00500/` holds `adapter.safetensors` (to be used), `state.safetensors`
//! (values and AdamW's moments, to go on with) and `manifest.json`, which is written
//! last and says what the other two must be; a folder without it does not count.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use burn::tensor::{Device, Tensor, TensorData};
use likeness_diffusion::adapter::{Adapter, Dialect, Place, write};
use likeness_diffusion::atomic;
use likeness_diffusion::weights::{HostTensor, TensorFile, save};
use safetensors::Dtype;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::TrainError;
use crate::identity::Identity;
use crate::optimizer::AdamW;

/// File of the adapter, in checkpoints and in the run folder.
pub const ADAPTER: &str = "adapter.safetensors";
const STATE: &str = "state.safetensors";
const MANIFEST: &str = "manifest.json";
/// 2: factors lie in the state as files have them; 1 had those of linear layers turned over.
const VERSION: u32 = 2;

/// What a checkpoint is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this format.
    pub version: u32,
    /// Steps taken.
    pub step: usize,
    /// What made it.
    pub identity: Identity,
    /// SHA-256 of each file.
    pub files: BTreeMap<String, String>,
}

/// Values and moments at a step.
pub struct State {
    /// Steps taken.
    pub step: usize,
    /// The factors, flat.
    pub values: Tensor<1>,
    /// AdamW's first moment.
    pub first: Tensor<1>,
    /// AdamW's second moment.
    pub second: Tensor<1>,
}

/// Where the checkpoint of `step` lies below `folder`.
pub fn folder_of(folder: &Path, step: usize) -> PathBuf {
    folder.join(format!("step-{step:05}"))
}

/// What [`store`] writes.
pub struct Snapshot<'a> {
    /// Steps taken.
    pub step: usize,
    /// The adapter, with its header.
    pub adapter: &'a Adapter,
    /// Its dialect.
    pub dialect: Dialect,
    /// Layers of the base.
    pub places: &'a [Place],
    /// The factors, flat.
    pub values: &'a Tensor<1>,
    /// The optimizer.
    pub adam: &'a AdamW,
    /// What made it.
    pub identity: &'a Identity,
}

/// Writes a checkpoint below `folder`, whole or not at all.
pub fn store(folder: &Path, snapshot: &Snapshot) -> Result<PathBuf, TrainError> {
    let target = folder_of(folder, snapshot.step);
    if read_manifest(&target).is_some() {
        return Ok(target); // resumed exactly here: the same bytes are there
    }
    fs::create_dir_all(folder).map_err(TrainError::io("create", folder))?;
    let beside = tempfile::Builder::new().prefix(".writing-").tempdir_in(folder);
    let beside = beside.map_err(TrainError::io("write in", folder))?;
    let at = |name: &str| beside.path().join(name);
    write(snapshot.adapter, snapshot.dialect, &at(ADAPTER), snapshot.places)?;
    let flat = |name: &str, tensor: &Tensor<1>| {
        let values: Vec<f32> = tensor.to_data().iter::<f32>().collect();
        (name.to_owned(), HostTensor { shape: vec![values.len()], values })
    };
    let tensors = [
        flat("values", snapshot.values),
        flat("first_moment", &snapshot.adam.first),
        flat("second_moment", &snapshot.adam.second),
    ];
    save(&at(STATE), &tensors, &Default::default(), Dtype::F32)?;
    let mut files = BTreeMap::new();
    for name in [ADAPTER, STATE] {
        files.insert(name.to_owned(), hash_file(&at(name))?);
    }
    let identity = snapshot.identity.clone();
    let manifest = Manifest { version: VERSION, step: snapshot.step, identity, files };
    let text = serde_json::to_vec_pretty(&manifest).expect("strings and numbers are JSON");
    atomic::write(&at(MANIFEST), &text)?;
    if target.exists() {
        // Without a manifest it never counted: left by a copy that was cut off.
        fs::remove_dir_all(&target).map_err(TrainError::io("remove", &target))?;
    }
    let beside = beside.keep();
    fs::rename(&beside, &target).map_err(TrainError::io("write", &target))?;
    atomic::sync_folder(folder)?;
    Ok(target)
}

/// The manifests below `folder`, by step.
pub fn list(folder: &Path) -> Vec<Manifest> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let names = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut manifests: Vec<_> = names
        .filter(|path| path.file_name().is_some_and(|n| n.to_string_lossy().starts_with("step-")))
        .filter_map(|path| read_manifest(&path))
        .collect();
    manifests.sort_by_key(|manifest| manifest.step);
    manifests
}

fn read_manifest(folder: &Path) -> Option<Manifest> {
    let text = fs::read_to_string(folder.join(MANIFEST)).ok()?;
    serde_json::from_str(&text).ok().filter(|manifest: &Manifest| manifest.version == VERSION)
}

/// Reads the state of `manifest`'s checkpoint below `folder`; `length` numbers are wanted.
pub fn load(
    folder: &Path,
    manifest: &Manifest,
    length: usize,
    device: &Device,
) -> Result<State, TrainError> {
    let path = folder_of(folder, manifest.step);
    let wrong = |reason: String| TrainError::Checkpoint { path: path.clone(), reason };
    for (name, hash) in &manifest.files {
        if hash_file(&path.join(name))? != *hash {
            return Err(wrong(format!(
                "was changed or damaged (`{name}`); remove it, and the one before it is used"
            )));
        }
    }
    let file = TensorFile::open(&path.join(STATE))?;
    let read = |name: &str| {
        let tensor = file.read(name)?.filter(|t| t.values.len() == length);
        let tensor =
            tensor.ok_or_else(|| wrong(format!("has no `{name}` of this adapter; remove it")))?;
        Ok::<_, TrainError>(Tensor::from_data(TensorData::new(tensor.values, [length]), device))
    };
    Ok(State {
        step: manifest.step,
        values: read("values")?,
        first: read("first_moment")?,
        second: read("second_moment")?,
    })
}

fn hash_file(path: &Path) -> Result<String, TrainError> {
    let bytes = fs::read(path).map_err(TrainError::io("read", path))?;
    Ok(format!("{:x}", Sha256::digest(bytes)))
}
