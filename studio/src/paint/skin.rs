//! Skin: its tone, lips, brows, beard, freckles, mole and folds.

use crate::character::looks::{FacialHair, HairStyle};
use crate::lanes::{Points, all};
use crate::seed::{cell, noise};
use crate::vector::{Vec3, bump, smoothstep, srgb, v};

use super::{Coat, Painter};

impl Painter<'_> {
    pub(super) fn plain_skin(&self) -> Coat {
        let color = self.character.traits.skin.color();
        Coat { gloss: 0.16, shine: 18.0, flesh: 1.0, ..Coat::matte(color) }
    }

    /// The coat of a point of the head's skin.
    pub(super) fn skin(&self, p: Vec3, normal: Vec3) -> Coat {
        let mut coat = self.plain_skin();
        coat.color = self.scalp(p, coat.color);
        if p.z < 0.0 || p.y < -1.5 {
            return self.bearded(p, coat);
        }
        coat.color = self.blush(p, coat.color);
        coat.color = self.spots(p, coat.color);
        coat.color = self.folds(p, coat.color);
        let coat = self.bearded(p, coat);
        let coat = self.lips(p, coat);
        let coat = self.eye(p, coat);
        let mut coat = self.brows(p, coat);
        let f = &self.person.head.face;
        if normal.y < 0.2 {
            let (x, y) = (p.x.abs() - f.nose_w * 0.45, p.y - f.nose_y + 0.085);
            let hole = bump(x.hypot(y * 1.3), 0.075) * smoothstep(0.2, -0.25, normal.y);
            coat.color = coat.color.lerp(coat.color * v(0.22, 0.12, 0.1), hole.min(1.0));
        }
        coat
    }

    /// Skin with the shadow of short hair on it.
    fn scalp(&self, p: Vec3, color: Vec3) -> Vec3 {
        let t = &self.character.traits;
        let shaved = match t.hair_style {
            HairStyle::Bald => 0.0,
            HairStyle::Mohawk => 0.55,
            _ => 0.7,
        };
        let edge = p.y - self.person.head.face.hairline + 0.02 - (p.z - 0.66) * 0.92;
        color.lerp(t.hair_color.color(), shaved * smoothstep(0.0, 0.10, edge))
    }

    fn blush(&self, p: Vec3, color: Vec3) -> Vec3 {
        let f = &self.person.head.face;
        let (x, y) = (p.x.abs() - 0.42 * f.width, p.y + 0.30 * f.length);
        let cheek = bump(x.hypot(y), 0.30);
        let nose = bump(p.x.hypot(p.y - f.nose_y), 0.17);
        let under = bump((p.x.abs() - f.eye_x).hypot((p.y + f.eye_half * 0.85) * 2.2), 0.22);
        let warm = color * v(1.02, 0.76, 0.72);
        let color =
            color.lerp(warm, cheek * (0.45 + 0.4 * self.person.head.muscles.cheeks) + nose * 0.5);
        let lines = self.character.traits.age_lines;
        color.lerp(color * v(0.72, 0.62, 0.64), under * (0.12 + 0.45 * lines))
    }

    fn spots(&self, p: Vec3, color: Vec3) -> Vec3 {
        let t = &self.character.traits;
        let mut color = color;
        if t.freckles > 0.05 {
            let band = bump(p.y + 0.20, 0.34)
                * smoothstep(0.62, 0.45, p.x.abs() / self.person.head.face.width);
            let size = 0.062;
            let (i, j) = (((p.x + 0.3 * p.y) / size).floor(), ((p.y - 0.3 * p.x) / size).floor());
            let seed = self.character.seed as u32;
            let (a, b) = (cell(i as i32, j as i32, seed), cell(i as i32, j as i32, seed ^ 0x55));
            let (x, y) = (
                (p.x + 0.3 * p.y) / size - i - 0.2 - 0.6 * a,
                (p.y - 0.3 * p.x) / size - j - 0.2 - 0.6 * b,
            );
            let kept = cell(j as i32, i as i32, seed ^ 0x77) < 0.15 + 0.45 * t.freckles;
            let dot =
                smoothstep(0.36, 0.18, x.hypot(y)) * if kept { band.min(0.35) / 0.35 } else { 0.0 };
            color = color.lerp(color * v(0.55, 0.36, 0.24), dot * 0.62);
        }
        if let Some([x, y]) = t.mole {
            let at = v(x * 0.42, -0.42 + 0.36 * y, 0.0);
            let dot = smoothstep(0.05, 0.03, (p.x - at.x).hypot(p.y - at.y));
            color = color.lerp(srgb(0x38200F), dot * 0.95);
        }
        color
    }

    fn folds(&self, p: Vec3, color: Vec3) -> Vec3 {
        let (head, m) = (&self.person.head, &self.person.head.muscles);
        let lines = head.lines;
        let mut dark = 0.0;
        if m.cheeks * 0.5 + lines * 0.6 > 0.05 && p.y < -0.1 {
            let points = Points { x: all(p.x), y: all(p.y), z: all(p.z) };
            let fold = head.smile_fold(points).to_array()[0];
            dark += fold * (0.25 * m.cheeks + 0.35 * lines);
        }
        let frown = bump(p.x.abs() - 0.065, 0.03) * bump(p.y - head.face.brow_y + 0.06, 0.14);
        dark += frown * m.frown * 0.8;
        let raised = (m.brow_inner.max(0.0) * 0.35 + lines * 0.7).min(1.0);
        let crease = bump((p.y - 0.44 - 0.05 * p.x * p.x).rem_euclid(0.085) - 0.042, 0.022);
        dark += 0.55 * crease * raised * smoothstep(0.46, 0.05, p.x.abs()) * bump(p.y - 0.50, 0.14);
        let wrinkled = bump(p.x.abs(), 0.09) * bump((p.y * 14.0).rem_euclid(1.0) - 0.5, 0.3);
        dark += wrinkled * bump(p.y + 0.02, 0.14) * m.sneer.clamp(0.0, 1.0) * 0.6;
        color.lerp(color * v(0.55, 0.40, 0.36), dark.min(1.0))
    }

    fn bearded(&self, p: Vec3, coat: Coat) -> Coat {
        let t = &self.character.traits;
        if t.facial_hair == FacialHair::None || p.y > 0.2 {
            return coat;
        }
        let points = Points { x: all(p.x), y: all(p.y), z: all(p.z) };
        let mut amount = self.person.head.beard(points).to_array()[0];
        let grain = noise(p.x * 26.0, p.y * 11.0, 7) * 0.7 + noise(p.x * 60.0, p.y * 30.0, 8) * 0.3;
        if t.facial_hair == FacialHair::Stubble {
            amount *= 0.38 + 0.3 * grain;
        }
        let hair = t.hair_color.color() * (0.62 + 0.5 * grain);
        let flesh = coat.flesh * (1.0 - amount);
        Coat { color: coat.color.lerp(hair, amount * 0.96), gloss: 0.1, flesh, ..coat }
    }

    fn lips(&self, p: Vec3, coat: Coat) -> Coat {
        let f = &self.person.head.face;
        if p.x.abs() > f.mouth.half + 0.02 || p.z < 0.25 || p.y > f.nose_y - 0.02 {
            return coat;
        }
        let edges = f.mouth.edges(all(p.x)).map(|edge| edge.to_array()[0]);
        let [outer_top, top, bottom, outer_bottom, inner] = edges;
        let t = &self.character.traits;
        let skin = t.skin.color();
        let rosy = skin * v(0.86, 0.50, 0.50);
        let red = srgb(0xB01830).lerp(skin * v(0.6, 0.2, 0.2), 0.35);
        let tint = rosy.lerp(red, smoothstep(0.55, 1.0, t.lip_color));
        let soft = 0.018;
        let on = smoothstep(-soft, soft, outer_top - p.y)
            * smoothstep(-soft, soft, p.y - outer_bottom)
            * smoothstep(0.0, 0.12, inner);
        let shade = if p.y > (top + bottom) * 0.5 { 0.84 } else { 1.06 };
        let mut coat = Coat {
            color: coat.color.lerp(tint * shade, on * 0.9),
            gloss: coat.gloss + 0.25 * on,
            ..coat
        };
        let gap = (top - p.y).min(p.y - bottom);
        let inside = smoothstep(-0.004, 0.012, gap);
        if inside > 0.0 {
            coat = mix(coat, self.mouth_inside(p, top, bottom), inside);
        }
        let line = smoothstep(0.022, 0.008, (p.y - (top + bottom) * 0.5).abs());
        let line = line * smoothstep(0.05, 0.02, top - bottom) * smoothstep(0.0, 0.1, inner + 0.06);
        coat.color = coat.color.lerp(tint * v(0.35, 0.22, 0.22), line * 0.85);
        coat
    }

    fn mouth_inside(&self, p: Vec3, top: f32, bottom: f32) -> Coat {
        let m = &self.person.head.muscles;
        let tall = (top - bottom).max(0.01);
        let mut color =
            srgb(0x4A0E14).lerp(srgb(0x1A0406), smoothstep(0.0, 0.5, (top - p.y) / tall));
        let tongue = smoothstep(0.42, 0.25, (p.y - bottom) / tall) * smoothstep(0.12, 0.2, tall);
        color = color.lerp(srgb(0xC0505A), tongue);
        let upper = if m.teeth > 0.5 { 0.16_f32.min(tall) } else { 0.06 * m.open.min(1.0) };
        let mut white = smoothstep(upper + 0.012, upper - 0.012, top - p.y);
        if m.teeth > 0.75 {
            white = white.max(smoothstep(0.10, 0.07, p.y - bottom));
        }
        let gap = smoothstep(0.010, 0.004, ((p.x / 0.088).fract().abs() - 0.5).abs() * 0.088);
        let tooth = srgb(0xFFFCF4) * (1.30 - 0.10 * gap);
        color = color.lerp(tooth, white);
        Coat {
            gloss: 0.2 + 0.2 * white,
            shine: 30.0,
            flesh: 0.3 + 0.7 * white,
            ..Coat::matte(color)
        }
    }

    fn brows(&self, p: Vec3, coat: Coat) -> Coat {
        let (f, m) = (&self.person.head.face, &self.person.head.muscles);
        let t = &self.character.traits;
        let half = 0.255 + 0.02 * t.eye_size;
        let s = (p.x.abs() - f.eye_x - 0.015) / half;
        if !(-1.15..1.15).contains(&s) || (p.y - f.brow_y).abs() > 0.4 {
            return coat;
        }
        let arch = f.brow_arch * (1.0 - (s - 0.25) * (s - 0.25));
        let y = f.brow_y - 0.03
            + arch
            + 0.135 * m.brow_inner * (0.5 - 0.5 * s)
            + 0.12 * m.brow_outer * (0.5 + 0.5 * s);
        let thick =
            f.brow_thick * (1.0 - 0.60 * smoothstep(0.1, 1.0, s)) * smoothstep(-1.3, -0.8, s);
        let hairs = noise(p.x.abs() * 60.0 + p.y * 40.0, p.y * 18.0, 3) * 0.5;
        let on = smoothstep(1.15, 0.75, (p.y - y).abs() / thick + 0.25 * hairs)
            * smoothstep(1.05, 0.92, s.abs());
        let dark = t.hair_color.color().lerp(srgb(0x241810), 0.35) * (0.8 + 0.3 * hairs);
        Coat { color: coat.color.lerp(dark, on * 0.95), flesh: coat.flesh * (1.0 - on), ..coat }
    }
}

pub(super) fn mix(a: Coat, b: Coat, t: f32) -> Coat {
    let number = |a: f32, b: f32| a + (b - a) * t;
    Coat {
        color: a.color.lerp(b.color, t),
        gloss: number(a.gloss, b.gloss),
        shine: number(a.shine, b.shine),
        flesh: number(a.flesh, b.flesh),
        glint: number(a.glint, b.glint),
        normal: if t > 0.5 { b.normal } else { a.normal },
    }
}
