//! Captions say the scene that was rendered, and nothing that was not.

use likeness_studio::{
    Character, Color, Expression, Framing, IdentitySaid, Light, Outfit, Part, Place, Scene,
    Wording, caption, words,
};

fn scene() -> Scene {
    Scene::plain()
        .at(Place::Beach)
        .lit(Light::Golden)
        .expressing(Expression::Smile)
        .wearing(Outfit::Sweater, Color::Red)
        .posed(-40.0, 15.0, 0.0)
}

#[test]
fn a_caption_says_every_part_once_in_any_wording() {
    let (who, scene) = (Character::from_seed(1), scene());
    for seed in 0..20 {
        let text = caption(&who, &scene, &Wording::of("aurora person").seeded(seed));
        assert_eq!(text.matches("aurora person").count(), 1, "{text}");
        for part in Part::ALL {
            let said = words(*part, &scene);
            assert_eq!(text.matches(&said).count(), 1, "`{said}` in `{text}`");
        }
    }
}

#[test]
fn a_caption_names_no_other_scene() {
    let (who, scene) = (Character::from_seed(1), scene());
    let text = caption(&who, &scene, &Wording::of("person"));
    let names = Place::ALL.iter().map(|p| p.name());
    let names = names.chain(Light::ALL.iter().map(|l| l.name()));
    let names = names.chain(Expression::ALL.iter().map(|e| e.name()));
    let found: Vec<_> = names.filter(|name| text.contains(name)).collect();
    assert_eq!(found, ["on a beach", "in golden light", "smiling"], "{text}");
}

#[test]
fn only_the_chosen_parts_are_said() {
    let (who, scene) = (Character::from_seed(1), scene());
    let wording = Wording::of("person").only(&[Part::Place]);
    let text = caption(&who, &scene, &wording);
    assert!(text.ends_with("of person, on a beach"), "{text}");
}

#[test]
fn dropout_leaves_out_about_its_share_by_seed() {
    let scene = scene();
    let said = |dropout: f32| -> usize {
        let wording = Wording::of("person").dropping(dropout);
        (0..400).map(|seed| wording.clone().seeded(seed).said(&scene).len()).sum()
    };
    assert_eq!(said(0.0), 400 * Part::ALL.len());
    let half = said(0.5) as f32 / said(0.0) as f32;
    assert!((half - 0.5).abs() < 0.04, "{half}");
    assert_eq!(said(1.0), 0);
}

#[test]
fn the_identity_is_said_fully_partly_or_not() {
    let (who, scene) = (Character::from_seed(0), scene());
    let said = |identity| {
        let text = caption(&who, &scene, &Wording::of("person").saying(identity));
        who.describe().iter().filter(|trait_| text.contains(trait_.as_str())).count()
    };
    assert_eq!(said(IdentitySaid::Unsaid), 0);
    assert_eq!(said(IdentitySaid::Fully), who.describe().len());
    assert!((1..=3).contains(&said(IdentitySaid::Partly)));
}

#[test]
fn wordings_differ_by_seed() {
    let (who, scene) = (Character::from_seed(1), scene().framed(Framing::HalfFigure));
    let texts: std::collections::BTreeSet<String> =
        (0..20).map(|seed| caption(&who, &scene, &Wording::of("person").seeded(seed))).collect();
    assert!(texts.len() > 10, "{} wordings", texts.len());
}

#[test]
fn every_name_is_found_again_and_none_is_part_of_another() {
    for place in Place::ALL {
        assert_eq!(Place::from_name(place.name()), Some(*place));
        let others = Place::ALL.iter().filter(|p| *p != place);
        assert!(others.into_iter().all(|p| !p.name().contains(place.name())));
    }
    assert_eq!(Place::from_name("nowhere"), None);
}
