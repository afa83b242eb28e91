//! A curated dataset, read back.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, ErrorKind};
use std::path::{Path, PathBuf};

use image::RgbImage;
use image::imageops::{self, FilterType};

use crate::captions;
use crate::character::Character;
use crate::decisions::{Decision, Decisions};
use crate::decode;
use crate::error::DatasetError;
use crate::hash::{sha256_hex, sha256_of_all};
use crate::measures::Kinds;
use crate::record::ImageRecord;
use crate::{FORMAT_VERSION, atomic};

/// The records' file in a dataset.
pub(crate) const RECORDS: &str = "images.jsonl";

/// A curated dataset.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// Its folder.
    pub dir: PathBuf,
    /// Who it is about; `photos` can be opened as it is.
    pub character: Character,
    /// One record a photo with a person's decisions applied, sorted by path.
    pub images: Vec<ImageRecord>,
    pub(crate) decisions: Decisions,
}

impl Dataset {
    /// Opens the dataset in the folder `dir`.
    pub fn open(dir: impl AsRef<Path>) -> Result<Self, DatasetError> {
        let dir = dir.as_ref();
        let character = Character::read(dir)?;
        let mut images = read_records(dir)?;
        let decisions = Decisions::read(dir)?;
        decisions.apply(&mut images);
        Ok(Self { dir: dir.into(), character, images, decisions })
    }

    /// The photos to train on.
    pub fn kept(&self) -> impl Iterator<Item = &ImageRecord> {
        self.images.iter().filter(|record| record.is_kept())
    }

    /// The pixels that a trainer sees: the photo's crop, brought to its bucket.
    /// A photo that changed since curation is an error.
    pub fn pixels(&self, record: &ImageRecord) -> Result<RgbImage, DatasetError> {
        let Some(bucket) = record.bucket else {
            return Err(DatasetError::NoCrop { path: record.path.clone() });
        };
        let part = self.crop(record)?;
        if part.dimensions() == (bucket.width, bucket.height) {
            return Ok(part);
        }
        Ok(imageops::resize(&part, bucket.width, bucket.height, FilterType::Lanczos3))
    }

    /// The photo's crop in its own pixels. A photo that changed since curation is an error.
    pub fn crop(&self, record: &ImageRecord) -> Result<RgbImage, DatasetError> {
        let Some(crop) = record.crop else {
            return Err(DatasetError::NoCrop { path: record.path.clone() });
        };
        let photo = photo(&self.character.photos, record)?;
        Ok(imageops::crop_imm(&photo, crop.x, crop.y, crop.width, crop.height).to_image())
    }

    /// The caption of a photo, without white space around it: what its file
    /// says, unless that is still what curation wrote and a person decided
    /// otherwise.
    pub fn caption(&self, record: &ImageRecord) -> Result<String, DatasetError> {
        let text = self.caption_text(record)?;
        let as_written = || sha256_hex(text.as_bytes()) == record.caption_written_sha256;
        match self.decisions.caption_of(&record.sha256) {
            Some(decided) if as_written() => Ok(decided.trim().to_owned()),
            _ => Ok(text.trim().to_owned()),
        }
    }

    /// What the caption's file holds.
    pub(crate) fn caption_text(&self, record: &ImageRecord) -> Result<String, DatasetError> {
        let path = self.caption_path(record)?;
        fs::read_to_string(&path).map_err(|source| DatasetError::Read { path, source })
    }

    /// Where the caption is.
    pub(crate) fn caption_path(&self, record: &ImageRecord) -> Result<PathBuf, DatasetError> {
        match record.caption_file.as_str() {
            "" => Err(DatasetError::NoCrop { path: record.path.clone() }),
            file => Ok(self.dir.join(captions::FOLDER).join(file)),
        }
    }

    /// What a person decided on a photo.
    pub(crate) fn decision(&self, record: &ImageRecord) -> Option<&Decision> {
        self.decisions.of(&record.sha256)
    }

    /// A sha256 in hex over what is trained on: the kept photos' bytes, crops,
    /// buckets, captions and weights.
    pub fn content_hash(&self) -> Result<String, DatasetError> {
        let mut parts = Vec::new();
        for record in self.kept() {
            let ImageRecord { sha256, crop, bucket, .. } = record;
            let weight =
                if record.weight == 1.0 { "".into() } else { format!(" {}", record.weight) };
            parts.push(format!("{sha256} {crop:?} {bucket:?}{weight}"));
            parts.push(self.caption(record)?);
        }
        Ok(sha256_of_all(parts.iter().map(String::as_str)))
    }
}

/// The whole photo of `record` in the folder `photos`, upright. One that
/// changed since curation is an error.
pub(crate) fn photo(photos: &Path, record: &ImageRecord) -> Result<RgbImage, DatasetError> {
    let path = photos.join(&record.path);
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(source) => return Err(DatasetError::Read { path, source }),
    };
    if sha256_hex(&bytes) != record.sha256 {
        return Err(DatasetError::PhotoChanged { path });
    }
    let limit = u64::from(record.width) * u64::from(record.height);
    match decode::decode_bytes(&bytes, limit) {
        Ok(photo) => Ok(photo.image),
        Err(source) => Err(DatasetError::Decode { path, source }),
    }
}

/// The records of the dataset `dir` as the rules left them.
pub(crate) fn read_records(dir: &Path) -> Result<Vec<ImageRecord>, DatasetError> {
    let mut kinds = Kinds::default();
    let shared = |record: Result<ImageRecord, DatasetError>| {
        let mut record = record?;
        kinds.share(&mut record.measures);
        Ok(record)
    };
    records(dir)?.map(shared).collect()
}

/// The records of the dataset `dir` whose lines hold `part`, such as a sha256.
pub(crate) fn find_records(dir: &Path, part: &str) -> Result<Vec<ImageRecord>, DatasetError> {
    records_with(dir, part.to_owned())?.collect()
}

/// As [`read_records`], one after the other: there may be thousands.
pub(crate) fn records(
    dir: &Path,
) -> Result<impl Iterator<Item = Result<ImageRecord, DatasetError>>, DatasetError> {
    records_with(dir, String::new())
}

fn records_with(
    dir: &Path,
    part: String,
) -> Result<impl Iterator<Item = Result<ImageRecord, DatasetError>>, DatasetError> {
    let path = dir.join(RECORDS);
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(DatasetError::Incomplete { dir: dir.into(), missing: RECORDS });
        }
        Err(source) => return Err(DatasetError::Read { path, source }),
    };
    let record = move |(index, line): (usize, io::Result<String>)| match line {
        Ok(line) => line.contains(&part).then(|| parse(&path, index + 1, &line)),
        Err(source) => Some(Err(DatasetError::Read { path: path.clone(), source })),
    };
    Ok(BufReader::new(file).lines().enumerate().filter_map(record))
}

fn parse(path: &Path, line: usize, text: &str) -> Result<ImageRecord, DatasetError> {
    let record: ImageRecord = serde_json::from_str(text).map_err(|source| {
        let remedy = "curate again with --force";
        DatasetError::Json { path: path.into(), line, remedy, source }
    })?;
    if record.version != FORMAT_VERSION {
        let (found, known) = (record.version, FORMAT_VERSION);
        return Err(DatasetError::Version { path: path.into(), found, known });
    }
    Ok(record)
}

/// Writes the records of the dataset `dir`.
pub(crate) fn write_records<'a>(
    dir: &Path,
    records: impl Iterator<Item = &'a ImageRecord> + Clone,
) -> Result<(), DatasetError> {
    atomic::write_by(&dir.join(RECORDS), &|out| {
        for record in records.clone() {
            serde_json::to_writer(&mut *out, record)?;
            writeln!(out)?;
        }
        Ok(())
    })
}
