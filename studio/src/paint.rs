//! The colour and gloss of every point of a person.

pub(crate) mod cloth;
pub(crate) mod eye;
pub(crate) mod skin;
pub(crate) mod strands;

use crate::character::Character;
use crate::scene::Scene;
use crate::sculpt::cover::Cover;
use crate::sculpt::{Person, Surface};
use crate::vector::{Vec3, smoothstep, srgb, v};

/// How a point takes light.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Coat {
    pub color: Vec3,
    pub gloss: f32,           // strength of its highlight
    pub shine: f32,           // sharpness of its highlight, an exponent
    pub flesh: f32,           // how far light creeps under it, 0..1
    pub glint: f32,           // a painted highlight
    pub normal: Option<Vec3>, // in the head's frame, where it is not the body's own
}

impl Coat {
    pub(crate) fn matte(color: Vec3) -> Self {
        Self { color, gloss: 0.04, shine: 12.0, flesh: 0.0, glint: 0.0, normal: None }
    }
}

/// Paints one character in one scene.
pub(crate) struct Painter<'a> {
    pub character: &'a Character,
    pub scene: &'a Scene,
    pub person: &'a Person,
    pub cover: Option<Cover>,
    pub gaze: Vec3,  // unit, in the head's frame
    pub glint: Vec3, // where a light mirrors in an eye, a direction in the head's frame
}

/// The colours that rims come in.
const RIMS: [u32; 6] = [0x18181C, 0x7A2A1A, 0x3A2A20, 0xB8902C, 0x1E3C8C, 0xC8C8D0];

impl<'a> Painter<'a> {
    pub(crate) fn new(
        character: &'a Character,
        scene: &'a Scene,
        person: &'a Person,
        cover: Option<Cover>,
    ) -> Self {
        let frame = &person.head_frame;
        let camera = frame.inward(v(0.0, 0.0, 1.0));
        let gaze = v(camera.x.clamp(-0.42, 0.42) * 0.85, camera.y.clamp(-0.3, 0.3) * 0.85, 1.0);
        let toward = scene.lighting().key.toward;
        let side = if toward.x < 0.0 { -1.0 } else { 1.0 };
        let glint = gaze.unit() + v(side * 0.26, 0.30, 0.0);
        Self { character, scene, person, cover, gaze: gaze.unit(), glint: glint.unit() }
    }

    /// The coat of a point of the world on `surface` with the outward `normal`.
    pub(crate) fn coat(&self, at: Vec3, normal: Vec3, surface: Surface) -> Coat {
        let head = self.person.head_frame.local(at);
        match surface {
            Surface::Skin => self.skin(head, self.person.head_frame.inward(normal)),
            Surface::Body => self.plain_skin(),
            Surface::Hair => self.strands(head),
            Surface::Cloth => self.cloth(self.person.body_frame.local(at)),
            Surface::Trim => self.trim(self.person.body_frame.local(at)),
            Surface::Rims => {
                let color = srgb(RIMS[usize::from(self.character.traits.rim_color % 6)]);
                Coat { gloss: 0.5, shine: 40.0, ..Coat::matte(color) }
            }
            Surface::Metal => Coat { gloss: 0.9, shine: 30.0, ..Coat::matte(srgb(0xE8B840)) },
            Surface::Cover => self.cover_coat(head),
        }
    }

    fn cover_coat(&self, head: Vec3) -> Coat {
        match self.cover {
            Some(Cover::Hand) => self.plain_skin(),
            Some(Cover::DarkGlasses) => {
                Coat { gloss: 0.7, shine: 60.0, ..Coat::matte(srgb(0x101014)) }
            }
            _ => {
                let pleat = (head.y * 12.0 - (head.y * 12.0).floor() - 0.5).abs();
                let shade = 1.0 - 0.12 * smoothstep(0.12, 0.0, pleat);
                Coat::matte(srgb(0x9CCFE8) * shade)
            }
        }
    }
}
