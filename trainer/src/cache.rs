//! What is computed once: latents of photos and states of captions.
//!
//! An entry's name is a hash of everything it depends on, so a stale one is never
//! found; one that cannot be read is made again.

use std::path::{Path, PathBuf};

use likeness_diffusion::weights::{HostTensor, TensorFile, save};
use safetensors::Dtype;
use sha2::{Digest, Sha256};

use crate::error::TrainError;

/// A folder of cached tensors.
#[derive(Debug, Clone)]
pub struct Cache {
    folder: PathBuf,
    /// Entries that were found.
    pub hits: usize,
    /// Entries that were made.
    pub misses: usize,
}

impl Cache {
    /// The cache in `folder`, which need not exist yet.
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.into(), hits: 0, misses: 0 }
    }

    /// Whether there is an entry for `parts`.
    pub fn has(&self, kind: &str, parts: &[&str]) -> bool {
        self.path(kind, parts).exists()
    }

    fn path(&self, kind: &str, parts: &[&str]) -> PathBuf {
        self.folder.join(kind).join(format!("{}.safetensors", key(kind, parts)))
    }

    /// The tensors called `names` of the entry for `parts`, from disk or from `make`.
    pub fn get<const N: usize>(
        &mut self,
        kind: &str,
        parts: &[&str],
        names: [&str; N],
        make: impl FnOnce() -> Result<[HostTensor; N], TrainError>,
    ) -> Result<[HostTensor; N], TrainError> {
        let path = self.path(kind, parts);
        if let Some(found) = read(&path, names) {
            self.hits += 1;
            return Ok(found);
        }
        let made = make()?;
        let named = names.iter().map(|n| (*n).to_owned()).zip(made.iter().cloned());
        save(&path, &named.collect::<Vec<_>>(), &Default::default(), Dtype::F32)?;
        self.misses += 1;
        Ok(made)
    }
}

fn key(kind: &str, parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in [&[kind], parts].concat() {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    format!("{:x}", hash.finalize())[..40].to_owned()
}

/// The entry, if it is whole.
fn read<const N: usize>(path: &Path, names: [&str; N]) -> Option<[HostTensor; N]> {
    if !path.exists() {
        return None;
    }
    let file = TensorFile::open(path).ok()?;
    let tensors = names.iter().map(|name| file.read(name).ok().flatten());
    let tensors: Vec<HostTensor> = tensors.collect::<Option<_>>()?;
    tensors.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(value: f32) -> Result<[HostTensor; 1], TrainError> {
        Ok([HostTensor { shape: vec![1], values: vec![value] }])
    }

    #[test]
    fn an_entry_is_made_once_and_again_when_anything_changes() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut cache = Cache::new(folder.path());
        let mut get = |parts: &[&str], value| {
            cache.get("k", parts, ["x"], || number(value)).expect("readable")[0].values[0]
        };
        assert_eq!(get(&["a", "b"], 1.0), 1.0);
        assert_eq!(get(&["a", "b"], 2.0), 1.0, "found");
        assert_eq!(get(&["ab", ""], 3.0), 3.0, "other parts, whatever they join to");
        assert_eq!((cache.hits, cache.misses), (1, 2));
    }

    #[test]
    fn a_corrupt_entry_is_made_again() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut cache = Cache::new(folder.path());
        cache.get("k", &["a"], ["x"], || number(1.0)).expect("readable");
        let entry = std::fs::read_dir(folder.path().join("k")).expect("there").next();
        let path = entry.expect("one entry").expect("readable").path();
        let bytes = std::fs::read(&path).expect("readable");
        std::fs::write(&path, &bytes[..bytes.len() - 2]).expect("writable");
        let again = cache.get("k", &["a"], ["x"], || number(2.0)).expect("made again");
        assert_eq!(again[0].values[0], 2.0);
    }
}
