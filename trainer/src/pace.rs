//! How fast a training goes: the one clock of this crate, which nothing but logs depend on.

use std::time::Instant;

/// Counts photos from one line of a log to the next.
#[derive(Debug)]
pub struct Pace {
    since: Instant,
    step: usize,
    photos_a_step: usize,
}

impl Pace {
    /// From now, before `step` is taken.
    pub fn from(step: usize, photos_a_step: usize) -> Self {
        Self { since: Instant::now(), step, photos_a_step }
    }

    /// Photos a second since the last call, now that `step` steps are done.
    pub fn lap(&mut self, step: usize) -> f64 {
        let photos = (step - self.step) * self.photos_a_step;
        let seconds = self.since.elapsed().as_secs_f64().max(1e-9);
        *self = Self::from(step, self.photos_a_step);
        photos as f64 / seconds
    }

    /// Leaves out what happened since the last lap, such as a validation.
    pub fn skip(&mut self) {
        self.since = Instant::now();
    }
}
