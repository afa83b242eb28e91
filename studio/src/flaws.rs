//! Flaws that a curator of photos must catch, on demand and by strength.
//!
//! Some are of the scene (a hand before the face), some of the light, some of
//! the camera; each has one strength, 0 (none) to 1 (plain to see).

mod camera;
mod duplicate;
mod printed;

use crate::character::Character;
use crate::names::named;
use crate::picture::{Picture, Size};
use crate::places;
use crate::places::canvas::Canvas;
use crate::render::{Setup, expose};
use crate::scene::Scene;
use crate::scene::expression::Expression;
use crate::scene::framing::Framing;
use crate::scene::light::Light;
use crate::sculpt::cover::Cover;
use crate::vector::Vec3;

pub use duplicate::near_duplicate;

named! {
    /// What is wrong with a picture.
    Flaw {
        Defocus = "defocus", MotionBlur = "motion blur", Noise = "noise",
        UnderExposure = "under-exposure", OverExposure = "over-exposure",
        Backlight = "backlight", HardShadow = "hard shadow", Hand = "hand before the face",
        Mask = "mask", DarkGlasses = "dark glasses", ClosedEyes = "closed eyes",
        ExtremePose = "extreme pose", ExtremeExpression = "extreme expression",
        ColorFilter = "colour filter", Watermark = "watermark", TwoPeople = "two people",
        Tiny = "tiny picture", SmallFace = "small face",
    }
}

/// The picture of `character` in `scene` with `flaws` and their strengths, 0..1.
///
/// A tiny picture has fewer pixels than `size` asks for. The truth names the flaws
/// and holds the pose and the expression as they were taken.
pub fn render_flawed(
    character: &Character,
    scene: &Scene,
    size: Size,
    flaws: &[(Flaw, f32)],
) -> Picture {
    let mut scene = scene.clone();
    let mut size = size;
    for (flaw, strength) in flaws {
        size = staged(*flaw, *strength, &mut scene, size);
    }
    let mut setup = Setup::of(&scene);
    for (flaw, strength) in flaws {
        set_up(*flaw, *strength, &mut setup);
    }
    let mut behind = places::backdrop(&scene, &setup.lighting, size);
    if flaws.iter().any(|(flaw, strength)| *flaw == Flaw::TwoPeople && *strength > 0.0) {
        behind = second_person(character, &scene, size, &setup, &behind);
        scene.shift[0] -= 0.42;
    }
    let mut picture = expose(character, &scene, size, &setup, &behind);
    for (flaw, strength) in flaws {
        let seed = character.seed ^ scene.seed.rotate_left(17);
        camera::spoil(&mut picture, *flaw, strength.clamp(0.0, 1.0), seed);
    }
    picture.truth.flaws = flaws.iter().map(|(f, s)| (f.name().to_owned(), *s)).collect();
    picture
}

/// Changes the scene, and the size of a tiny picture.
fn staged(flaw: Flaw, strength: f32, scene: &mut Scene, size: Size) -> Size {
    match flaw {
        Flaw::ExtremePose => {
            let side = if scene.yaw < 0.0 { -1.0 } else { 1.0 };
            scene.yaw += (side * 82.0 - scene.yaw) * strength;
            scene.pitch += (-30.0 - scene.pitch) * strength;
            scene.roll += (side * 24.0 - scene.roll) * strength;
        }
        Flaw::ExtremeExpression => {
            let strong = [Expression::Surprised, Expression::Disgusted, Expression::Laugh];
            scene.expression = strong[(scene.seed % 3) as usize];
            scene.expression_strength = 1.0 + 0.6 * strength;
        }
        Flaw::SmallFace => scene.framing = Framing::HalfFigure,
        // A close-up has no room for a second face.
        Flaw::TwoPeople if strength > 0.0 && scene.framing == Framing::CloseUp => {
            scene.framing = Framing::Portrait;
        }
        Flaw::HardShadow if strength > 0.5 => scene.light = Light::Hard,
        Flaw::Tiny => {
            let part = 1.0 - 0.85 * strength.clamp(0.0, 1.0);
            let less = |side: u32| ((side as f32 * part) as u32).max(24);
            return Size { width: less(size.width), height: less(size.height) };
        }
        _ => {}
    }
    size
}

/// Changes what the camera sees but no scene has.
fn set_up(flaw: Flaw, strength: f32, setup: &mut Setup) {
    let light = &mut setup.lighting;
    match flaw {
        _ if strength <= 0.0 => {}
        Flaw::Backlight => {
            let dark = 1.0 - 0.93 * strength;
            light.key.color = light.key.color * dark;
            light.sky = light.sky * (1.0 - 0.8 * strength);
            light.ground = light.ground * (1.0 - 0.8 * strength);
            light.behind = light.behind.lerp(Vec3::ONE * 3.2, strength);
            light.glow += Vec3::ONE * (0.8 * strength);
        }
        Flaw::HardShadow => {
            light.softness *= 1.0 - strength;
            light.sky = light.sky * (1.0 - 0.8 * strength);
            light.ground = light.ground * (1.0 - 0.8 * strength);
            let side = if light.key.toward.x < 0.0 { -1.0 } else { 1.0 };
            let hard = Vec3 { x: 0.75 * side, y: 0.75, z: 0.35 };
            light.key.toward = light.key.toward.lerp(hard.unit(), strength).unit();
            light.key.color = light.key.color.lerp(Vec3::ONE * 2.4, strength);
        }
        Flaw::ClosedEyes => {
            setup.muscles.lids = setup.muscles.lids.map(|lid| lid * (1.0 - strength).max(0.0));
        }
        // A mouth torn open, also where the expression's own is not.
        Flaw::ExtremeExpression => setup.muscles.open = setup.muscles.open.max(strength),
        Flaw::SmallFace => setup.farther = 1.0 + 0.25 * strength,
        Flaw::Hand => setup.cover = Some((Cover::Hand, strength)),
        Flaw::Mask => setup.cover = Some((Cover::Mask, strength)),
        Flaw::DarkGlasses => setup.cover = Some((Cover::DarkGlasses, strength)),
        _ => {}
    }
}

/// The place with another character in it, beside and a little behind the first.
fn second_person(
    character: &Character,
    scene: &Scene,
    size: Size,
    setup: &Setup,
    behind: &Canvas,
) -> Canvas {
    let other = Character::from_seed(character.seed.wrapping_add(0x5EC0_4D01));
    let mut scene = Scene { yaw: -18.0, pitch: 0.0, roll: 0.0, ..scene.clone() };
    scene.shift[0] += 0.48;
    let picture = expose(&other, &scene, size, &Setup { cover: None, ..*setup }, behind);
    let light = picture.rgb.chunks(3).map(|p| {
        let [r, g, b] = [p[0], p[1], p[2]].map(crate::render::shade::undeveloped);
        Vec3 { x: r, y: g, z: b }
    });
    Canvas::of_pixels(size.width as usize, size.height as usize, light.collect())
}
