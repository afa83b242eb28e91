//! A body made of simple ones, joined and cut softly in turn.

use crate::lanes::{Lanes, Points, all, all_below, join, meet};
use crate::vector::{Vec3, v};

use super::shape::Shape;

/// What a part does to those before it; the number is how soft the seam is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Seam {
    Add(f32),
    Cut(f32),
    Keep(f32),
}

/// One simple body in a solid.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    shape: Shape,
    at: Vec3,
    both: bool,     // mirrored to the other side
    turn: [f32; 2], // sine and cosine of a turn about y
    turned: bool,
    radius: f32,
    seam: Seam,
}

/// A body, and a box that holds it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Solid {
    parts: Vec<Part>,
    center: Vec3,
    half: Vec3,
}

impl Part {
    pub(crate) fn new(shape: Shape, at: Vec3, seam: Seam) -> Self {
        let radius = shape.radius();
        Self { shape, at, both: false, turn: [0.0, 1.0], turned: false, radius, seam }
    }

    /// On both sides of x = 0.
    pub(crate) fn both(self) -> Self {
        Self { both: true, ..self }
    }

    /// Turned about y by `degrees`.
    pub(crate) fn turned(self, degrees: f32) -> Self {
        let (s, c) = degrees.to_radians().sin_cos();
        Self { turn: [s, c], turned: true, ..self }
    }

    /// `d`, the distances to the parts before, with this part joined or cut.
    #[inline(always)]
    fn onto(&self, d: Lanes, p: Points, right: Points) -> Lanes {
        let mut p = if self.both { right } else { p }.minus(self.at);
        let (near, k) = match self.seam {
            Seam::Add(k) => (d, k),
            Seam::Cut(k) => (-d, k),
            Seam::Keep(k) => (all(f32::INFINITY), k),
        };
        // Too far from all eight points to change their distances.
        let within = (near + all(self.radius + k)).fast_max(all(0.0));
        if all_below(within * within, p.squared()) {
            return d;
        }
        if self.turned {
            let [s, c] = self.turn.map(all);
            p = Points { x: p.x * c - p.z * s, y: p.y, z: p.z * c + p.x * s };
        }
        let one = self.shape.distance(p);
        match self.seam {
            Seam::Add(k) => join(d, one, k),
            Seam::Cut(k) => meet(d, -one, k),
            Seam::Keep(k) => meet(d, one, k),
        }
    }
}

impl Solid {
    /// Of these parts, the first of which is an `Add`.
    pub(crate) fn new(parts: Vec<Part>) -> Self {
        let mut solid = Self { parts, ..Self::default() };
        solid.bound();
        solid
    }

    /// With a further part.
    pub(crate) fn push(&mut self, part: Part) {
        self.parts.push(part);
        self.bound();
    }

    /// Fits the box, loose by 0.08 for seams and relief.
    fn bound(&mut self) {
        let (mut low, mut high) = (Vec3::ONE * f32::MAX, Vec3::ONE * f32::MIN);
        for part in self.parts.iter().filter(|part| matches!(part.seam, Seam::Add(_))) {
            let [mut from, mut to] = part.shape.reach();
            if part.turned {
                let wide = from.x.abs().max(to.x).hypot(from.z.abs().max(to.z));
                (from, to) = (v(-wide, from.y, -wide), v(wide, to.y, wide));
            }
            (from, to) = (from + part.at, to + part.at);
            if part.both {
                (from.x, to.x) = (from.x.min(-to.x), to.x.max(-from.x));
            }
            (low, high) = (low.least(from), high.most(to));
        }
        let loose = Vec3::ONE * 0.08;
        self.center = (low + high) / 2.0;
        self.half = (high - low) / 2.0 + loose;
    }

    /// The distances of eight points.
    #[inline(never)]
    pub(crate) fn distance(&self, p: Points) -> Lanes {
        let right = p.right();
        let mut d = all(9.0);
        for part in &self.parts {
            d = part.onto(d, p, right);
        }
        d
    }

    /// The distances to the box that holds it, 0 inside.
    #[inline(always)]
    fn outside(&self, p: Points) -> Lanes {
        let p = p.minus(self.center);
        let side = |x: Lanes, half: f32| (x.abs() - all(half)).fast_max(all(0.0));
        Points { x: side(p.x, self.half.x), y: side(p.y, self.half.y), z: side(p.z, self.half.z) }
            .length()
    }

    /// The distances where they matter: a lower bound of them where every point is farther
    /// than 0.4 from the box or farther than `than`.
    #[inline(always)]
    pub(crate) fn bounded(&self, p: Points, than: Lanes) -> Lanes {
        if self.parts.is_empty() {
            return all(9.0);
        }
        let outside = self.outside(p);
        if all_below(than.fast_min(all(0.4)), outside) {
            return outside;
        }
        self.distance(p)
    }

    /// The z at which a ray towards -z at (x, y) meets it, or that of `miss`.
    pub(crate) fn front(&self, x: f32, y: f32, miss: f32) -> f32 {
        let mut z = 2.5;
        for _ in 0..80 {
            let d = self.distance(Points { x: all(x), y: all(y), z: all(z) }).to_array()[0];
            if d < 0.002 {
                return z;
            }
            z -= d * 0.8;
            if z < -1.5 {
                break;
            }
        }
        miss
    }
}
