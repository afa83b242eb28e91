//! The limits of what is judged by one number, as a table.
//!
//! Where a limit came from, its `source` says: "portraits" are 67 press and official photographs
//! of people, "renders" the tuning half of `benches/curation/flaws.py`: good pictures of the
//! studio's characters in all its lights, and some of each flaw at full strength; portraits were
//! found by a detector, the renders' landmarks are known and moved at random by 3 % of the distance
//! between the eyes. Beyond `review` a person should look; beyond `drop` the photo is not trained
//! on.

mod condition;
mod face;
mod picture;

pub(crate) use condition::*;
pub(crate) use face::*;
pub(crate) use picture::*;

use crate::limit::Limit;

/// All of them, as they are listed in a report.
pub(crate) const ALL: [&Limit; 48] = [
    &SHORT_SIDE,
    &FACES,
    &OTHER_FACE,
    &EYE_DISTANCE,
    &FACE_DETAIL,
    &FACE_REBLUR,
    &FACE_EVENNESS,
    &FACE_DARK,
    &FACE_BRIGHT,
    &FACE_BLACK,
    &FACE_WHITE,
    &BLEACHED,
    &BURNT,
    &PICTURE_DARK,
    &YAW,
    &PITCH,
    &ROLL,
    &LIGHT_SIDE,
    &SKIN_FINENESS,
    &SKIN_HUE,
    &SHADOW,
    &BACKLIGHT,
    &SHADOW_EDGE,
    &HARD_LIGHT,
    &COVER,
    &EYES_SEEN,
    &EYES_OPEN,
    &EITHER_EYE_OPEN,
    &EYES_CLEAR,
    &FEATURES_SEEN,
    &MOUTH_SEEN,
    &MOUTH_OPEN,
    &FACE_CONTRAST,
    &READ_EYES_CLOSED,
    &READ_COVERED,
    &READ_HARD_SHADOW,
    &READ_BACKLIT,
    &READ_OVERDONE,
    &NOISE,
    &COLOURS,
    &FRAME,
    &BAR,
    &LETTERING,
    &LIFTED_BLACKS,
    &WHITE_POINT,
    &CRUSHED,
    &JPEG_QUALITY,
    &BLOCKS,
];
