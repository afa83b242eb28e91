//! Light on a coat, and the film that it falls on.

use crate::paint::Coat;
use crate::scene::light::Lighting;
use crate::vector::{Vec3, smoothstep, v};

/// How a point lies in the light.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spot {
    pub normal: Vec3,
    pub to_camera: Vec3,
    pub lit: f32,  // by the key light, 0..1
    pub open: f32, // to ambient light, 0..1
}

/// The linear light that leaves `spot` towards the camera.
pub(crate) fn shade(coat: &Coat, spot: &Spot, light: &Lighting) -> Vec3 {
    let n = spot.normal;
    let key = wrapped(n.dot(light.key.toward), coat.flesh) * shadow(spot.lit, coat.flesh);
    let edge = 1.0 - n.dot(spot.to_camera).clamp(0.0, 1.0);
    let rim_angle = n.dot(light.rim.toward).max(0.0);
    let rim = light.rim.color * (rim_angle * (0.35 + 1.3 * edge * edge) * (0.4 + 0.6 * spot.open));
    let open = v(spot.open.powf(1.0 - 0.35 * coat.flesh), spot.open, spot.open);
    let around = light.ground.lerp(light.sky, n.y * 0.5 + 0.5) * open;
    let diffuse = coat.color * (light.key.color * key + around + rim);
    let shine = |toward: Vec3, color: Vec3| {
        let half = (toward + spot.to_camera).unit();
        let strength = n.dot(half).max(0.0).powf(coat.shine) * coat.gloss;
        color * (strength * smoothstep(0.0, 0.25, n.dot(toward)))
    };
    let fresnel = edge * edge * edge * (0.10 + 0.3 * coat.gloss) * spot.open;
    let bright = light.key.color.luminance() * 0.35 + light.sky.luminance() + 0.12;
    diffuse
        + shine(light.key.toward, light.key.color) * spot.lit
        + shine(light.rim.toward, light.rim.color) * 0.6
        + light.sky * fresnel
        + Vec3::ONE * (coat.glint * bright * 1.4)
}

/// Lambert's cosine, wrapped round the edge of flesh, red the farthest.
fn wrapped(cosine: f32, flesh: f32) -> Vec3 {
    let wrap = v(0.38, 0.20, 0.14) * flesh;
    wrap.map(|w| ((cosine + w) / (1.0 + w)).max(0.0))
}

/// A shadow whose edge is reddened by flesh.
fn shadow(lit: f32, flesh: f32) -> Vec3 {
    v(lit.powf(1.0 - 0.35 * flesh), lit, lit.powf(1.0 + 0.15 * flesh))
}

/// The film's response: linear light to 0..1 with soft highlights, gamma 2.2.
pub(crate) fn develop(light: Vec3) -> Vec3 {
    light.map(|x| {
        let x = x.max(0.0) * 1.18;
        let x = x * (1.0 + x * 0.12) / (1.0 + x * 0.42);
        x.min(1.0).powf(1.0 / 2.2)
    })
}

/// The light that the film shows as `byte`: the inverse of `develop`.
pub(crate) fn undeveloped(byte: u8) -> f32 {
    // y = x (1 + 0.12 x) / (1 + 0.42 x), solved for x.
    let y = (f32::from(byte) / 255.0).powf(2.2);
    let half = (1.0 - 0.42 * y) / 0.24;
    ((half * half + y / 0.12).sqrt() - half) / 1.18
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_developed_picture_gives_its_light_back() {
        for byte in [0, 20, 90, 180, 250] {
            let light = undeveloped(byte);
            let again = develop(v(light, light, light)).x * 255.0;
            assert!((again - f32::from(byte)).abs() < 0.6, "{byte} became {again}");
        }
    }
}
