//! Eight points at a time, which the compiler keeps in vector registers.

use wide::f32x8;

use crate::vector::{Frame, Vec3};

/// Eight numbers.
pub(crate) type Lanes = f32x8;

/// The same number eight times.
#[inline(always)]
pub(crate) fn all(x: f32) -> Lanes {
    Lanes::splat(x)
}

/// Eight points.
#[derive(Clone, Copy)]
pub(crate) struct Points {
    pub x: Lanes,
    pub y: Lanes,
    pub z: Lanes,
}

impl Points {
    #[inline(always)]
    pub(crate) fn from_array(points: &[Vec3; 8]) -> Self {
        let of = |f: fn(&Vec3) -> f32| Lanes::new(std::array::from_fn(|i| f(&points[i])));
        Self { x: of(|p| p.x), y: of(|p| p.y), z: of(|p| p.z) }
    }

    #[inline(always)]
    pub(crate) fn to_array(self) -> [Vec3; 8] {
        let (x, y, z) = (self.x.to_array(), self.y.to_array(), self.z.to_array());
        std::array::from_fn(|i| Vec3 { x: x[i], y: y[i], z: z[i] })
    }

    #[inline(always)]
    pub(crate) fn minus(self, o: Vec3) -> Self {
        Self { x: self.x - all(o.x), y: self.y - all(o.y), z: self.z - all(o.z) }
    }

    /// `self + direction * t`
    #[inline(always)]
    pub(crate) fn along(self, direction: Points, t: Lanes) -> Self {
        Self {
            x: self.x + direction.x * t,
            y: self.y + direction.y * t,
            z: self.z + direction.z * t,
        }
    }

    #[inline(always)]
    pub(crate) fn dot(self, o: Vec3) -> Lanes {
        self.x * all(o.x) + self.y * all(o.y) + self.z * all(o.z)
    }

    #[inline(always)]
    pub(crate) fn squared(self) -> Lanes {
        self.x * self.x + self.y * self.y + self.z * self.z
    }

    #[inline(always)]
    pub(crate) fn length(self) -> Lanes {
        self.squared().sqrt()
    }

    /// Mirrored at x = 0 to the right side.
    #[inline(always)]
    pub(crate) fn right(self) -> Self {
        Self { x: self.x.abs(), ..self }
    }

    /// World points in `frame`.
    #[inline(always)]
    pub(crate) fn local(self, frame: &Frame) -> Self {
        let p = self.minus(frame.at);
        Self {
            x: p.dot(frame.rows[0]) + all(frame.pivot.x),
            y: p.dot(frame.rows[1]) + all(frame.pivot.y),
            z: p.dot(frame.rows[2]) + all(frame.pivot.z),
        }
    }
}

/// The smaller of two, rounded over a width of `k` where they meet.
#[inline(always)]
pub(crate) fn join(a: Lanes, b: Lanes, k: f32) -> Lanes {
    if k <= 0.0 {
        return a.fast_min(b);
    }
    let h = (all(k) - (a - b).abs()).fast_max(all(0.0));
    a.fast_min(b) - h * h * all(0.25 / k)
}

/// The larger of two, rounded over a width of `k` where they meet.
#[inline(always)]
pub(crate) fn meet(a: Lanes, b: Lanes, k: f32) -> Lanes {
    -join(-a, -b, k)
}

/// 1 at 0, falling smoothly to 0 at `width` to both sides.
#[inline(always)]
pub(crate) fn hill(x: Lanes, width: f32) -> Lanes {
    let x = x * all(1.0 / width);
    let t = (all(1.0) - x * x).fast_max(all(0.0));
    t * t
}

/// 1 where the distance `d` is up to 0.12, falling to 0 at 0.22.
#[inline(always)]
pub(crate) fn near(d: Lanes) -> Lanes {
    ((all(0.22) - d) * all(10.0)).fast_max(all(0.0)).fast_min(all(1.0))
}

/// A wave like `sin(2 pi x)`, of parabolas.
#[inline(always)]
pub(crate) fn wave(x: Lanes) -> Lanes {
    let magic = all(12_582_912.0); // 1.5 x 2^23: adding it rounds to a whole number
    let x = x - ((x + magic) - magic);
    x * (all(8.0) - x.abs() * all(16.0))
}

/// Whether every lane of `a` is below that of `b`.
#[inline(always)]
pub(crate) fn all_below(a: Lanes, b: Lanes) -> bool {
    a.simd_lt(b).all()
}
