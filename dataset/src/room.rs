//! Keeps what threads hold in memory at a time below a limit.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Bytes that threads share.
pub(crate) struct Room {
    limit: u64,
    taken: Mutex<u64>,
    freed: Condvar,
}

/// Bytes that are taken until this is dropped.
pub(crate) struct Taken<'a> {
    room: &'a Room,
    bytes: u64,
}

impl Room {
    /// Room for `limit` bytes.
    pub fn new(limit: u64) -> Self {
        Self { limit, taken: Mutex::new(0), freed: Condvar::new() }
    }

    /// Waits until there is room for `bytes`. More than the limit is let in
    /// alone, so that every request is granted in the end.
    pub fn take(&self, bytes: u64) -> Taken<'_> {
        let full = |taken: &mut u64| *taken > 0 && taken.saturating_add(bytes) > self.limit;
        let mut taken =
            self.freed.wait_while(self.locked(), full).unwrap_or_else(PoisonError::into_inner);
        *taken = taken.saturating_add(bytes);
        Taken { room: self, bytes }
    }

    /// A thread that panicked left a number that is still right.
    fn locked(&self) -> MutexGuard<'_, u64> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        let mut taken = self.room.locked();
        *taken = taken.saturating_sub(self.bytes);
        drop(taken);
        self.room.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn threads_never_hold_more_than_the_limit_and_all_get_their_turn() {
        let room = Room::new(10);
        let (held, most) = (AtomicU64::new(0), AtomicU64::new(0));
        std::thread::scope(|scope| {
            for thread in 0..8u64 {
                let (room, held, most) = (&room, &held, &most);
                scope.spawn(move || {
                    for turn in 0..50 {
                        let bytes = (thread + turn) % 6 + 1;
                        let taken = room.take(bytes);
                        most.fetch_max(
                            held.fetch_add(bytes, Ordering::SeqCst) + bytes,
                            Ordering::SeqCst,
                        );
                        std::thread::yield_now();
                        held.fetch_sub(bytes, Ordering::SeqCst);
                        drop(taken);
                    }
                });
            }
        });
        assert!((6..=10).contains(&most.into_inner()));
    }

    #[test]
    fn what_exceeds_the_limit_goes_alone() {
        let room = Room::new(10);
        drop(room.take(1000));
        let _one = room.take(10);
        assert_eq!(*room.locked(), 10);
    }
}
