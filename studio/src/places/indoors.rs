//! Rooms.

use crate::seed::{Draw, noise};
use crate::vector::{Vec3, smoothstep, srgb};

use super::canvas::Canvas;

pub(super) fn library(c: &mut Canvas, draw: &mut Draw) {
    c.sky(srgb(0x2E1A10), srgb(0x4A2C18), [-1.0, 1.0]);
    for shelf in 0..5 {
        let floor = -1.2 + 0.5 * shelf as f32;
        let mut x = -1.8;
        while x < 1.8 {
            let wide = draw.within(0.05, 0.10);
            let codes = [0x8A2A20, 0x24506A, 0x3A6A3C, 0xC89A50, 0x5A3A6A, 0xE0D0B0, 0x283048];
            c.rect([x, floor, x + wide, floor + draw.within(0.28, 0.40)], srgb(draw.pick(&codes)));
            x += wide + 0.008;
        }
        c.rect([-1.8, floor - 0.07, 1.8, floor], srgb(0x8A5A30));
    }
    for x in [-0.95, 0.95] {
        c.rect([x - 0.05, -1.3, x + 0.05, 1.5], srgb(0x6E4424));
    }
}

pub(super) fn kitchen(c: &mut Canvas, draw: &mut Draw) {
    c.over(|x, y| {
        let seam = (x * 4.5).rem_euclid(1.0).min((y * 4.5).rem_euclid(1.0));
        (srgb(0xF2EEE0) * (0.84 + 0.16 * smoothstep(0.02, 0.09, seam)), 1.0)
    });
    let door = srgb(draw.pick(&[0x5AA49A, 0x88B858, 0xE0B040]));
    for i in 0..6 {
        let x = -1.78 + 0.6 * i as f32;
        c.rect([x, 0.42, x + 0.57, 1.5], door);
        c.rect([x + 0.48, 0.46, x + 0.52, 0.62], srgb(0xD8D8D8));
        c.rect([x, -1.5, x + 0.57, -0.50], door * 0.9);
    }
    c.rect([-1.8, -0.48, 1.8, -0.36], srgb(0xB88450));
    c.rect([0.55, -0.36, 1.25, 0.02], srgb(0xC8CCD0));
    c.rect([0.62, -0.30, 1.1, -0.06], srgb(0x282C30));
    let x = draw.within(-1.1, -0.75);
    c.rect([x - 0.16, -0.36, x + 0.16, -0.10], srgb(0xC83028));
    for (i, hung) in [0x404448, 0xB87038, 0x404448].into_iter().enumerate() {
        c.oval([-1.2 + 0.3 * i as f32, 0.20, 0.10, 0.12], srgb(hung));
    }
}

pub(super) fn studio(c: &mut Canvas, draw: &mut Draw) {
    let tone: Vec3 = srgb(draw.pick(&[0x9AA2AA, 0x8E9AA8, 0xA8A09A]));
    let (x0, y0) = (draw.within(-0.2, 0.2), draw.within(-0.1, 0.2));
    c.over(|x, y| {
        let r = (x - x0).hypot(y - y0);
        (tone * (1.12 - 0.62 * smoothstep(0.2, 1.6, r)), 1.0)
    });
}

pub(super) fn office(c: &mut Canvas, draw: &mut Draw) {
    c.sky(srgb(0xA88E70), srgb(0xD8C8AC), [-1.0, 1.0]);
    c.rect([-1.6, -0.05, 1.6, 0.95], srgb(0x9CCBF4));
    for i in 0..9 {
        let x = -1.6 + 0.4 * i as f32;
        let tall = draw.within(0.1, 0.5);
        c.rect([x, -0.05, x + 0.3, tall], srgb(0x7E9AB8));
    }
    for i in 0..12 {
        let y = 0.93 - 0.075 * i as f32;
        c.rect([-1.6, y - 0.02, 1.6, y], srgb(0xF4F6F8));
    }
    c.rect([-0.02, -0.05, 0.02, 0.95], srgb(0xF4F6F8));
    c.rect([-1.8, -1.4, 1.8, -0.45], srgb(0x6E5238));
    for _ in 0..9 {
        let (x, y) = (draw.within(-0.55, -0.3), draw.within(-0.35, 0.1));
        c.oval([x - 0.9, y, 0.07, 0.12], srgb(0x2E7A38));
        c.oval([x + 1.25, y + 0.1, 0.07, 0.12], srgb(0x3C8A40));
    }
    for x in [-1.1, 0.65] {
        let x = x + draw.within(-0.08, 0.08);
        c.rect([x, -0.38, x + 0.5, -0.02], srgb(0x22262E));
        c.rect([x + 0.04, -0.34, x + 0.46, -0.06], srgb(0x3878D8));
        c.rect([x + 0.22, -0.48, x + 0.28, -0.38], srgb(0x22262E));
    }
}

pub(super) fn aquarium(c: &mut Canvas, draw: &mut Draw) {
    let seed = draw.bits() as u32;
    c.over(|x, y| {
        let ray = noise(x * 4.0 + y * 1.2, 0.0, seed);
        let deep = srgb(0x021C50).lerp(srgb(0x1090D8), smoothstep(-1.1, 1.1, y));
        (deep + srgb(0x60D8F8) * (0.5 * ray * ray * smoothstep(-0.6, 1.0, y)), 1.0)
    });
    for _ in 0..9 {
        let x = draw.within(-1.6, 1.6);
        let coral = srgb(draw.pick(&[0xF06050, 0xE880B0, 0xF0A030, 0x40C080]));
        c.oval([x, -1.0, draw.within(0.1, 0.25), draw.within(0.2, 0.5)], coral);
    }
    for _ in 0..12 {
        let (x, y) = (draw.within(-1.5, 1.5), draw.within(-0.6, 1.0));
        let color = srgb(draw.pick(&[0xFFB020, 0xFF6030, 0xF8F040, 0xF0F8FF]));
        let facing = if draw.chance(0.5) { 1.0 } else { -1.0 };
        c.oval([x, y, 0.12, 0.06], color);
        c.oval([x - 0.13 * facing, y, 0.045, 0.06], color);
    }
}

pub(super) fn bedroom(c: &mut Canvas, draw: &mut Draw) {
    c.sky(srgb(0xE8CCD0), srgb(0xF4E0DC), [-1.0, 1.0]);
    let x = draw.within(0.55, 0.8);
    c.rect([x - 0.1, 0.0, x + 0.72, 1.0], srgb(0xFAFAFA));
    c.rect([x - 0.04, 0.06, x + 0.66, 0.94], srgb(0xBCE0FA));
    c.rect([x + 0.28, 0.0, x + 0.34, 1.0], srgb(0xFAFAFA));
    c.rect([x - 0.28, -0.1, x + 0.02, 1.2], srgb(0xB87890));
    c.rect([-1.7, -0.45, 0.45, 0.22], srgb(0x8A5A44));
    for i in 0..3 {
        let left = -1.5 + 0.6 * i as f32;
        c.oval([left + 0.25, -0.22, 0.33, 0.19], srgb([0xFFFFFF, 0xC8D8F0][i % 2]));
    }
    c.rect([-1.8, -1.4, 0.9, -0.42], srgb(0x7888C8));
    c.rect([-1.55, 0.45, -0.95, 0.9], srgb(0x4A3A34));
    c.rect([-1.5, 0.5, -1.0, 0.85], srgb(0xF0C878));
    c.lamp([0.35, 0.08, 0.13], srgb(0xFFD890) * 0.7);
}
