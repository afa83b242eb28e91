//! Identity scores, statistics and reports on a finished LoRA.
//!
//! [`evaluate`] paints a suite of held-out prompts with the adapter and with
//! the bare base from the same seeds, and once more with the adapter but without
//! its trigger. A [`Judge`] finds the face in each
//! image and says how alike it is to the references; [`Scale`] makes that a
//! number that travels between bases, [`Bootstrap`] puts an interval around
//! it, and [`Verdict`] and [`Gate`] say in a word what follows.
//!
//! Nothing here needs a network or a model by itself: images come from a
//! [`Painter`], faces from a [`Judge`], time and randomness from the [`Plan`].

mod bootstrap;
mod error;
mod evaluate;
mod event;
mod folder;
mod gallery;
mod gate;
mod grid;
mod heldout;
mod judge;
mod observation;
mod painter;
mod pipeline;
mod plan;
mod readings;
mod report;
mod scale;
mod scores;
mod scoring;
mod suite;
mod verdict;
mod write;

#[cfg(test)]
mod fake;
#[cfg(test)]
mod tests;

pub use bootstrap::{Bootstrap, Interval};
pub use error::Error;
pub use evaluate::evaluate;
pub use event::Event;
pub use gallery::{Nearest, Reference};
pub use gate::{Gate, Outcome, Thresholds};
pub use heldout::Resemblance;
pub use judge::{Judge, Judges, Reader, Scenes, Sighting};
pub use painter::{Arm, Painter, Shot};
pub use pipeline::PipelinePainter;
pub use plan::{Plan, Recipe};
pub use readings::Reading;
pub use scale::Scale;
pub use scores::{
    ArmScores, IdentityScores, ImageRecord, Leak, PromptScores, ReferenceRecord, SCORES_VERSION,
    Scores,
};
pub use suite::{Prompt, Suite};
pub use verdict::Verdict;
