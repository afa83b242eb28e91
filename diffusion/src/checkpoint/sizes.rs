//! What a checkpoint's models take, and what in them can learn, before they are loaded.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::Deserialize;

use super::{Checkpoint, Family, Layout, Part, folder};
use crate::adapter::{Component, Place};
use crate::error::Error;
use crate::weights::TensorFile;
use crate::weights::names::{ldm, openclip};

/// A tensor as a file's header has it.
#[derive(Deserialize)]
struct Entry {
    data_offsets: [u64; 2],
}

impl Checkpoint {
    /// Bytes of the weights of `part`, which keep the file's float type in memory.
    pub fn weight_bytes(&self, part: Part) -> Result<u64, Error> {
        let (files, prefix) = match self.layout {
            Layout::Folder => (folder::weights(&self.path, part)?, ""),
            Layout::Single => (vec![self.path.clone()], self.prefix(part)),
        };
        let mut sum = 0;
        for file in files {
            for (name, entry) in header(&file)? {
                if name.starts_with(prefix) {
                    sum += entry.data_offsets[1] - entry.data_offsets[0];
                }
            }
        }
        Ok(sum)
    }

    fn prefix(&self, part: Part) -> &'static str {
        match (part, self.family) {
            (Part::Unet, _) => ldm::UNET,
            (Part::Vae, _) => ldm::VAE,
            (Part::Text, Family::Sd1) => ldm::TEXT,
            (Part::Text, Family::Sd2) => openclip::TEXT,
        }
    }

    /// Every layer that an adapter may change, in the order of the steps; see
    /// [`crate::adapter::places`] for that of the loaded models.
    pub fn places(&self, text_encoder: bool) -> Vec<Place> {
        let place = |component| move |(path, shape)| Place { component, path, shape };
        let steps = self.unet.steps([1, 1]).into_iter().flat_map(|step| step.layers);
        let unet = steps.chain(self.unet.time_layers()).map(place(Component::Unet));
        let text = self.text.layers().into_iter().map(place(Component::TextEncoder));
        unet.chain(text.filter(|_| text_encoder)).collect()
    }
}

/// The tensors of the file at `path`.
fn header(path: &Path) -> Result<Vec<(String, Entry)>, Error> {
    TensorFile::open(path)?; // whose checks the rest relies on
    let mut file = File::open(path).map_err(Error::io("open", path))?;
    let mut length = [0; 8];
    file.read_exact(&mut length).map_err(Error::io("read", path))?;
    let mut text = Vec::new();
    let mut header = file.take(u64::from_le_bytes(length));
    header.read_to_end(&mut text).map_err(Error::io("read", path))?;
    let broken =
        |e: serde_json::Error| Error::BrokenFile { path: path.into(), reason: e.to_string() };
    let all: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(&text).map_err(broken)?;
    let tensors = all.into_iter().filter(|(name, _)| name != "__metadata__");
    tensors
        .map(|(name, value)| Ok((name, serde_json::from_value(value).map_err(broken)?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use burn::tensor::Device;

    use super::*;
    use crate::adapter::places;
    use crate::probe::Probe;

    struct Seen(Vec<(String, Vec<usize>)>);

    impl Probe for Seen {
        fn see(&mut self, name: &str, output: burn::tensor::TensorData) {
            self.0.push((name.to_owned(), output.shape().to_vec()));
        }
    }

    fn tiny(name: &str) -> Checkpoint {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures");
        Checkpoint::open(&root.join(name), None).expect("a fixture")
    }

    #[test]
    fn the_layers_are_those_of_the_loaded_models() {
        let by_path = |places: Vec<Place>| -> BTreeMap<String, String> {
            places.into_iter().map(|p| (p.path.clone(), format!("{p:?}"))).collect()
        };
        for name in ["sd15-tiny/pipeline", "sd21-tiny/pipeline"] {
            let (checkpoint, device) = (tiny(name), Device::flex());
            let mut unet = checkpoint.load_unet(&device).expect("its UNet");
            let mut text = checkpoint.load_text_encoder(&device).expect("its text encoder");
            let loaded = places(&mut unet, Some(&mut text));
            assert!(loaded.len() > 100, "{}", loaded.len());
            assert_eq!(by_path(checkpoint.places(true)), by_path(loaded), "{name}");
        }
    }

    #[test]
    fn the_steps_have_the_sizes_that_a_pass_has() {
        for (name, size) in [("sd15-tiny/pipeline", [7, 9]), ("sd21-tiny/pipeline", [8, 8])] {
            let (checkpoint, device) = (tiny(name), Device::flex());
            let unet = checkpoint.load_unet(&device).expect("its UNet");
            let steps = checkpoint.unet.steps(size);
            let mut seen = Seen(Vec::new());
            let x = burn::tensor::Tensor::zeros([1, 4, size[0], size[1]], &device);
            let text = [1, 77, checkpoint.unet.cross_attention_dim];
            let text = burn::tensor::Tensor::zeros(text, &device);
            unet.forward_probed(x, &[1.0], text, &mut Some(&mut seen));
            let found = steps
                .iter()
                .map(|step| (step.name.clone(), vec![1, step.c_out, step.size[0], step.size[1]]));
            let names: Vec<_> = steps.iter().map(|step| step.name.as_str()).collect();
            seen.0.retain(|(name, _)| names.contains(&name.as_str()));
            assert_eq!(found.collect::<Vec<_>>(), seen.0, "{name}");
        }
    }

    #[test]
    fn weights_are_counted_as_the_file_has_them() {
        let checkpoint = tiny("sd15-tiny/pipeline");
        for part in [Part::Unet, Part::Vae, Part::Text] {
            let bytes = checkpoint.weight_bytes(part).expect("its weights");
            let files = folder::weights(&checkpoint.path, part).expect("its files");
            let on_disk: u64 = files.iter().map(|f| f.metadata().expect("a file").len()).sum();
            assert!(bytes < on_disk && on_disk < bytes + 200_000, "{part:?} {bytes:?}");
        }
    }
}
