//! A hash over weight files, fast enough to be taken at every start.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use crate::error::Error;

const PIECE: usize = 16 << 20;

/// SHA-256 over the files' lengths and the SHA-256 of each 16 MiB piece, as hex: a file may be
/// renamed or moved.
pub fn of(files: &[PathBuf]) -> Result<String, Error> {
    let mut whole = Sha256::new();
    for path in files {
        let mut file = File::open(path).map_err(Error::io("open", path))?;
        let length = file.metadata().map_err(Error::io("read", path))?.len();
        whole.update(length.to_le_bytes());
        loop {
            let mut batch = Vec::new();
            let limit = (PIECE * rayon::current_num_threads()) as u64;
            file.by_ref().take(limit).read_to_end(&mut batch).map_err(Error::io("read", path))?;
            if batch.is_empty() {
                break;
            }
            let pieces: Vec<_> = batch.par_chunks(PIECE).map(Sha256::digest).collect();
            pieces.iter().for_each(|piece| whole.update(piece));
        }
    }
    Ok(format!("{:x}", whole.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_changed_byte_changes_it() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("w.safetensors");
        let mut bytes = vec![7u8; PIECE + 100];
        std::fs::write(&path, &bytes).expect("writable");
        let before = of(std::slice::from_ref(&path)).expect("readable");
        assert_eq!(before, of(std::slice::from_ref(&path)).expect("readable"));
        bytes[PIECE + 50] = 8;
        std::fs::write(&path, &bytes).expect("writable");
        assert_ne!(before, of(std::slice::from_ref(&path)).expect("readable"));
    }
}
