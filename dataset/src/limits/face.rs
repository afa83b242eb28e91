//! The limits of the main face.

use crate::limit::{Limit, WORSE_ABOVE, WORSE_BELOW};
use crate::rules;

pub(crate) const FACES: Limit = Limit {
    measure: "faces",
    unit: "count",
    range: "0 and more",
    rule: "no face",
    drop: Some(1.0),
    says: "no face was found",
    source: "where most photos of a set have one",
    ..WORSE_BELOW
};

pub(crate) const OTHER_FACE: Limit = Limit {
    measure: "other_face_share",
    unit: "share",
    rule: "several people",
    drop: Some(rules::OTHER_FACE_SHARE),
    says: "another person is in the picture",
    source: "passers-by are smaller than who is portrayed",
    ..WORSE_ABOVE
};

pub(crate) const EYE_DISTANCE: Limit = Limit {
    measure: "eye_distance",
    unit: "px",
    range: "0 and more",
    rule: "small face",
    review: Some(rules::EYE_DISTANCE_DOUBT_PX),
    drop: Some(rules::EYE_DISTANCE_PX),
    says: "the face is small: pixels between the eyes as if seen from the front",
    source: "OFIQ (ISO/IEC 29794-5) has the middle of its scale at 70 and corrects for the yaw as here",
    ..WORSE_BELOW
};

pub(crate) const FACE_DETAIL: Limit = Limit {
    measure: "face_detail",
    unit: "share",
    rule: "blurred",
    drop: Some(rules::BLURRED_DETAIL),
    says: "the face is blurred",
    source: "sharp faces have .0065 and more, a blur of 3 % of the eye distance leaves .0015",
    ..WORSE_BELOW
};

pub(crate) const FACE_REBLUR: Limit = Limit {
    measure: "face_reblur",
    unit: "ratio",
    rule: "blurred",
    drop: Some(rules::SOFT_REBLUR),
    says: "the face is soft",
    source: "only where detail is below .006; sharp faces have at most .18, soft ones .30 to .65",
    ..WORSE_ABOVE
};

pub(crate) const FACE_EVENNESS: Limit = Limit {
    measure: "face_evenness",
    unit: "ratio",
    rule: "blurred",
    drop: Some(rules::FACE_EVENNESS),
    says: "the face is smeared along one direction",
    source: "portraits have .37 and more, motion of 1 % of the picture leaves .04 to .20",
    ..WORSE_BELOW
};

pub(crate) const FACE_DARK: Limit = Limit {
    measure: "face_luminance",
    unit: "share",
    rule: "dark",
    drop: Some(rules::FACE_LUMINANCE.0),
    says: "the face is dark",
    source: "dark skin in moonlight has .13 and more on renders, underexposure at most .08",
    ..WORSE_BELOW
};

pub(crate) const FACE_BRIGHT: Limit = Limit {
    measure: "face_luminance",
    unit: "share",
    rule: "bright",
    drop: Some(rules::FACE_LUMINANCE.1),
    says: "the face is overexposed",
    source: "portraits have .41 to .73",
    ..WORSE_ABOVE
};

pub(crate) const FACE_BLACK: Limit = Limit {
    measure: "face_black",
    unit: "share",
    rule: "dark",
    drop: Some(rules::FACE_BLACK),
    says: "much of the face is lost in black",
    source: "portraits reach .04, dark skin in moonlight .42, underexposure leaves .8 and more",
    ..WORSE_ABOVE
};

pub(crate) const FACE_WHITE: Limit = Limit {
    measure: "face_white",
    unit: "share",
    rule: "bright",
    review: Some(rules::FACE_WHITE_DOUBT),
    drop: Some(rules::FACE_WHITE),
    says: "much of the face is lost in white",
    source: "portraits reach .04, renders .29, overexposure .6 at the median",
    ..WORSE_ABOVE
};

pub(crate) const BURNT: Limit = Limit {
    measure: "burnt",
    unit: "share",
    rule: "bright",
    drop: Some(rules::BURNT_PICTURE),
    says: "the picture is overexposed, and much of the face lost in white",
    source: "picture_luminance where face_white is above .2, else 0: good photos with it have at most .67, overexposed ones .84 and more",
    ..WORSE_ABOVE
};

pub(crate) const BLEACHED: Limit = Limit {
    measure: "bleached",
    unit: "share",
    rule: "bright",
    review: Some(0.04),
    says: "a part of the face is lost in white, and nothing in the picture is black",
    source: "face_white where black_point is above .2, else 0: 99.6 % of renders have less, 89 % of overexposed ones more",
    ..WORSE_ABOVE
};

pub(crate) const YAW: Limit = Limit {
    measure: "yaw",
    unit: "degrees",
    range: "-90 to 90",
    rule: "turned away",
    review: Some(68.0),
    says: "the head is turned far to the side",
    source: "beyond three-quarter views little of a face is left to learn from; detectors lose it at 80; five points guess the yaw of renders turned by up to 60 as at most 66 (99.9 %)",
    ..WORSE_ABOVE
};

pub(crate) const PITCH: Limit = Limit {
    measure: "pitch",
    unit: "degrees",
    range: "-50 to 50",
    rule: "turned away",
    review: Some(48.0),
    says: "the head looks far up or down",
    source: "OFIQ (ISO/IEC 29794-5) gives 30 degrees three quarters of its score; portraits -22 to 3, as five points guess pitch badly",
    ..WORSE_ABOVE
};

pub(crate) const ROLL: Limit = Limit {
    measure: "roll",
    unit: "degrees",
    range: "-180 to 180",
    rule: "turned away",
    review: Some(30.0),
    says: "the head leans far over",
    source: "portraits lean by at most 13",
    ..WORSE_ABOVE
};

pub(crate) const LIGHT_SIDE: Limit = Limit {
    measure: "light_side",
    unit: "doublings",
    range: "-8 to 8",
    rule: "one-sided light",
    review: Some(0.9),
    says: "one side of the face is lit and the other is dark",
    source: "95 % of portraits have at most .78, nine of ten with half a face three stops darker .97 and more; of renders, whose hard lights reach 1.9, their reader judges",
    ..WORSE_ABOVE
};

pub(crate) const SKIN_FINENESS: Limit = Limit {
    measure: "skin_fineness",
    unit: "ratio",
    range: "0 and more",
    rule: "smoothed skin",
    review: Some(0.29),
    says: "the skin has no fine detail, as after a smoothing filter",
    source: "98 % of portraits have .29 and more, those whose skin was smoothed by 4 % of the eye distance at most .29; not measured of rendered faces",
    ..WORSE_BELOW
};

pub(crate) const SKIN_HUE: Limit = Limit {
    measure: "skin_hue",
    unit: "degrees",
    range: "-180 to 180",
    rule: "colour cast",
    review: Some(26.0),
    says: "the skin has a hue that skin has in no plain light: a filter, a wrong white balance or coloured light",
    source: "98 % of portraits are within 26 degrees; with a cast of 1.4 stops towards blue 81 % of 108 are beyond, towards magenta 95 %, green all; not judged of rendered faces, whose nights are lit in colours",
    ..WORSE_ABOVE
};

pub(crate) const SHADOW: Limit = Limit {
    measure: "shadow",
    unit: "share",
    rule: "hard shadow",
    review: Some(0.38),
    says: "much of the face lies in shadow",
    source: "renders reach .36, in hard shadows .35: of the least use alone",
    ..WORSE_ABOVE
};

pub(crate) const BACKLIGHT: Limit = Limit {
    measure: "backlight",
    unit: "doublings",
    range: "-8 to 8",
    rule: "backlit",
    review: Some(2.0),
    drop: Some(3.2),
    says: "the background is much brighter than the face",
    source: "98 % of renders have at most 1.85, of portraits 2.5, ebony skin before a bright sky 2.96; in back light as a flaw 2.08 at the median, of silhouettes 3.4",
    ..WORSE_ABOVE
};

pub(crate) const SHADOW_EDGE: Limit = Limit {
    measure: "shadow_edge",
    unit: "doublings/px",
    range: "0 and more",
    rule: "hard shadow",
    review: Some(0.3),
    says: "a hard shadow crosses the face",
    source: "98 % of renders have at most .265; hard shadows .24 at the median",
    ..WORSE_ABOVE
};

pub(crate) const HARD_LIGHT: Limit = Limit {
    measure: "hard_light",
    unit: "doublings2/px",
    range: "0 and more",
    rule: "hard shadow",
    review: Some(0.31),
    says: "hard light draws deep shadows with sharp edges on the face",
    source: "edge of shadows times contrast, the root of their share, and the picture's highlights: 98 % of renders have at most .29, four of five hard shadows more",
    ..WORSE_ABOVE
};

pub(crate) const COVER: Limit = Limit {
    measure: "cover",
    unit: "CIELAB",
    range: "0 to 200",
    rule: "covered",
    review: Some(60.0),
    says: "mouth and chin have another colour than the skin, as behind a mask",
    source: "portraits reach 7.8, renders 54 in coloured light, masks 45",
    ..WORSE_ABOVE
};

pub(crate) const EYES_SEEN: Limit = Limit {
    measure: "eyes_seen",
    unit: "doublings",
    range: "0 and more",
    rule: "covered",
    review: Some(0.25),
    says: "neither eye is seen, as behind dark glasses or hair",
    source: "98 % of renders have .32 and more, portraits .3, dark glasses at most .25 (90 %)",
    ..WORSE_BELOW
};

/// Degrees of yaw from which the farther eye is too thin to judge.
pub(crate) const FAR_EYE_YAW: f64 = 45.0;

pub(crate) const EYES_OPEN: Limit = Limit {
    measure: "eyes_open",
    unit: "doublings/px",
    range: "0 and more",
    rule: "eyes closed",
    review: Some(0.03),
    says: "an eye is closed",
    source: "99 % of renders that don't laugh have .03 and more, 98 % of portraits .045; closed eyes .027 at the median",
    ..WORSE_BELOW
};

pub(crate) const EITHER_EYE_OPEN: Limit = Limit {
    measure: "either_eye_open",
    unit: "doublings/px",
    range: "0 and more",
    rule: "eyes closed",
    review: Some(0.039),
    says: "both eyes are closed",
    source: "161 of 163 portraits have more, narrow eyes in bright light .0395; 98 % of renders that don't laugh have .045 and more",
    ..WORSE_BELOW
};

pub(crate) const EYES_CLEAR: Limit = Limit {
    measure: "eyes_clear",
    unit: "doublings",
    range: "0 and more",
    rule: "covered",
    review: Some(0.15),
    says: "an eye is not seen, as behind a hand or hair",
    source: "99 % of renders have more, portraits .27, three of ten hands before the face less",
    ..WORSE_BELOW
};

pub(crate) const FEATURES_SEEN: Limit = Limit {
    measure: "features_seen",
    unit: "doublings2",
    range: "0 and more",
    rule: "covered",
    review: Some(0.028),
    says: "a part of eyes and mouth is not seen, as behind a hand",
    source: "eyes_clear times mouth_seen: 160 of 163 portraits have more, 99 % of renders .042",
    ..WORSE_BELOW
};

pub(crate) const MOUTH_SEEN: Limit = Limit {
    measure: "mouth_seen",
    unit: "doublings",
    range: "0 and more",
    rule: "covered",
    review: Some(0.07),
    drop: Some(0.035),
    says: "a part of the mouth is not seen, as behind a hand or a mask",
    source: "98 % of renders have .11 and more, portraits .117 but for one, masks at most .03 (90 %)",
    ..WORSE_BELOW
};

pub(crate) const MOUTH_OPEN: Limit = Limit {
    measure: "mouth_open",
    unit: "of the eye distance",
    rule: "extreme expression",
    review: Some(0.85),
    says: "the mouth is wide open",
    source: "renders reach .845; overdone expressions do not reach more, so that few are found",
    ..WORSE_ABOVE
};

pub(crate) const FACE_CONTRAST: Limit = Limit {
    measure: "face_contrast",
    unit: "doublings",
    range: "0 to 6",
    rule: "flat",
    review: Some(0.6),
    says: "the face has hardly any contrast, as through haze or a filter",
    source: "portraits have .88 and more, renders .78",
    ..WORSE_BELOW
};
