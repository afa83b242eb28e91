//! What happens around a character: pose, expression, light, place, dress.

pub(crate) mod expression;
pub(crate) mod framing;
pub(crate) mod light;
pub(crate) mod outfit;
pub(crate) mod place;

use serde::{Deserialize, Serialize};

use crate::seed::Draw;
use expression::{Expression, Muscles};
use framing::{Angle, Framing, Tilt};
use light::{Light, Lighting};
use outfit::{Color, Outfit};
use place::Place;

/// Everything in a picture but who is in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scene {
    /// Of small things: where the place's things stand, and where the gaze goes.
    pub seed: u64,
    /// Turn of the head in degrees, positive to the picture's right, -70..70.
    pub yaw: f32,
    /// Tilt of the head in degrees, positive upwards, -25..25.
    pub pitch: f32,
    /// Lean of the head in degrees, positive clockwise, -15..15.
    pub roll: f32,
    /// How much of the person is seen.
    pub framing: Framing,
    /// Shift of the person to the right and up, in parts of half the picture's height, -0.3..0.3.
    pub shift: [f32; 2],
    /// What the face does.
    pub expression: Expression,
    /// How strongly: 1 is clear, 0..1.6.
    pub expression_strength: f32,
    /// The kind of light.
    pub light: Light,
    /// It comes from the picture's left rather than its right.
    pub light_from_left: bool,
    /// What is behind.
    pub place: Place,
    /// What is worn.
    pub outfit: Outfit,
    /// Its colour.
    pub outfit_color: Color,
}

impl Scene {
    /// A frontal, neutral portrait in soft light before a studio backdrop.
    pub fn plain() -> Self {
        Self {
            seed: 0,
            yaw: 0.0,
            pitch: 0.0,
            roll: 0.0,
            framing: Framing::Portrait,
            shift: [0.0, 0.0],
            expression: Expression::Neutral,
            expression_strength: 1.0,
            light: Light::Soft,
            light_from_left: true,
            place: Place::Studio,
            outfit: Outfit::TShirt,
            outfit_color: Color::Blue,
        }
    }

    /// The scene of `seed`: everything drawn, faces mostly within 45 degrees of the front.
    pub fn sample(seed: u64) -> Self {
        let draw = |name: &str| Draw::new(seed, name);
        Self {
            seed,
            yaw: (draw("yaw").normal() * 28.0).clamp(-70.0, 70.0),
            pitch: (draw("pitch").normal() * 8.0).clamp(-25.0, 25.0),
            roll: (draw("roll").normal() * 4.0).clamp(-15.0, 15.0),
            framing: draw("framing").pick(Framing::ALL),
            shift: [draw("shift x").normal() * 0.05, draw("shift y").normal() * 0.03],
            expression: draw("expression").pick(Expression::ALL),
            expression_strength: draw("strength").within(0.85, 1.15),
            light: draw("light").pick(Light::ALL),
            light_from_left: draw("side").chance(0.5),
            place: draw("place").pick(Place::ALL),
            outfit: draw("outfit").pick(Outfit::ALL),
            outfit_color: draw("outfit color").pick(Color::ALL),
        }
    }

    /// With the face turned to `yaw`, tilted to `pitch` and leant to `roll` degrees.
    pub fn posed(self, yaw: f32, pitch: f32, roll: f32) -> Self {
        let (yaw, pitch) = (yaw.clamp(-90.0, 90.0), pitch.clamp(-45.0, 45.0));
        Self { yaw, pitch, roll: roll.clamp(-40.0, 40.0), ..self }
    }

    /// With the drawn small things of `seed`.
    pub fn seeded(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// With this much of the person.
    pub fn framed(self, framing: Framing) -> Self {
        Self { framing, ..self }
    }

    /// With this expression.
    pub fn expressing(self, expression: Expression) -> Self {
        Self { expression, ..self }
    }

    /// In this light.
    pub fn lit(self, light: Light) -> Self {
        Self { light, ..self }
    }

    /// In this place.
    pub fn at(self, place: Place) -> Self {
        Self { place, ..self }
    }

    /// In this outfit.
    pub fn wearing(self, outfit: Outfit, outfit_color: Color) -> Self {
        Self { outfit, outfit_color, ..self }
    }

    /// The words for the yaw.
    pub fn angle(&self) -> Angle {
        Angle::of_yaw(self.yaw)
    }

    /// The words for the pitch.
    pub fn tilt(&self) -> Tilt {
        Tilt::of_pitch(self.pitch)
    }

    pub(crate) fn lighting(&self) -> Lighting {
        self.light.lighting(if self.light_from_left { -1.0 } else { 1.0 })
    }

    pub(crate) fn muscles(&self) -> Muscles {
        self.expression.muscles(self.expression_strength)
    }
}
