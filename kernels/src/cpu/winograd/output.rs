//! Memory that several tasks write to.

/// Memory that tasks write to in places that do not overlap.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    place: *mut f32,
    length: usize,
}

// SAFETY: see above.
unsafe impl Sync for Output {}
// SAFETY: see above.
unsafe impl Send for Output {}

impl Output {
    /// All of `memory`, which its borrower keeps from others while tasks write to it.
    pub fn new(memory: &mut [f32]) -> Self {
        Self { place: memory.as_mut_ptr(), length: memory.len() }
    }

    /// Writes `values` from element `at` on.
    #[inline(always)]
    pub fn write(&self, at: usize, values: &[f32]) {
        assert!(at + values.len() <= self.length);
        // SAFETY: within the memory by the assertion, and no other task writes here.
        unsafe {
            std::ptr::copy_nonoverlapping(values.as_ptr(), self.place.add(at), values.len());
        }
    }

    /// Adds `value` to element `at`.
    #[inline(always)]
    pub fn set(&self, at: usize, add: bool, value: f32) {
        assert!(at < self.length);
        // SAFETY: within the memory by the assertion, and no other task writes here.
        unsafe {
            let place = self.place.add(at);
            *place = if add { *place + value } else { value };
        }
    }
}
