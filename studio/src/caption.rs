//! What a picture shows, in words, from the tables that it was rendered from.

use serde::{Deserialize, Serialize};

use crate::character::Character;
use crate::character::describe::article;
use crate::scene::Scene;
use crate::scene::expression::Expression;
use crate::scene::framing::Tilt;
use crate::scene::outfit::Outfit;
use crate::seed::Draw;

/// How much of the identity a caption says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdentitySaid {
    /// Every trait that has words.
    Fully,
    /// One to three traits, chosen by the seed.
    Partly,
    /// None.
    Unsaid,
}

/// A part of the scene that a caption may say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// What the face does.
    Expression,
    /// Where the face points, by yaw.
    Angle,
    /// Where the face points, by pitch; a level face has no words.
    Tilt,
    /// What is behind.
    Place,
    /// The light.
    Light,
    /// What is worn.
    Outfit,
    /// How much of the person is seen.
    Framing,
}

impl Part {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::Expression,
        Self::Angle,
        Self::Tilt,
        Self::Place,
        Self::Light,
        Self::Outfit,
        Self::Framing,
    ];
}

/// How a caption is worded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Wording {
    /// Who it is: a class word ("person") or a trigger phrase ("aurora person").
    pub subject: String,
    /// How much of the identity is said.
    pub identity: IdentitySaid,
    /// The parts of the scene that may be said; default all.
    pub parts: Vec<Part>,
    /// Chance in 0..1 of leaving out each part, drawn from `seed`; default 0.
    pub dropout: f32,
    /// Chooses the opening, the order and what is left out.
    pub seed: u64,
}

impl Wording {
    /// All of the scene and nothing of the identity, about `subject`.
    pub fn of(subject: &str) -> Self {
        let identity = IdentitySaid::Unsaid;
        let parts = Part::ALL.to_vec();
        Self { subject: subject.to_owned(), identity, parts, dropout: 0.0, seed: 0 }
    }

    /// With this much of the identity.
    pub fn saying(self, identity: IdentitySaid) -> Self {
        Self { identity, ..self }
    }

    /// With only these parts of the scene.
    pub fn only(self, parts: &[Part]) -> Self {
        Self { parts: parts.to_vec(), ..self }
    }

    /// With each part left out by a chance of `dropout`, 0..1.
    pub fn dropping(self, dropout: f32) -> Self {
        Self { dropout, ..self }
    }

    /// Worded by `seed`.
    pub fn seeded(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// The parts that this caption says of `scene`, in the order in which it says them.
    pub fn said(&self, scene: &Scene) -> Vec<Part> {
        let mut draw = Draw::new(self.seed, "caption parts");
        // Drawn for every part, so that leaving one out of `parts` changes no other.
        let kept: Vec<Part> =
            Part::ALL.iter().copied().filter(|_| !draw.chance(self.dropout)).collect();
        let mut said: Vec<Part> = kept
            .into_iter()
            .filter(|part| self.parts.contains(part))
            .filter(|part| *part != Part::Tilt || scene.tilt() != Tilt::Level)
            .collect();
        let mut order = Draw::new(self.seed, "caption order");
        for i in (1..said.len()).rev() {
            let j = (order.bits() % (i as u64 + 1)) as usize;
            said.swap(i, j);
        }
        said
    }
}

/// The words with which captions say `part` of `scene`.
pub fn words(part: Part, scene: &Scene) -> String {
    match part {
        Part::Expression if scene.expression == Expression::Neutral => {
            "with a neutral expression".to_owned()
        }
        Part::Expression => scene.expression.name().to_owned(),
        Part::Angle => scene.angle().name().to_owned(),
        Part::Tilt => scene.tilt().name().to_owned(),
        Part::Place => scene.place.name().to_owned(),
        Part::Light => scene.light.name().to_owned(),
        Part::Outfit => worn(scene),
        Part::Framing => scene.framing.name().to_owned(),
    }
}

fn worn(scene: &Scene) -> String {
    let color = scene.outfit_color.name();
    match scene.outfit {
        Outfit::Overalls => format!("wearing {color} overalls"),
        outfit => format!("wearing {} {color} {}", article(color), outfit.name()),
    }
}

/// What a picture of `character` in `scene` shows, worded by `wording`.
pub fn caption(character: &Character, scene: &Scene, wording: &Wording) -> String {
    let mut said = wording.said(scene);
    let framed = said.iter().position(|part| *part == Part::Framing);
    let opening = match framed {
        Some(at) => words(said.remove(at), scene),
        None => Draw::new(wording.seed, "opening").pick(&["a photo", "a picture"]).to_owned(),
    };
    let mut text = format!("{opening} of {}", wording.subject);
    let identity = identity_words(character, wording);
    if !identity.is_empty() {
        text = format!("{text} with {}", identity.join(", "));
    }
    for part in said {
        text = format!("{text}, {}", words(part, scene));
    }
    text
}

fn identity_words(character: &Character, wording: &Wording) -> Vec<String> {
    let all = character.describe();
    match wording.identity {
        IdentitySaid::Fully => all,
        IdentitySaid::Unsaid => Vec::new(),
        IdentitySaid::Partly => {
            let mut draw = Draw::new(wording.seed, "identity");
            let count = 1 + (draw.bits() % 3) as usize;
            let first = (draw.bits() % all.len() as u64) as usize;
            (0..count.min(all.len())).map(|i| all[(first + i) % all.len()].clone()).collect()
        }
    }
}
