//! The dataset's own limits: `limits.toml`.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use toml::{Table, Value};

use super::CALIBRATED;
use crate::error::DatasetError;
use crate::limit::Limit;
use crate::{FORMAT_VERSION, atomic};

/// The file's name in a dataset.
const FILE: &str = "limits.toml";
const KEYS: [&str; 4] = ["version", "photos", "review", "drop"];

/// Limits in place of the usual ones, by measure.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct OwnLimits {
    review: BTreeMap<String, f64>,
    drop: BTreeMap<String, f64>,
}

impl OwnLimits {
    /// Reads those of the dataset `dir`; without the file there are none.
    pub fn read(dir: &Path) -> Result<Self, DatasetError> {
        let path = dir.join(FILE);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            Err(source) => return Err(DatasetError::Read { path, source }),
        };
        let table: Table = text.parse().map_err(|error: toml::de::Error| {
            let (path, reason) = (path.clone(), error.to_string());
            DatasetError::Limits { path, reason: format!("{}; correct it", reason.trim_end()) }
        })?;
        let version = table.get("version").and_then(Value::as_integer).unwrap_or(0);
        if version != i64::from(FORMAT_VERSION) {
            let found = u32::try_from(version).unwrap_or(0);
            return Err(DatasetError::Version { path, found, known: FORMAT_VERSION });
        }
        Self::parsed(&table).map_err(|reason| DatasetError::Limits { path, reason })
    }

    fn parsed(table: &Table) -> Result<Self, String> {
        for key in table.keys() {
            known(key, &KEYS)?;
        }
        let section = |name: &str| -> Result<BTreeMap<String, f64>, String> {
            let empty = Table::new();
            let section = match table.get(name) {
                None => &empty,
                Some(Value::Table(section)) => section,
                Some(_) => return Err(format!("`{name}` is no section; write [{name}]")),
            };
            section.iter().map(|(key, value)| Ok((key.clone(), number(key, value)?))).collect()
        };
        let own = Self { review: section("review")?, drop: section("drop")? };
        for limit in CALIBRATED.map(|limit| own.of(limit)) {
            let (Some(drop), Some(review)) = (limit.drop, limit.review) else { continue };
            let beyond = if limit.more_is_worse { drop >= review } else { drop <= review };
            if !beyond {
                let measure = limit.measure;
                return Err(format!(
                    "`{measure}` would be dropped at {drop} before it is reviewed at {review}; move one of them"
                ));
            }
        }
        Ok(own)
    }

    /// `limit` as it is in this dataset.
    pub fn of(&self, limit: &Limit) -> Limit {
        let own = |section: &BTreeMap<String, f64>| section.get(limit.measure).copied();
        let review = own(&self.review).or(limit.review);
        Limit { review, drop: own(&self.drop).or(limit.drop), ..*limit }
    }

    /// Takes over what `limit` has otherwise than the `usual` one.
    pub fn set(&mut self, limit: &Limit, usual: &Limit) {
        let measure = || limit.measure.to_owned();
        if let Some(review) = limit.review.filter(|_| limit.review != usual.review) {
            self.review.insert(measure(), review);
        }
        if let Some(drop) = limit.drop.filter(|_| limit.drop != usual.drop) {
            self.drop.insert(measure(), drop);
        }
    }

    /// Writes them into the dataset `dir`; they stand on so many `photos`.
    pub fn write(&self, dir: &Path, photos: usize) -> Result<(), DatasetError> {
        let mut text = format!(
            "# By `likeness curate calibrate`; limits that are not here are the usual ones.\n\
             version = {FORMAT_VERSION}\nphotos = {photos}\n"
        );
        for (name, section) in [("review", &self.review), ("drop", &self.drop)] {
            text.push_str(&format!("\n[{name}]\n"));
            for (measure, value) in section {
                text.push_str(&format!("{measure} = {value:?}\n"));
            }
        }
        atomic::write(&dir.join(FILE), text.as_bytes())
    }

    /// Removes the file of the dataset `dir`; whether there was one.
    pub fn remove(dir: &Path) -> Result<bool, DatasetError> {
        let path = dir.join(FILE);
        match fs::remove_file(&path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(source) => Err(DatasetError::Write { path, source }),
        }
    }
}

/// The number of a measure that has a limit.
fn number(measure: &str, value: &Value) -> Result<f64, String> {
    known(measure, &CALIBRATED.map(|limit| limit.measure))?;
    let number = value.as_float().or(value.as_integer().map(|whole| whole as f64));
    let number = number.filter(|number| number.is_finite());
    number.ok_or_else(|| format!("`{measure}` is {value}; give a number"))
}

/// Whether `key` is one of `keys`; else what is meant.
fn known(key: &str, keys: &[&str]) -> Result<(), String> {
    if keys.contains(&key) {
        return Ok(());
    }
    let nearest = keys.iter().min_by_key(|known| strsim::osa_distance(key, known));
    let nearest = nearest.expect("there are keys");
    Err(format!("unknown key `{key}`; did you mean `{nearest}`? There are {}", keys.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits;

    fn read(text: &str) -> Result<OwnLimits, String> {
        let dir = tempfile::tempdir().expect("a temporary folder");
        fs::write(dir.path().join(FILE), text).expect("a file");
        OwnLimits::read(dir.path()).map_err(|error| error.to_string())
    }

    #[test]
    fn what_was_written_is_read() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        assert_eq!(OwnLimits::read(dir.path()).expect("none"), OwnLimits::default());
        let mut own = OwnLimits::default();
        own.set(&Limit { review: Some(14.0), drop: Some(24.5), ..limits::NOISE }, &limits::NOISE);
        own.set(&limits::YAW, &limits::YAW);
        own.write(dir.path(), 12).expect("written");
        let read = OwnLimits::read(dir.path()).expect("read");
        assert_eq!(read, own);
        let noise = read.of(&limits::NOISE);
        assert_eq!((noise.review, noise.drop), (Some(14.0), Some(24.5)));
        assert_eq!(read.of(&limits::YAW).review, limits::YAW.review);
    }

    #[test]
    fn what_is_misspelled_or_makes_no_sense_is_told_with_what_is_meant() {
        for (text, meant) in [
            ("version = 1\n[review]\nnoize = 3\n", "did you mean `noise`"),
            ("version = 1\n[reveiw]\nnoise = 3\n", "did you mean `review`"),
            ("version = 1\n[review]\nnoise = 'much'\n", "give a number"),
            ("version = 1\n[review]\nnoise = nan\n", "give a number"),
            ("version = 1\nreview = 3\n", "write [review]"),
            ("version = 1\n[review]\nnoise = 30\n", "move one"),
            ("version = 2\n", "version 2"),
            ("version = 1\nversion = 1\n", "correct it"),
        ] {
            let error = read(text).expect_err(text);
            assert!(error.contains(meant) && error.contains(FILE), "{error}");
        }
    }
}
