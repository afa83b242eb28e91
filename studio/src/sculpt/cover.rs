//! Things that hide a part of a face: a mask, a hand, dark glasses.

use crate::vector::{Vec3, v};

use super::head::Head;
use super::shape::Shape::{Ellipsoid, Rod, Slab};
use super::solid::Seam::{Add, Keep};
use super::solid::{Part, Solid};

/// What hides a part of the face.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cover {
    Mask,
    Hand,
    DarkGlasses,
}

impl Cover {
    /// Its body in the head's frame; `strength` 0..1 is how much it hides.
    pub(crate) fn solid(self, head: &Head, strength: f32) -> Solid {
        match self {
            Self::Mask => mask(head, strength),
            Self::Hand => hand(head, strength),
            Self::DarkGlasses => dark_glasses(head, strength),
        }
    }
}

fn mask(head: &Head, strength: f32) -> Solid {
    let f = &head.face;
    let (l, drop) = (f.length, f.drop);
    let top = f.nose_y - 0.25 + 0.42 * strength;
    let rod = |from: Vec3, to: Vec3| {
        let shape = Rod { to: to - from, from_radius: 0.018, to_radius: 0.018 };
        Part::new(shape, from, Add(0.0)).both()
    };
    Solid::new(vec![
        Part::new(
            Ellipsoid(v(0.68 * f.width, 0.58 * l + drop * 0.5, 0.66)),
            v(0.0, -0.62 * l - drop * 0.5, head.lips_z - 0.46),
            Add(0.0),
        ),
        Part::new(
            Ellipsoid(v(0.24, 0.28, 0.28)),
            v(0.0, f.nose_y - 0.05, head.front_z + f.nose_z - 0.02),
            Add(0.25),
        ),
        Part::new(super::shape::Shape::Half(v(0.0, 1.0, 0.0)), v(0.0, top, 0.0), Keep(0.06)),
        rod(v(0.5 * f.width, f.nose_y, 0.45), v(head.ear[0], 0.05, -0.05)),
        rod(v(0.5 * f.width, f.mouth.y - 0.1, 0.4), v(head.ear[0], -0.25, -0.05)),
    ])
}

fn hand(head: &Head, strength: f32) -> Solid {
    let high = head.face.mouth.y - 0.45 + 0.75 * strength;
    let z = head.front_z + 0.28;
    let bone = |from: Vec3, to: Vec3, r: f32| {
        let shape = Rod { to: to - from, from_radius: r, to_radius: r * 0.85 };
        Part::new(shape, from, Add(0.05))
    };
    let palm = v(0.52, high - 0.22, z + 0.02);
    let mut parts = vec![
        Part::new(Slab { half: v(0.32, 0.34, 0.12), round: 0.11 }, palm, Add(0.0)),
        bone(palm + v(0.12, -0.3, 0.0), palm + v(0.55, -1.6, -0.1), 0.22),
        bone(palm + v(-0.2, -0.12, 0.05), palm + v(-0.52, 0.06, 0.06), 0.10),
    ];
    for (i, long) in [0.55, 0.66, 0.60, 0.46].into_iter().enumerate() {
        let x = -0.25 + 0.165 * i as f32;
        let from = palm + v(x, 0.25, 0.0);
        let lean = -0.16 + 0.02 * i as f32;
        parts.push(bone(from, from + v(lean, long, -0.02), 0.088));
    }
    Solid::new(parts)
}

fn dark_glasses(head: &Head, strength: f32) -> Solid {
    let half = [0.20 + 0.12 * strength, 0.13 + 0.11 * strength];
    let x = head.face.eye_x.max(half[0] + 0.03);
    let z = head.eye_z + head.ball + 0.10;
    let lens = Ellipsoid(v(half[0], half[1], 0.06));
    let rod = |from: Vec3, to: Vec3| {
        let shape = Rod { to: to - from, from_radius: 0.035, to_radius: 0.035 };
        Part::new(shape, from, Add(0.02)).both()
    };
    Solid::new(vec![
        Part::new(lens, v(x, -0.02, z), Add(0.0)).both().turned(8.0),
        rod(v(0.0, 0.06, z), v(x, 0.06, z)),
        rod(v(x + half[0], 0.05, z - 0.03), v(head.ear[0] + 0.05, 0.03, -0.1)),
    ])
}
