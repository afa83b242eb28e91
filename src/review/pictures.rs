//! Previews that were made already: going back and forth decodes nothing twice.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

const MOST_BYTES: usize = 64 << 20;

/// The last previews, newest first.
#[derive(Default)]
pub struct Pictures(Mutex<VecDeque<Entry>>);

struct Entry {
    sha256: String,
    side: u16,
    bytes: Arc<Vec<u8>>,
}

impl Pictures {
    /// The preview of a photo at a side, made by `make` if it is not here.
    pub fn get<E>(
        &self,
        sha256: &str,
        side: u16,
        make: impl FnOnce() -> Result<Vec<u8>, E>,
    ) -> Result<Arc<Vec<u8>>, E> {
        if let Some(found) = self.find(sha256, side) {
            return Ok(found);
        }
        let bytes = Arc::new(make()?);
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.push_front(Entry { sha256: sha256.into(), side, bytes: Arc::clone(&bytes) });
        while entries.iter().map(|entry| entry.bytes.len()).sum::<usize>() > MOST_BYTES {
            entries.pop_back();
        }
        Ok(bytes)
    }

    fn find(&self, sha256: &str, side: u16) -> Option<Arc<Vec<u8>>> {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_it = |entry: &Entry| entry.sha256 == sha256 && entry.side == side;
        let entry = entries.iter().position(is_it).and_then(|place| entries.remove(place))?;
        let bytes = Arc::clone(&entry.bytes);
        entries.push_front(entry);
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_leave_when_there_are_too_many_bytes() {
        let pictures = Pictures::default();
        let third = MOST_BYTES / 3;
        let get = |name: &str, byte: u8| {
            let made = pictures.get(name, 8, || Ok::<_, ()>(vec![byte; third]));
            made.expect("bytes").first().copied()
        };
        for (name, byte) in [("a", 1), ("b", 2), ("c", 3)] {
            assert_eq!(get(name, byte), Some(byte));
        }
        assert_eq!(get("a", 9), Some(1), "it is still here");
        assert_eq!(get("d", 4), Some(4));
        assert_eq!(get("b", 8), Some(8), "it was the oldest");
        assert_eq!(get("a", 9), Some(1));
    }
}
