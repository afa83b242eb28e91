//! Lists the pictures of a folder.
//!
//! Only the folder itself: subfolders are counted and not descended into, so
//! that links cannot lead in circles and a file name says which photo is meant.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::error::DatasetError;
use crate::foreign;

/// What a photos folder holds.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Scan {
    /// Pictures by their content or their name, sorted.
    pub photos: Vec<PathBuf>,
    /// How many other files there are.
    pub others: usize,
    /// How many subfolders there are; they are not descended into.
    pub folders: usize,
}

impl Scan {
    /// Lists `dir`; hidden files don't count.
    pub fn of(dir: &Path) -> Result<Self, DatasetError> {
        let unreadable = |source| DatasetError::Read { path: dir.into(), source };
        let mut scan = Self::default();
        for entry in fs::read_dir(dir).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            let hidden = path.file_name().is_some_and(|n| n.as_encoded_bytes().starts_with(b"."));
            if hidden && path.is_dir() {
                continue;
            }
            if path.is_dir() {
                scan.folders += 1;
            } else if !hidden && is_picture(&path) {
                scan.photos.push(path);
            } else {
                scan.others += 1;
            }
        }
        scan.photos.sort();
        Ok(scan)
    }

    /// What to say of the subfolders, apart from the dataset `out`.
    pub fn advice(&self, out: &Path) -> Option<String> {
        let inside = self.photos.first().and_then(|photo| photo.parent());
        let own = out.canonicalize().ok().is_some_and(|out| out.parent() == inside);
        match self.folders - usize::from(own && self.folders > 0) {
            0 => None,
            count => Some(format!(
                "{count} subfolders were not looked into; put photos into the folder itself"
            )),
        }
    }

    /// What there is besides usable pictures, in words.
    pub fn in_words(&self) -> String {
        let Self { photos, others, folders } = self;
        let pictures = photos.len();
        format!("{pictures} unusable pictures, {others} other files, {folders} subfolders")
    }
}

/// By its first bytes, or by its name: a picture that lost its first bytes, or
/// is of a format that is not read, should be reported, not passed over.
fn is_picture(path: &Path) -> bool {
    let named = path.extension().is_some_and(|extension| {
        foreign::ENDINGS.iter().any(|known| extension.eq_ignore_ascii_case(known))
    });
    named || first_bytes(path).is_some_and(|bytes| has_picture_magic(&bytes))
}

/// Of a plain file: opening a pipe would wait for someone to write into it.
fn first_bytes(path: &Path) -> Option<Vec<u8>> {
    path.metadata().ok().filter(fs::Metadata::is_file)?;
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(12).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

fn has_picture_magic(bytes: &[u8]) -> bool {
    let webp = bytes.starts_with(b"RIFF") && bytes.ends_with(b"WEBP") && bytes.len() == 12;
    let known = bytes.starts_with(b"\xff\xd8\xff") || bytes.starts_with(b"\x89PNG\r\n\x1a\n");
    known || webp || foreign::name(bytes).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_told_by_content_or_name_and_sorted() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let put = |name: &str, bytes: &[u8]| fs::write(dir.path().join(name), bytes).expect(name);
        put("b.JPG", b"");
        put("a", b"\xff\xd8\xff\xe0");
        put("notes.txt", b"RIFF is a word");
        put(".hidden.png", b"");
        put("film", b"GIF89a      ");
        put("phone.HEIC", b"");
        fs::create_dir(dir.path().join(".git")).expect("a hidden subfolder");
        fs::create_dir(dir.path().join("sub")).expect("a subfolder");
        let scan = Scan::of(dir.path()).expect("a folder");
        let expected = ["a", "b.JPG", "film", "phone.HEIC"].map(|name| dir.path().join(name));
        assert_eq!(scan.photos, expected);
        assert_eq!((scan.others, scan.folders), (2, 1));
    }

    #[cfg(unix)]
    #[test]
    fn links_in_circles_and_pipes_are_listed_and_not_followed() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let link = |to: &str, name: &str| {
            std::os::unix::fs::symlink(dir.path().join(to), dir.path().join(name)).expect(name);
        };
        link("b.jpg", "a.jpg");
        link("a.jpg", "b.jpg");
        link(".", "self");
        link("gone.png", "nowhere.png");
        let pipes = std::process::Command::new("mkfifo").arg(dir.path().join("pipe")).status();
        assert!(pipes.is_ok_and(|status| status.success()));
        let scan = Scan::of(dir.path()).expect("a folder");
        let expected = ["a.jpg", "b.jpg", "nowhere.png"].map(|name| dir.path().join(name));
        assert_eq!(scan.photos, expected);
        assert_eq!((scan.others, scan.folders), (1, 1));
    }
}
