//! The limits that a photo is judged by, and where each comes from.
//!
//! "Calibration" is that of this project: 64 press photos brought to 120 px
//! between the eyes and degraded step by step, and the DreamBooth subjects and
//! White House portraits for whole pictures.

/// A detector this sure (0 to 1) has a person's face before it. Measured with
/// YuNet: portraits .92 to .95, also when blurred; dogs, cats, a teapot and a
/// toy car .64 to .90, three of 25 above this.
pub(crate) const SURE_FACE: f64 = 0.87;
/// A face this large beside the main one (share of its area) is another
/// person. The main face of a portrait is much larger than any passer-by's.
pub(crate) const OTHER_FACE_SHARE: f64 = 0.15;
/// A face of at least this share of the largest one's area may be the one that a photo is of.
pub(crate) const PROMINENT_SHARE: f64 = 0.04;
/// Below this many pixels between the eyes a face has too little to learn
/// from; OFIQ (ISO/IEC 29794-5) puts the middle of its scale at 70.
pub(crate) const EYE_DISTANCE_PX: f64 = 60.0;
/// Below this many pixels between the eyes a person should look.
pub(crate) const EYE_DISTANCE_DOUBT_PX: f64 = 68.0;
/// Below this many pixels between the eyes a note is made.
pub(crate) const EYE_DISTANCE_GOOD_PX: f64 = 90.0;

/// A face or picture with less detail than this is blurred. Sharp faces have
/// .0065 or more and sharp pictures .0080; blurring by 3 % of the eye distance,
/// or by 0.6 % of the longer side, leaves at most .0015.
pub(crate) const BLURRED_DETAIL: f64 = 0.002;
/// A face half in deep shadow has so much contrast that sharp detail is a small share of it (.0016 of one), but a blur
/// leaves less than this of its edges. Of 108 portraits this holds of none that motion blurred, and of defocused ones
/// with less detail than .0004.
pub(crate) const SHARP_REBLUR: f64 = 0.12;
/// With less detail than this it is blurred whatever a second blur takes.
pub(crate) const NO_DETAIL: f64 = 0.001;
/// With less detail than this a face or picture is blurred if it also hardly
/// changes when blurred again.
pub(crate) const SOFT_DETAIL: f64 = 0.006;
/// Where detail is doubtful: the most of its edges that may outlive a second
/// blur. Sharp faces and pictures keep at most .18 of them, soft ones .30 to
/// .65.
pub(crate) const SOFT_REBLUR: f64 = 0.30;

/// A face that is less even than this was smeared by motion: of sharp faces the
/// least even have .18 (renders in back light) and .37 (portraits), motion of 1 %
/// of the picture leaves .04 to .20, of 2 % in renders .03.
pub(crate) const FACE_EVENNESS: f64 = 0.15;
/// As [`FACE_EVENNESS`], of a picture: of 93 DreamBooth pictures one, a teapot of
/// level lines, is below .15, at .105; motion of 2 % leaves .01 to .23.
pub(crate) const PICTURE_EVENNESS: f64 = 0.08;

/// Mean luminance of a face, at the least and at the most. Natural photos of light skin have .45
/// to .73 (5 % to 95 %); dark skin in moonlight and candle light .13 and more on renders, while
/// three stops too little leave at most .08 of it.
pub(crate) const FACE_LUMINANCE: (f64, f64) = (0.09, 0.85);
/// The most of a face that may be lost in black: natural photos reach .04 (95 %), dark skin in
/// moonlight .42 (99 %), and underexposure leaves .8 and more.
pub(crate) const FACE_BLACK: f64 = 0.6;
/// The most of a face that may be lost in white; natural photos reach .002 (95 %),
/// renders in hard light .29.
pub(crate) const FACE_WHITE: f64 = 0.3;
/// From here on a person should look: 99.9 % of clean renders have less.
pub(crate) const FACE_WHITE_DOUBT: f64 = 0.28;
/// Where the whole picture's mean luminance is above this, a face with so much white ([`BURNT_FACE`]) is
/// overexposed: in the demos of eight seeds good photos with it have at most .67, overexposed ones .84 and more.
pub(crate) const BURNT_PICTURE: f64 = 0.8;
/// See [`BURNT_PICTURE`].
pub(crate) const BURNT_FACE: f64 = 0.2;
/// A picture whose black point is above this has no black: of clean renders .4 % have
/// that and white in the face, of overexposed ones 89 %.
pub(crate) const NO_BLACK: f64 = 0.2;
/// A face darker than this is underexposed where the whole picture is, too ([`DIM_P99`]); dark
/// skin in a bright picture is just dark skin.
pub(crate) const DIM_FACE: f64 = 0.30;
/// A picture whose brightest percent is below this is dim: of clean renders
/// .2 % have less and a dark face, underexposed ones have at most .14.
pub(crate) const DIM_P99: f64 = 0.31;
/// The same where the face is in plain light ([`PLAIN_TINT`]), not in that of a night: clean renders and
/// photographs have .48 and more, photographs three stops too dark at most .39.
pub(crate) const PLAIN_DIM_P99: f64 = 0.45;
/// A skin with less tint is in plain light: all photographs have 0, most dim renders in moonlight, candle light
/// and neon light .06 and more.
pub(crate) const PLAIN_TINT: f64 = 0.02;
/// A picture with less blue over its lightness is in plain light: brown skin has no tint in moonlight, but the
/// dim renders of it have .46 and more; of 36 photographs one, before a blue wall, has more than .33.
pub(crate) const PLAIN_BLUE: f64 = 0.4;
/// A picture whose brightest percent is below this is dark (cleanvision's
/// default). Mean and clipped shares say nothing here: a toy on white paper is
/// no fault.
pub(crate) const PICTURE_P99: f64 = 0.32;
/// As [`PICTURE_P99`], of a picture with a face: ebony skin by night has .30, underexposure .14.
pub(crate) const PORTRAIT_P99: f64 = 0.25;
/// A picture whose darkest 5 % are above this is washed out (cleanvision).
pub(crate) const PICTURE_P5: f64 = 0.95;

/// Photos whose steps of light agree at least so much when one is laid over the other are the same
/// picture. Measured as docs/curation.md says.
pub(crate) const DUPLICATE_EDGES: f64 = 0.9;
/// Photos that were taken within so many seconds may be a burst.
pub(crate) const BURST_SECONDS: f64 = 3.0;
/// They are one if light and dark agree at least so much, the steps of light as [`BURST_EDGES`],
/// and the faces, where both have one, as [`BURST_FACE`]: a scene in which something moved. Set by
/// pictures of which a part was exchanged; of real bursts none was at hand.
pub(crate) const BURST_LIGHT: f64 = 0.85;
/// As [`BURST_LIGHT`], of the steps of light.
pub(crate) const BURST_EDGES: f64 = 0.4;
/// As [`BURST_LIGHT`], the cosine of the identities: the time of a photo may be another one's, as in
/// official portraits of two people that are framed alike.
pub(crate) const BURST_FACE: f64 = 0.5;

/// A face of at least this share of the cosine that is expected may still be the character's: it is
/// reviewed. In the demos of six seeds own photos that fall short of it have .69 and more, strangers .09 to .47.
pub(crate) const DOUBTFUL_LIKENESS: f64 = 0.6;

/// With fewer faces than this a centroid says too little about one of them.
pub(crate) const LEAST_FACES_FOR_IDENTITY: usize = 4;
/// Fewer kept photos than this rarely make a likeness.
pub(crate) const GOOD_COUNT: std::ops::RangeInclusive<usize> = 10..=40;

/// Whether the rules about faces hold for a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FaceRules {
    /// At least half of the photos have a person's face.
    Apply,
    /// No models were given.
    NoModel,
    /// Too few photos have a person's face: a drawing, an animal, a thing.
    TooFew {
        /// How many have one.
        with_face: usize,
    },
}

impl FaceRules {
    /// The rules for a set of `readable` photos of which `with_face` surely
    /// have a person's face.
    pub fn for_set(has_models: bool, with_face: usize, readable: usize) -> Self {
        match (has_models, with_face) {
            (false, _) => Self::NoModel,
            (true, count) if count > 0 && count * 2 >= readable => Self::Apply,
            (true, with_face) => Self::TooFew { with_face },
        }
    }
}
