//! Places of a town: streets, stages, walls.

use crate::seed::{Draw, cell};
use crate::vector::{Vec3, smoothstep, srgb};

use super::canvas::Canvas;

pub(super) fn city(c: &mut Canvas, draw: &mut Draw) {
    c.sky(srgb(0xD4DCE4), srgb(0x98B0C8), [-0.2, 1.0]);
    for side in [-1.0_f32, 1.0] {
        for i in 0..4 {
            let near = 1.55 - 0.38 * i as f32;
            let (a, b) = (side * near, side * (near - 0.36));
            let top = 1.5 - 0.30 * i as f32 + draw.within(-0.1, 0.1);
            let wall = srgb(draw.pick(&[0x6E7680, 0x8A7468, 0x5A6474, 0x9A8C7C]));
            let (left, right) = (a.min(b), a.max(b));
            c.rect([left, -0.5, right, top], wall);
            for row in 0..9 {
                for column in 0..2 {
                    let x = left + 0.05 + 0.17 * column as f32;
                    let y = -0.3 + 0.2 * row as f32;
                    if y + 0.12 < top {
                        let glass = srgb(draw.pick(&[0x2A3848, 0xC8D8E8, 0x3A4A5A]));
                        c.rect([x, y, x + 0.1, y + 0.12], glass);
                    }
                }
            }
        }
    }
    c.ground(srgb(0x484A50), |_| -0.45);
    c.over(|x, y| {
        let middle = smoothstep(0.05, 0.03, x.abs()) * smoothstep(-0.5, -0.55, y);
        (srgb(0xF0E8C0), middle)
    });
    for side in [-1.0, 1.0] {
        let at = [side * draw.within(0.55, 1.0), draw.within(-0.38, -0.2)];
        let paint = srgb(draw.pick(&[0xE8B418, 0xC02820, 0x2048A0]));
        c.rect([at[0] - 0.26, -0.62, at[0] + 0.26, -0.36], paint);
        c.lamp([at[0] - 0.18, -0.5, 0.06], srgb(0xFF5030) * 0.8);
        c.lamp([at[0] + 0.18, -0.5, 0.06], srgb(0xFF5030) * 0.8);
        c.lamp([side * 0.5, at[1] + 0.85, 0.08], srgb(0x40E070) * 0.7);
    }
}

pub(super) fn cafe(c: &mut Canvas, draw: &mut Draw) {
    c.sky(srgb(0x5A3420), srgb(0x7E4E2C), [-0.6, 0.6]);
    c.rect([-1.7, 0.05, 1.7, 0.75], srgb(0x24382E));
    for shelf in [0.12, 0.42] {
        c.rect([-1.7, shelf - 0.03, 1.7, shelf], srgb(0xA87444));
        for i in 0..22 {
            let x = -1.65 + 0.155 * i as f32;
            let cup = srgb(draw.pick(&[0xF4ECDC, 0xD8B070, 0x88B0A8, 0xC05030]));
            c.rect([x, shelf, x + 0.09, shelf + draw.within(0.1, 0.18)], cup);
        }
    }
    c.rect([-1.7, -1.4, 1.7, -0.38], srgb(0x8A5428));
    c.rect([-1.7, -0.40, 1.7, -0.32], srgb(0xD09858));
    for x in [-1.15, -0.6, 0.6, 1.15] {
        let x = x + draw.within(-0.08, 0.08);
        c.lamp([x, 0.72, 0.13], srgb(0xFFC060) * 1.2);
    }
}

pub(super) fn stage(c: &mut Canvas, draw: &mut Draw) {
    c.over(|x, _| {
        let fold = 0.5 + 0.5 * (x * 17.0).sin();
        (srgb(0x30040C).lerp(srgb(0xA01424), fold), 1.0)
    });
    c.ground(srgb(0x5A3A20), |_| -0.72);
    for (i, x) in [-1.0_f32, -0.35, 0.35, 1.0].into_iter().enumerate() {
        let lean = -x * 0.6 + draw.within(-0.1, 0.1);
        let beam = srgb([0xFFE0A0, 0xA0C8FF][i % 2]);
        c.over(|px, py| {
            let down = 1.3 - py;
            let middle = x + lean * down * 0.5;
            let wide = 0.04 + 0.11 * down;
            (beam, 0.42 * smoothstep(wide, wide * 0.4, (px - middle).abs()))
        });
        c.lamp([x, 0.93, 0.10], beam * 1.6);
    }
}

pub(super) fn market(c: &mut Canvas, draw: &mut Draw) {
    c.sky(srgb(0xE8E0D0), srgb(0xB8D0E0), [0.0, 1.0]);
    c.rect([-1.7, -1.3, 1.7, 0.45], srgb(0x8A6A48));
    let stripes = draw.pick(&[0xE03030, 0x2878C8, 0x289048]);
    c.over(|x, y| {
        let edge = 0.30 + 0.05 * (x * 12.57).sin().abs();
        let on = smoothstep(edge - 0.01, edge + 0.01, y) * smoothstep(0.86, 0.84, y);
        let color = if (x * 4.0).rem_euclid(2.0) < 1.0 { srgb(stripes) } else { srgb(0xFAFAF4) };
        (color, on)
    });
    for row in 0..4 {
        for i in 0..12 {
            let fruit = srgb(draw.pick(&[0xE83020, 0xF8A018, 0x78B828, 0xF8E040, 0x7A2880]));
            let x = -1.62 + 0.29 * i as f32;
            let y = 0.02 - 0.24 * row as f32;
            c.rect([x - 0.13, y - 0.17, x + 0.13, y - 0.03], srgb(0xB88850));
            for k in -1..2 {
                c.oval([x + 0.085 * k as f32, y, 0.06, 0.06], fruit);
            }
        }
    }
}

pub(super) fn subway(c: &mut Canvas, draw: &mut Draw) {
    c.over(|x, y| {
        let tile = (x * 6.0).rem_euclid(1.0).min((y * 9.0).rem_euclid(1.0));
        (srgb(0xE4EAE4) * (0.8 + 0.2 * smoothstep(0.02, 0.1, tile)), 1.0)
    });
    let line = srgb(draw.pick(&[0x1A8A50, 0xE07818, 0x2858C0]));
    c.rect([-1.8, 0.48, 1.8, 0.68], line);
    c.rect([-1.8, -0.5, 1.8, 0.25], srgb(0xB8C0C8));
    for i in 0..6 {
        let x = -1.7 + 0.6 * i as f32 + draw.within(-0.03, 0.03);
        c.rect([x, -0.12, x + 0.42, 0.16], srgb(0x202830));
    }
    c.rect([-1.8, -0.28, 1.8, -0.20], line);
    c.ground(srgb(0x3A3A40), |_| -0.55);
    c.rect([-1.8, -0.66, 1.8, -0.58], srgb(0xF4D020));
    for x in [-1.0, 0.0, 1.0] {
        c.lamp([x, 0.92, 0.14], srgb(0xE8FFF4) * 0.9);
    }
}

pub(super) fn brick_wall(c: &mut Canvas, draw: &mut Draw) {
    let seed = draw.bits() as u32;
    c.over(|x, y| {
        let (tall, wide) = (0.155, 0.42);
        let row = (y / tall).floor();
        let across = x / wide + 0.5 * (row as i32).rem_euclid(2) as f32;
        let (u, w) = (across.rem_euclid(1.0) * wide, y.rem_euclid(tall));
        let shade = 0.7 + 0.5 * cell(across.floor() as i32, row as i32, seed);
        let mortar = smoothstep(0.035, 0.02, u.min(w));
        let brick: Vec3 = srgb(0xA84430) * shade;
        (brick.lerp(srgb(0xD8CCBC), mortar), 1.0)
    });
}
