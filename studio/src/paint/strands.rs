//! Hair: strands that darken and lighten its colour, and a broad sheen.

use crate::character::looks::HairStyle;
use crate::seed::noise;
use crate::vector::{Vec3, smoothstep};

use super::{Coat, Painter};

impl Painter<'_> {
    /// The coat of a point of the hair.
    pub(super) fn strands(&self, p: Vec3) -> Coat {
        let t = &self.character.traits;
        let base = t.hair_color.color();
        let seed = self.character.seed as u32;
        let grain = match t.hair_style {
            HairStyle::Afro | HairStyle::Curly => {
                noise(p.x * 9.0, p.y * 9.0 + p.z * 6.0, seed) * 0.6
                    + noise(p.x * 22.0, p.y * 22.0, seed) * 0.4
            }
            HairStyle::Buzz => 0.4 + 0.3 * noise(p.x * 40.0, p.y * 40.0 + p.z * 30.0, seed),
            _ => {
                let around = p.x.atan2(p.z + 0.2) * 9.0 + p.x * 4.0;
                noise(around * 1.6, p.y * 1.1, seed) * 0.55
                    + noise(around * 4.0, p.y * 2.0, seed) * 0.45
            }
        };
        let light = 0.58 + 0.85 * grain;
        let tip = smoothstep(0.4, -1.6, p.y) * 0.25;
        let color = base * (light * (1.0 + tip));
        let (gloss, shine) = match t.hair_style {
            HairStyle::Afro | HairStyle::Buzz => (0.06, 8.0),
            _ => (0.34 * (0.4 + grain), 16.0),
        };
        Coat { gloss, shine, ..Coat::matte(color) }
    }
}
