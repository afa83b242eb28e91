//! Renders whose faces have a flaw, for a reader that shall tell flaws.

use likeness_diffusion::noise;
use likeness_faces::conditions;
use likeness_studio::{Expression, Flaw, Scene};

/// Flaws that show in a face.
const FLAWS: [Flaw; 7] = [
    Flaw::Backlight,
    Flaw::HardShadow,
    Flaw::Hand,
    Flaw::Mask,
    Flaw::DarkGlasses,
    Flaw::ClosedEyes,
    Flaw::ExtremeExpression,
];
/// What is weaker is no flaw yet.
const LEAST: f32 = 0.75;
/// Steps of a drawn share.
const FINE: usize = 1 << 16;

/// The flaw of picture `index` and its strength, where this `share` of all has one.
pub fn drawn(index: usize, share: f64) -> Vec<(Flaw, f32)> {
    let draw = |purpose: &str, below: usize| noise::below(0, purpose, index as u64, below);
    if draw("flawed", FINE) as f64 >= share * FINE as f64 {
        return Vec::new();
    }
    let strength = LEAST + (1.0 - LEAST) * draw("strength", FINE) as f32 / FINE as f32;
    vec![(FLAWS[draw("flaw", FLAWS.len())], strength)]
}

/// Of each of [`conditions::ALL`] the label that is true of `scene` with `flaws`.
pub fn classes(scene: &Scene, flaws: &[(Flaw, f32)]) -> [usize; 4] {
    let flaw = flaws.first().map(|(flaw, _)| *flaw);
    let eyes = match (flaw, scene.expression) {
        (Some(Flaw::DarkGlasses), _) => "hidden",
        (Some(Flaw::ExtremeExpression), _) => "open", // it brings an expression of its own
        (Some(Flaw::ClosedEyes), _) | (_, Expression::Asleep) => "closed",
        (_, Expression::Wink) => "one closed",
        _ => "open",
    };
    let cover = match flaw {
        Some(Flaw::Hand) => "a hand",
        Some(Flaw::Mask) => "a mask",
        Some(Flaw::DarkGlasses) => "dark glasses",
        _ => "nothing",
    };
    let light = match flaw {
        Some(Flaw::HardShadow) => "a hard shadow",
        Some(Flaw::Backlight) => "from behind",
        _ => "even",
    };
    let overdone = if flaw == Some(Flaw::ExtremeExpression) { "overdone" } else { "natural" };
    let said = [eyes, cover, light, overdone];
    std::array::from_fn(|at| {
        let (_, labels) = conditions::ALL[at];
        labels.iter().position(|label| *label == said[at]).expect("one of the axis's labels")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_have_a_flaw_as_asked_for_and_each_kind_comes() {
        let flaws: Vec<_> = (0..2000).flat_map(|index| drawn(index, 0.4)).collect();
        assert!((720..880).contains(&flaws.len()), "{}", flaws.len());
        for kind in FLAWS {
            assert!(flaws.iter().any(|(flaw, strength)| *flaw == kind && *strength >= LEAST));
        }
        assert!((0..100).all(|index| drawn(index, 0.0).is_empty()));
    }

    #[test]
    fn labels_are_of_what_the_picture_shows() {
        let scene = |expression| Scene { expression, ..Scene::plain() };
        let said = |expression, flaws: &[(Flaw, f32)]| {
            let classes = classes(&scene(expression), flaws);
            std::array::from_fn::<_, 4, _>(|at| conditions::ALL[at].1[classes[at]])
        };
        let (smile, wink) = (Expression::Smile, Expression::Wink);
        assert_eq!(said(smile, &[]), ["open", "nothing", "even", "natural"]);
        assert_eq!(said(wink, &[])[0], "one closed");
        assert_eq!(said(wink, &[(Flaw::ClosedEyes, 1.0)])[0], "closed");
        let glasses = said(smile, &[(Flaw::DarkGlasses, 1.0)]);
        assert_eq!(glasses[..2], ["hidden", "dark glasses"]);
        assert_eq!(said(smile, &[(Flaw::Backlight, 1.0)])[2], "from behind");
        let overdone = said(wink, &[(Flaw::ExtremeExpression, 1.0)]);
        assert_eq!((overdone[0], overdone[3]), ("open", "overdone"));
    }
}
