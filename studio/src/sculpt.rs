//! A person as one body in the world: x to the right, y up, z to the camera.

pub(crate) mod cover;
pub(crate) mod face;
pub(crate) mod hair;
pub(crate) mod head;
pub(crate) mod shape;
pub(crate) mod solid;
pub(crate) mod torso;
pub(crate) mod worn;

use crate::character::traits::Traits;
use crate::lanes::{Lanes, Points, all, join};
use crate::scene::Scene;
use crate::scene::expression::Muscles;
use crate::vector::{Frame, Vec3, v};
use cover::Cover;
use hair::Hair;
use head::Head;
use shape::Shape;
use solid::Solid;
use torso::{NECK_FOOT, Torso};

/// What a point on a person belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Surface {
    Skin,
    Hair,
    Body,
    Cloth,
    Trim,
    Rims,
    Metal,
    Cover,
}

/// The order in which distances to the surfaces are given.
pub(crate) const SURFACES: [Surface; 8] = [
    Surface::Skin,
    Surface::Hair,
    Surface::Body,
    Surface::Cloth,
    Surface::Trim,
    Surface::Rims,
    Surface::Metal,
    Surface::Cover,
];

/// A posed and dressed character.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub head_frame: Frame,
    pub body_frame: Frame,
    pub head: Head,
    hair: Hair,
    torso: Torso,
    neck: [Vec3; 2], // its ends in the head's frame
    neck_radius: f32,
    rims: Solid,
    metal: Solid,
    cover: Solid,
}

/// The point of a head about which it turns.
const HEAD_PIVOT: Vec3 = v(0.0, -0.70, -0.22);

impl Person {
    /// The character with `traits` as the scene poses it, the face moved by `muscles`.
    pub(crate) fn new(traits: &Traits, scene: &Scene, muscles: Muscles) -> Self {
        let head = Head::new(traits, muscles);
        let hair = Hair::new(traits, &head.face);
        let angles = [scene.yaw, scene.pitch, scene.roll];
        let head_frame = Frame::turned(angles, HEAD_PIVOT, HEAD_PIVOT);
        let body_turn = [scene.yaw * 0.62, 0.0, scene.roll * 0.15];
        let body_frame = Frame::turned(body_turn, NECK_FOOT, NECK_FOOT + v(0.0, 0.20, 0.0));
        let foot = head_frame.local(body_frame.place(NECK_FOOT - v(0.0, 0.35, 0.06)));
        Self {
            rims: worn::glasses(&head, traits.glasses),
            metal: worn::earrings(&head, traits.earrings),
            cover: Solid::default(),
            torso: Torso::new(traits, scene.outfit),
            neck: [v(0.0, -0.55, -0.24), foot],
            neck_radius: 0.37 + 0.06 * traits.build,
            head_frame,
            body_frame,
            hair,
            head,
        }
    }

    /// With a part of the face hidden, by `strength` 0..1.
    pub(crate) fn covered(mut self, cover: Cover, strength: f32) -> Self {
        self.cover = cover.solid(&self.head, strength);
        self
    }

    /// The distances of eight points to the nearest surface.
    #[inline(never)]
    pub(crate) fn distance(&self, p: Points) -> Lanes {
        self.distances(p).into_iter().reduce(|a, b| a.fast_min(b)).expect("eight surfaces")
    }

    /// The distances of eight points to each surface, of `SURFACES`' order.
    #[inline(always)]
    pub(crate) fn distances(&self, p: Points) -> [Lanes; 8] {
        let at_head = p.local(&self.head_frame);
        let skin = self.head.distance(at_head, all(9.0));
        let neck = {
            let to = self.neck[1] - self.neck[0];
            let r = self.neck_radius;
            let rod = Shape::Rod { to, from_radius: r * 0.94, to_radius: r * 1.06 };
            rod.distance(at_head.minus(self.neck[0]))
        };
        let skin = join(skin, neck, 0.14);
        let hair = self.hair.distance(at_head, skin);
        let mut near = skin.fast_min(hair);
        let at_body = p.local(&self.body_frame);
        let [body, cloth] = self.torso.distance(at_body, near);
        near = near.fast_min(body).fast_min(cloth);
        let trim = self.torso.trim.bounded(at_body, near);
        let rims = self.rims.bounded(at_head, near);
        let metal = self.metal.bounded(at_head, near);
        let cover = self.cover.bounded(at_head, near);
        [skin, hair, body, cloth, trim, rims, metal, cover]
    }

    /// The nearest surface of each of eight points.
    pub(crate) fn surfaces(&self, p: Points) -> [Surface; 8] {
        let d = self.distances(p).map(Lanes::to_array);
        std::array::from_fn(|lane| {
            let nearest = (0..8).min_by(|a, b| d[*a][lane].total_cmp(&d[*b][lane]));
            SURFACES[nearest.expect("eight surfaces")]
        })
    }
}
