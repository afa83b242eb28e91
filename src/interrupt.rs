//! Ctrl-C: asks whatever runs to stop when it can.

use std::sync::{Mutex, PoisonError};

use anyhow::Context;
use likeness_trainer::progress::Stop;

/// Asked by Ctrl-C, once it is caught.
pub static STOP: Stop = Stop::new();

static CAUGHT: Mutex<bool> = Mutex::new(false);

/// Catches Ctrl-C from now on; again is no error, since `demo` runs other commands.
pub fn catch() -> anyhow::Result<()> {
    let mut caught = CAUGHT.lock().unwrap_or_else(PoisonError::into_inner);
    if !*caught {
        ctrlc::set_handler(|| STOP.ask()).context("cannot catch Ctrl-C")?;
        *caught = true;
    }
    Ok(())
}
