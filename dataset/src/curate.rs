//! Curation: a folder of photos becomes a dataset.

use std::path::{Path, PathBuf};

use likeness_faces::{FaceModels, Features};

use crate::cache::Cache;
use crate::calibrate::OwnLimits;
use crate::captions::{self, Words};
use crate::character::{self, Character};
use crate::dataset;
use crate::decisions::{self, Decisions};
use crate::error::DatasetError;
use crate::folder::{self, Previous};
use crate::framing::{Cutting, Framing};
use crate::lock::Lock;
use crate::measure::Tools;
use crate::photos::Photos;
use crate::progress::{Event, Summary};
use crate::record::ImageRecord;
use crate::references;
use crate::report::Report;
use crate::report_pages;
use crate::room::Room;
use crate::scan::Scan;
use crate::sheet;
use crate::subject::Subject;
use crate::verdicts::Verdicts;
use crate::workers;
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
    /// What always holds of the character, such as "green eyes". Default none:
    /// what an earlier curation was told.
    pub traits: Vec<String>,
    /// The side in pixels of the square whose area the buckets have: 32 to
    /// 4096, a multiple of `bucket_step`. Default 512.
    pub resolution: u32,
    /// The step of the buckets' sides in pixels, a multiple of 8. Default 64.
    pub bucket_step: u32,
    /// Photos with a shorter side below this many pixels are dropped. Default
    /// 512.
    pub min_side: u32,
    /// How close photos with a face are cropped. Default `Framing::Auto`.
    pub framing: Framing,
    /// Whether photos may be enlarged to their bucket. Default no: they are reviewed or dropped.
    pub upscale: bool,
    /// Photos with more pixels are not decoded. Default 100 million.
    pub max_pixels: u64,
    /// Bytes that photos may take in memory while they are decoded, all threads
    /// together; a photo that needs more is decoded alone. Default 2 GiB.
    pub memory_bytes: u64,
    /// An encoder of whole pictures, `X.onnx` with a TOML beside it, by which photos of another
    /// subject are found. Default none.
    pub features: Option<PathBuf>,
    /// Photos of the character, wherever they are: faces are compared with theirs.
    /// Default none, which means those that `character.toml` names, or what most
    /// photos show.
    pub references: Vec<PathBuf>,
    /// How many of the photos that could be kept are, the best set of them; at
    /// least 1. Default all.
    pub choose: Option<usize>,
    /// Whether photos are weighed so that no angle, framing or outfit dominates.
    /// Default yes.
    pub balance: bool,
    /// Write even into a folder that is not this dataset. Default no.
    pub force: bool,
    /// Measure and judge, and write nothing. Default no.
    pub dry_run: bool,
}

impl Default for CurateOptions {
    fn default() -> Self {
        Self {
            photos: PathBuf::new(),
            out: PathBuf::new(),
            trigger: String::new(),
            class_word: "person".into(),
            traits: Vec::new(),
            resolution: 512,
            bucket_step: 64,
            min_side: 512,
            framing: Framing::Auto,
            upscale: false,
            max_pixels: 100_000_000,
            memory_bytes: 2 << 30,
            features: None,
            references: Vec::new(),
            choose: None,
            balance: true,
            force: false,
            dry_run: false,
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
    curate_until(&|| false, options, models, on_event)
}

/// As [`curate`], until `stopped` says so: what was measured by then is kept, the
/// error is [`DatasetError::Stopped`], and the next curation goes on from there.
pub fn curate_until(
    stopped: &(dyn Fn() -> bool + Sync),
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
    let limits = OwnLimits::read(&options.out)?;
    let features = options.open_features()?;
    let scan = Scan::of(&folder)?;
    on_event(Event::Found { photos: scan.photos.len() });
    let character = options.character(folder.clone(), models, &previous);
    let mut cache = Cache::new(&options.out, &character, options.max_pixels, models);
    cache.read_only = options.dry_run;
    let tools = options.tools(models, &cache);
    let mut references = references::named(options, models)?; // told before the work, too
    let kept_in = (!options.dry_run).then(|| cache.folder());
    let mut photos = Photos::new(scan.photos.len(), kept_in.as_deref());
    workers::measure_all(&scan.photos, &mut photos, &tools, &options.out, stopped, on_event)?;
    if photos.list().iter().all(|photo| photo.unreadable().is_some()) {
        return Err(DatasetError::NoPictures { dir: folder, found: scan.in_words() });
    }
    // Until the end, where there is something to review that a review may be writing to.
    let known = options.out.join(character::FILE).exists() && !options.dry_run;
    let _lock = known.then(|| Lock::take(&options.out)).transpose()?;
    let decisions = Decisions::read(&options.out)?;
    if references.is_empty() {
        references = references::known(&photos, &previous)?;
    }
    let known = models.map(|models| (models, references.as_slice()));
    let mut verdicts = Verdicts::of(&mut photos, options, known, (&decisions, &limits))?;
    drop(photos); // the records say all that is needed from here on
    if let Some(features) = &features {
        let (photos, dataset) = (folder.as_path(), options.out.as_path());
        let subject = Subject { features, photos, dataset, keep: !options.dry_run };
        verdicts.compare_subjects(&subject)?;
    }
    let caption = |record: &ImageRecord| caption(&options.out, record);
    if options.dry_run {
        if let Some(count) = options.choose {
            verdicts.choose(count, &decisions, &caption);
        }
        decisions.apply(&mut verdicts.records);
        let mut summary = verdicts.summary(&caption);
        summary.advice.extend(scan.advice(&options.out));
        return Ok(summary);
    }
    write_captions(options, &character, &mut verdicts.records, (&previous, &decisions))?;
    if let Some(count) = options.choose {
        verdicts.choose(count, &decisions, &caption);
    }
    let mut by_rules = decisions.apply(&mut verdicts.records);
    if options.balance {
        verdicts.weigh(&caption);
    }
    for (&index, record) in &mut by_rules {
        record.weight = verdicts.records[index].weight;
    }
    let mut character = character.clone();
    sheet::fill(&mut character, &verdicts.records, &Words::read(&options.out)?);
    character.write(&options.out)?;
    let mut summary = verdicts.summary(&caption);
    summary.advice.extend(scan.advice(&options.out));
    on_event(Event::Judged { kept: summary.kept, dropped: summary.dropped });
    let thumbnail = |sha256: &str| cache.thumbnail(sha256);
    let (thumbnail, caption) = (&thumbnail, &caption);
    let report = Report { character: &character, summary: &summary, thumbnail, caption };
    let records = summary.records.iter().enumerate();
    let records = records.map(|(index, record)| by_rules.get(&index).unwrap_or(record));
    write_files(&options.out, records, &report)?;
    cache.keep_only(&summary.records);
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
        let empty = |own: &&String| own.trim().is_empty() || own.chars().any(char::is_control);
        if let Some(own) = self.traits.iter().find(empty) {
            return refuse("trait", format!("{own:?}"), "say one in words, such as green eyes");
        }
        if self.choose == Some(0) {
            return refuse("choose", "0".into(), "choose at least 1, 10 to 20 are usual");
        }
        if self.photos.to_str().is_none() {
            let shown = self.photos.display().to_string();
            return refuse("photos", shown, "rename the folder to valid Unicode");
        }
        Ok(())
    }

    fn open_features(&self) -> Result<Option<Features>, DatasetError> {
        let open = |file: &PathBuf| {
            let cannot = |source| DatasetError::Features { path: file.clone(), source };
            Features::open(file).map_err(|source| cannot(Box::new(source)))
        };
        self.features.as_ref().map(open).transpose()
    }

    /// What decides where photos are cut.
    pub(crate) fn cutting(&self) -> Cutting {
        let Self { resolution, bucket_step, framing, upscale, .. } = *self;
        Cutting { resolution, bucket_step, framing, upscale }
    }

    fn tools<'a>(&self, models: Option<&'a FaceModels>, cache: &'a Cache) -> Tools<'a> {
        let files = Room::new(self.memory_bytes / 4);
        let pixels = Room::new(self.memory_bytes - self.memory_bytes / 4);
        Tools { max_pixels: self.max_pixels, models, cache, files, pixels }
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
            traits: match self.traits.is_empty() {
                true => previous.traits.clone(),
                false => self.traits.iter().map(|own| own.trim().to_owned()).collect(),
            },
            traits_said: Vec::new(),
            resolution: self.resolution,
            bucket_step: self.bucket_step,
            face_models: models.map(|models| models.fingerprint().into()),
            sheet: Vec::new(),
        }
    }
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
    let words = Words::read(dir)?;
    let mut readable: Vec<&mut ImageRecord> =
        records.iter_mut().filter(|record| record.crop.is_some()).collect();
    let names: Vec<String> = readable.iter().map(|record| record.path.clone()).collect();
    for (record, file) in readable.iter_mut().zip(captions::file_names(&names)) {
        let draft = captions::draft(&decisions.with_crop(record), character, &words);
        let previously = previous.caption_written(&file);
        record.caption_file = file.clone();
        let decided = decisions.caption_of(&record.sha256);
        captions::write(dir, record, &draft, previously, decided)?;
    }
    Ok(())
}

/// What stands in the caption file of `record`.
fn caption(dir: &Path, record: &ImageRecord) -> Option<String> {
    let file = dir.join(captions::FOLDER).join(&record.caption_file);
    let named = !record.caption_file.is_empty();
    named.then(|| std::fs::read_to_string(file).ok()).flatten()
}

fn write_files<'a>(
    dir: &Path,
    records: impl Iterator<Item = &'a ImageRecord> + Clone,
    report: &Report,
) -> Result<(), DatasetError> {
    decisions::create(dir)?;
    report_pages::write(dir, report)?;
    dataset::write_records(dir, records)
}
