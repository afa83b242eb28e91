//! Photos of another subject, found by features of the whole picture: for drawings, toys and
//! animals, whose faces no face model tells apart.
//!
//! Features are kept in `cache/features/`, a file a photo, named by a sha256 over the photo and the
//! encoder.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use likeness_faces::{Features, Identity};
use rayon::prelude::*;

use crate::atomic;
use crate::dataset;
use crate::error::DatasetError;
use crate::hash::sha256_of_all;
use crate::record::{ImageRecord, Reason, Verdict};
use crate::set::likeness;

const FOLDER: &str = "cache/features";

/// What features are made with.
pub(crate) struct Subject<'a> {
    /// The encoder.
    pub features: &'a Features,
    /// The photos' folder.
    pub photos: &'a Path,
    /// The dataset, which keeps them.
    pub dataset: &'a Path,
    /// Whether they are written down.
    pub keep: bool,
}

impl Subject<'_> {
    /// Drops those of the kept `records` that show another subject than the others. Too few photos
    /// to compare are left alone; whether they were compared.
    pub fn judge(&self, records: &mut [ImageRecord]) -> Result<bool, DatasetError> {
        if self.keep {
            atomic::create_folder(&self.dataset.join(FOLDER))?;
        }
        let writes = AtomicU64::new(0);
        let kept = records.par_iter().enumerate().filter(|(_, record)| record.is_kept());
        let found: Result<Vec<(usize, Identity)>, DatasetError> =
            kept.map(|(index, record)| Ok((index, self.of(record, &writes)?))).collect();
        let found = found?;
        let identities: Vec<&Identity> = found.iter().map(|(_, identity)| identity).collect();
        let least = self.features.same_subject_cosine();
        let compared = likeness::compare(&identities, least);
        for (place, &cosine) in compared.cosines.iter().enumerate() {
            let record = &mut records[found[place].0];
            record.measures.add("same_subject", cosine, "cosine", Some(least), None);
            if compared.strangers.contains(&place) {
                let message = format!(
                    "another subject: the likeness to the other photos is {cosine:.2}, at least {least:.2} is expected"
                );
                record.notes.append(&mut record.reasons);
                record.reasons.push(Reason::measured("another subject", message, cosine, least));
                record.verdict = Verdict::Drop;
            }
        }
        Ok(!compared.cosines.is_empty())
    }

    fn of(&self, record: &ImageRecord, writes: &AtomicU64) -> Result<Identity, DatasetError> {
        let key = sha256_of_all([record.sha256.as_str(), self.features.fingerprint()]);
        let path = self.dataset.join(FOLDER).join(key);
        let known = fs::read(&path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        if let Some(known) = known {
            return Ok(known);
        }
        let photo = dataset::photo(self.photos, record)?;
        let features = self.features.of(&photo).map_err(|source| DatasetError::Faces {
            path: record.path.clone(),
            source: Box::new(source),
        })?;
        if self.keep {
            let json = serde_json::to_vec(&features).expect("a list of numbers");
            atomic::write_unsynced(&path, &json, writes.fetch_add(1, Ordering::Relaxed))?;
        }
        Ok(features)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use likeness_faces::onnx::Graph;

    use super::*;
    use crate::testing::{jpeg, texture};
    use crate::tests::{Place, named};
    use crate::{CurateOptions, curate};

    const CARD: &str = "kind = \"features\"\ninput_size = 16\nchannels = \"rgb\"\nmean = 127.5\n\
        scale = 127.5\noutput_dimension = 3\nsame_person_cosine = 0.0\nlicence = \"MIT\"\n\
        source = \"mine\"\n";

    /// An encoder whose answer is the picture's mean colour.
    fn encoder(place: &Place) -> std::path::PathBuf {
        let mut graph = Graph::new();
        let mean = graph.mean(Graph::INPUT, &[2, 3]);
        let flat = graph.reshape(&mean, &[1, 3]);
        let file =
            graph.file(&[1, 3, 16, 16], &BTreeMap::from([("f".to_owned(), (flat, vec![1, 3]))]));
        let path = place.out().with_file_name("net.onnx");
        fs::write(&path, file).expect("a model");
        fs::write(path.with_extension("toml"), CARD).expect("a card");
        path
    }

    #[test]
    fn a_photo_of_another_subject_is_dropped_and_features_are_kept() {
        let place = Place::new();
        for seed in 0..6 {
            let mut picture = texture(600, 520, 60 + seed);
            let blue = seed == 3; // the others are red
            picture.pixels_mut().for_each(|pixel| {
                let [r, g, b] = pixel.0.map(|value| value / 2);
                pixel.0 = if blue { [r / 2, g, b + 127] } else { [r + 127, g, b / 2] };
            });
            place.put(&format!("p{seed}.jpg"), &jpeg(&picture));
        }
        let options = CurateOptions { features: Some(encoder(&place)), ..place.options() };
        let dry = CurateOptions { dry_run: true, ..options.clone() };
        assert_eq!(curate(&dry, None, &mut |_| {}).expect("a look").kept, 5);
        assert!(!place.out().exists());
        let summary = curate(&options, None, &mut |_| {}).expect("a curation");
        let other = named(&summary.records, "p3.jpg");
        assert_eq!((summary.kept, other.reasons[0].rule.as_str()), (5, "another subject"));
        let kept = fs::read_dir(place.out().join(FOLDER)).expect("a folder").count();
        assert_eq!(kept, 6);
        assert_eq!(curate(&options, None, &mut |_| {}).expect("again").records, summary.records);
    }
}
