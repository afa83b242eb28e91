//! One writer at a time in a dataset: a curation, or a review's decision.

use std::fs::{File, TryLockError};
use std::path::Path;

use crate::error::DatasetError;

/// The file that is locked; it holds nothing and stays.
const FILE: &str = ".lock";

/// The right to write into a dataset, until it is dropped.
#[derive(Debug)]
pub(crate) struct Lock(#[expect(dead_code, reason = "closing the file gives the lock back")] File);

impl Lock {
    /// Waits for other writers of the dataset `dir`, in this process and in
    /// others. A file system without locks is written to without one.
    pub fn take(dir: &Path) -> Result<Self, DatasetError> {
        let path = dir.join(FILE);
        let failed = |source| DatasetError::Write { path: path.clone(), source };
        let file =
            File::options().create(true).truncate(false).write(true).open(&path).map_err(failed)?;
        if let Err(TryLockError::WouldBlock) = file.try_lock() {
            file.lock().map_err(failed)?;
        }
        Ok(Self(file))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_second_writer_waits_for_the_first() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let first = Lock::take(dir.path()).expect("a lock");
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let _second = Lock::take(dir.path()).expect("a lock");
                assert!(done.load(Ordering::SeqCst), "the first had not finished");
            });
            std::thread::sleep(Duration::from_millis(50));
            done.store(true, Ordering::SeqCst);
            drop(first);
        });
    }
}
