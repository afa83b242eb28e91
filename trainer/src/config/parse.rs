//! From TOML text and `--set` to a run file, with errors that a person can act on.

use std::path::Path;

use serde::de::DeserializeOwned;
use toml::{Table, Value};

use super::RunConfig;
use crate::error::TrainError;

/// How serde begins to say that a key is not there.
const MISSING: &str = "missing field `";

/// The run file `text` (called `path` in errors) with `overrides` such as `train.steps=500`.
pub fn parse(path: &Path, text: &str, overrides: &[String]) -> Result<RunConfig, TrainError> {
    let mut config: RunConfig = merged(path, text, overrides)?;
    config.validate()?;
    config.adapter.alpha = Some(config.adapter.alpha());
    Ok(config)
}

/// What `text` (called `path` in errors) with `overrides` says.
pub fn merged<T: DeserializeOwned>(
    path: &Path,
    text: &str,
    overrides: &[String],
) -> Result<T, TrainError> {
    let wrong = |reason: String| TrainError::Config { path: path.into(), reason };
    let mut table: Table = toml::from_str(text).map_err(|e| wrong(readable(&e.to_string())))?;
    // The file by itself first, so that its errors have lines; what it lacks may come by --set.
    match toml::from_str::<T>(text) {
        Err(e) if overrides.is_empty() || !is_missing(&e) => {
            return Err(wrong(readable(&e.to_string())));
        }
        _ => {}
    }
    let wrong_override = |reason: String| TrainError::Config { path: "--set".into(), reason };
    for text in overrides {
        set(&mut table, text).map_err(|reason| wrong_override(format!("`{text}` {reason}")))?;
    }
    table.try_into().map_err(|e: toml::de::Error| {
        let reason = readable(&e.to_string());
        if is_missing(&e) { wrong(reason) } else { wrong_override(reason) }
    })
}

/// Whether nothing is wrong with `error`'s text but that a key is not in it.
fn is_missing(error: &toml::de::Error) -> bool {
    error.message().starts_with(MISSING)
}

/// Sets `section.key=value`; a value that is not TOML is taken as a string.
fn set(table: &mut Table, text: &str) -> Result<(), String> {
    let (key, value) = text.split_once('=').ok_or("has no `=`; write key=value")?;
    let mut path: Vec<&str> = key.trim().split('.').collect();
    let last = path.pop().filter(|last| !last.is_empty()).ok_or("names no key; write key=value")?;
    let mut inner = table;
    for section in path {
        let entry = inner.entry(section).or_insert_with(|| Value::Table(Table::new()));
        inner = entry.as_table_mut().ok_or_else(|| {
            format!("puts a key below `{section}`, which is no section; write `{section}=value`")
        })?;
    }
    let parsed = toml::from_str::<Table>(&format!("v = {}", value.trim()));
    let value = match parsed {
        Ok(mut parsed) => parsed.remove("v").unwrap_or_else(|| Value::String(value.into())),
        Err(_) => Value::String(value.trim().to_owned()),
    };
    inner.insert(last.to_owned(), value);
    Ok(())
}

/// A TOML error, with the nearest known key where an unknown one was written.
fn readable(message: &str) -> String {
    let message = message.trim_end();
    if let Some(key) = quoted_after(message, MISSING) {
        return format!("{message}; give it in the run file, or as `--{key}`");
    }
    let Some(unknown) = quoted_after(message, "unknown field `") else {
        return message.to_owned();
    };
    let known: Vec<&str> = message
        .split_once("expected")
        .map(|(_, names)| names.split('`').skip(1).step_by(2).collect())
        .unwrap_or_default();
    let score = |name: &&str| strsim::damerau_levenshtein(unknown, name);
    match known.iter().copied().min_by_key(score).filter(|n| score(n) <= n.len().max(3) / 2 + 1) {
        Some(nearest) => format!("{message}; did you mean `{nearest}`?"),
        None => message.to_owned(),
    }
}

fn quoted_after<'a>(text: &'a str, mark: &str) -> Option<&'a str> {
    let start = text.find(mark)? + mark.len();
    text[start..].split('`').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: &str = "base = \"b\"\ndataset = \"d\"\nout = \"o\"\n";

    fn parsed(text: &str, overrides: &[&str]) -> Result<RunConfig, String> {
        let overrides: Vec<String> = overrides.iter().map(|o| (*o).to_owned()).collect();
        let path = Path::new("mika.toml");
        parse(path, &format!("{LEAST}{text}"), &overrides).map_err(|e| e.to_string())
    }

    #[test]
    fn defaults_file_and_overrides_win_in_this_order() {
        assert_eq!(parsed("", &[]).expect("valid").train.steps, 1000);
        let file = "[train]\nsteps = 5\n";
        assert_eq!(parsed(file, &[]).expect("valid").train.steps, 5);
        let set = parsed(file, &["train.steps=7", "adapter.layers=convolutions"]);
        let set = set.expect("valid");
        assert_eq!(set.train.steps, 7);
        assert_eq!(set.adapter.layers, likeness_diffusion::adapter::Preset::Convolutions);
    }

    #[test]
    fn a_misspelled_key_names_its_line_and_the_nearest_known_key() {
        let error = parsed("[adapter]\nrnak = 8\n", &[]).expect_err("unknown");
        assert!(error.contains("mika.toml") && error.contains("line 5"), "{error}");
        assert!(error.contains("did you mean `rank`?"), "{error}");
        let error = parsed("", &["train.learning_rat=1"]).expect_err("unknown");
        assert!(error.contains("did you mean `learning_rate`?"), "{error}");
    }

    #[test]
    fn values_out_of_range_are_refused_by_key() {
        for (text, key) in [
            ("[train]\nsteps = 0\n", "train.steps"),
            ("[train]\nlearning_rate = -1.0\n", "train.learning_rate"),
            ("[train]\nlearning_rate = nan\n", "train.learning_rate"),
            ("[train]\nbeta2 = 1.0\n", "train.beta2"),
            ("[adapter]\nrank = 0\n", "adapter.rank"),
            ("[train]\nwarmup_steps = 2000\n", "train.warmup_steps"),
            ("[train]\nmask = \"face\"\nmask_background = 1.5\n", "train.mask_background"),
            ("[train]\nmask_background = 0.5\n", "train.mask_background"),
        ] {
            let error = parsed(text, &[]).expect_err(key);
            assert!(error.contains(&format!("`{key}`")) && error.contains(';'), "{error}");
        }
    }

    #[test]
    fn a_run_file_survives_being_saved() {
        let config = parsed("[train]\nsteps = 5\nmin_snr_gamma = 5.0\n", &[]).expect("valid");
        let text = toml::to_string(&config).expect("TOML");
        assert_eq!(parse(Path::new("x"), &text, &[]).expect("valid"), config);
    }
}
