//! The character sheet: the photos that show best who it is, side by side in even light.
//!
//! `curate` chooses them into `character.toml`; [`make_sheet`] chooses anew and writes `sheet.png`.

mod choose;
mod grid;
mod light;

use std::io::Cursor;
use std::path::{Path, PathBuf};

use image::ImageFormat;
use serde::{Deserialize, Serialize};

use crate::atomic;
use crate::captions::{Words, traits_said};
use crate::character::Character;
use crate::dataset::Dataset;
use crate::error::DatasetError;
use crate::lock::Lock;
use crate::record::ImageRecord;

/// The picture's name in a dataset.
const FILE: &str = "sheet.png";

/// What a photo of the sheet shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SheetView {
    /// The face from the front, turned by less than 28 degrees.
    Front,
    /// The face turned by 28 to 52 degrees.
    ThreeQuarter,
    /// The face turned by 52 degrees and more.
    Profile,
    /// The whole figure.
    FullBody,
    /// Something in which no face was measured.
    Photo,
}

impl SheetView {
    /// Its name in words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Front => "front",
            Self::ThreeQuarter => "three-quarter",
            Self::Profile => "profile",
            Self::FullBody => "full body",
            Self::Photo => "photo",
        }
    }
}

/// A photo of the sheet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SheetPhoto {
    /// Its file name in the photos folder.
    pub path: String,
    /// What it shows.
    pub view: SheetView,
}

/// A sheet that was made.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sheet {
    /// The picture.
    pub picture: PathBuf,
    /// Its photos in rows, as `character.toml` has them now.
    pub photos: Vec<SheetPhoto>,
    /// Whether a person named them in `references`.
    pub named: bool,
    /// Names in `references` that the dataset does not have or cannot read.
    pub missing: Vec<String>,
    /// Views that no kept photo shows.
    pub lacking: Vec<SheetView>,
    /// What a person said of who it is.
    pub traits: Vec<String>,
    /// What taggers and captioners said of it.
    pub traits_said: Vec<String>,
}

/// Chooses the sheet of the dataset `dir` anew, and writes its picture and `character.toml`.
pub fn make_sheet(dir: impl AsRef<Path>) -> Result<Sheet, DatasetError> {
    let dir = dir.as_ref();
    let _lock = Lock::take(dir)?;
    let dataset = Dataset::open(dir)?;
    let mut character = Character::as_written(dir)?;
    fill(&mut character, &dataset.images, &Words::read(dir)?);
    let photos = character.sheet.clone();
    if photos.is_empty() {
        return Err(DatasetError::NoSheet { dir: dir.into() });
    }
    let mut png = Cursor::new(Vec::new());
    grid::draw(&dataset, &photos)?
        .write_to(&mut png, ImageFormat::Png)
        .expect("an RGB image can be encoded to memory");
    let picture = dir.join(FILE);
    atomic::write(&picture, png.get_ref())?;
    character.write(dir)?;
    let there = |name: &&String| !photos.iter().any(|photo| photo.path == **name);
    let known = |view: &SheetView| !photos.iter().any(|photo| photo.view == *view);
    let faces = photos.iter().any(|photo| photo.view != SheetView::Photo);
    Ok(Sheet {
        picture,
        named: !character.references.is_empty(),
        missing: character.references.iter().filter(there).cloned().collect(),
        lacking: choose::VIEWS.into_iter().filter(|view| faces && known(view)).collect(),
        traits: character.traits,
        traits_said: character.traits_said,
        photos,
    })
}

/// Fills in what `records` and `words` say of the character: the sheet, and the traits said.
pub(crate) fn fill(character: &mut Character, records: &[ImageRecord], words: &Words) {
    character.sheet = choose::choose(records, &character.references);
    character.traits_said = traits_said(records, character, words);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::Place;
    use crate::{CurateOptions, curate};

    fn references(place: &Place, names: &str) {
        let path = place.out().join("character.toml");
        let text = std::fs::read_to_string(&path).expect("a character");
        let from = text.lines().find(|line| line.starts_with("references")).expect("the key");
        let text = text.replace(from, &format!("references = [{names}]"));
        std::fs::write(&path, text).expect("an edit");
    }

    #[test]
    fn a_curation_chooses_a_sheet_and_what_a_person_says_stays() {
        let place = Place::with_photos(6);
        let told = CurateOptions { traits: vec![" green eyes ".into()], ..place.options() };
        curate(&told, None, &mut |_| {}).expect("a curation");
        let character = || place.dataset().character;
        assert_eq!((character().sheet.len(), character().traits), (4, vec!["green eyes".into()]));
        references(&place, "'p5.jpg', 'none.jpg', 'p1.jpg'");
        place.curate().expect("again, without a word of traits");
        assert_eq!(character().traits, ["green eyes"]);
        let named: Vec<_> = character().sheet.into_iter().map(|photo| photo.path).collect();
        assert_eq!(named, ["p5.jpg", "p1.jpg"]);
        let sheet = make_sheet(place.out()).expect("a sheet");
        assert!(sheet.named && sheet.missing == ["none.jpg"], "{sheet:?}");
        assert_eq!(image::open(&sheet.picture).expect("a picture").width(), 2 * 520 + 8);
        let bytes = std::fs::read(place.out().join("character.toml")).expect("a character");
        assert_eq!(make_sheet(place.out()).expect("again"), sheet);
        place.curate().expect("a third time");
        assert_eq!(std::fs::read(place.out().join("character.toml")).expect("the same"), bytes);
    }

    #[test]
    fn a_dry_run_judges_and_writes_nothing() {
        let place = Place::with_photos(3);
        let dry = CurateOptions { dry_run: true, ..place.options() };
        let summary = curate(&dry, None, &mut |_| {}).expect("a look");
        assert_eq!((summary.kept, summary.plan.len()), (3, 1));
        assert!(!place.out().exists());
        place.curate().expect("a curation");
        let state = || {
            let files = std::fs::read_dir(place.out()).expect("a folder").map(|entry| {
                let entry = entry.expect("an entry");
                (entry.file_name(), entry.metadata().and_then(|file| file.modified()).ok())
            });
            let mut files: Vec<_> = files.collect();
            files.sort();
            files
        };
        let before = state();
        let other = CurateOptions { resolution: 768, ..dry };
        let enlarged = curate(&other, None, &mut |_| {}).expect("another look");
        assert_eq!((enlarged.kept, enlarged.dropped), (0, 3), "520 px are too few for 768");
        assert_eq!(state(), before);
    }
}
