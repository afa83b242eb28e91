//! The built-in base: files in the binary, unpacked to the user's cache when they are first used.
//!
//! Weights are memory-mapped files like any checkpoint's, so that nothing in the code knows that
//! this base is special.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::Context;
use clap::builder::{PathBufValueParser, TypedValueParser};
use likeness_diffusion::atomic;
use likeness_trainer::pretrain::export::JUDGES;
use sha2::{Digest, Sha256};

use crate::exit::Usage;

/// What `--base` calls it.
pub const NAME: &str = "builtin";

/// Files by their paths in the base.
macro_rules! files {
    ($($path:literal),* $(,)?) => {
        &[$(($path, include_bytes!(concat!("../assets/builtin/", $path)))),*]
    };
}

/// The base, `model_index.json` last: with it the folder is whole.
static FILES: &[(&str, &[u8])] = files![
    "judges/face_reader.onnx",
    "judges/face_reader.toml",
    "judges/finder.onnx",
    "judges/finder.toml",
    "judges/flaws_close.onnx",
    "judges/flaws_close.toml",
    "judges/flaws_wide.onnx",
    "judges/flaws_wide.toml",
    "judges/identity.onnx",
    "judges/identity.toml",
    "judges/reader.onnx",
    "judges/reader.toml",
    "scheduler/scheduler_config.json",
    "text_encoder/config.json",
    "text_encoder/model.safetensors",
    "tokenizer/merges.txt",
    "tokenizer/special_tokens_map.json",
    "tokenizer/tokenizer_config.json",
    "tokenizer/vocab.json",
    "unet/config.json",
    "unet/diffusion_pytorch_model.safetensors",
    "vae/config.json",
    "vae/diffusion_pytorch_model.safetensors",
    "model_index.json",
];

/// The base that `given` names: itself, or the built-in one's folder, unpacked if it is not there.
pub fn resolved(given: &Path) -> anyhow::Result<PathBuf> {
    // A run file keeps the folder's path; a cache may have been emptied since.
    let ours = given == Path::new(NAME) || folder().is_ok_and(|folder| folder == given);
    if ours { unpacked() } else { Ok(given.to_owned()) }
}

/// What reads a `--base`.
pub fn parser() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new()
        .try_map(|given| resolved(&given).map_err(|error| format!("{error:#}")))
}

/// What reads a folder of face models, which may be the built-in base's judges.
pub fn judges_parser() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|given| match given == Path::new(NAME) {
        true => unpacked().map(|base| base.join(JUDGES)).map_err(|error| format!("{error:#}")),
        false => Ok(given),
    })
}

/// Where it is unpacked: another base of another version has another folder.
fn folder() -> anyhow::Result<PathBuf> {
    static HASH: OnceLock<String> = OnceLock::new();
    let hash = HASH.get_or_init(|| {
        let mut hash = Sha256::new();
        for (path, bytes) in FILES {
            hash.update(path.as_bytes());
            hash.update((bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        }
        format!("{:x}", hash.finalize())
    });
    let cache = dirs::cache_dir().ok_or_else(|| {
        Usage("this system names no cache folder for the built-in base; set XDG_CACHE_HOME".into())
    })?;
    Ok(cache.join("likeness").join(NAME).join(&hash[..12]))
}

fn unpacked() -> anyhow::Result<PathBuf> {
    let folder = folder()?;
    for (path, bytes) in FILES {
        let target = folder.join(path);
        if target.metadata().is_ok_and(|data| data.len() == bytes.len() as u64) {
            continue;
        }
        let parent = target.parent().expect("a file lies in a folder");
        std::fs::create_dir_all(parent)
            .with_context(|| format!("cannot create `{}`", parent.display()))?;
        atomic::write(&target, bytes).context("cannot unpack the built-in base")?;
    }
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn files_below(folder: &Path, at: &str, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let entry = entry.expect("an entry");
            let name = format!("{at}{}", entry.file_name().to_string_lossy());
            if entry.path().is_dir() {
                files_below(&entry.path(), &format!("{name}/"), found);
            } else {
                found.insert(name);
            }
        }
    }

    #[test]
    fn all_of_the_base_is_in_the_binary() {
        let mut there = BTreeSet::new();
        files_below(Path::new("assets/builtin"), "", &mut there);
        there.remove("README.md");
        let packed: BTreeSet<String> = FILES.iter().map(|(path, _)| (*path).to_owned()).collect();
        assert_eq!(packed, there);
    }
}
