//! Measures photos on all processors, within bounded memory.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;

use crate::error::DatasetError;
use crate::measure::{self, Tools};
use crate::photos::Photos;
use crate::progress::Event;

const STACK: usize = 8 << 20; // bytes of a thread's stack: face models recurse

/// Measures the photos at `paths` and puts them into `photos` in their order; events come on the
/// caller's thread. When `stopped` says so, photos that are being measured are finished and
/// the others left; `dir` is the dataset that keeps them.
pub(crate) fn measure_all(
    paths: &[PathBuf],
    photos: &mut Photos,
    tools: &Tools,
    dir: &Path,
    stopped: &(dyn Fn() -> bool + Sync),
    on_event: &mut dyn FnMut(Event),
) -> Result<(), DatasetError> {
    let (next, failed) = (&AtomicUsize::new(0), &AtomicBool::new(false));
    let (mut failure, mut done) = (None, 0);
    std::thread::scope(|scope| {
        let (sender, receiver) = mpsc::channel();
        for _ in 0..rayon::current_num_threads().min(paths.len()) {
            let sender = sender.clone();
            let work = move || {
                while !stopped() && !failed.load(Ordering::Relaxed) {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(path) = paths.get(index) else { break };
                    // A receiver that is gone only means that nobody listens.
                    let _ = sender.send((index, measure::photo(path, tools)));
                }
            };
            let thread = std::thread::Builder::new().stack_size(STACK);
            if let Err(source) = thread.spawn_scoped(scope, work) {
                failed.store(true, Ordering::Relaxed);
                return Err(DatasetError::Threads { source });
            }
        }
        drop(sender); // the threads' own ones are left
        for (index, photo) in receiver {
            let put = photo.and_then(|photo| {
                let cached = photo.cached;
                photos.put(index, photo).map(|()| cached)
            });
            match put {
                Ok(cached) => {
                    done += 1;
                    let path = photos.list()[index].path.as_str();
                    on_event(Event::Measured { done, photos: paths.len(), path, cached });
                }
                Err(error) => {
                    failed.store(true, Ordering::Relaxed);
                    failure.get_or_insert(error);
                }
            }
        }
        Ok(())
    })?;
    if let Some(error) = failure {
        return Err(error);
    }
    if done < paths.len() {
        let (measured, photos) = (done, paths.len());
        return Err(DatasetError::Stopped { measured, photos, dir: dir.into() });
    }
    Ok(())
}
