//! What makes a character look like itself, whatever the scene.

use serde::{Deserialize, Serialize};

use super::looks::{EyeColor, FacialHair, Glasses, HairColor, HairStyle, SkinTone};
use crate::seed::Draw;

/// The identity of a character. Plain numbers are in -1..1, where 0 is the
/// middle of what is drawn, unless they say otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Traits {
    /// Tone of the skin.
    pub skin: SkinTone,
    /// Narrow to wide face.
    pub face_width: f32,
    /// Short to long face.
    pub face_length: f32,
    /// Slim to square jaw.
    pub jaw_width: f32,
    /// Receding, pointed to broad, strong chin.
    pub chin: f32,
    /// Flat to high cheekbones.
    pub cheekbones: f32,
    /// Hollow to full cheeks.
    pub cheeks: f32,
    /// Low to high forehead and hairline.
    pub forehead: f32,
    /// Short to long nose.
    pub nose_length: f32,
    /// Slim to wide nose.
    pub nose_width: f32,
    /// Turned-up to hooked nose.
    pub nose_hook: f32,
    /// Small to large eyes.
    pub eye_size: f32,
    /// Close-set to wide-set eyes.
    pub eye_spacing: f32,
    /// Narrow to round eyes.
    pub eye_roundness: f32,
    /// Outer corners down to up.
    pub eye_tilt: f32,
    /// Colour of the iris.
    pub eye_color: EyeColor,
    /// Thin to thick brows.
    pub brow_thickness: f32,
    /// Straight to arched brows.
    pub brow_arch: f32,
    /// Low to high brows.
    pub brow_height: f32,
    /// Thin to full lips.
    pub lip_fullness: f32,
    /// Narrow to wide mouth.
    pub mouth_width: f32,
    /// How red the lips are, 0..1.
    pub lip_color: f32,
    /// Small to large ears.
    pub ear_size: f32,
    /// Flat to protruding ears.
    pub ear_angle: f32,
    /// How the hair is worn.
    pub hair_style: HairStyle,
    /// Colour of hair, brows and beard.
    pub hair_color: HairColor,
    /// Thin to voluminous hair.
    pub hair_volume: f32,
    /// The parting is on the character's own left rather than right.
    pub parted_left: bool,
    /// Hair on the face.
    pub facial_hair: FacialHair,
    /// Slim to sturdy neck and shoulders.
    pub build: f32,
    /// None to many freckles, 0..1.
    pub freckles: f32,
    /// A mole: place on the face as (x, y), each in -1..1 from the character's right and below.
    pub mole: Option<[f32; 2]>,
    /// What is worn before the eyes.
    pub glasses: Glasses,
    /// Colour of the rims: an index into a table of six, 0..6.
    pub rim_color: u8,
    /// Round earrings are worn.
    pub earrings: bool,
    /// Few to many lines of age, 0..1.
    pub age_lines: f32,
}

impl Traits {
    /// The number of traits, each drawn on its own.
    pub const COUNT: usize = 36;

    /// The traits of `seed`, each from a stream of its own.
    pub(crate) fn drawn(seed: u64) -> Self {
        let draw = |name: &str| Draw::new(seed, name);
        let number = |name: &str| draw(name).signed();
        // Odd colours and bald heads are rarer than the rest, as in a crowd.
        let natural = &HairColor::ALL[..9];
        let hair_colors = if draw("dyed").chance(0.2) { HairColor::ALL } else { natural };
        let bearded = draw("bearded").chance(0.4);
        let spectacled = draw("spectacled").chance(0.35);
        Self {
            skin: draw("skin").pick(SkinTone::ALL),
            face_width: number("face width"),
            face_length: number("face length"),
            jaw_width: number("jaw width"),
            chin: number("chin"),
            cheekbones: number("cheekbones"),
            cheeks: number("cheeks"),
            forehead: number("forehead"),
            nose_length: number("nose length"),
            nose_width: number("nose width"),
            nose_hook: number("nose hook"),
            eye_size: number("eye size"),
            eye_spacing: number("eye spacing"),
            eye_roundness: number("eye roundness"),
            eye_tilt: number("eye tilt"),
            eye_color: draw("eye color").pick(EyeColor::ALL),
            brow_thickness: number("brow thickness"),
            brow_arch: number("brow arch"),
            brow_height: number("brow height"),
            lip_fullness: number("lip fullness"),
            mouth_width: number("mouth width"),
            lip_color: draw("lip color").unit(),
            ear_size: number("ear size"),
            ear_angle: number("ear angle"),
            hair_style: draw("hair style").pick(HairStyle::ALL),
            hair_color: draw("hair color").pick(hair_colors),
            hair_volume: number("hair volume"),
            parted_left: draw("parting").chance(0.5),
            facial_hair: match bearded {
                true => draw("facial hair").pick(&FacialHair::ALL[1..]),
                false => FacialHair::None,
            },
            build: number("build"),
            freckles: (draw("freckles").signed() * 1.8 - 0.8).clamp(0.0, 1.0),
            mole: draw("mole").chance(0.3).then(|| [number("mole x"), number("mole y")]),
            glasses: match spectacled {
                true => draw("glasses").pick(&Glasses::ALL[1..]),
                false => Glasses::None,
            },
            rim_color: draw("rim color").pick(&[0, 1, 2, 3, 4, 5]),
            earrings: draw("earrings").chance(0.25),
            age_lines: (draw("age").signed() * 1.6 - 0.6).clamp(0.0, 1.0),
        }
    }
}
