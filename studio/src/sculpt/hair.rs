//! Hair as a soft body over the skull, with strands or curls pressed into it.

use crate::character::looks::HairStyle;
use crate::character::traits::Traits;
use crate::lanes::{Lanes, Points, all, all_below, near, wave};
use crate::vector::{Vec3, v};

use super::face::Face;
use super::shape::Shape::{Ellipsoid, Half, Ring, Rod};
use super::solid::Seam::{Add, Cut, Keep};
use super::solid::{Part, Solid};

/// The hair of a head, in the head's frame.
#[derive(Clone, Debug)]
pub(crate) struct Hair {
    pub solid: Solid,
    pub curl: f32,   // depth of curls
    pub strand: f32, // depth of strands
    pub turns: f32,  // curls per unit
}

/// What every style is fitted to.
struct Barber<'a> {
    face: &'a Face,
    skull: f32,
    top: f32,
    volume: f32,
    side: f32, // of the parting: 1 the character's left
}

impl Hair {
    pub(crate) fn new(t: &Traits, face: &Face) -> Self {
        let barber = Barber {
            face,
            skull: 1.0 + 0.07 * t.face_width,
            top: 0.86 + 0.06 * t.forehead,
            volume: 1.0 + 0.35 * t.hair_volume,
            side: if t.parted_left { 1.0 } else { -1.0 },
        };
        let solid = Solid::new(barber.parts(t.hair_style));
        let [curl, strand, turns] = match t.hair_style {
            HairStyle::Bald | HairStyle::Buzz => [0.0, 0.0, 1.0],
            HairStyle::Afro => [0.035, 0.0, 3.2],
            HairStyle::Curly => [0.055, 0.0, 2.2],
            HairStyle::Wavy => [0.035, 0.015, 1.3],
            HairStyle::Spiky | HairStyle::Mohawk => [0.0, 0.018, 1.0],
            _ => [0.0, 0.0105, 1.0],
        };
        Self { solid, curl, strand, turns }
    }

    /// The distances of eight points.
    #[inline(always)]
    pub(crate) fn distance(&self, p: Points, than: Lanes) -> Lanes {
        // The relief stands out by less than 0.1, so that a bound beyond that stays one.
        let d = self.solid.bounded(p, than + all(0.1));
        match !all_below(all(0.22), d) {
            // Fades with the distance, so that a point's own never depends on its neighbours'.
            true => d + self.relief(p) * near(d),
            false => d,
        }
    }

    #[inline(never)]
    fn relief(&self, p: Points) -> Lanes {
        let mut deep = all(0.0);
        if self.strand > 0.0 {
            let around = p.x * all(5.2) + p.z * all(4.1) + p.y * all(0.5);
            let cross = p.x * all(-2.3) + p.z * all(4.1);
            deep += (wave(around) + wave(cross * all(1.7)) * all(0.6)) * all(self.strand);
        }
        if self.curl > 0.0 {
            let n = all(self.turns);
            let a = wave(p.x * n + wave(p.y * n * all(0.7)) * all(0.12));
            let b = wave(p.y * n + p.z * all(0.6));
            let c = wave(p.z * n + all(0.3));
            deep += (a * b + b * c + c * a) * all(self.curl);
        }
        deep
    }
}

impl Barber<'_> {
    fn parts(&self, style: HairStyle) -> Vec<Part> {
        match style {
            HairStyle::Bald => Vec::new(),
            HairStyle::Buzz => self.cap(0.025, 0.0),
            HairStyle::Crop => self.crop(),
            HairStyle::SidePart => self.side_part(),
            HairStyle::Quiff => self.quiff(),
            HairStyle::Spiky => self.spiky(),
            HairStyle::Mohawk => self.mohawk(),
            HairStyle::Afro => self.afro(),
            HairStyle::Curly => self.curly(),
            HairStyle::Bob => self.bob(false),
            HairStyle::Fringe => self.bob(true),
            HairStyle::Long => self.long(1.0),
            HairStyle::Wavy => self.long(1.35),
            HairStyle::Ponytail => self.ponytail(),
            HairStyle::Bun => self.bun(),
            HairStyle::SpaceBuns => self.space_buns(),
            HairStyle::Pigtails => self.pigtails(),
            HairStyle::Braids => self.braids(),
        }
    }

    /// A cap of hair `thick`, its edge lower by `lower` than the hairline.
    fn cap(&self, thick: f32, lower: f32) -> Vec<Part> {
        let radii = v(0.805 * self.skull + thick, self.top + thick, 0.965 + thick);
        let shell = Part::new(Ellipsoid(radii), v(0.0, 0.36, -0.16), Add(0.0));
        let edge = v(0.0, self.face.hairline - lower, 0.66);
        let slope = v(0.0, -1.0, 0.92).unit();
        let clear = v(0.60 * self.face.width, 0.62 + self.face.hairline, 0.80);
        vec![
            shell,
            Part::new(Half(slope), edge, Keep(0.10)),
            Part::new(Ellipsoid(clear), v(0.0, -0.62, 0.62), Cut(0.08)),
        ]
    }

    /// Clears the face of hair that hangs down.
    fn clear_face(&self) -> Part {
        let tall = self.face.hairline + 0.40;
        let radii = v(0.59 * self.face.width, tall, 0.85);
        Part::new(Ellipsoid(radii), v(0.0, -0.42, 0.72), Cut(0.10))
    }

    fn clump(at: Vec3, radii: Vec3, soft: f32) -> Part {
        Part::new(Ellipsoid(radii), at, Add(soft))
    }

    fn lock(from: Vec3, to: Vec3, radii: [f32; 2], soft: f32) -> Part {
        let shape = Rod { to: to - from, from_radius: radii[0], to_radius: radii[1] };
        Part::new(shape, from, Add(soft))
    }

    fn crop(&self) -> Vec<Part> {
        let mut parts = self.cap(0.075 * self.volume, 0.03);
        let up = 0.36 + self.top;
        parts.push(Self::clump(v(0.0, up - 0.12, 0.12), v(0.55, 0.17 * self.volume, 0.62), 0.15));
        parts
    }

    fn side_part(&self) -> Vec<Part> {
        let mut parts = self.cap(0.085 * self.volume, 0.02);
        let (s, up, h) = (self.side, 0.36 + self.top, self.face.hairline);
        let swept = v(0.62, 0.20 * self.volume, 0.62);
        parts.push(Self::clump(v(-0.18 * s, up - 0.16, 0.14), swept, 0.08));
        let (from, to) = (v(0.28 * s, h + 0.26, 0.56), v(-0.62 * s, h - 0.14, 0.40));
        parts.push(Self::lock(from, to, [0.15 * self.volume, 0.13], 0.12));
        parts
    }

    fn quiff(&self) -> Vec<Part> {
        let mut parts = self.cap(0.06, 0.0);
        let (h, up) = (self.face.hairline, 0.30 * self.volume);
        parts.push(Self::clump(
            v(0.0, h + 0.32 + up * 0.5, 0.42),
            v(0.50, 0.22 + up * 0.5, 0.38),
            0.14,
        ));
        parts.push(Self::clump(v(0.0, h + 0.40, -0.05), v(0.52, 0.26 + up * 0.4, 0.62), 0.2));
        parts
    }

    fn spiky(&self) -> Vec<Part> {
        let mut parts = self.cap(0.07, 0.02);
        let long = 0.30 * self.volume + 0.08;
        for (x, y, z) in [
            (0.0, 0.90, 0.62),
            (0.34, 0.86, 0.52),
            (-0.34, 0.86, 0.52),
            (0.18, 1.0, 0.2),
            (-0.18, 1.0, 0.2),
            (0.56, 0.76, 0.12),
            (-0.56, 0.76, 0.12),
            (0.0, 1.0, -0.25),
            (0.42, 0.9, -0.3),
            (-0.42, 0.9, -0.3),
            (0.66, 0.5, -0.35),
            (-0.66, 0.5, -0.35),
            (0.25, 0.75, -0.7),
            (-0.25, 0.75, -0.7),
        ] {
            let out = v(x, y, z).unit();
            let from = v(0.0, 0.36, -0.16) + out * v(0.72 * self.skull, 0.80, 0.84);
            parts.push(Self::lock(
                from,
                from + (out + v(0.0, 0.25, 0.0)) * long,
                [0.19, 0.03],
                0.07,
            ));
        }
        parts
    }

    fn mohawk(&self) -> Vec<Part> {
        let high = 0.32 * self.volume + 0.1;
        let ridge = v(0.15, 0.74 + high, 0.82 + high);
        let cap = self.cap(0.0, 0.0);
        let mut parts = vec![Self::clump(v(0.0, 0.42, -0.14), ridge, 0.0)];
        parts.extend_from_slice(&cap[1..]);
        for (i, angle) in [62.0_f32, 42.0, 20.0, 0.0, -22.0, -45.0, -68.0].into_iter().enumerate() {
            let (s, c) = angle.to_radians().sin_cos();
            let from = v(0.0, 0.36 + 0.80 * c, -0.16 + 0.88 * s);
            let long = high * if i % 2 == 0 { 1.0 } else { 0.9 };
            parts.push(Self::lock(from, from + v(0.0, c, s * 0.8) * long, [0.15, 0.07], 0.06));
        }
        parts
    }

    fn afro(&self) -> Vec<Part> {
        let big = 0.16 + 0.22 * self.volume;
        let radii = v(0.86 + big, 0.84 + big, 0.86 + big);
        let clear = v(0.66 * self.face.width, self.face.hairline + 0.42, 0.9);
        vec![
            Self::clump(v(0.0, 0.46, -0.22), radii, 0.0),
            Part::new(Half(v(0.0, -1.0, 0.55).unit()), v(0.0, 0.1, 0.66), Keep(0.3)),
            Part::new(Ellipsoid(clear), v(0.0, -0.42, 0.86), Cut(0.14)),
        ]
    }

    fn curly(&self) -> Vec<Part> {
        let mut parts = self.cap(0.12 * self.volume, 0.06);
        let (h, w) = (self.face.hairline, self.volume);
        for x in [-0.5, -0.18, 0.18, 0.5] {
            parts.push(Self::clump(
                v(x, h + 0.18 - 0.25 * x * x, 0.60 - 0.5 * x * x),
                v(0.2, 0.17, 0.2) * w,
                0.1,
            ));
        }
        parts.push(Self::clump(v(0.76, 0.25, -0.12), v(0.22, 0.42, 0.36) * w, 0.12).both());
        parts.push(Self::clump(v(0.0, 0.95, -0.1), v(0.66, 0.40 * w, 0.7), 0.15));
        parts.push(Self::clump(v(0.0, -0.1, -0.72), v(0.66, 0.6, 0.4 * w), 0.15));
        parts
    }

    fn bob(&self, fringe: bool) -> Vec<Part> {
        let w = self.volume;
        let mut parts = self.cap(0.11 * w, if fringe { 0.1 } else { 0.02 });
        let end = -0.72;
        parts.push(
            Self::lock(v(0.66, 0.5, -0.05), v(0.74, end, 0.05), [0.22 * w, 0.24 * w], 0.15).both(),
        );
        parts.push(Self::clump(v(0.0, -0.12, -0.52), v(0.84, 0.72, 0.55), 0.15));
        parts.push(Part::new(Half(v(0.0, -1.0, 0.0)), v(0.0, end - 0.08, 0.0), Keep(0.12)));
        parts.push(self.clear_face());
        if fringe {
            let h = self.face.hairline;
            let low = h - 0.20;
            for x in [-0.46, -0.28, -0.1, 0.1, 0.28, 0.46] {
                let z = 0.74 - 0.55 * x * x;
                let (from, to) = (v(x, h + 0.22, z - 0.14), v(x * 1.04, low, z + 0.02));
                parts.push(Self::lock(from, to, [0.14, 0.10], 0.12));
            }
        } else {
            parts.extend(self.swept());
        }
        parts
    }

    /// Hair swept to both sides of a parting.
    fn swept(&self) -> [Part; 2] {
        let (s, h) = (self.side, self.face.hairline);
        let root = v(0.2 * s, h + 0.30, 0.56);
        [
            Self::lock(root, v(0.70 * s * self.face.width, 0.22, 0.22), [0.13, 0.14], 0.12),
            Self::lock(root, v(-0.70 * s * self.face.width, 0.16, 0.24), [0.15, 0.15], 0.12),
        ]
    }

    fn long(&self, spread: f32) -> Vec<Part> {
        let w = self.volume;
        let mut parts = self.cap(0.11 * w, 0.02);
        let side = v(0.80 * spread.sqrt(), -1.0, -0.05);
        parts.push(
            Self::lock(v(0.66, 0.5, -0.05), side, [0.20 * w, 0.22 * spread * w], 0.15).both(),
        );
        let end = v(0.72 * spread, -2.0, 0.16);
        parts.push(Self::lock(side, end, [0.22 * spread * w, 0.14 * w], 0.15).both());
        parts.push(Self::clump(v(0.0, -0.75, -0.72), v(0.80 * spread.sqrt(), 1.35, 0.42 * w), 0.2));
        parts.push(self.clear_face());
        parts.extend(self.swept());
        parts
    }

    fn ponytail(&self) -> Vec<Part> {
        let mut parts = self.cap(0.05, 0.0);
        let (s, w) = (self.side, self.volume);
        let (root, mid) = (v(0.0, 0.95, -0.95), v(0.42 * s, 0.75, -1.35));
        parts.push(Self::clump(root, v(0.2, 0.2, 0.22), 0.1));
        parts.push(Self::lock(root, mid, [0.17, 0.26 * w], 0.1));
        parts.push(Self::lock(mid, v(0.92 * s, -0.35, -1.05), [0.26 * w, 0.24 * w], 0.12));
        parts.push(Self::lock(
            v(0.92 * s, -0.35, -1.05),
            v(1.0 * s, -1.25, -0.55),
            [0.24 * w, 0.08],
            0.12,
        ));
        parts
    }

    fn bun(&self) -> Vec<Part> {
        let mut parts = self.cap(0.05, 0.0);
        let r = 0.30 * self.volume.sqrt() + 0.04;
        parts.push(Self::clump(v(0.0, 1.20 + r * 0.75, -0.38), v(r, r * 0.86, r), 0.08));
        let tie = Ring { radius: 0.17, thickness: 0.06, flat: 1.0 };
        parts.push(Part::new(tie, v(0.0, 1.19, -0.34), Add(0.04)));
        parts
    }

    fn space_buns(&self) -> Vec<Part> {
        let mut parts = self.cap(0.055, 0.0);
        let r = 0.27 * self.volume.sqrt() + 0.03;
        parts.push(Self::clump(v(0.60, 1.12 + r * 0.4, -0.18), v(r, r, r), 0.08).both());
        parts
    }

    fn pigtails(&self) -> Vec<Part> {
        let mut parts = self.cap(0.06, 0.02);
        let w = self.volume;
        let (root, mid) = (v(0.86, 0.30, -0.30), v(1.22, 0.02, -0.22));
        parts.push(Self::lock(root, mid, [0.10, 0.23 * w], 0.06).both());
        parts.push(Self::lock(mid, v(1.16, -0.95, -0.02), [0.23 * w, 0.07], 0.1).both());
        parts.extend(self.swept());
        parts
    }

    fn braids(&self) -> Vec<Part> {
        let mut parts = self.cap(0.07, 0.02);
        parts.extend(self.swept());
        let r = 0.15 * self.volume.sqrt() + 0.02;
        for i in 0..9 {
            let t = i as f32 / 8.0;
            let at = v(0.78 + 0.06 * t, -0.15 - 1.75 * t, -0.16 + 0.42 * t);
            let taper = 1.0 - 0.25 * t;
            parts.push(Self::clump(at, v(r, 0.14, r) * taper, 0.03).both());
        }
        parts
    }
}
