//! A hash over weight files, fast enough to be taken at every start.

use std::fs::File;
use std::io::{Error as IoError, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use crate::error::Error;

const PIECE: u64 = 16 << 20;
/// Bytes read at once: few enough to be hashed out of the processor's cache.
const BLOCK: usize = 1 << 18;

/// SHA-256 over the files' lengths and the SHA-256 of each 16 MiB piece, as hex: a file may be
/// renamed or moved.
pub fn of(files: &[PathBuf]) -> Result<String, Error> {
    let mut whole = Sha256::new();
    for path in files {
        let length = path.metadata().map_err(Error::io("read", path))?.len();
        whole.update(length.to_le_bytes());
        let pieces: Vec<_> = (0..length.div_ceil(PIECE))
            .into_par_iter()
            .map(|index| piece(path, index * PIECE, PIECE.min(length - index * PIECE)))
            .collect::<Result<_, _>>()
            .map_err(Error::io("read", path))?;
        pieces.iter().for_each(|piece| whole.update(piece));
    }
    Ok(format!("{:x}", whole.finalize()))
}

/// The SHA-256 of `length` bytes of a file from `start`.
fn piece(path: &Path, start: u64, length: u64) -> Result<[u8; 32], IoError> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(start))?;
    let (mut hash, mut left) = (Sha256::new(), length as usize);
    let mut block = vec![0; BLOCK.min(left)];
    while left > 0 {
        let most = block.len().min(left);
        match file.read(&mut block[..most]) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(count) => {
                hash.update(&block[..count]);
                left -= count;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(hash.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_changed_byte_changes_it() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("w.safetensors");
        let mut bytes = vec![7u8; PIECE as usize + 100];
        std::fs::write(&path, &bytes).expect("writable");
        let before = of(std::slice::from_ref(&path)).expect("readable");
        let mut whole = Sha256::new();
        whole.update((bytes.len() as u64).to_le_bytes());
        bytes.chunks(PIECE as usize).for_each(|piece| whole.update(Sha256::digest(piece)));
        assert_eq!(before, format!("{:x}", whole.finalize()));
        bytes[PIECE as usize + 50] = 8;
        std::fs::write(&path, &bytes).expect("writable");
        assert_ne!(before, of(std::slice::from_ref(&path)).expect("readable"));
    }
}
