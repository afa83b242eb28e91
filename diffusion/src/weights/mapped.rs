//! A part of a memory-mapped file as a tensor's storage, without a copy.
//!
//! Pages are read when they are first used and stay shared with other processes,
//! so a frozen weight costs neither start-up time nor memory of its own. Whoever
//! writes to one gets a copy first.

use std::mem::MaybeUninit;
use std::ops::Range;
use std::sync::Arc;

use burn_std::{AccessError, AccessPolicy, AllocationController, AllocationProperty, Bytes};
use memmap2::Mmap;

/// Bytes `range` of `map`, which stays mapped as long as they are used.
pub fn mapped(map: Arc<Mmap>, range: Range<usize>) -> Bytes {
    let length = map[range.clone()].len();
    let controller = Box::new(Mapped { map, range, copy: None });
    // SAFETY: the range is within the map, by the slice above, and a file's bytes are initialised.
    #[allow(unsafe_code)]
    unsafe {
        Bytes::from_controller(controller, length)
    }
}

struct Mapped {
    map: Arc<Mmap>,
    range: Range<usize>,
    copy: Option<Box<[MaybeUninit<u8>]>>,
}

impl Mapped {
    fn original(&self) -> &[MaybeUninit<u8>] {
        let bytes = &self.map[self.range.clone()];
        // SAFETY: initialised bytes may be seen as bytes that need not be.
        #[allow(unsafe_code)]
        unsafe {
            std::slice::from_raw_parts(bytes.as_ptr().cast(), bytes.len())
        }
    }

    fn part(&self, range: Range<usize>) -> Self {
        Self { map: self.map.clone(), range, copy: None }
    }
}

impl AllocationController for Mapped {
    fn alloc_align(&self) -> usize {
        let address = self.map[self.range.clone()].as_ptr() as usize;
        1 << address.trailing_zeros().min(4)
    }

    fn property(&self) -> AllocationProperty {
        AllocationProperty::File
    }

    fn capacity(&self) -> usize {
        self.range.len()
    }

    fn memory(&self, _: AccessPolicy) -> Result<&[MaybeUninit<u8>], AccessError> {
        Ok(self.copy.as_deref().unwrap_or_else(|| self.original()))
    }

    #[allow(unsafe_code)] // the trait's signature
    unsafe fn memory_mut(
        &mut self,
        policy: AccessPolicy,
    ) -> Result<&mut [MaybeUninit<u8>], AccessError> {
        if self.copy.is_none() {
            if !policy.copy_allowed() {
                return Err(AccessError::WouldCopy);
            }
            self.copy = Some(self.original().into());
        }
        Ok(self.copy.as_deref_mut().expect("copied above"))
    }

    fn view(&self, start: usize, end: usize) -> Option<Box<dyn AllocationController>> {
        let inside = self.copy.is_none() && start <= end && end <= self.range.len();
        let range = self.range.start + start..self.range.start + end;
        inside.then(|| Box::new(self.part(range)) as _)
    }

    fn duplicate(&self) -> Option<Box<dyn AllocationController>> {
        self.copy.is_none().then(|| Box::new(self.part(self.range.clone())) as _)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn map(bytes: &[u8]) -> Arc<Mmap> {
        let mut file = tempfile::tempfile().expect("a temporary file");
        file.write_all(bytes).expect("writable");
        // SAFETY: nobody else has this file.
        #[allow(unsafe_code)]
        Arc::new(unsafe { Mmap::map(&file) }.expect("mappable"))
    }

    #[test]
    fn it_reads_the_file_and_is_not_copied() {
        let map = map(b"0123456789");
        let bytes = mapped(map.clone(), 2..6);
        assert_eq!((&bytes[..], bytes.as_ptr()), (&b"2345"[..], map[2..].as_ptr()));
        assert_eq!(bytes.clone().as_ptr(), map[2..].as_ptr());
    }

    #[test]
    fn writing_leaves_the_file_as_it_was() {
        let map = map(b"0123456789");
        let mut bytes = mapped(map.clone(), 2..6);
        bytes[0] = b'x';
        assert_eq!((&bytes[..], &map[..]), (&b"x345"[..], &b"0123456789"[..]));
    }
}
