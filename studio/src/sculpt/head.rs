//! The skull, the features that stand out of it, and the relief of the skin.

use crate::character::looks::FacialHair;
use crate::character::traits::Traits;
use crate::lanes::{Lanes, Points, all, all_below, hill, near};
use crate::scene::expression::Muscles;
use crate::vector::v;

use super::face::Face;
use super::shape::Shape::{Ellipsoid, Rod};
use super::solid::Seam::{Add, Cut};
use super::solid::{Part, Solid};

/// A head without hair.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub face: Face,
    pub muscles: Muscles,
    pub beard: Beard,
    pub eye_z: f32,   // of the eyeball's middle
    pub ball: f32,    // its radius
    pub front_z: f32, // of the face between the brows
    pub lips_z: f32,
    pub ear: [f32; 3], // the middle of the left ear
    pub lines: f32,
    pub solid: Solid,
}

/// Hair on the face: where, and how far it stands out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Beard {
    pub kind: FacialHair,
    pub depth: f32,
}

impl Head {
    pub(crate) fn new(t: &Traits, muscles: Muscles) -> Self {
        let face = Face::new(t, &muscles);
        let mut solid = Solid::new(bones(t, &face, &muscles));
        let ball = face.eye_half * 1.02;
        let eye_z = solid.front(face.eye_x, 0.0, 0.5) - ball * 0.70;
        let front_z = solid.front(0.0, 0.15, 0.7);
        let lips_z = solid.front(0.0, face.mouth.y, 0.7);
        solid.push(
            Part::new(Ellipsoid(v(ball, ball * 0.92, ball)), v(face.eye_x, 0.0, eye_z), Add(0.05))
                .both(),
        );
        nose(&mut solid, t, &face, front_z);
        let ear = ears(&mut solid, t);
        let depth = match t.facial_hair {
            FacialHair::Full => 0.10,
            FacialHair::Short => 0.035,
            FacialHair::Moustache | FacialHair::Goatee => 0.05,
            _ => 0.01,
        };
        let beard = Beard { kind: t.facial_hair, depth };
        let lines = t.age_lines;
        Self { face, muscles, beard, eye_z, ball, front_z, lips_z, ear, lines, solid }
    }

    /// The distances of eight points in the head's own frame.
    #[inline(always)]
    pub(crate) fn distance(&self, p: Points, than: Lanes) -> Lanes {
        let d = self.solid.bounded(p, than);
        match !all_below(all(0.22), d) {
            true => d - self.relief(p) * near(d),
            false => d,
        }
    }

    /// How far the skin stands out by lips, brows, folds and beard.
    #[inline(never)]
    fn relief(&self, p: Points) -> Lanes {
        let fore = ((p.z - all(0.12)) * all(5.0)).fast_max(all(0.0)).fast_min(all(1.0));
        let m = &self.face.mouth;
        let [outer_top, top, bottom, outer_bottom, inner] = m.edges(p.x);
        let band = |high: Lanes, low: Lanes| {
            let wide = (high - low).fast_max(all(0.01));
            let at = (p.y - low) / wide;
            (at * (all(1.0) - at) * all(4.0)).fast_max(all(0.0))
        };
        let soft = inner.fast_min(all(0.35)) * all(1.0 / 0.35);
        let lips = (band(outer_top, top) * all(0.042 + 0.25 * m.upper * 0.4)
            + band(bottom, outer_bottom) * all(0.05 + 0.25 * m.lower * 0.4))
            * soft;
        let gap = (top - p.y).fast_min(p.y - bottom);
        let hole = (gap * all(9.0)).fast_max(all(0.0)).fast_min(all(1.0)) * all(0.075);
        let seam = hill(p.y - (top + bottom) * all(0.5), 0.03) * soft * all(0.02);
        let mut out = (lips - hole - seam) * fore;
        let folds = self.muscles.cheeks * 0.6 + self.lines * 0.5;
        if folds > 0.05 {
            out -= self.smile_fold(p) * all(0.028 * folds) * fore;
        }
        if self.beard.kind != FacialHair::None {
            out += self.beard(p) * all(self.beard.depth);
        }
        out
    }

    /// 1 in the fold between nose and mouth corner, 0 away from it.
    #[inline(always)]
    pub(crate) fn smile_fold(&self, p: Points) -> Lanes {
        let f = &self.face;
        let (x0, y0) = (f.nose_w + 0.03, f.nose_y + 0.02);
        let (x1, y1) = (f.mouth.half + 0.09, f.mouth.y + f.mouth.lift * 0.6);
        let (dx, dy) = (x1 - x0, y1 - y0);
        let (x, y) = (p.x.abs() - all(x0), p.y - all(y0));
        let h = (x * all(dx) + y * all(dy)) * all(1.0 / (dx * dx + dy * dy));
        let h = h.fast_max(all(0.0)).fast_min(all(1.0));
        let bulge = h * (all(1.0) - h) * all(0.12);
        let (x, y) = (x - all(dx) * h - bulge, y - all(dy) * h);
        hill((x * x + y * y).sqrt(), 0.06)
    }

    /// How bearded eight points of the skin are, 0..1.
    #[inline(never)]
    pub(crate) fn beard(&self, p: Points) -> Lanes {
        let f = &self.face;
        let x = p.x.abs();
        let step = |x: Lanes, width: f32| {
            let t = (x * all(1.0 / width) + all(0.5)).fast_max(all(0.0)).fast_min(all(1.0));
            t * t * (all(3.0) - t * all(2.0))
        };
        let [outer_top, _, _, outer_bottom, _] = f.mouth.edges(p.x);
        let on_lips = step((outer_top - p.y).fast_min(p.y - outer_bottom) + all(0.005), 0.03)
            * step(all(f.mouth.half + 0.01) - x, 0.04);
        let side = x * all(1.0 / (0.66 * f.width));
        let line = all(f.mouth.y + 0.05) + side * side * all(0.34 * f.length);
        let low = all(-1.06 * f.length - f.drop - 0.04) + (all(0.45) - p.z) * all(0.30);
        let jaw = step(line - p.y, 0.08)
            * step(p.z + p.y * all(0.25) + all(0.10), 0.18)
            * step(p.y - low, 0.10);
        let across = x * all(1.0 / (f.mouth.half + 0.12));
        let crest = all(f.nose_y - 0.11) - across * across * all(0.16);
        let fringe = outer_top.fast_max(all(f.mouth.y + f.mouth.lift * 0.65 - 0.02));
        let upper = step(crest - p.y, 0.05)
            * step(p.y - fringe + across * across * all(0.06), 0.05)
            * step(all(f.mouth.half + 0.09) - x, 0.10)
            * step(p.z - all(0.3), 0.1)
            * step(all(self.lips_z + 0.12) - p.z, 0.10);
        let chin = step(all(f.mouth.half * 0.85 + 0.02) - x, 0.08)
            * step(all(f.mouth.y) - p.y, 0.06)
            * step(p.z - all(0.2), 0.1);
        let mouth_side = step(all(f.mouth.half + 0.09) - x, 0.06)
            * step(x - all(f.mouth.half - 0.01), 0.05)
            * step(all(f.mouth.y + 0.06) - p.y, 0.08)
            * step(p.y - all(f.mouth.y - 0.3), 0.08);
        let burns = step(x - all(0.58 * f.width), 0.06)
            * step(all(0.1) - p.y, 0.1)
            * step(p.y - all(-0.46), 0.1)
            * step(p.z + all(0.02), 0.08)
            * step(all(0.26) - p.z, 0.1);
        let whole = jaw.fast_max(upper).fast_max(mouth_side);
        let covered = match self.beard.kind {
            FacialHair::None => all(0.0),
            FacialHair::Stubble | FacialHair::Short | FacialHair::Full => whole.fast_max(burns),
            FacialHair::Moustache => upper,
            FacialHair::Goatee => upper.fast_max(chin).fast_max(mouth_side),
            FacialHair::Sideburns => burns,
        };
        covered * (all(1.0) - on_lips)
    }
}

fn bones(t: &Traits, f: &Face, m: &Muscles) -> Vec<Part> {
    let skull = 1.0 + 0.07 * t.face_width;
    let (l, drop) = (f.length, f.drop);
    let ball = |x: f32, y: f32, z: f32| Ellipsoid(v(x, y, z));
    let bone = 0.05 * t.cheekbones;
    let full = 0.20 + 0.07 * t.cheeks;
    let lift = 0.07 * m.cheeks;
    let jaw_from = v(0.47 * f.jaw, -0.46 * l - drop * 0.3, -0.02);
    let jaw_to = v(0.17 + 0.06 * t.chin, -0.87 * l - drop, 0.40) - jaw_from;
    let brow_to = v(0.30 * f.width, 0.0, -0.16);
    let chin = v(0.17 + 0.07 * t.chin, 0.15 + 0.02 * t.chin, 0.18);
    vec![
        Part::new(
            ball(0.80 * skull, 0.86 + 0.06 * t.forehead, 0.96),
            v(0.0, 0.36, -0.16),
            Add(0.0),
        ),
        Part::new(
            ball(0.64 * f.width, 0.80 * l, 0.66),
            v(0.0, -0.26 * l - drop * 0.3, 0.08),
            Add(0.25),
        ),
        Part::new(Rod { to: jaw_to, from_radius: 0.19, to_radius: 0.17 }, jaw_from, Add(0.2))
            .both(),
        Part::new(Ellipsoid(chin), v(0.0, -0.90 * l - drop, 0.45 + 0.07 * t.chin), Add(0.16)),
        Part::new(
            ball(0.23, 0.15, 0.22),
            v(0.42 * f.width + bone * 0.5, -0.20 + 0.4 * bone, 0.40 + bone),
            Add(0.16),
        )
        .both(),
        Part::new(
            ball(full, 0.25, full),
            v(0.34 * f.width, -0.44 * l + lift, 0.40 + 0.1 * lift),
            Add(0.15),
        )
        .both(),
        Part::new(
            Rod { to: brow_to, from_radius: 0.10, to_radius: 0.08 },
            v(0.12, 0.25, 0.63),
            Add(0.14),
        )
        .both(),
        Part::new(ball(0.26, 0.17, 0.20), v(f.eye_x, -0.01, 0.86), Cut(0.16)).both(),
    ]
}

fn nose(solid: &mut Solid, t: &Traits, f: &Face, front_z: f32) {
    let tip_z = front_z + f.nose_z;
    let (root, tip) = (v(0.0, 0.10, front_z - 0.08), v(0.0, f.nose_y, tip_z - 0.02));
    let hump = root.lerp(tip, 0.45) + v(0.0, 0.0, 0.035 * t.nose_hook);
    let wide = 0.075 + 0.02 * t.nose_width;
    let rod = |from, to, a, b| {
        Part::new(Rod { to: to - from, from_radius: a, to_radius: b }, from, Add(0.07))
    };
    solid.push(rod(root, hump, 0.06, wide));
    solid.push(rod(hump, tip, wide, wide + 0.02));
    let end = Ellipsoid(v(0.095 + 0.04 * t.nose_width, 0.095, 0.11));
    solid.push(Part::new(end, tip - v(0.0, 0.005, 0.0), Add(0.06)));
    let wing = Ellipsoid(v(0.075, 0.075, 0.11));
    let at = v(f.nose_w - 0.055, f.nose_y - 0.02, tip_z - 0.13);
    solid.push(Part::new(wing, at, Add(0.06)).both());
    let hole = Ellipsoid(v(0.035 + 0.012 * t.nose_width, 0.04, 0.055));
    let at = v(f.nose_w * 0.42, f.nose_y - 0.10, tip_z - 0.06);
    solid.push(Part::new(hole, at, Cut(0.03)).both());
}

/// Adds the ears and says where the left one is.
fn ears(solid: &mut Solid, t: &Traits) -> [f32; 3] {
    let size = 1.12 + 0.28 * t.ear_size;
    let x = 0.70 * (1.0 + 0.09 * t.face_width) + 0.05 * (1.0 + t.ear_angle);
    let at = v(x, -0.08, -0.10);
    let out = 28.0 + 22.0 * t.ear_angle;
    let shell = Ellipsoid(v(0.075, 0.25 * size, 0.165 * size));
    solid.push(Part::new(shell, at, Add(0.07)).both().turned(-out));
    let hollow = Ellipsoid(v(0.06, 0.15 * size, 0.09 * size));
    let inside = at + v(0.085, 0.02, 0.035);
    solid.push(Part::new(hollow, inside, Cut(0.05)).both().turned(-out));
    [at.x, at.y, at.z]
}
