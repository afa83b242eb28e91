//! Clothes: their colour, weave, stripes, buttons, lapels and ties.

use crate::scene::outfit::{Color, Outfit};
use crate::vector::{Vec3, bump, smoothstep, srgb, v};

use super::{Coat, Painter};

impl Painter<'_> {
    /// The coat of a point of the clothes, in the body's frame.
    pub(super) fn cloth(&self, p: Vec3) -> Coat {
        let color = self.scene.outfit_color.color();
        match self.scene.outfit {
            Outfit::TShirt | Outfit::Sleeveless => Coat::matte(color),
            Outfit::Sweater => {
                let rib = 0.90 + 0.16 * (p.x * 31.4).sin();
                let row = 1.0 - 0.07 * ((p.y * 38.0).sin() + 1.0);
                Coat::matte(color * (rib * row))
            }
            Outfit::Striped => {
                let stripe = smoothstep(0.22, 0.28, ((p.y * 2.6).rem_euclid(1.0) - 0.5).abs());
                Coat::matte(contrast(self.scene.outfit_color).lerp(color, stripe))
            }
            Outfit::Hoodie => hoodie(p, color),
            Outfit::Suit => suit(p, color),
            Outfit::Coat => coat(p, color),
            Outfit::Overalls => overalls(p, color, self.scene.outfit_color),
        }
    }

    /// The coat of a collar, hood or scarf.
    pub(super) fn trim(&self, p: Vec3) -> Coat {
        let color = self.scene.outfit_color.color();
        match self.scene.outfit {
            Outfit::Coat => {
                let check = ((p.y * 5.0).rem_euclid(1.0) - 0.5).abs();
                let scarf = contrast(self.scene.outfit_color);
                Coat::matte(scarf.lerp(color, 0.55 * smoothstep(0.18, 0.12, check)))
            }
            Outfit::Sweater => Coat::matte(color * (0.9 + 0.12 * (p.x * 40.0).sin())),
            _ => Coat::matte(color * 0.92),
        }
    }
}

/// A colour that stands out from `color`.
fn contrast(color: Color) -> Vec3 {
    match color {
        Color::White | Color::Yellow | Color::Pink => srgb(0x28407A),
        Color::Gray | Color::Brown | Color::Black => srgb(0xD8352A),
        _ => srgb(0xF4F0E4),
    }
}

fn hoodie(p: Vec3, color: Vec3) -> Coat {
    let front = smoothstep(-0.1, 0.0, p.z);
    let cord =
        bump(p.x.abs() - 0.22, 0.04) * smoothstep(-3.1, -3.05, p.y) * smoothstep(-2.1, -2.15, p.y);
    let zip = bump(p.x, 0.035);
    let pocket = bump(p.y + 3.9, 0.04) * smoothstep(0.7, 0.65, p.x.abs());
    let color = color.lerp(srgb(0xF0F0EC), front * cord.max(zip * 0.6).min(1.0));
    Coat::matte(color * (1.0 - 0.4 * pocket * front))
}

/// A jacket over a white shirt with a tie.
fn suit(p: Vec3, color: Vec3) -> Coat {
    let front = smoothstep(-0.15, 0.0, p.z);
    let deep = (p.y + 3.5).max(0.0);
    let opening = 0.30 * deep - p.x.abs();
    let shirt = smoothstep(0.0, 0.02, opening) * front;
    let lapel = smoothstep(-0.22, -0.20, opening) * (1.0 - shirt) * front;
    let edge = bump(opening + 0.21, 0.02) * front;
    let tie = smoothstep(0.105, 0.095, p.x.abs() - 0.03 * smoothstep(-1.9, -3.4, p.y)) * shirt;
    let tie_color = if color.luminance() > 0.35 { srgb(0x7A1020) } else { srgb(0xC02838) };
    let mut out = color * (0.85 + 0.13 * lapel - 0.4 * edge);
    out = out.lerp(srgb(0xF6F6F4), shirt).lerp(tie_color, tie);
    let button = smoothstep(0.05, 0.04, (p.x).hypot((p.y + 3.75).abs())) * front;
    Coat::matte(out.lerp(srgb(0x14120F), button))
}

fn coat(p: Vec3, color: Vec3) -> Coat {
    let front = smoothstep(-0.1, 0.0, p.z);
    let seam = bump(p.x - 0.12, 0.03) * front;
    let row = (p.y * 1.6).rem_euclid(1.0) - 0.5;
    let button = smoothstep(0.07, 0.055, (p.x + 0.05).hypot(row / 1.6)) * front;
    Coat::matte((color * (0.85 - 0.5 * seam)).lerp(srgb(0x181410), button))
}

fn overalls(p: Vec3, color: Vec3, name: Color) -> Coat {
    let shirt = match name {
        Color::White | Color::Gray => v(0.55, 0.06, 0.05),
        _ => srgb(0xF2EEE4),
    };
    let strap = smoothstep(0.02, 0.0, (p.x.abs() - 0.56).abs() - 0.15);
    let bib = smoothstep(-2.72, -2.75, p.y) * smoothstep(0.74, 0.72, p.x.abs());
    let bib = bib * smoothstep(-0.2, -0.1, p.z);
    let low = smoothstep(-3.9, -3.95, p.y);
    let on = strap.max(bib).max(low);
    let button = smoothstep(0.09, 0.075, (p.x.abs() - 0.56).hypot(p.y + 2.86));
    let color = shirt.lerp(color, on).lerp(srgb(0xE0B040), button * smoothstep(-0.1, 0.0, p.z));
    Coat::matte(color)
}
