//! Flaws of lens, sensor and hand: what happens to a finished picture.

use crate::picture::Picture;
use crate::seed::Draw;

use super::{Flaw, printed};

/// Applies `flaw` to the pixels, if it is one of the camera's; `strength` 0..1.
pub(super) fn spoil(picture: &mut Picture, flaw: Flaw, strength: f32, seed: u64) {
    let side = picture.height.min(picture.width) as f32;
    match flaw {
        Flaw::Defocus => defocus(picture, strength * side * 0.035),
        Flaw::MotionBlur => motion(picture, strength * side * 0.14, seed),
        Flaw::Noise => noise(picture, strength * 70.0, seed),
        Flaw::UnderExposure => expose(picture, 1.0 - 0.86 * strength, 0.0),
        Flaw::OverExposure => expose(picture, 1.0 + 2.4 * strength, 26.0 * strength),
        Flaw::ColorFilter => filter(picture, strength, seed),
        Flaw::Watermark => printed::watermark(picture, strength),
        _ => {}
    }
}

/// Three box blurs of `radius` pixels, nearly a Gaussian.
pub(super) fn defocus(picture: &mut Picture, radius: f32) {
    let (width, height) = (picture.width as usize, picture.height as usize);
    for _ in 0..3 {
        for y in 0..height {
            smear(&mut picture.rgb, y * width, 1, width, radius);
        }
        for x in 0..width {
            smear(&mut picture.rgb, x, width, height, radius);
        }
    }
}

/// A box of `radius` pixels, its ends weighted by the part that it covers, along one line.
fn smear(rgb: &mut [u8], first: usize, stride: usize, count: usize, radius: f32) {
    let whole = radius.floor() as isize;
    let part = radius - whole as f32;
    for channel in 0..3 {
        let line: Vec<f32> =
            (0..count).map(|i| f32::from(rgb[(first + i * stride) * 3 + channel])).collect();
        let get = |i: isize| line[i.clamp(0, count as isize - 1) as usize];
        for i in 0..count as isize {
            let full: f32 = (-whole..=whole).map(|k| get(i + k)).sum();
            let ends = (get(i - whole - 1) + get(i + whole + 1)) * part;
            let mean = (full + ends) / (2.0 * radius + 1.0);
            rgb[(first + i as usize * stride) * 3 + channel] = (mean + 0.5) as u8;
        }
    }
}

/// The mean along a path of `length` pixels, in a direction of the seed.
fn motion(picture: &mut Picture, length: f32, seed: u64) {
    let angle = Draw::new(seed, "motion").within(-0.6, 0.6);
    let (dy, dx) = angle.sin_cos();
    let steps = (length.ceil() as usize).max(1);
    let (width, height) = (picture.width as i32, picture.height as i32);
    let sharp = picture.rgb.clone();
    for y in 0..height {
        for x in 0..width {
            let mut sum = [0.0_f32; 3];
            for step in 0..=steps {
                let along = (step as f32 / steps as f32 - 0.5) * length;
                let sx = (x + (along * dx).round() as i32).clamp(0, width - 1);
                let sy = (y + (along * dy).round() as i32).clamp(0, height - 1);
                let at = ((sy * width + sx) * 3) as usize;
                (0..3).for_each(|c| sum[c] += f32::from(sharp[at + c]));
            }
            let at = ((y * width + x) * 3) as usize;
            (0..3).for_each(|c| picture.rgb[at + c] = (sum[c] / (steps + 1) as f32 + 0.5) as u8);
        }
    }
}

/// Normal noise of a deviation in levels of 0..255, half of it the same in all channels.
pub(super) fn noise(picture: &mut Picture, deviation: f32, seed: u64) {
    let mut draw = Draw::new(seed, "noise");
    for pixel in picture.rgb.chunks_mut(3) {
        let grey = draw.normal() * 0.7;
        for value in pixel {
            let level = f32::from(*value) + (grey + draw.normal() * 0.7) * deviation;
            *value = level.clamp(0.0, 255.0) as u8;
        }
    }
}

/// Every level times `gain` plus `lift`.
pub(super) fn expose(picture: &mut Picture, gain: f32, lift: f32) {
    for value in &mut picture.rgb {
        *value = (f32::from(*value) * gain + lift).min(255.0) as u8;
    }
}

/// A tint of the seed: grey, sepia, green, blue or magenta.
fn filter(picture: &mut Picture, strength: f32, seed: u64) {
    let tints =
        [[1.0, 1.0, 1.0], [1.15, 0.92, 0.65], [0.6, 1.15, 0.6], [0.55, 0.8, 1.4], [1.3, 0.5, 1.2]];
    let tint: [f32; 3] = Draw::new(seed, "filter").pick(&tints);
    for pixel in picture.rgb.chunks_mut(3) {
        let light =
            0.3 * f32::from(pixel[0]) + 0.59 * f32::from(pixel[1]) + 0.11 * f32::from(pixel[2]);
        for (value, tint) in pixel.iter_mut().zip(tint) {
            let old = f32::from(*value);
            *value = (old + (light * tint - old) * strength).clamp(0.0, 255.0) as u8;
        }
    }
}
