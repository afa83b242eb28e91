//! Where the parts of a face lie, in units of half a head's width or so.
//!
//! x to the character's left (the picture's right when it faces us), y up,
//! z forward; the eyes are at y = 0 and the skull's middle is near the origin.

use crate::character::traits::Traits;
use crate::lanes::{Lanes, all};
use crate::scene::expression::Muscles;

/// Measures of a face as its muscles hold it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Face {
    pub width: f32,  // factor
    pub length: f32, // factor of all below the eyes
    pub jaw: f32,    // factor
    pub drop: f32,   // of the jaw
    pub eye_x: f32,
    pub eye_half: f32, // half the width of an eye
    pub eye_tall: f32, // its height over its width, open at rest
    pub eye_tilt: f32, // rise per width
    pub brow_y: f32,
    pub brow_thick: f32,
    pub brow_arch: f32,
    pub nose_y: f32, // of the tip
    pub nose_z: f32, // how far the tip stands out
    pub nose_w: f32, // half width at the nostrils
    pub mouth: Mouth,
    pub hairline: f32, // y of the hair's edge on the forehead
}

/// The curves of a mouth.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mouth {
    pub y: f32,
    pub half: f32,
    pub lift: f32,  // of the corners
    pub sneer: f32, // of the upper lip on the character's left
    pub open: f32,  // height of the gap
    pub upper: f32, // thickness of the upper lip
    pub lower: f32, // of the lower
}

impl Face {
    pub(crate) fn new(t: &Traits, m: &Muscles) -> Self {
        let width = 1.0 + 0.13 * t.face_width;
        let length = 1.0 + 0.13 * t.face_length;
        let drop = 0.24 * m.open;
        let nose_y = -0.33 - 0.10 * t.nose_length - 0.035 * t.nose_hook;
        let mouth = Mouth {
            y: -0.665 * length - 0.03 * t.nose_length,
            half: (0.275 + 0.080 * t.mouth_width) * m.width,
            lift: 0.13 * m.corners,
            sneer: 0.10 * m.sneer,
            open: 0.36 * m.open,
            upper: 0.062 + 0.035 * t.lip_fullness,
            lower: 0.088 + 0.042 * t.lip_fullness,
        };
        Self {
            width,
            length,
            jaw: width * (1.0 + 0.20 * t.jaw_width),
            drop,
            eye_x: (0.335 + 0.055 * t.eye_spacing) * (0.7 + 0.3 * width),
            eye_half: 0.188 + 0.042 * t.eye_size,
            eye_tall: 0.40 + 0.11 * t.eye_roundness,
            eye_tilt: 0.16 * t.eye_tilt,
            brow_y: 0.245 + 0.05 * t.brow_height,
            brow_thick: 0.045 + 0.026 * t.brow_thickness,
            brow_arch: 0.05 + 0.045 * t.brow_arch,
            nose_y,
            nose_z: 0.10 + 0.05 * t.nose_length + 0.02 * t.nose_hook,
            nose_w: 0.165 + 0.055 * t.nose_width,
            mouth,
            hairline: 0.62 + 0.10 * t.forehead,
        }
    }
}

impl Mouth {
    /// The four heights of the lips' edges at `x`, from the top, and how far in 0..1 the
    /// point is from the corners.
    #[inline(always)]
    pub(crate) fn edges(&self, x: Lanes) -> [Lanes; 5] {
        let s = x * all(1.0 / self.half);
        let square = (s * s).fast_min(all(1.0));
        let inner = all(1.0) - square; // 1 in the middle, 0 at the corners
        let middle = all(self.y) + (square - all(0.35)) * all(self.lift);
        let one_side = s.fast_max(all(0.0)) * inner * all(2.4 * self.sneer);
        let dome = inner * (all(1.5) - inner * all(0.5));
        let top = middle + dome * all(self.open * 0.32) + one_side;
        let bottom = middle - dome * all(self.open * 0.68);
        let bow = all(1.0) - crate::lanes::hill(s, 0.22) * all(0.22);
        let full = inner.sqrt() * (all(0.6) + inner * all(0.4));
        let outer_top = top + full * bow * all(self.upper);
        let outer_bottom = bottom - full * all(self.lower);
        [outer_top, top, bottom, outer_bottom, inner]
    }
}
