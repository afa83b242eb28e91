//! The kinds of light that fall on a person and a place.

use crate::names::named;
use crate::vector::{Vec3, srgb, v};

named! {
    /// Where light comes from, how hard it is and of what colour.
    Light {
        Soft = "in soft light", Side = "in side light", Hard = "in hard noon light",
        Back = "in back light", Golden = "in golden light", Neon = "in neon light",
        Candle = "in candle light", Moon = "in moonlight",
    }
}

/// One distant light.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lamp {
    pub toward: Vec3, // unit, from the person
    pub color: Vec3,  // linear, times its strength
}

/// All light of a scene.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lighting {
    pub key: Lamp,     // casts shadows
    pub softness: f32, // of its shadows, 0 sharp .. 1
    pub rim: Lamp,     // casts none
    pub sky: Vec3,     // ambient from above
    pub ground: Vec3,  // ambient from below
    pub behind: Vec3,  // tint of the place
    pub glow: Vec3,    // added to the place towards the rim light
}

impl Light {
    /// The light that comes from the picture's right, or left where `side` is -1.
    pub(crate) fn lighting(self, side: f32) -> Lighting {
        let lamp = |x: f32, y: f32, z: f32, color: u32, strength: f32| Lamp {
            toward: v(x * side, y, z).unit(),
            color: srgb(color) * strength,
        };
        let dim = |color: u32, strength: f32| srgb(color) * strength;
        let (key, softness, rim, ambient, behind, glow) = match self {
            Self::Soft => (
                lamp(0.35, 0.55, 0.9, 0xFFF8F0, 0.62),
                1.0,
                lamp(-0.7, 0.5, -0.6, 0xFFFFFF, 0.25),
                [dim(0xF4F8FF, 0.60), dim(0xF0E8E0, 0.40)],
                dim(0xFFFFFF, 0.95),
                Vec3::ZERO,
            ),
            Self::Side => (
                lamp(1.0, 0.22, 0.12, 0xFFF4E8, 1.45),
                0.35,
                lamp(-0.8, 0.3, -0.6, 0xC0D0FF, 0.12),
                [dim(0xA0B0D0, 0.12), dim(0x808898, 0.07)],
                dim(0xD0D8E8, 0.42),
                Vec3::ZERO,
            ),
            Self::Hard => (
                lamp(0.28, 1.0, 0.55, 0xFFFDF4, 2.0),
                0.04,
                lamp(-0.6, 0.8, -0.5, 0xFFFFFF, 0.4),
                [dim(0xB8D0F8, 0.2), dim(0xD8C8B0, 0.16)],
                dim(0xFFFCF0, 1.3),
                Vec3::ZERO,
            ),
            Self::Back => (
                lamp(0.35, 0.75, -0.75, 0xFFF6E8, 2.6),
                0.3,
                lamp(-0.6, 0.5, -0.8, 0xFFFAF0, 2.2),
                [dim(0xD0DCF0, 0.34), dim(0xC0B8B0, 0.26)],
                dim(0xFFFFFF, 1.35),
                dim(0xFFF4E0, 0.85),
            ),
            Self::Golden => (
                lamp(0.85, 0.28, 0.5, 0xFFBC74, 1.55),
                0.3,
                lamp(-0.5, 0.35, -0.8, 0xFF8030, 1.0),
                [dim(0xC8A8C0, 0.24), dim(0xC89058, 0.18)],
                dim(0xFFB060, 0.95),
                dim(0xFF9030, 0.3),
            ),
            Self::Neon => (
                lamp(0.9, 0.1, 0.45, 0xFF60B8, 0.9),
                0.4,
                lamp(-0.95, 0.15, 0.25, 0x38C8FF, 1.3),
                [dim(0x6050C0, 0.26), dim(0x401070, 0.16)],
                dim(0x5038B0, 0.4),
                dim(0x18081C, 1.0),
            ),
            Self::Candle => (
                lamp(0.25, -0.75, 0.8, 0xFFA458, 1.05),
                0.5,
                lamp(-0.6, 0.2, -0.7, 0xC04010, 0.25),
                [dim(0x603820, 0.14), dim(0xD07830, 0.20)],
                dim(0xD06828, 0.16),
                Vec3::ZERO,
            ),
            Self::Moon => (
                lamp(0.5, 0.9, 0.6, 0x6C9CFF, 1.25),
                0.2,
                lamp(-0.7, 0.6, -0.6, 0xA0C0FF, 0.5),
                [dim(0x4868B8, 0.26), dim(0x284080, 0.18)],
                dim(0x4068C0, 0.30),
                Vec3::ZERO,
            ),
        };
        let [sky, ground] = ambient;
        Lighting { key, softness, rim, sky, ground, behind, glow }
    }
}
