//! Records and characters for the tests of captions.

use crate::FORMAT_VERSION;
use crate::character::Character;
use crate::crop::Crop;
use crate::measures::Measures;
use crate::record::{ImageRecord, Verdict};

/// A kept photo of which nothing was measured.
pub(crate) fn record(path: &str) -> ImageRecord {
    ImageRecord {
        version: FORMAT_VERSION,
        path: path.into(),
        sha256: format!("sha of {path}"),
        width: 800,
        height: 1000,
        verdict: Verdict::Keep,
        reasons: Vec::new(),
        notes: Vec::new(),
        measures: Measures::default(),
        faces: Vec::new(),
        crop: Some(Crop { x: 0, y: 0, width: 800, height: 1000 }),
        bucket: None,
        upscale: None,
        duplicate_of: None,
        weight: 1.0,
        caption_file: String::new(),
        caption_written_sha256: String::new(),
    }
}

/// "mika", a woman.
pub(crate) fn mika() -> Character {
    let text = "version = 1\ntrigger = 'mika'\nclass_word = 'woman'\nphotos = 'photos'\n\
                resolution = 512\nbucket_step = 64\n";
    toml::from_str(text).expect("a character")
}
