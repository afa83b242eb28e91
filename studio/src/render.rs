//! A character in a scene as a picture.

pub(crate) mod camera;
pub(crate) mod march;
pub(crate) mod pixels;
pub(crate) mod shade;
pub(crate) mod truth;

use crate::character::Character;
use crate::paint::Painter;
use crate::picture::{Picture, Size, Truth};
use crate::places::canvas::Canvas;
use crate::places::{self};
use crate::scene::Scene;
use crate::scene::expression::Muscles;
use crate::scene::light::Lighting;
use crate::sculpt::Person;
use crate::sculpt::cover::Cover;
use camera::Camera;
use pixels::Stage;

/// What a picture is made of beyond a character and a scene: the flaws in front of the camera.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setup {
    pub muscles: Muscles,
    pub lighting: Lighting,
    pub cover: Option<(Cover, f32)>,
    pub farther: f32, // the camera, than the framing has it: 1 as it has it
}

impl Setup {
    pub(crate) fn of(scene: &Scene) -> Self {
        Self { muscles: scene.muscles(), lighting: scene.lighting(), cover: None, farther: 1.0 }
    }
}

/// The picture of `character` in `scene`. Same arguments, same bytes, on any number of threads.
pub fn render(character: &Character, scene: &Scene, size: Size) -> Picture {
    let setup = Setup::of(scene);
    let place = places::backdrop(scene, &setup.lighting, size);
    expose(character, scene, size, &setup, &place)
}

/// The truth about the picture that [`render`] makes of the same, without making it.
pub fn truth_of(character: &Character, scene: &Scene, size: Size) -> Truth {
    let setup = Setup::of(scene);
    let person = Person::new(&character.traits, scene, setup.muscles);
    truth::truth(character, scene, &person, &Camera::new(scene, size, 1.0), size)
}

/// The picture of a set-up before the canvas `behind`.
pub(crate) fn expose(
    character: &Character,
    scene: &Scene,
    size: Size,
    setup: &Setup,
    behind: &Canvas,
) -> Picture {
    let mut person = Person::new(&character.traits, scene, setup.muscles);
    if let Some((cover, strength)) = setup.cover {
        person = person.covered(cover, strength);
    }
    let camera = Camera::new(scene, size, setup.farther);
    let cover = setup.cover.map(|(cover, _)| cover);
    let painter = Painter::new(character, scene, &person, cover);
    let stage = Stage { painter, lighting: setup.lighting, camera, behind, size };
    let rgb = stage.picture();
    let truth = truth::truth(character, scene, &person, &camera, size);
    Picture { rgb, width: size.width, height: size.height, truth }
}
