//! Where a pixel looks, and where a point of the world is seen.

use crate::picture::Size;
use crate::scene::Scene;
use crate::vector::{Vec3, v};

/// A camera before the person that looks along -z.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Camera {
    pub at: Vec3,
    half_height: f32, // of the picture at the plane of the face
    size: Size,
}

/// The plane of the face, in which the framing's sizes hold.
const FACE_Z: f32 = 0.3;
/// How far the camera is from that plane: a short telephoto lens, as for portraits.
const DISTANCE: f32 = 9.0;
/// How much lower a camera twice as far away looks, in head units: the body ends at -5.
const LOWER: f32 = 1.4;

impl Camera {
    /// The framing's, `farther` times as far away and so much lower that the head stays in the upper half.
    pub(crate) fn new(scene: &Scene, size: Size, farther: f32) -> Self {
        let [half_height, middle] = scene.framing.view();
        let (half_height, middle) = (half_height * farther, middle - LOWER * (farther - 1.0));
        let [x, y] = scene.shift.map(|part| -part * half_height);
        Self { at: v(x, middle + y, FACE_Z + DISTANCE), half_height, size }
    }

    /// The width of a pixel at the plane of the face.
    pub(crate) fn pixel(&self) -> f32 {
        2.0 * self.half_height / self.size.height as f32
    }

    /// The direction in which the point (x, y) of the picture, in pixels, is seen.
    pub(crate) fn direction(&self, x: f32, y: f32) -> Vec3 {
        let [u, w] = self.plane(x, y);
        v(u * self.half_height, w * self.half_height, -DISTANCE).unit()
    }

    /// The point (x, y) in pixels in halves of the picture's height from its middle, y upwards.
    pub(crate) fn plane(&self, x: f32, y: f32) -> [f32; 2] {
        let half = self.size.height as f32 / 2.0;
        [(x - self.size.width as f32 / 2.0) / half, (half - y) / half]
    }

    /// The pixel at which a point of the world is seen.
    pub(crate) fn project(&self, p: Vec3) -> [f32; 2] {
        let scale = DISTANCE / (self.at.z - p.z) / self.half_height;
        let half = self.size.height as f32 / 2.0;
        let x = (p.x - self.at.x) * scale * half + self.size.width as f32 / 2.0;
        [x, half - (p.y - self.at.y) * scale * half]
    }
}
