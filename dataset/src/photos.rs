//! The photos of a folder: their names in memory, what was measured on them on disk.
//!
//! What is measured on a photo, its print and its identities are some 8 KB, and a set is judged by a
//! few passes over all of it. So that a folder of thousands needs no more memory than one of
//! hundreds, all but a little lies in a file without a name, which the system removes with this
//! process, however it ends.

use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use tempfile::SpooledTempFile;

use crate::error::DatasetError;
use crate::measure::{Measured, Photo};

const IN_MEMORY: usize = 4 << 20; // bytes up to which there is no file: some 500 photos

/// The photos of a folder, in their order.
pub(crate) struct Photos {
    list: Vec<Listed>,
    disk: Mutex<SpooledTempFile>,
    end: u64,
    dir: PathBuf,
}

/// A photo as the list has it.
pub(crate) struct Listed {
    /// The file name.
    pub path: String,
    /// Empty where the file could not be read.
    pub sha256: String,
    measured: Result<Place, String>,
}

/// Where on disk it lies.
#[derive(Clone, Copy)]
struct Place {
    start: u64,
    length: usize,
}

impl Photos {
    /// Room for `count` photos, kept in the folder `dir`, which need not be there before some
    /// hundred are; without one, where the system keeps such files.
    pub fn new(count: usize, dir: Option<&Path>) -> Self {
        let unknown = || Listed {
            path: String::new(),
            sha256: String::new(),
            measured: Err("it was not looked at".into()),
        };
        let disk = match dir {
            Some(dir) => tempfile::spooled_tempfile_in(IN_MEMORY, dir),
            None => tempfile::spooled_tempfile(IN_MEMORY),
        };
        let dir = dir.map_or_else(|| "the folder for temporary files".into(), Path::to_owned);
        let list = (0..count).map(|_| unknown()).collect();
        Self { list, disk: Mutex::new(disk), end: 0, dir }
    }

    /// Of photos that are at hand.
    #[cfg(test)]
    pub fn of(photos: impl IntoIterator<Item = Photo>) -> Self {
        let photos: Vec<Photo> = photos.into_iter().collect();
        let mut all = Self::new(photos.len(), None);
        for (index, photo) in photos.into_iter().enumerate() {
            all.put(index, photo).expect("room in memory");
        }
        all
    }

    /// Puts a photo, of which nothing is known yet, at `index`.
    pub fn put(&mut self, index: usize, photo: Photo) -> Result<(), DatasetError> {
        let Photo { path, sha256, measured, .. } = photo;
        let measured = match measured {
            Ok(measured) => Ok(self.write(&measured)?),
            Err(why) => Err(why),
        };
        self.list[index] = Listed { path, sha256, measured };
        Ok(())
    }

    /// The photos' names.
    pub fn list(&self) -> &[Listed] {
        &self.list
    }

    /// What was measured on the photo at `index`; `None` where it could not be decoded.
    pub fn measured(&self, index: usize) -> Result<Option<Measured>, DatasetError> {
        self.list[index].measured.as_ref().ok().map(|place| self.read(*place)).transpose()
    }

    /// What was measured on each, one after the other.
    pub fn each(&self) -> impl Iterator<Item = Result<Option<Measured>, DatasetError>> {
        (0..self.list.len()).map(|index| self.measured(index))
    }

    /// Changes what was measured on the photo at `index`.
    pub fn change(&mut self, index: usize, measured: &Measured) -> Result<(), DatasetError> {
        self.list[index].measured = Ok(self.write(measured)?);
        Ok(())
    }

    fn write(&mut self, measured: &Measured) -> Result<Place, DatasetError> {
        let bytes = postcard::to_stdvec(measured).expect("numbers, texts and lists of them");
        let place = Place { start: self.end, length: bytes.len() };
        let disk = self.disk.get_mut().unwrap_or_else(PoisonError::into_inner);
        let written = disk.seek(SeekFrom::Start(place.start)).and_then(|_| disk.write_all(&bytes));
        written.map_err(|source| DatasetError::Write { path: self.dir.clone(), source })?;
        self.end += bytes.len() as u64;
        Ok(place)
    }

    fn read(&self, place: Place) -> Result<Measured, DatasetError> {
        let mut bytes = vec![0; place.length];
        let mut disk = self.disk.lock().unwrap_or_else(PoisonError::into_inner);
        let read =
            disk.seek(SeekFrom::Start(place.start)).and_then(|_| disk.read_exact(&mut bytes));
        drop(disk);
        let measured =
            read.and_then(|()| postcard::from_bytes(&bytes).map_err(std::io::Error::other));
        measured.map_err(|source| DatasetError::Read { path: self.dir.clone(), source })
    }
}

impl Listed {
    /// Why it could not be decoded.
    pub fn unreadable(&self) -> Option<&str> {
        self.measured.as_ref().err().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::set::testing::photo;

    #[test]
    fn what_was_measured_is_read_back_to_the_last_bit() {
        let mut measured = photo(&[(0.3, 100.0), (1.5, 60.0)]).measured.expect("measured");
        measured.lettering = f64::NAN;
        let photos = Photos::of([Photo { measured: Ok(measured.clone()), ..photo(&[]) }]);
        let read = photos.measured(0).expect("readable").expect("measured");
        assert_eq!(format!("{read:?}"), format!("{measured:?}"));
    }

    #[test]
    fn thousands_lie_in_the_folder_and_leave_nothing_there() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let mut photos = Photos::new(2000, Some(dir.path()));
        for index in 0..2000 {
            photos.put(index, photo(&[(index as f32, 100.0)])).expect("written");
        }
        assert!(photos.disk.get_mut().expect("no panic").is_rolled());
        let changed = photo(&[(0.5, 70.0)]).measured.expect("measured");
        photos.change(1999, &changed).expect("written");
        let side = |index| {
            let measured = photos.measured(index).expect("readable").expect("measured");
            (measured.faces[0].bbox[2], measured.identity)
        };
        assert_eq!(side(1998), (100.0, Some(crate::set::testing::towards(1998.0))));
        assert_eq!(side(1999), (70.0, Some(crate::set::testing::towards(0.5))));
        drop(photos);
        assert_eq!(std::fs::read_dir(dir.path()).expect("the folder").count(), 0);
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_named() {
        let mut photos = Photos::new(2000, Some(Path::new("/nowhere/at/all")));
        let failed = (0..2000).find_map(|index| photos.put(index, photo(&[(0.1, 9.0)])).err());
        assert!(failed.expect("no room").to_string().contains("/nowhere/at/all"));
    }

    #[test]
    fn a_photo_that_cannot_be_decoded_says_why() {
        let broken = Photo { measured: Err("torn".into()), ..photo(&[]) };
        let photos = Photos::of([broken, photo(&[])]);
        assert_eq!(photos.list()[0].unreadable(), Some("torn"));
        assert!(photos.measured(0).expect("nothing to read").is_none());
        assert!(photos.list()[1].unreadable().is_none());
    }
}
