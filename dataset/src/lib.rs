//! Photos in, a curated and captioned training set out.
//!
//! [`curate()`] reads a folder of photos, measures each, judges it, chooses a
//! crop and a bucket, writes captions and a report, and never touches the
//! photos. [`Dataset::open`] reads the result back and gives the pixels that
//! a trainer sees.
//!
//! On disk a dataset is a folder:
//!
//! | file | holds |
//! | --- | --- |
//! | `images.jsonl` | one [`ImageRecord`] a line, sorted by path |
//! | `character.toml` | the [`Character`]: trigger, class word, photos |
//! | `captions/*.txt` | one caption a photo, free to edit |
//! | `words.jsonl` | what taggers and captioners said, if any were asked |
//! | `decisions.jsonl` | what a person overrode, the last line on a photo holds |
//! | `limits.toml` | the dataset's own limits, if it was calibrated |
//! | `masks/*.png` | where the heads are, if that was asked for |
//! | `sheet.png` | the character sheet, if it was asked for |
//! | `report.html` | what was kept and dropped, and why; `report-2.html` and so on for many photos |
//! | `cache/measures/` | what was measured, by the photo's content; may be removed at any time |

mod atomic;
mod bars;
mod bucket;
mod cache;
mod calibrate;
mod camera;
pub mod captions;
mod character;
mod compression;
mod condition;
mod crop;
mod crop_choices;
mod curate;
mod dataset;
mod decisions;
pub mod decode;
mod duplicates;
mod error;
mod exposure;
mod features;
mod folder;
mod foreign;
mod framing;
mod hash;
mod head;
mod jpeg_end;
mod judge;
mod lab;
mod lettering;
mod limit;
mod limits;
mod lock;
mod luminance;
mod masks;
mod measure;
mod measures;
mod overlay;
mod photos;
mod plan;
mod portrait;
mod preview;
mod print;
mod profile;
mod progress;
mod record;
mod references;
mod regions;
mod report;
mod report_limits;
mod report_pages;
mod review;
mod room;
mod rules;
mod scan;
mod scenery;
mod set;
mod sharpness;
mod sheet;
mod single;
mod skin;
mod subject;
mod taken;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod tone;
mod verdicts;
mod workers;

pub use bucket::Bucket;
pub use calibrate::{Calibration, Change, calibrate, forget_calibration};
pub use character::Character;
pub use crop::Crop;
pub use crop_choices::CropChoice;
pub use curate::{CurateOptions, curate, curate_until};
pub use dataset::Dataset;
pub use decisions::Decision;
pub use error::DatasetError;
pub use framing::Framing;
pub use measures::{Measure, MeasureKind, Measures};
pub use plan::{BucketPlan, PhotoPlan};
pub use progress::{Event, Summary};
pub use record::{ImageRecord, Reason, Verdict};
pub use review::{Changed, Review, Reviewed, ReviewedPhoto};
pub use set::coverage::{AxisCoverage, ClassCoverage, Coverage, Missing};
pub use sheet::{Sheet, SheetPhoto, SheetView, make_sheet};
pub use single::{Judged, judge_picture};

/// The version that every file of a dataset carries.
pub const FORMAT_VERSION: u32 = 1;
