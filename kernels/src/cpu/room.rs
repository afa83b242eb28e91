//! Working memory that begins where a cache line does.
//!
//! A vector of 64 bytes that lies across two lines costs two loads: a quarter of a
//! product's speed.

/// Bytes of a cache line, in f32.
const LINE: usize = 16;

/// Memory that grows, and is kept for the next use.
#[derive(Debug, Default)]
pub struct Room(Vec<f32>);

impl Room {
    /// No memory yet.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// `length` numbers, whatever they are, from the beginning of a cache line.
    pub fn take(&mut self, length: usize) -> &mut [f32] {
        if self.0.len() < length + LINE {
            self.0 = vec![0.0; length + LINE];
        }
        let start = self.0.as_ptr().align_offset(4 * LINE).min(LINE);
        &mut self.0[start..start + length]
    }

    /// All of it, from where [`Room::take`] began.
    pub fn kept(&self) -> &[f32] {
        let start = self.0.as_ptr().align_offset(4 * LINE).min(LINE);
        &self.0[start.min(self.0.len())..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_begins_with_a_line_and_is_kept() {
        let mut room = Room::new();
        let first = room.take(1000);
        assert!((first.as_ptr() as usize).is_multiple_of(64));
        first.fill(3.0);
        let place = first.as_ptr();
        let again = room.take(10);
        assert_eq!((again.as_ptr(), again[9], again.len()), (place, 3.0, 10));
    }
}
