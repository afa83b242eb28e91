//! Files that are there whole or not at all.
//!
//! Everything is written beside its target, flushed to the disk, then renamed:
//! a full disk or a lost process leaves what was there before.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use crate::error::Error;

/// Writes `bytes` to `path`, whole or not at all.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    write_with(path, |file| file.write_all(bytes))
}

/// Lets `fill` write the file that then takes the name `path`.
pub fn write_with(
    path: &Path,
    fill: impl FnOnce(&mut File) -> std::io::Result<()>,
) -> Result<(), Error> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".writing-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666)); // the umask takes its part
    }
    let mut beside = builder.tempfile_in(folder).map_err(Error::io("write in", folder))?;
    fill(beside.as_file_mut()).map_err(Error::io("write", path))?;
    beside.as_file().sync_all().map_err(Error::io("write", path))?;
    beside.persist(path).map_err(|e| Error::io("write", path)(e.error))?;
    sync_folder(folder)
}

/// Makes a rename in `folder` last through a power cut.
pub fn sync_folder(folder: &Path) -> Result<(), Error> {
    File::open(folder).and_then(|f| f.sync_all()).map_err(Error::io("flush", folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_what_was_there() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("file");
        write(&path, b"before").expect("the folder is writable");
        let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
        let result = write_with(&path, |file| {
            file.write_all(b"aft")?;
            Err(full)
        });
        assert!(result.is_err());
        assert_eq!(fs::read(&path).expect("still there"), b"before");
        assert_eq!(
            fs::read_dir(folder.path()).expect("readable").count(),
            1,
            "nothing half-written"
        );
    }
}
