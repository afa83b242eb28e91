//! What is judged of a set as a whole: whose face it is, what is missing, which photos are too
//! many and which are the best.

mod apart;
pub(crate) mod balance;
pub(crate) mod cast;
pub(crate) mod choose;
mod colours;
mod core;
pub(crate) mod coverage;
pub(crate) mod likeness;
pub(crate) mod quality;
mod shown;
pub(crate) mod strangers;
#[cfg(test)]
pub(crate) mod testing;
mod verdicts;
