//! The output folder: whose it is, and the images in it.
//!
//! `plan.json` names the recipe that the images in `images/` belong to. A run
//! that was interrupted goes on from the images that are there; a folder of
//! another recipe is refused. `scores.json` is written last.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use image::{ImageFormat, RgbImage};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::painter::Arm;
use crate::plan::Recipe;
use crate::write::{UNFINISHED, write};

const PLAN: &str = "plan.json";
const RESULTS: [&str; 3] = ["scores.json", "report.html", "grid.png"];

/// `plan.json`.
#[derive(Serialize, Deserialize)]
struct Owner {
    version: u32,
    hash: String,
    recipe: serde_json::Value,
}

/// A folder that belongs to one recipe.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
}

impl Folder {
    /// Takes `path` for `recipe`, making it where it is missing.
    ///
    /// A folder of another recipe, or with files that are none of ours, is
    /// refused unless `force`; then our files of the other recipe are removed.
    pub fn claim(path: &Path, recipe: &Recipe, force: bool) -> Result<Self, Error> {
        let folder = Self { path: path.to_owned() };
        let hash = recipe.hash();
        let found = folder.holds(&hash)?;
        if let Some(holds) = found {
            if !force {
                return Err(Error::ForeignFolder { path: folder.path, holds });
            }
            folder.clear()?;
        }
        folder.make(&folder.path)?;
        let recipe = serde_json::to_value(recipe).expect("string keys and numbers are always JSON");
        let owner = serde_json::to_vec_pretty(&Owner { version: 1, hash, recipe });
        folder.write(PLAN, &owner.expect("string keys and numbers are always JSON"))?;
        folder.make(&folder.path.join("images"))?; // after the plan, so that it is never an orphan
        Ok(folder)
    }

    fn make(&self, path: &Path) -> Result<(), Error> {
        std::fs::create_dir_all(path).map_err(|source| Error::Io { path: path.to_owned(), source })
    }

    /// What the folder holds that is not of the recipe `hash`; `None` where nothing.
    fn holds(&self, hash: &str) -> Result<Option<String>, Error> {
        let io = |source| Error::Io { path: self.path.clone(), source };
        let entries = match std::fs::read_dir(&self.path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io(error)),
        };
        let path = self.path.join(PLAN);
        if !path.exists() {
            for entry in entries {
                let name = entry.map_err(io)?.file_name();
                if !name.to_string_lossy().starts_with(UNFINISHED) {
                    return Ok(Some("holds files, but no evaluation".to_owned()));
                }
            }
            return Ok(None);
        }
        let text = std::fs::read(&path).map_err(|source| Error::Io { path, source })?;
        Ok(match serde_json::from_slice::<Owner>(&text) {
            Ok(owner) if owner.version == 1 && owner.hash == hash => None,
            Ok(owner) => {
                Some(format!("holds another evaluation ({})", difference(&owner.hash, hash)))
            }
            Err(_) => Some(format!("holds a damaged `{PLAN}`")),
        })
    }

    /// Removes the images and results of another evaluation, and nothing else.
    fn clear(&self) -> Result<(), Error> {
        let mut doomed: Vec<PathBuf> = RESULTS.iter().map(|name| self.path.join(name)).collect();
        if let Ok(entries) = std::fs::read_dir(self.path.join("images")) {
            doomed.extend(entries.flatten().map(|entry| entry.path()).filter(|path| is_ours(path)));
        }
        for path in doomed {
            match std::fs::remove_file(&path) {
                Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                    return Err(Error::Io { path, source });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The image `file` of an interrupted run; `None` where it is missing or damaged.
    pub fn image(&self, file: &str) -> Option<RgbImage> {
        let bytes = std::fs::read(self.path.join(file)).ok()?;
        let image = image::load_from_memory_with_format(&bytes, ImageFormat::Png).ok()?;
        Some(image.into_rgb8())
    }

    /// Writes `image` as PNG under the name `file`.
    pub fn keep(&self, file: &str, image: &RgbImage) -> Result<PathBuf, Error> {
        let mut bytes = Cursor::new(Vec::new());
        image
            .write_to(&mut bytes, ImageFormat::Png)
            .map_err(|source| Error::Image { path: self.path.join(file), source })?;
        self.write(file, bytes.get_ref())
    }

    /// Writes `bytes` whole under the name `file`.
    pub fn write(&self, file: &str, bytes: &[u8]) -> Result<PathBuf, Error> {
        let path = self.path.join(file);
        write(&path, bytes)?;
        Ok(path)
    }
}

fn difference(theirs: &str, ours: &str) -> String {
    let short = |hash: &str| hash.chars().take(8).collect::<String>();
    format!("plan {}, not {}", short(theirs), short(ours))
}

/// Whether the name is one of [`crate::observation::file_name`]'s.
fn is_ours(path: &Path) -> bool {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
        return false;
    };
    let of_arm = |arm: Arm| name.ends_with(&format!("-{}.png", arm.name()));
    name.starts_with('p') && name.contains("-s") && Arm::ALL.into_iter().any(of_arm)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::plan;

    fn other() -> Recipe {
        Recipe { seed: 99, ..plan().recipe }
    }

    #[test]
    fn the_same_recipe_comes_back_to_its_folder_and_its_images() {
        let out = tempfile::tempdir().expect("folder");
        let path = out.path().join("deep/evaluation");
        let folder = Folder::claim(&path, &plan().recipe, false).expect("new");
        folder.keep("images/p01-s01-base.png", &RgbImage::new(4, 4)).expect("kept");
        let again = Folder::claim(&path, &plan().recipe, false).expect("same");
        assert!(again.image("images/p01-s01-base.png").is_some());
        std::fs::write(path.join("images/p01-s01-base.png"), b"torn").expect("damaged");
        assert!(again.image("images/p01-s01-base.png").is_none());
    }

    #[test]
    fn another_recipe_is_refused_and_forced_only_over_our_own_files() {
        let out = tempfile::tempdir().expect("folder");
        let folder = Folder::claim(out.path(), &plan().recipe, false).expect("new");
        folder.keep("images/p01-s01-base.png", &RgbImage::new(4, 4)).expect("kept");
        folder.write("images/mine.png", b"x").expect("kept");
        folder.write("scores.json", b"{}").expect("kept");
        let error = Folder::claim(out.path(), &other(), false).expect_err("foreign");
        assert!(error.to_string().contains("holds another evaluation"), "{error}");
        let forced = Folder::claim(out.path(), &other(), true).expect("forced");
        assert!(forced.image("images/p01-s01-base.png").is_none());
        assert!(out.path().join("images/mine.png").exists());
        assert!(!out.path().join("scores.json").exists());
    }

    #[test]
    fn a_folder_of_other_files_is_refused() {
        let out = tempfile::tempdir().expect("folder");
        std::fs::write(out.path().join(".writing-x1"), b"x").expect("left by a power cut");
        assert_eq!(Folder { path: out.path().to_owned() }.holds("hash").expect("listed"), None);
        std::fs::write(out.path().join("holiday.jpg"), b"x").expect("written");
        let error = Folder::claim(out.path(), &plan().recipe, false).expect_err("foreign");
        assert!(error.to_string().contains("but no evaluation; choose another folder"), "{error}");
        std::fs::write(out.path().join(PLAN), b"?").expect("written");
        let error = Folder::claim(out.path(), &plan().recipe, false).expect_err("damaged");
        assert!(error.to_string().contains("damaged `plan.json`"), "{error}");
    }
}
