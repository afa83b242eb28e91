//! The guide names everything that can be asked for.

use likeness_studio::{
    Angle, Color, Expression, EyeColor, FacialHair, Flaw, Framing, Glasses, HairColor, HairStyle,
    Light, Outfit, Place, SkinTone, Tilt, Traits,
};

#[test]
fn the_guide_lists_every_name_and_counts_the_traits() {
    let guide = include_str!("../../docs/studio.md");
    let mut names: Vec<&str> = Vec::new();
    names.extend(Angle::ALL.iter().map(|each| each.name()));
    names.extend(Color::ALL.iter().map(|each| each.name()));
    names.extend(Expression::ALL.iter().map(|each| each.name()));
    names.extend(EyeColor::ALL.iter().map(|each| each.name()));
    names.extend(FacialHair::ALL[1..].iter().map(|each| each.name()));
    names.extend(Flaw::ALL.iter().map(|each| each.name()));
    names.extend(Framing::ALL.iter().map(|each| each.name()));
    names.extend(Glasses::ALL[1..].iter().map(|each| each.name()));
    names.extend(HairColor::ALL.iter().map(|each| each.name()));
    names.extend(HairStyle::ALL.iter().map(|each| each.name()));
    names.extend(Light::ALL.iter().map(|each| each.name()));
    names.extend(Outfit::ALL.iter().map(|each| each.name()));
    names.extend(Place::ALL.iter().map(|each| each.name()));
    names.extend(SkinTone::ALL.iter().map(|each| each.name()));
    names.extend(Tilt::ALL.iter().map(|each| each.name()));
    assert!(names.len() > 130, "{} names", names.len());
    let missing: Vec<_> = names.into_iter().filter(|name| !guide.contains(name)).collect();
    assert!(missing.is_empty(), "docs/studio.md lacks {missing:?}");
    assert!(guide.contains(&format!("{} traits", Traits::COUNT)));
}
