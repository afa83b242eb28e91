//! What a reader of faces may tell of their condition, by the names of its axes and their labels.
//!
//! A reader that has any of these axes judges photos in curation; `likeness pretrain` makes one from
//! renders with flaws (`corpus.flawed`).

use crate::card::Axis;

/// An axis's name and its labels; the first of them is no flaw.
pub type Condition = (&'static str, &'static [&'static str]);

/// Whether eyes are open.
pub const EYES: Condition = ("eyes", &["open", "one closed", "closed", "hidden"]);
/// What is before the face.
pub const COVER: Condition = ("cover", &["nothing", "a hand", "a mask", "dark glasses"]);
/// What light does to the face.
pub const FACE_LIGHT: Condition = ("light on the face", &["even", "a hard shadow", "from behind"]);
/// How strong the expression is.
pub const STRENGTH: Condition = ("strength of the expression", &["natural", "overdone"]);

/// All of them.
pub const ALL: [Condition; 4] = [EYES, COVER, FACE_LIGHT, STRENGTH];

/// Whether `axis` is one of them.
pub fn has(axis: &Axis) -> bool {
    ALL.iter().any(|(name, labels)| axis.name == *name && axis.labels == *labels)
}
