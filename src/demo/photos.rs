//! The demo's photos: a character that no base was trained on, as good and as bad as a phone's.

use std::path::Path;

use anyhow::Context;
use likeness_diffusion::atomic;
use likeness_studio::{
    Character, Expression, Flaw, Light, Picture, Place, Scene, Size, Wording, caption,
    near_duplicate, render, render_flawed,
};
use rayon::prelude::*;
use serde::Serialize;

use crate::png;

/// Seed of the first character and scene: far from those of pretrainings.
const FIRST: u64 = 5_000_000;
/// Pixels a side.
const SIDE: u32 = 512;
/// Good photos.
pub const GOOD: usize = 16;
/// Copies of good photos, hardly changed.
pub const DUPLICATES: usize = 2;
/// What is wrong with one photo each, and how much: flaws that no photo of a dataset may have. Others,
/// such as light from behind, are for a person to decide, and two people are cropped to one.
pub const FLAWS: [(Flaw, f32); 8] = [
    (Flaw::Defocus, 1.0),
    (Flaw::MotionBlur, 1.0),
    (Flaw::Noise, 1.0),
    (Flaw::UnderExposure, 1.0),
    (Flaw::OverExposure, 1.0),
    (Flaw::Mask, 1.0),
    (Flaw::ExtremePose, 1.0),
    (Flaw::Tiny, 1.0),
];
/// Places of the photos; the others are held out.
pub const PLACES: usize = 8;

/// What a photo is meant as.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase", tag = "kind", content = "what")]
pub enum Kind {
    /// One to keep.
    Good,
    /// One to drop.
    Flawed(String),
    /// A copy of this one.
    Duplicate(String),
}

/// A photo of the demo.
#[derive(Debug, Clone, Serialize)]
pub struct Photo {
    /// Its file in the folder of photos.
    pub name: String,
    /// What it is meant as.
    #[serde(flatten)]
    pub kind: Kind,
}

/// The places of the demo's photos, and those that are held out.
pub fn places(seed: u64) -> (Vec<Place>, Vec<Place>) {
    let mut all = Place::ALL.to_vec();
    let turned = (seed * 7 % all.len() as u64) as usize;
    all.rotate_left(turned);
    let held_out = all.split_off(PLACES);
    (all, held_out)
}

/// The scene of good photo number `index`.
fn scene(seed: u64, index: usize) -> Scene {
    let (places, _) = places(seed);
    let lights = [Light::Soft, Light::Side, Light::Golden, Light::Hard];
    let faces = [
        Expression::Neutral,
        Expression::Smile,
        Expression::Laugh,
        Expression::Surprised,
        Expression::Sad,
        Expression::Angry,
    ];
    let drawn = Scene::sample(FIRST + seed * 100 + index as u64);
    let (yaw, pitch, roll) = (drawn.yaw.clamp(-40.0, 40.0), drawn.pitch, drawn.roll);
    let framings = [likeness_studio::Framing::CloseUp, likeness_studio::Framing::Portrait];
    drawn
        .posed(yaw, pitch, roll)
        .framed(framings[index % 2])
        .at(places[index % places.len()])
        .lit(lights[index / 2 % lights.len()])
        .expressing(faces[index % faces.len()])
}

/// Renders the photos of the character of `seed` with captions that call it `subject` into `folder`.
pub fn taken(seed: u64, subject: &str, folder: &Path) -> anyhow::Result<Vec<Photo>> {
    let character = Character::from_seed(FIRST + seed);
    let size = Size::square(SIDE);
    let good = |index: usize| {
        let scene = scene(seed, index);
        (format!("photo-{:02}", index + 1), Kind::Good, render(&character, &scene, size), scene)
    };
    let flawed = |index: usize| {
        let (flaw, strength) = FLAWS[index];
        let scene = scene(seed, GOOD + index);
        let picture = render_flawed(&character, &scene, size, &[(flaw, strength)]);
        let kind = Kind::Flawed(flaw.name().to_owned());
        (format!("photo-{:02}", GOOD + index + 1), kind, picture, scene)
    };
    let duplicate = |index: usize| {
        let of = index * 5; // not neighbours
        let scene = scene(seed, of);
        let picture = near_duplicate(&render(&character, &scene, size), 0.3, seed);
        let kind = Kind::Duplicate(format!("photo-{:02}.png", of + 1));
        (format!("photo-{:02}", GOOD + FLAWS.len() + index + 1), kind, picture, scene)
    };
    let all: Vec<_> = (0..GOOD + FLAWS.len() + DUPLICATES)
        .into_par_iter()
        .map(|index| match index {
            index if index < GOOD => good(index),
            index if index < GOOD + FLAWS.len() => flawed(index - GOOD),
            index => duplicate(index - GOOD - FLAWS.len()),
        })
        .collect();
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot create `{}`", folder.display()))?;
    let mut photos = Vec::with_capacity(all.len());
    for (number, (name, kind, picture, scene)) in all.into_iter().enumerate() {
        let Picture { width, height, rgb, .. } = picture;
        png::save(&folder.join(format!("{name}.png")), (width, height), &rgb, None)?;
        let wording = Wording::of(subject).seeded(number as u64);
        let text = caption(&character, &scene, &wording) + "\n";
        atomic::write(&folder.join(format!("{name}.txt")), text.as_bytes())?;
        photos.push(Photo { name: format!("{name}.png"), kind });
    }
    Ok(photos)
}
