//! The limits of whole pictures.

use crate::limit::{Limit, WORSE_ABOVE, WORSE_BELOW};
use crate::rules;

pub(crate) const SHORT_SIDE: Limit = Limit {
    measure: "short_side",
    unit: "px",
    range: "1 and more",
    rule: "small",
    drop: Some(512.0),
    says: "the picture is small",
    source: "buckets of 512 px; another limit is an option",
    ..WORSE_BELOW
};

pub(crate) const PICTURE_DARK: Limit = Limit {
    measure: "picture_p99",
    unit: "share",
    rule: "dark",
    review: Some(rules::DIM_P99),
    drop: Some(rules::PORTRAIT_P99),
    says: "nothing in the picture is bright",
    source: "for review only where the face is dark, too; of clean renders .2 % have less than .31 and a dark face, underexposed ones at most .14; without a face cleanvision's default of .32 drops",
    ..WORSE_BELOW
};

pub(crate) const NOISE: Limit = Limit {
    measure: "noise",
    unit: "of 255",
    range: "0 to 255",
    rule: "noisy",
    review: Some(10.0),
    drop: Some(20.0),
    says: "the picture is noisy",
    source: "portraits reach 1.2; strong noise has 45, fine detail all over a picture some 8",
    ..WORSE_ABOVE
};

pub(crate) const COLOURS: Limit = Limit {
    measure: "colours",
    unit: "CIELAB",
    range: "0 to 200",
    rule: "one tint",
    review: Some(2.8),
    says: "the picture has one tint or none: a filter, or black and white",
    source: "of what is not nearly black: 200 renders have 3.4 and more, 190 portraits 3.9 but for one without colours, filters at most 2.1; never dropped, as a drawn character may be black and white",
    ..WORSE_BELOW
};

pub(crate) const FRAME: Limit = Limit {
    measure: "frame",
    unit: "share",
    range: "0 to 0.5",
    rule: "framed",
    review: Some(0.015),
    says: "bars of one colour frame the picture; crop them away",
    source: "a frame of one colour would be learned with the face; no portrait has one",
    ..WORSE_ABOVE
};

pub(crate) const BAR: Limit = Limit {
    measure: "bar",
    unit: "share",
    range: "0 to 0.5",
    rule: "framed",
    review: Some(0.09),
    says: "a bar of one colour lies along an edge, as on a screenshot; crop it away",
    source: "no portrait has one; 98 % of renders have at most .05, floors and tables",
    ..WORSE_ABOVE
};

pub(crate) const LETTERING: Limit = Limit {
    measure: "lettering",
    unit: "letters",
    range: "0 to 400",
    rule: "lettering",
    review: Some(2.0),
    says: "a row of letters stands in the picture: a watermark, a caption, a sign",
    source: "a row of three letters is a word where it is printed and straight beyond doubt; of 83 photos without a letter one has a row, of 1,000 renders five",
    ..WORSE_ABOVE
};

pub(crate) const LIFTED_BLACKS: Limit = Limit {
    measure: "lifted_blacks",
    unit: "share",
    rule: "faded",
    review: Some(0.18),
    says: "nothing in the picture is black or lacks a colour, as after a filter",
    source: "179 photographs reach .16, 99 % of renders .15; blacks lifted by 50 of 255 leave .20",
    ..WORSE_ABOVE
};

pub(crate) const WHITE_POINT: Limit = Limit {
    measure: "white_point",
    unit: "share",
    rule: "faded",
    review: Some(0.35),
    says: "nothing in the picture is bright, as after a filter",
    source: "portraits have .69 and more, renders .37, underexposed ones at most .14",
    ..WORSE_BELOW
};

pub(crate) const CRUSHED: Limit = Limit {
    measure: "crushed",
    unit: "share",
    range: "0 to 0.5",
    rule: "crushed",
    review: Some(0.04),
    says: "much is lost in black and in white at once, as after a hard filter",
    source: "98 % of portraits have at most .035; contrast times three leaves .11 at the median",
    ..WORSE_ABOVE
};

pub(crate) const JPEG_QUALITY: Limit = Limit {
    measure: "jpeg_quality",
    unit: "",
    range: "1 to 100",
    rule: "compressed",
    review: Some(40.0),
    drop: Some(15.0),
    says: "the JPEG was stored at a low quality",
    source: "portraits have 60 and more",
    ..WORSE_BELOW
};

pub(crate) const BLOCKS: Limit = Limit {
    measure: "blocks",
    unit: "of 255",
    range: "0 to 255",
    rule: "compressed",
    review: Some(2.3),
    says: "blocks of a heavy compression are seen",
    source: "never dropped for it, since a drawing may be made of squares; portraits reach 2.0, renders .27; stored at a quality of 30 photographs have 3.0 at the median, at 12 4.8",
    ..WORSE_ABOVE
};
