//! Places without walls and streets.

use crate::seed::{Draw, noise};
use crate::vector::{Vec3, smoothstep, srgb};

use super::canvas::Canvas;

pub(super) fn beach(c: &mut Canvas, draw: &mut Draw) {
    let tide = draw.within(-0.25, -0.1);
    c.sky(srgb(0xBFE6FA), srgb(0x3FA0EC), [-0.1, 1.0]);
    for _ in 0..3 {
        let (x, y) = (draw.within(-1.4, 1.4), draw.within(0.5, 0.95));
        c.oval([x, y, 0.45, 0.09], srgb(0xFFFFFF));
    }
    c.ground(srgb(0x1486B4), |_| 0.12);
    c.ground(srgb(0x35BCC4), |_| -0.06);
    c.ground(srgb(0xFFFFFF), |x| tide + 0.04 + 0.03 * (x * 5.0).sin());
    c.ground(srgb(0xF2D59A), |x| tide - 0.02 + 0.03 * (x * 5.0).sin());
    let x = draw.within(0.7, 1.1) * if draw.chance(0.5) { 1.0 } else { -1.0 };
    c.rect([x - 0.02, -0.3, x + 0.02, 0.35], srgb(0xF4F4F4));
    c.peak([x, 0.22, 0.36, 0.24], srgb(0xE8402C));
}

pub(super) fn forest(c: &mut Canvas, draw: &mut Draw) {
    let seed = draw.bits() as u32;
    c.over(|x, y| {
        let leaves = noise(x * 5.0, y * 5.0, seed) * 0.6 + noise(x * 13.0, y * 13.0, seed) * 0.4;
        let color = srgb(0x14361A).lerp(srgb(0x5CA83A), smoothstep(0.3, 0.8, leaves));
        (color, 1.0)
    });
    for _ in 0..9 {
        let (x, w) = (draw.within(-1.6, 1.6), draw.within(0.04, 0.11));
        c.rect([x - w, -0.75, x + w, 1.8], srgb(0x3C2A1C) * draw.within(0.6, 1.3));
    }
    for _ in 0..10 {
        let (x, y) = (draw.within(-1.5, 1.5), draw.within(0.2, 1.1));
        c.oval([x, y, 0.09, 0.09], srgb(0xC8E878));
    }
    c.ground(srgb(0x3A4A20), |x| -0.68 + 0.05 * (x * 4.0).sin());
}

pub(super) fn snow(c: &mut Canvas, draw: &mut Draw) {
    c.sky(srgb(0xE8F0F8), srgb(0xB4CCE4), [-0.2, 1.0]);
    let shift = draw.within(-1.0, 1.0);
    c.ground(srgb(0xF8FBFF), |x| 0.05 + 0.16 * ((x + shift) * 2.2).sin());
    for _ in 0..7 {
        let (x, base) = (draw.within(-1.6, 1.6), draw.within(-0.25, 0.0));
        for step in 0..3 {
            let up = base + 0.2 * step as f32;
            let half = 0.24 - 0.06 * step as f32;
            c.peak([x, up, half, 0.34], srgb(0x3C5A5A));
            c.peak([x, up + 0.14, half * 0.55, 0.20], srgb(0xF4F8FF));
        }
    }
    c.ground(srgb(0xFFFFFF), |x| -0.3 + 0.08 * ((x - shift) * 3.0).sin());
    for _ in 0..45 {
        let (x, y, r) = (draw.within(-1.7, 1.7), draw.within(-1.2, 1.3), draw.within(0.02, 0.05));
        c.oval([x, y, r, r], srgb(0xFFFFFF));
    }
}

pub(super) fn desert(c: &mut Canvas, draw: &mut Draw) {
    c.sky(srgb(0xF8DCA8), srgb(0x68B4E0), [-0.2, 1.0]);
    let shift = draw.within(-2.0, 2.0);
    c.ground(srgb(0xE09A4C), |x| 0.10 + 0.16 * (x * 1.6 + shift).sin());
    c.ground(srgb(0xC8742E), |x| -0.12 + 0.18 * (x * 1.9 - shift).sin());
    c.ground(srgb(0xF0B468), |x| -0.42 + 0.12 * (x * 2.3 + shift * 2.0).sin());
    for side in [-1.0, 1.0] {
        let x = side * draw.within(0.65, 1.15);
        let green = srgb(0x3E6E38);
        c.rect([x - 0.05, -0.4, x + 0.05, 0.35], green);
        c.rect([x - 0.18, 0.0, x - 0.11, 0.2], green);
        c.rect([x - 0.18, 0.0, x, 0.06], green);
        c.rect([x + 0.11, -0.1, x + 0.18, 0.12], green);
        c.rect([x, -0.1, x + 0.18, -0.04], green);
    }
}

pub(super) fn mountains(c: &mut Canvas, draw: &mut Draw) {
    c.sky(srgb(0xC8DCF0), srgb(0x4A80C8), [-0.2, 1.0]);
    for i in 0..5 {
        let x = -1.6 + 0.8 * i as f32 + draw.within(-0.2, 0.2);
        let tall = draw.within(0.75, 1.15);
        c.peak([x, -0.25, 0.75, tall], srgb(0x5A6C88));
        c.peak([x, -0.25 + tall * 0.66, 0.75 * 0.34, tall * 0.34], srgb(0xF6FAFF));
    }
    for i in 0..8 {
        let x = -1.7 + 0.48 * i as f32 + draw.within(-0.1, 0.1);
        c.peak([x, -0.6, 0.5, draw.within(0.4, 0.6)], srgb(0x2E4A5A));
    }
    c.ground(srgb(0x3E7A3A), |x| -0.42 + 0.06 * (x * 3.0).sin());
}

pub(super) fn meadow(c: &mut Canvas, draw: &mut Draw) {
    c.sky(srgb(0xDDF2FF), srgb(0x74BEF4), [0.2, 1.0]);
    c.ground(srgb(0x5A9A3C), |x| 0.36 + 0.06 * (x * 2.0).sin());
    c.ground(srgb(0x86C840), |x| 0.22 + 0.04 * (x * 3.0).cos());
    for _ in 0..110 {
        let y = draw.within(-1.25, 0.2);
        let r = 0.03 + 0.035 * (0.2 - y);
        let kinds = [0xF04878, 0xF8D030, 0xFFFFFF, 0xB060E0, 0xF07020];
        let color = srgb(draw.pick(&kinds));
        c.oval([draw.within(-1.7, 1.7), y, r, r], color);
    }
}

pub(super) fn waterfall(c: &mut Canvas, draw: &mut Draw) {
    let seed = draw.bits() as u32;
    c.over(|x, y| {
        let rock = noise(x * 3.0, y * 6.0, seed) * 0.6 + noise(x * 9.0, y * 14.0, seed) * 0.4;
        (srgb(0x232E2C).lerp(srgb(0x6C7C70), rock), 1.0)
    });
    for _ in 0..14 {
        let (x, y) = (draw.within(-1.6, 1.6), draw.within(-0.5, 1.2));
        c.oval([x, y, 0.16, 0.09], srgb(0x4A8A44));
    }
    for middle in [draw.within(-0.95, -0.65), draw.within(0.6, 0.9)] {
        c.over(|x, y| {
            let streak = 0.75 + 0.4 * noise(x * 22.0, y * 1.5, seed);
            let wide = 0.28 + 0.05 * (1.0 - y);
            (srgb(0xD8F0F8) * streak, smoothstep(wide, wide - 0.08, (x - middle).abs()))
        });
    }
    c.over(|_, y| (srgb(0xE4F4F4), 0.8 * smoothstep(-0.3, -0.6, y)));
    c.ground(srgb(0x3AA098), |_| -0.66);
}

pub(super) fn park(c: &mut Canvas, draw: &mut Draw) {
    c.sky(srgb(0xF6E6C4), srgb(0xB8C8D0), [-0.2, 1.1]);
    c.ground(srgb(0xB86A24), |_| -0.22);
    c.over(|x, y| {
        let wide = 0.18 + 0.75 * (-0.2 - y).max(0.0);
        let path = smoothstep(wide, wide - 0.03, x.abs()) * smoothstep(-0.2, -0.24, y);
        (srgb(0xC8B8A0), path)
    });
    for _ in 0..6 {
        let x = draw.within(0.25, 1.6) * if draw.chance(0.5) { 1.0 } else { -1.0 };
        c.rect([x - 0.05, -0.4, x + 0.05, 0.5], srgb(0x40281C));
    }
    leaves(c, draw, 70, [0xE8761C, 0xD8401C, 0xF4B428, 0xA82C18]);
}

fn leaves(c: &mut Canvas, draw: &mut Draw, count: usize, colors: [u32; 4]) {
    for _ in 0..count {
        let color: Vec3 = srgb(draw.pick(&colors)) * draw.within(0.8, 1.1);
        let (x, y) = (draw.within(-1.7, 1.7), draw.within(0.15, 1.3));
        c.oval([x, y, draw.within(0.07, 0.16), draw.within(0.06, 0.12)], color);
    }
}
