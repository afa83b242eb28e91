//! What curation tells while it runs and when it is done.

use std::path::Path;

use serde::Serialize;

use crate::plan::BucketPlan;
use crate::record::ImageRecord;
use crate::set::coverage::Coverage;

/// A step of curation.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// The photos folder was listed.
    Found {
        /// How many pictures it has.
        photos: usize,
    },
    /// A photo was measured; photos come in no fixed order.
    Measured {
        /// How many are done, from 1.
        done: usize,
        /// How many there are.
        photos: usize,
        /// The photo's file name.
        path: &'a str,
        /// Whether an earlier curation had measured it.
        cached: bool,
    },
    /// All photos were judged.
    Judged {
        /// How many are kept.
        kept: usize,
        /// How many are dropped.
        dropped: usize,
    },
    /// The dataset is written.
    Written {
        /// Its folder.
        dir: &'a Path,
    },
}

/// What came out of curation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// How many photos are kept.
    pub kept: usize,
    /// How many of these a person should look at.
    pub review: usize,
    /// How many are dropped.
    pub dropped: usize,
    /// What training will see of the kept photos, by bucket.
    pub plan: Vec<BucketPlan>,
    /// One record a photo with a person's decisions applied, sorted by path.
    pub records: Vec<ImageRecord>,
    /// What could not be measured, and why, in words.
    pub unmeasured: Vec<String>,
    /// What the set as a whole lacks, in words.
    pub advice: Vec<String>,
    /// What the kept photos show, and what is missing.
    pub coverage: Coverage,
}
