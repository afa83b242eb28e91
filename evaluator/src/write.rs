//! Files that are there whole or not at all.

use std::io::Write;
use std::path::Path;

use tempfile::Builder;

use crate::error::Error;

/// How names of files begin that are still being written.
pub(crate) const UNFINISHED: &str = ".writing-";

/// Writes `bytes` beside `path`, syncs them to the disk, then renames.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    try_write(path, bytes).map_err(|source| Error::Io { path: path.to_owned(), source })
}

fn try_write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = Builder::new();
    builder.prefix(UNFINISHED);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666)); // the umask takes its part
    }
    let mut file = builder.tempfile_in(parent)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    #[cfg(unix)]
    std::fs::File::open(parent)?.sync_all()?; // the rename itself
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("scores.json");
        write(&path, b"a long first version").expect("written");
        write(&path, b"short").expect("written");
        assert_eq!(std::fs::read(&path).expect("read"), b"short");
        assert_eq!(std::fs::read_dir(folder.path()).expect("listed").count(), 1);
    }
}
