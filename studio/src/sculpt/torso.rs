//! Neck, shoulders, chest and arms, and what is worn over them.

use crate::character::traits::Traits;
use crate::lanes::{Lanes, Points, all, all_below, meet, wave};
use crate::scene::outfit::Outfit;
use crate::vector::{Vec3, v};

use super::shape::Shape::{self, Ellipsoid, Ring, Rod};
use super::solid::Seam::{Add, Cut};
use super::solid::{Part, Solid};

/// The body below the head, in its own frame.
#[derive(Clone, Debug)]
pub(crate) struct Torso {
    body: Solid,
    neckline: Solid, // where cloth leaves the skin bare
    pub trim: Solid, // collar, hood or scarf
    thick: f32,      // of the cloth
    knit: f32,       // depth of its ribs
}

/// The middle of the neck's foot, about which the body turns.
pub(crate) const NECK_FOOT: Vec3 = v(0.0, -1.75, -0.32);

impl Torso {
    pub(crate) fn new(t: &Traits, outfit: Outfit) -> Self {
        let (thick, knit) = match outfit {
            Outfit::Coat => (0.13, 0.0),
            Outfit::Sweater => (0.09, 0.012),
            Outfit::Hoodie => (0.11, 0.0),
            Outfit::Suit => (0.09, 0.0),
            _ => (0.045, 0.0),
        };
        let neckline = Solid::new(neckline(outfit));
        Self { body: body(t), neckline, trim: Solid::new(trim(outfit)), thick, knit }
    }

    /// The distances of eight points to the bare body and to the cloth.
    #[inline(always)]
    pub(crate) fn distance(&self, p: Points, than: Lanes) -> [Lanes; 2] {
        let body = self.body.bounded(p, than + all(self.thick + 0.02));
        if all_below(all(0.35), body) {
            return [body, body - all(self.thick)];
        }
        let mut cloth = body - all(self.thick);
        if self.knit > 0.0 {
            cloth += wave(p.x * all(5.0)) * all(self.knit);
        }
        [body, meet(cloth, -self.neckline.distance(p), 0.04)]
    }
}

fn body(t: &Traits) -> Solid {
    let b = 1.0 + 0.13 * t.build;
    let rod = |from: Vec3, to: Vec3, radii: [f32; 2], soft: f32| {
        let shape = Rod { to: to - from, from_radius: radii[0], to_radius: radii[1] };
        Part::new(shape, from, Add(soft)).both()
    };
    let arm = v(1.17 * b, -2.32, -0.38);
    let elbow = v(1.40 * b, -3.9, -0.45);
    Solid::new(vec![
        rod(v(0.2, -2.05, -0.38), arm, [0.34, 0.31 * b], 0.0),
        rod(v(0.1, -1.62, -0.42), v(0.85 * b, -2.10, -0.40), [0.20, 0.20], 0.22),
        rod(arm, elbow, [0.31 * b, 0.24 * b], 0.12),
        rod(elbow, v(1.05 * b, -5.4, 0.0), [0.24 * b, 0.2], 0.1),
        Part::new(Ellipsoid(v(1.04 * b, 1.10, 0.56)), v(0.0, -2.95, -0.32), Add(0.25)),
        Part::new(Ellipsoid(v(0.82 * b, 1.6, 0.48)), v(0.0, -4.4, -0.34), Add(0.3)),
    ])
}

/// The body whose inside is bare of cloth.
fn neckline(outfit: Outfit) -> Vec<Part> {
    let hole = |x: f32, y: f32, z: f32, at: Vec3| Part::new(Ellipsoid(v(x, y, z)), at, Add(0.06));
    let neck = v(0.0, -1.55, -0.25);
    match outfit {
        Outfit::Sleeveless => vec![
            hole(0.62, 0.85, 0.85, v(0.0, -1.7, -0.1)),
            hole(0.50, 3.5, 0.9, v(1.32, -3.2, -0.38)).both(),
        ],
        Outfit::Suit | Outfit::Coat => vec![hole(0.40, 0.42, 0.62, neck)],
        Outfit::Sweater => vec![hole(0.36, 0.40, 0.5, neck + v(0.0, 0.12, 0.0))],
        _ => vec![hole(0.50, 0.52, 0.72, neck)],
    }
}

/// What lies around the neck.
fn trim(outfit: Outfit) -> Vec<Part> {
    let ring = |radius: f32, thickness: f32, flat: f32, y: f32, z: f32| {
        let shape: Shape = Ring { radius, thickness, flat };
        Part::new(shape, v(0.0, y, z), Add(0.1))
    };
    match outfit {
        Outfit::Sweater => vec![ring(0.40, 0.11, 1.9, -1.58, -0.32)],
        Outfit::Coat => vec![
            ring(0.46, 0.20, 1.0, -1.72, -0.26),
            ring(0.52, 0.19, 0.9, -1.98, -0.22),
            Part::new(
                Rod { to: v(0.16, -1.5, 0.14), from_radius: 0.19, to_radius: 0.21 },
                v(0.12, -2.05, 0.26),
                Add(0.12),
            ),
        ],
        Outfit::Hoodie => vec![
            ring(0.58, 0.20, 1.1, -1.80, -0.42),
            Part::new(Ellipsoid(v(0.62, 0.42, 0.40)), v(0.0, -1.85, -0.95), Add(0.2)),
            Part::new(Ellipsoid(v(0.42, 0.9, 0.62)), v(0.0, -1.6, 0.02), Cut(0.1)),
        ],
        _ => Vec::new(),
    }
}
