//! Curation: a folder of photos becomes a dataset.

use std::path::{Path, PathBuf};
use std::sync::mpsc;

use likeness_faces::FaceModels;
use rayon::prelude::*;

use crate::captions;
use crate::character::{self, Character};
use crate::dataset::RECORDS;
use crate::decisions::{self, Decisions};
use crate::error::DatasetError;
use crate::folder::{self, Previous};
use crate::lock::Lock;
use crate::measure::{self, Photo};
use crate::progress::{Event, Summary};
use crate::record::ImageRecord;
use crate::report;
use crate::scan::Scan;
use crate::verdicts::Verdicts;
use crate::{FORMAT_VERSION, atomic};

/// What to curate and how.
#[derive(Debug, Clone, PartialEq)]
pub struct CurateOptions {
    /// The folder of the photos; it is only read.
    pub photos: PathBuf,
    /// The dataset's folder, by custom called `NAME.dataset`.
    pub out: PathBuf,
    /// The word that shall call the character. Required.
    pub trigger: String,
    /// What the character is. Default "person".
    pub class_word: String,
    /// The side in pixels of the square whose area the buckets have: 32 to
    /// 4096, a multiple of `bucket_step`. Default 512.
    pub resolution: u32,
    /// The step of the buckets' sides in pixels, a multiple of 8. Default 64.
    pub bucket_step: u32,
    /// Photos with a shorter side below this many pixels are dropped. Default
    /// 512.
    pub min_side: u32,
    /// Photos with more pixels are not decoded. Default 100 million.
    pub max_pixels: u64,
    /// Write even into a folder that is not this dataset. Default no.
    pub force: bool,
}

impl Default for CurateOptions {
    fn default() -> Self {
        Self {
            photos: PathBuf::new(),
            out: PathBuf::new(),
            trigger: String::new(),
            class_word: "person".into(),
            resolution: 512,
            bucket_step: 64,
            min_side: 512,
            max_pixels: 100_000_000,
            force: false,
        }
    }
}

/// Measures and judges the photos, and writes the dataset. Doing it again
/// updates the dataset: captions that a person edited and their decisions stay.
pub fn curate(
    options: &CurateOptions,
    models: Option<&FaceModels>,
    on_event: &mut dyn FnMut(Event),
) -> Result<Summary, DatasetError> {
    options.check()?;
    let folder = options
        .photos
        .canonicalize()
        .map_err(|source| DatasetError::Read { path: options.photos.clone(), source })?;
    let previous = folder::check(&options.out, &folder, options.trigger.trim(), options.force)?;
    Decisions::read(&options.out)?; // a broken line is told before the work
    let scan = Scan::of(&folder)?;
    on_event(Event::Found { photos: scan.photos.len() });
    let photos = measure_all(&scan.photos, options.max_pixels, models, on_event)?;
    if photos.iter().all(|photo| photo.measured.is_err()) {
        return Err(DatasetError::NoPictures { dir: folder, found: scan.in_words() });
    }
    // Until the end, where there is something to review that a review may be writing to.
    let known = options.out.join(character::FILE).exists();
    let _lock = known.then(|| Lock::take(&options.out)).transpose()?;
    let decisions = Decisions::read(&options.out)?;
    let mut verdicts = Verdicts::of(&photos, options, models, &decisions);
    let character = options.character(folder, models, &previous);
    write_captions(options, &character, &mut verdicts.records, (&previous, &decisions))?;
    let records = verdicts.records.clone();
    decisions.apply(&mut verdicts.records);
    let summary = verdicts.summary();
    on_event(Event::Judged { kept: summary.kept, dropped: summary.dropped });
    write_files(&options.out, &character, &records, &summary, &photos)?;
    on_event(Event::Written { dir: &options.out });
    Ok(summary)
}

impl CurateOptions {
    fn check(&self) -> Result<(), DatasetError> {
        let refuse =
            |name, value: String, remedy| Err(DatasetError::Option { name, value, remedy });
        for (name, word) in [("trigger", &self.trigger), ("class_word", &self.class_word)] {
            if word.trim().is_empty() || word.chars().any(char::is_control) {
                return refuse(name, format!("{word:?}"), "name a word, such as ohwx or person");
            }
        }
        if self.bucket_step == 0 || !self.bucket_step.is_multiple_of(8) {
            let remedy = "choose a multiple of 8, 64 is usual";
            return refuse("bucket_step", self.bucket_step.to_string(), remedy);
        }
        let resolution = self.resolution;
        if !(32..=4096).contains(&resolution) || !resolution.is_multiple_of(self.bucket_step) {
            let remedy = "choose 32 to 4096 and a multiple of bucket_step, 512 is usual";
            return refuse("resolution", resolution.to_string(), remedy);
        }
        if self.photos.to_str().is_none() {
            let shown = self.photos.display().to_string();
            return refuse("photos", shown, "rename the folder to valid Unicode");
        }
        Ok(())
    }

    fn character(
        &self,
        photos: PathBuf,
        models: Option<&FaceModels>,
        previous: &Previous,
    ) -> Character {
        Character {
            version: FORMAT_VERSION,
            trigger: self.trigger.trim().into(),
            class_word: self.class_word.trim().into(),
            photos,
            references: previous.references.clone(),
            resolution: self.resolution,
            bucket_step: self.bucket_step,
            face_models: models.map(|models| models.fingerprint().into()),
        }
    }
}

/// Measures on all processors; events come on the caller's thread.
fn measure_all(
    paths: &[PathBuf],
    max_pixels: u64,
    models: Option<&FaceModels>,
    on_event: &mut dyn FnMut(Event),
) -> Result<Vec<Photo>, DatasetError> {
    let (sender, receiver) = mpsc::channel::<String>();
    std::thread::scope(|scope| {
        let work = scope.spawn(move || {
            let one = |path: &PathBuf| {
                let photo = measure::photo(path, max_pixels, models)?;
                // A receiver that is gone only means that nobody listens.
                let _ = sender.send(photo.path.clone());
                Ok(photo)
            };
            paths.par_iter().map(one).collect()
        });
        for (index, path) in receiver.iter().enumerate() {
            let (done, photos) = (index + 1, paths.len());
            on_event(Event::Measured { done, photos, path: &path });
        }
        work.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

fn write_captions(
    options: &CurateOptions,
    character: &Character,
    records: &mut [ImageRecord],
    (previous, decisions): (&Previous, &Decisions),
) -> Result<(), DatasetError> {
    let dir = &options.out;
    atomic::create_folder(&dir.join(captions::FOLDER))?;
    character.write(dir)?; // first: from here on the folder is known as this dataset
    let mut readable: Vec<&mut ImageRecord> =
        records.iter_mut().filter(|record| record.crop.is_some()).collect();
    let names: Vec<String> = readable.iter().map(|record| record.path.clone()).collect();
    for (record, file) in readable.iter_mut().zip(captions::file_names(&names)) {
        let draft = captions::draft(&character.photos.join(&record.path), character);
        let previously = previous.caption_written(&file);
        record.caption_file = file.clone();
        let decided = decisions.caption_of(&record.sha256);
        captions::write(dir, record, &draft, previously, decided)?;
    }
    Ok(())
}

fn write_files(
    dir: &Path,
    character: &Character,
    records: &[ImageRecord],
    summary: &Summary,
    photos: &[Photo],
) -> Result<(), DatasetError> {
    decisions::create(dir)?;
    let folder = dir.join(captions::FOLDER);
    let caption = |record: &ImageRecord| {
        let named = !record.caption_file.is_empty();
        named.then(|| std::fs::read_to_string(folder.join(&record.caption_file)).ok()).flatten()
    };
    let page = report::page(character, summary, photos, &caption);
    atomic::write(&dir.join(report::FILE), page.as_bytes())?;
    let lines: String = records
        .iter()
        .map(|record| {
            let line = serde_json::to_string(record);
            line.expect("a record has only string keys and finite numbers") + "\n"
        })
        .collect();
    atomic::write(&dir.join(RECORDS), lines.as_bytes())
}
