//! The demo's held-out scenes: places where no photo was taken.

use likeness_evaluator::{Prompt, Suite};
use likeness_studio::{Expression, Framing, Light, Scene, Wording, caption};

use super::photos::places;

/// Scenes that are painted.
pub const SCENES: usize = 20;

/// The suite of the demo of `seed`: every held-out place, in turn, in every light that shows a face.
pub fn suite(seed: u64) -> Suite {
    let (_, places) = places(seed);
    let lights = [Light::Soft, Light::Golden, Light::Hard, Light::Side, Light::Neon];
    let faces = [Expression::Neutral, Expression::Smile, Expression::Surprised, Expression::Laugh];
    let framings = [Framing::Portrait, Framing::CloseUp];
    let prompt = |index: usize| {
        let scene = Scene::plain()
            .at(places[index % places.len()])
            .lit(lights[index % lights.len()])
            .expressing(faces[index / 3 % faces.len()])
            .framed(framings[index / 2 % framings.len()]);
        use likeness_studio::Part::{Expression, Light, Place};
        let wording =
            Wording::of("{subject}").only(&[Place, Light, Expression]).seeded(index as u64);
        // The words do not depend on who it is, since nothing of the identity is said.
        let nobody = likeness_studio::Character::from_seed(0);
        let name = format!("{:02} {}", index + 1, scene.place.name());
        Prompt { name, text: caption(&nobody, &scene, &wording) }
    };
    Suite {
        version: 1,
        name: "demo".to_owned(),
        negative: String::new(),
        prompts: (0..SCENES).map(prompt).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_demo_has_a_suite_of_places_without_photos() {
        for seed in 0..30 {
            suite(seed).check().expect("a valid suite");
            let (photos, held_out) = places(seed);
            assert!(photos.iter().all(|place| !held_out.contains(place)));
        }
    }
}
