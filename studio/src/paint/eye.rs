//! Eyes: white, iris, pupil, glint, lids and lashes on the ball under the skin.

use crate::vector::{Vec3, smoothstep, srgb, v};

use super::skin::mix;
use super::{Coat, Painter};

impl Painter<'_> {
    /// `coat` with the eye painted over it where `p` lies on one.
    pub(super) fn eye(&self, p: Vec3, coat: Coat) -> Coat {
        let head = &self.person.head;
        let (f, m) = (&head.face, &head.muscles);
        let half = f.eye_half;
        let u = (p.x.abs() - f.eye_x) / half;
        let v_raw = p.y / half - f.eye_tilt * u;
        if u.abs() > 1.35 || v_raw.abs() > 1.3 || p.z < 0.2 {
            return coat;
        }
        let lid = m.lids[usize::from(p.x > 0.0)];
        let round = (1.0 - u * u).max(0.0);
        let low = -(0.62 - 0.95 * m.lower_lid) * f.eye_tall * round;
        let high = low + f.eye_tall * 1.75 * lid * round.powf(0.72);
        let above = v_raw - high;
        let inside = smoothstep(-0.03, 0.03, -above) * smoothstep(-0.03, 0.03, v_raw - low);
        let mut out = coat;
        let crease = smoothstep(0.07, 0.0, (above - 0.20 - 0.1 * (1.2 - lid).max(0.0)).abs());
        let crease = crease * smoothstep(1.15, 0.7, u.abs());
        out.color = out.color.lerp(out.color * v(0.52, 0.38, 0.36), crease * 0.6);
        if inside > 0.0 && lid > 0.03 {
            out = mix(out, self.ball(p, u, (high - v_raw) * half), inside);
        }
        let thick = 0.095 + 0.05 * smoothstep(-0.2, 1.0, u);
        let wing = smoothstep(1.16, 1.0, u.abs());
        let lash = smoothstep(thick, thick * 0.5, (above - thick * 0.35).abs()) * wing;
        let under = smoothstep(0.055, 0.015, (v_raw - low + 0.015).abs()) * wing;
        let ink = srgb(0x1C1210);
        out = mix(out, Coat { gloss: 0.1, ..Coat::matte(ink) }, lash * 0.95);
        out.color = out.color.lerp(out.color * v(0.45, 0.3, 0.28), under * 0.7 * (1.0 - lash));
        out
    }

    /// The eyeball at `p`, which is `u` half widths from its middle and `depth` below the lid.
    fn ball(&self, p: Vec3, u: f32, depth: f32) -> Coat {
        let head = &self.person.head;
        let side = if p.x > 0.0 { 1.0 } else { -1.0 };
        let center = v(head.face.eye_x * side, 0.0, head.eye_z);
        let out = (p - center).unit();
        let away = (out - self.gaze).length() * head.ball / head.face.eye_half;
        let iris = self.character.traits.eye_color.color();
        let pink = smoothstep(0.75, 1.05, -u) * 0.6;
        let mut color = srgb(0xF4F2F0).lerp(srgb(0xD89088), pink);
        let angle = (out.y - self.gaze.y).atan2(out.x - self.gaze.x);
        let rays = 0.85 + 0.15 * (angle * 11.0).sin();
        let lower = 1.0 + 0.7 * smoothstep(0.1, -0.4, out.y - self.gaze.y);
        let disc = iris * (rays * lower) * (0.7 + 0.8 * smoothstep(0.5, 0.25, away));
        let disc = disc.lerp(iris * 0.16, smoothstep(0.44, 0.56, away));
        color = color.lerp(disc, smoothstep(0.60, 0.54, away));
        color = color.lerp(srgb(0x08060A), smoothstep(0.28, 0.23, away));
        let shade = 1.0 - 0.55 * smoothstep(0.13, 0.0, depth);
        let glint = (out - self.glint).length() * head.ball / head.face.eye_half;
        let back = (out - self.gaze * 2.0 + self.glint).length() * head.ball / head.face.eye_half;
        let glint = smoothstep(0.20, 0.13, glint) + 0.35 * smoothstep(0.13, 0.06, back);
        Coat {
            color: color * shade,
            gloss: 0.5,
            shine: 90.0,
            flesh: 0.35,
            glint,
            normal: Some(out),
        }
    }
}
