//! Eight rays at a time through the distance to a person.
//!
//! Sphere tracing: Hart 1996, "Sphere tracing". Soft shadows: I. Quilez,
//! <https://iquilezles.org/articles/rmshadows/>.

use crate::lanes::{Lanes, Points, all, all_below};
use crate::sculpt::Person;
use crate::vector::Vec3;

/// Beyond it a ray has missed.
pub(crate) const FAR: f32 = 12.5;
/// Before it there is nothing.
pub(crate) const NEAR: f32 = 6.6;

/// How far each ray goes until it is within `close` of the person, or beyond `FAR`.
#[inline(never)]
pub(crate) fn travel(
    person: &Person,
    from: Vec3,
    along: Points,
    start: Lanes,
    close: f32,
) -> Lanes {
    let origin = Points { x: all(from.x), y: all(from.y), z: all(from.z) };
    let mut t = start;
    for _ in 0..64 {
        let d = person.distance(origin.along(along, t));
        let done = d.fast_max(all(close) - (t - all(FAR)).fast_max(all(0.0)) * all(1e6));
        t += d * all(0.86);
        if all_below(done, all(close * 1.0001)) || all_below(all(FAR), t) {
            break;
        }
    }
    t
}

/// The outward unit normals at points of the surface.
#[inline(never)]
pub(crate) fn normals(person: &Person, p: Points, step: f32) -> Points {
    let h = all(step);
    let at = |x: f32, y: f32, z: f32| {
        person.distance(Points { x: p.x + h * all(x), y: p.y + h * all(y), z: p.z + h * all(z) })
    };
    let (a, b) = (at(1.0, -1.0, -1.0), at(-1.0, -1.0, 1.0));
    let (c, d) = (at(-1.0, 1.0, -1.0), at(1.0, 1.0, 1.0));
    let n = Points { x: a - b - c + d, y: c + d - a - b, z: b + d - a - c };
    let scale = all(1.0) / (n.squared() + all(1e-18)).sqrt();
    Points { x: n.x * scale, y: n.y * scale, z: n.z * scale }
}

/// How much of a distant light reaches points, 0..1; `softness` 0..1 is the light's breadth.
#[inline(never)]
pub(crate) fn lit(person: &Person, p: Points, toward: Vec3, softness: f32) -> Lanes {
    let along = Points { x: all(toward.x), y: all(toward.y), z: all(toward.z) };
    let sharp = all(3.2 + 24.0 * (1.0 - softness) * (1.0 - softness));
    let mut open = all(1.0);
    let mut t = all(0.05);
    for _ in 0..14 {
        let d = person.distance(p.along(along, t));
        // Beyond 1.2 a shadow grows no softer, so that the loose bounds of far parts cast none.
        open = open.fast_min(sharp * d / t.fast_min(all(1.2)));
        t += d.fast_max(all(0.05)).fast_min(all(0.5));
        if all_below(open, all(0.002)) || all_below(all(2.6), t) {
            break;
        }
    }
    let open = open.fast_max(all(0.0)).fast_min(all(1.0));
    open * open * (all(3.0) - open * all(2.0))
}

/// How open points are to light from all around, 0..1.
#[inline(never)]
pub(crate) fn openness(person: &Person, p: Points, normal: Points) -> Lanes {
    let near = person.distance(p.along(normal, all(0.09)));
    let far = person.distance(p.along(normal, all(0.32)));
    let hidden = (all(0.09) - near) * all(3.2) + (all(0.32) - far) * all(1.15);
    (all(1.0) - hidden).fast_max(all(0.0)).fast_min(all(1.0))
}
