//! Simple bodies by their signed distance: below 0 inside, above 0 outside.
//!
//! Formulas: I. Quilez, "Distance functions",
//! <https://iquilezles.org/articles/distfunctions/>.

use crate::lanes::{Lanes, Points, all};
use crate::vector::Vec3;

/// A body around the origin.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape {
    /// By its three radii; the distance is a good estimate, not exact.
    Ellipsoid(Vec3),
    /// A rod from the origin `to` a point, its radius going from `from_radius` to `to_radius`.
    Rod { to: Vec3, from_radius: f32, to_radius: f32 },
    /// A ring about the y axis.
    Ring { radius: f32, thickness: f32, flat: f32 },
    /// The rim of a lens that faces z: a rounded rectangle's outline.
    Rim { half: [f32; 2], round: f32, thickness: f32 },
    /// A rounded box by its half sizes.
    Slab { half: Vec3, round: f32 },
    /// All on the other side of the plane through the origin than its unit normal.
    Half(Vec3),
}

impl Shape {
    /// The distances of eight points.
    #[inline(always)]
    pub(crate) fn distance(&self, p: Points) -> Lanes {
        match *self {
            Self::Ellipsoid(r) => ellipsoid(p, r),
            Self::Rod { to, from_radius, to_radius } => rod(p, to, [from_radius, to_radius]),
            Self::Ring { radius, thickness, flat } => {
                let around = (p.x * p.x + p.z * p.z).sqrt() - all(radius);
                let y = p.y * all(1.0 / flat);
                (around * around + y * y).sqrt() - all(thickness)
            }
            Self::Rim { half, round, thickness } => {
                let outline = rounded(p.x, p.y, half, round);
                (outline * outline + p.z * p.z).sqrt() - all(thickness)
            }
            Self::Slab { half, round } => {
                let zero = all(0.0);
                let [x, y, z] = [
                    p.x.abs() - all(half.x - round),
                    p.y.abs() - all(half.y - round),
                    p.z.abs() - all(half.z - round),
                ];
                let (a, b, c) = (x.fast_max(zero), y.fast_max(zero), z.fast_max(zero));
                let inside = x.fast_max(y).fast_max(z).fast_min(zero);
                (a * a + b * b + c * c).sqrt() + inside - all(round)
            }
            Self::Half(normal) => p.dot(normal),
        }
    }

    /// A radius about the origin beyond which none of it reaches.
    pub(crate) fn radius(&self) -> f32 {
        match *self {
            Self::Rod { to, from_radius, to_radius } => {
                from_radius.max(to.length() + from_radius.max(to_radius))
            }
            Self::Half(_) => f32::INFINITY,
            Self::Ellipsoid(r) => r.x.max(r.y).max(r.z),
            _ => self.reach()[1].length(),
        }
    }

    /// The corners of a box about it.
    pub(crate) fn reach(&self) -> [Vec3; 2] {
        let about = |r: Vec3| [-r, r];
        match *self {
            Self::Ellipsoid(r) => about(r),
            Self::Rod { to, from_radius, to_radius } => {
                let r = Vec3::ONE * from_radius.max(to_radius);
                [to.least(Vec3::ZERO) - r, to.most(Vec3::ZERO) + r]
            }
            Self::Ring { radius, thickness, flat } => {
                let wide = radius + thickness;
                about(Vec3 { x: wide, y: thickness * flat, z: wide })
            }
            Self::Rim { half, thickness, .. } => {
                about(Vec3 { x: half[0] + thickness, y: half[1] + thickness, z: thickness })
            }
            Self::Slab { half, .. } => about(half),
            Self::Half(_) => about(Vec3::ZERO),
        }
    }
}

#[inline(always)]
fn ellipsoid(p: Points, r: Vec3) -> Lanes {
    let (x, y, z) = (p.x * all(1.0 / r.x), p.y * all(1.0 / r.y), p.z * all(1.0 / r.z));
    let near = (x * x + y * y + z * z).sqrt();
    let (x, y, z) = (x * all(1.0 / r.x), y * all(1.0 / r.y), z * all(1.0 / r.z));
    let slope = (x * x + y * y + z * z + all(1e-12)).sqrt();
    near * (near - all(1.0)) / slope
}

#[inline(always)]
fn rod(p: Points, to: Vec3, radii: [f32; 2]) -> Lanes {
    let h = p.dot(to) * all(1.0 / to.dot(to).max(1e-9));
    let h = h.fast_max(all(0.0)).fast_min(all(1.0));
    let off = Points { x: p.x - all(to.x) * h, y: p.y - all(to.y) * h, z: p.z - all(to.z) * h };
    off.length() - all(radii[0]) - all(radii[1] - radii[0]) * h
}

/// The signed distance to a rounded rectangle's outline in the plane.
#[inline(always)]
pub(crate) fn rounded(x: Lanes, y: Lanes, half: [f32; 2], round: f32) -> Lanes {
    let (a, b) = (x.abs() - all(half[0] - round), y.abs() - all(half[1] - round));
    let (c, d) = (a.fast_max(all(0.0)), b.fast_max(all(0.0)));
    (c * c + d * d).sqrt() + a.fast_max(b).fast_min(all(0.0)) - all(round)
}
