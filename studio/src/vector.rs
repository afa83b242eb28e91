//! Points, directions and linear colours of three numbers, and turns of them.

use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

/// A point, a direction, or a linear colour (red, green, blue).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Vec3 {
    pub x: f32,
    pub y: f32,
    pub z: f32,
}

/// The vector of three numbers.
pub(crate) const fn v(x: f32, y: f32, z: f32) -> Vec3 {
    Vec3 { x, y, z }
}

/// The linear colour of an sRGB code such as `0xFF8800`.
pub(crate) fn srgb(code: u32) -> Vec3 {
    let channel = |shift: u32| (((code >> shift) & 255) as f32 / 255.0).powf(2.2);
    v(channel(16), channel(8), channel(0))
}

impl Vec3 {
    pub(crate) const ONE: Self = v(1.0, 1.0, 1.0);
    pub(crate) const ZERO: Self = v(0.0, 0.0, 0.0);

    pub(crate) fn dot(self, o: Self) -> f32 {
        self.x * o.x + self.y * o.y + self.z * o.z
    }

    pub(crate) fn length(self) -> f32 {
        self.dot(self).sqrt()
    }

    pub(crate) fn unit(self) -> Self {
        self * (1.0 / self.length().max(1e-9))
    }

    pub(crate) fn lerp(self, to: Self, t: f32) -> Self {
        self + (to - self) * t
    }

    pub(crate) fn map(self, f: impl Fn(f32) -> f32) -> Self {
        v(f(self.x), f(self.y), f(self.z))
    }

    /// How bright a linear colour is (Rec. 709).
    pub(crate) fn luminance(self) -> f32 {
        self.dot(v(0.2126, 0.7152, 0.0722))
    }

    /// The smaller of each of the three.
    pub(crate) fn least(self, o: Self) -> Self {
        v(self.x.min(o.x), self.y.min(o.y), self.z.min(o.z))
    }

    /// The larger of each of the three.
    pub(crate) fn most(self, o: Self) -> Self {
        v(self.x.max(o.x), self.y.max(o.y), self.z.max(o.z))
    }
}

impl Add for Vec3 {
    type Output = Self;
    fn add(self, o: Self) -> Self {
        v(self.x + o.x, self.y + o.y, self.z + o.z)
    }
}
impl AddAssign for Vec3 {
    fn add_assign(&mut self, o: Self) {
        *self = *self + o;
    }
}
impl Sub for Vec3 {
    type Output = Self;
    fn sub(self, o: Self) -> Self {
        v(self.x - o.x, self.y - o.y, self.z - o.z)
    }
}
impl Mul<f32> for Vec3 {
    type Output = Self;
    fn mul(self, s: f32) -> Self {
        v(self.x * s, self.y * s, self.z * s)
    }
}
impl Mul for Vec3 {
    type Output = Self;
    fn mul(self, o: Self) -> Self {
        v(self.x * o.x, self.y * o.y, self.z * o.z)
    }
}
impl Div<f32> for Vec3 {
    type Output = Self;
    fn div(self, s: f32) -> Self {
        self * (1.0 / s)
    }
}
impl Neg for Vec3 {
    type Output = Self;
    fn neg(self) -> Self {
        self * -1.0
    }
}

/// 0 below `low`, 1 above `high`, smooth between; falls where `low > high`.
pub(crate) fn smoothstep(low: f32, high: f32, x: f32) -> f32 {
    let t = ((x - low) / (high - low)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// 1 at 0, falling to 0 at `width` to both sides.
pub(crate) fn bump(x: f32, width: f32) -> f32 {
    let t = 1.0 - (x / width) * (x / width);
    if t > 0.0 { t * t } else { 0.0 }
}

/// A place and a turn: what is fixed to a head or a body.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    pub rows: [Vec3; 3], // local axes in the world
    pub pivot: Vec3,     // the local point that stays
    pub at: Vec3,        // where it stays in the world
}

impl Frame {
    /// Turned by `yaw` (to the picture's right), `pitch` (up) and `roll`
    /// (clockwise), in degrees, about `pivot`, which comes to lie `at`.
    pub(crate) fn turned(angles: [f32; 3], pivot: Vec3, at: Vec3) -> Self {
        let [yaw, pitch, roll] = angles.map(f32::to_radians);
        let turn = |p: Vec3| {
            let (s, c) = pitch.sin_cos();
            let p = v(p.x, p.y * c + p.z * s, p.z * c - p.y * s);
            let (s, c) = yaw.sin_cos();
            let p = v(p.x * c + p.z * s, p.y, p.z * c - p.x * s);
            let (s, c) = roll.sin_cos();
            v(p.x * c + p.y * s, p.y * c - p.x * s, p.z)
        };
        let rows = [turn(v(1.0, 0.0, 0.0)), turn(v(0.0, 1.0, 0.0)), turn(v(0.0, 0.0, 1.0))];
        Self { rows, pivot, at }
    }

    /// A local direction in the world.
    pub(crate) fn outward(&self, d: Vec3) -> Vec3 {
        self.rows[0] * d.x + self.rows[1] * d.y + self.rows[2] * d.z
    }

    /// A world direction in the frame.
    pub(crate) fn inward(&self, d: Vec3) -> Vec3 {
        v(self.rows[0].dot(d), self.rows[1].dot(d), self.rows[2].dot(d))
    }

    /// A local point in the world.
    pub(crate) fn place(&self, p: Vec3) -> Vec3 {
        self.outward(p - self.pivot) + self.at
    }

    /// A world point in the frame.
    pub(crate) fn local(&self, p: Vec3) -> Vec3 {
        self.inward(p - self.at) + self.pivot
    }
}
