//! Glasses and earrings, in the head's frame.

use crate::character::looks::Glasses;
use crate::vector::v;

use super::head::Head;
use super::shape::Shape::{Ellipsoid, Rim, Rod};
use super::solid::Seam::Add;
use super::solid::{Part, Solid};

/// The half sizes and the roundness of a lens, and the rim's thickness.
pub(crate) fn lens(glasses: Glasses) -> Option<([f32; 2], f32, f32)> {
    match glasses {
        Glasses::None => None,
        Glasses::Round => Some(([0.25, 0.25], 0.25, 0.030)),
        Glasses::Square => Some(([0.265, 0.20], 0.06, 0.042)),
        Glasses::Wide => Some(([0.29, 0.165], 0.14, 0.034)),
        Glasses::Thin => Some(([0.25, 0.19], 0.15, 0.018)),
    }
}

/// How far the lenses are turned round the face, in degrees.
const WRAP: f32 = 13.0;

/// Where the left lens's middle lies: (x, y, z).
pub(crate) fn lens_at(head: &Head, half: f32) -> [f32; 3] {
    [head.face.eye_x.max(half + 0.05), -0.015, head.eye_z + head.ball + 0.055]
}

/// The rims, the bridge and the temples.
pub(crate) fn glasses(head: &Head, glasses: Glasses) -> Solid {
    let Some((half, round, thickness)) = lens(glasses) else { return Solid::default() };
    let [x, y, z] = lens_at(head, half[0]);
    let rod = |from: [f32; 3], to: [f32; 3], r: f32| {
        let from = v(from[0], from[1], from[2]);
        let to = v(to[0], to[1], to[2]) - from;
        Part::new(Rod { to, from_radius: r, to_radius: r }, from, Add(0.02))
    };
    let outer = x + half[0];
    Solid::new(vec![
        Part::new(Rim { half, round, thickness }, v(x, y, z), Add(0.0)).both().turned(WRAP),
        rod(
            [half[0] - x, y + 0.04, z + 0.075],
            [x - half[0], y + 0.04, z + 0.075],
            thickness * 0.9,
        ),
        rod(
            [outer, y + 0.05, z - 0.01 - half[0] * WRAP.to_radians()],
            [head.ear[0] + 0.05, 0.03, -0.1],
            thickness * 0.8,
        )
        .both(),
    ])
}

/// A ring at each ear's lobe.
pub(crate) fn earrings(head: &Head, worn: bool) -> Solid {
    if !worn {
        return Solid::default();
    }
    let [x, y, z] = head.ear;
    let ring = Rim { half: [0.095, 0.095], round: 0.095, thickness: 0.026 };
    Solid::new(vec![
        Part::new(Ellipsoid(v(0.05, 0.05, 0.05)), v(x + 0.03, y - 0.26, z + 0.04), Add(0.0)).both(),
        Part::new(ring, v(x + 0.03, y - 0.38, z + 0.04), Add(0.02)).both(),
    ])
}
