//! Rendered characters with known identity, pose, light and caption.
//!
//! A [`Character`] is a seed: its [`Traits`] are the same in every picture. A
//! [`Scene`] is everything else: pose, expression, light, place and dress.
//! [`render()`] makes a [`Picture`] of both, with the [`Truth`] about it.
//!
//! ```
//! use likeness_studio::{Character, Light, Place, Scene, Size, render};
//!
//! let mika = Character::from_seed(7);
//! let scene = Scene::plain().at(Place::Beach).lit(Light::Golden).posed(-30.0, 0.0, 0.0);
//! let picture = render(&mika, &scene, Size::square(64));
//! assert_eq!(picture.rgb.len(), 64 * 64 * 3);
//! ```

mod caption;
mod character;
mod flaws;
mod lanes;
mod names;
mod paint;
mod picture;
mod places;
mod render;
mod scene;
mod sculpt;
mod seed;
mod vector;

pub use caption::{IdentitySaid, Part, Wording, caption, words};
pub use character::Character;
pub use character::looks::{EyeColor, FacialHair, Glasses, HairColor, HairStyle, SkinTone};
pub use character::traits::Traits;
pub use flaws::{Flaw, near_duplicate, render_flawed};
pub use picture::{Picture, Size};
pub use render::truth::{Landmark, Truth};
pub use render::{render, truth_of};
pub use scene::Scene;
pub use scene::expression::Expression;
pub use scene::framing::{Angle, Framing, Tilt};
pub use scene::light::Light;
pub use scene::outfit::{Color, Outfit};
pub use scene::place::Place;
