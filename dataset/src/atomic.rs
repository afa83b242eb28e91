//! Writes files whole or not at all.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::error::DatasetError;

/// Writes `bytes` beside `path`, waits for the disk, then renames: a reader
/// sees the old file or the new one, never a part. A file that has these bytes
/// already is left alone, since waiting for the disk takes milliseconds.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), DatasetError> {
    if fs::read(path).is_ok_and(|found| found == bytes) {
        return Ok(());
    }
    write_and_rename(path, bytes)
        .map_err(|source| DatasetError::Write { path: path.into(), source })
}

/// As [`write`], with what `fill` writes, so that it need not be in memory as a whole.
pub(crate) fn write_by(
    path: &Path,
    fill: &dyn Fn(&mut dyn Write) -> io::Result<()>,
) -> Result<(), DatasetError> {
    put_by(path, fill).map_err(|source| DatasetError::Write { path: path.into(), source })
}

/// As [`write`], but without waiting for the disk: after a power cut the file
/// may be torn, which its reader has to see. `number` is another one for each
/// writer of the same file.
pub(crate) fn write_unsynced(path: &Path, bytes: &[u8], number: u64) -> Result<(), DatasetError> {
    let beside = beside(path, &format!(".{number}.partial"));
    let written = fs::write(&beside, bytes).and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        let _ = fs::remove_file(&beside); // the error before it says more
    }
    written.map_err(|source| DatasetError::Write { path: path.into(), source })
}

/// Creates the folder `dir` and those above it.
pub(crate) fn create_folder(dir: &Path) -> Result<(), DatasetError> {
    fs::create_dir_all(dir).map_err(|source| DatasetError::Write { path: dir.into(), source })
}

fn write_and_rename(path: &Path, bytes: &[u8]) -> io::Result<()> {
    put_by(path, &|file| file.write_all(bytes))
}

fn put_by(path: &Path, fill: &dyn Fn(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let beside = beside(path, ".partial");
    let written = write_synced(&beside, fill).and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        let _ = fs::remove_file(&beside); // the error before it says more
    }
    written?;
    sync_folder(path)
}

/// Where the file is written before it gets its name.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(ending);
    path.with_file_name(name)
}

fn write_synced(path: &Path, fill: &dyn Fn(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    fill(&mut file)?;
    file.into_inner()?.sync_all()
}

/// Makes the rename itself last through a power cut, where folders can be
/// synced.
fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(dir) if cfg!(unix) && !dir.as_os_str().is_empty() => File::open(dir)?.sync_all(),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_and_nothing_else_is_left() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = dir.path().join("a.txt");
        write(&path, b"one").expect("written");
        write(&path, b"two").expect("written again");
        assert_eq!(fs::read(&path).expect("a file"), b"two");
        assert_eq!(fs::read_dir(dir.path()).expect("a folder").count(), 1);
    }

    #[test]
    fn a_file_of_the_same_bytes_is_left_alone() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = dir.path().join("a.txt");
        write(&path, b"one").expect("written");
        let age = || fs::metadata(&path).and_then(|file| file.modified()).expect("a time");
        let before = age();
        std::thread::sleep(std::time::Duration::from_millis(20));
        write(&path, b"one").expect("left");
        assert_eq!(age(), before);
        write(&path, b"two").expect("replaced");
        assert!(age() > before);
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let error = write(&dir.path().join("absent/a.txt"), b"").expect_err("no folder");
        assert!(error.to_string().contains("absent/a.txt"), "{error}");
    }
}
