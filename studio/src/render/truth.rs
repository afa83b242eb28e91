//! Where the face is in a picture, known because it was put there.

use serde::{Deserialize, Serialize};

use crate::character::Character;
use crate::lanes::{Points, all};
use crate::picture::Size;
use crate::scene::Scene;
use crate::sculpt::Person;
use crate::vector::{Vec3, v};

use super::camera::Camera;
use super::march::{NEAR, travel};

/// What is known of a picture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Truth {
    /// Who is in it.
    pub character: Character,
    /// How it was taken.
    pub scene: Scene,
    /// The face from forehead to chin and cheek to cheek: left, top, right, bottom in pixels
    /// from the upper left corner; may reach out of the picture.
    pub face_box: [f32; 4],
    /// Right eye, left eye, nose tip, right and left mouth corner, of the character: the
    /// right eye is to the left in a frontal picture.
    pub landmarks: [Landmark; 5],
    /// Flaws that the picture was given, by their names, with their strengths 0..1.
    pub flaws: Vec<(String, f32)>,
}

/// A point of a face in a picture.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Landmark {
    /// Pixels from the left.
    pub x: f32,
    /// Pixels from the top.
    pub y: f32,
    /// In the picture and hidden by nothing.
    pub visible: bool,
}

pub(crate) fn truth(
    character: &Character,
    scene: &Scene,
    person: &Person,
    camera: &Camera,
    size: Size,
) -> Truth {
    let landmarks = points(person).map(|p| landmark(person, camera, size, p));
    let face_box = face_box(person, camera);
    let (character, scene) = (character.clone(), scene.clone());
    Truth { character, scene, face_box, landmarks, flaws: Vec::new() }
}

/// The five landmarks in the world, on the skin.
fn points(person: &Person) -> [Vec3; 5] {
    let (head, f) = (&person.head, &person.head.face);
    let eye = |side: f32| v(side * f.eye_x, 0.0, head.eye_z + head.ball);
    let corner_y = f.mouth.y + 0.65 * f.mouth.lift;
    let corner = |side: f32| {
        let x = side * f.mouth.half;
        v(x, corner_y, head.solid.front(x, corner_y, head.lips_z))
    };
    let nose = v(0.0, f.nose_y, head.solid.front(0.0, f.nose_y, head.front_z));
    [eye(-1.0), eye(1.0), nose, corner(-1.0), corner(1.0)].map(|p| person.head_frame.place(p))
}

fn landmark(person: &Person, camera: &Camera, size: Size, p: Vec3) -> Landmark {
    let [x, y] = camera.project(p);
    let away = p - camera.at;
    let along = away.unit();
    let ray = Points { x: all(along.x), y: all(along.y), z: all(along.z) };
    let reached = travel(person, camera.at, ray, all(NEAR), 0.002).to_array()[0];
    let inside = x >= 0.0 && y >= 0.0 && x < size.width as f32 && y < size.height as f32;
    Landmark { x, y, visible: inside && reached > away.length() - 0.09 }
}

fn face_box(person: &Person, camera: &Camera) -> [f32; 4] {
    let (head, f) = (&person.head, &person.head.face);
    let chin = -1.05 * f.length - f.drop;
    let mut found = [f32::MAX, f32::MAX, f32::MIN, f32::MIN];
    for [x, y, z] in [
        [0.62 * f.width, -0.15, 0.20],
        [0.55 * f.jaw, -0.5 * f.length, 0.15],
        [0.0, chin, 0.42],
        [0.0, f.hairline, 0.70],
        [0.48 * f.width, f.hairline - 0.10, 0.48],
        [0.66 * f.width, 0.15, 0.15],
        [0.0, f.nose_y, head.front_z + f.nose_z],
    ] {
        for side in [-1.0, 1.0] {
            let [px, py] = camera.project(person.head_frame.place(v(x * side, y, z)));
            found = [found[0].min(px), found[1].min(py), found[2].max(px), found[3].max(py)];
        }
    }
    found
}
