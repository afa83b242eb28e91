//! Every named thing is seen: it renders otherwise than every other of its kind.

use likeness_studio::{
    Character, Color, Expression, Framing, Glasses, HairColor, HairStyle, Light, Outfit, Place,
    Scene, Size, SkinTone, render,
};

/// The picture of 96 pixels as 24 x 24 cells with their mean colours, 0..255.
fn cells(character: &Character, scene: &Scene) -> Vec<f32> {
    let rgb = render(character, scene, Size::square(96)).rgb;
    let mut means = vec![0.0; 24 * 24 * 3];
    for (i, value) in rgb.iter().enumerate() {
        let (pixel, channel) = (i / 3, i % 3);
        let (x, y) = (pixel % 96 / 4, pixel / 96 / 4);
        means[(y * 24 + x) * 3 + channel] += f32::from(*value) / 16.0;
    }
    means
}

/// The root mean square difference of two grids.
fn difference(a: &[f32], b: &[f32]) -> f32 {
    let squares: f32 = a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum();
    (squares / a.len() as f32).sqrt()
}

/// Asserts that any two of the pictures differ by at least `least`.
fn all_differ<T: std::fmt::Debug>(pictures: &[(T, Vec<f32>)], least: f32) {
    for (i, (a, first)) in pictures.iter().enumerate() {
        for (b, second) in &pictures[i + 1..] {
            let apart = difference(first, second);
            assert!(apart >= least, "{a:?} and {b:?} differ by {apart}, not {least}");
        }
    }
}

fn scenes<T: Copy>(all: &[T], of: impl Fn(Scene, T) -> Scene) -> Vec<(T, Vec<f32>)> {
    let who = Character::from_seed(14);
    all.iter().map(|each| (*each, cells(&who, &of(Scene::plain(), *each)))).collect()
}

fn looks<T: Copy>(all: &[T], set: impl Fn(&mut Character, T)) -> Vec<(T, Vec<f32>)> {
    let scene = Scene::plain().framed(Framing::CloseUp);
    let of = |each: &T| {
        let mut who = Character::from_seed(14);
        set(&mut who, *each);
        (*each, cells(&who, &scene))
    };
    all.iter().map(of).collect()
}

#[test]
fn any_two_places_differ() {
    assert_eq!(Place::ALL.len(), 20);
    all_differ(&scenes(Place::ALL, Scene::at), 14.0);
}

#[test]
fn any_two_lights_differ() {
    assert_eq!(Light::ALL.len(), 8);
    all_differ(&scenes(Light::ALL, Scene::lit), 12.0);
}

#[test]
fn any_two_expressions_differ() {
    assert_eq!(Expression::ALL.len(), 9);
    let close = |scene: Scene, each| scene.framed(Framing::CloseUp).expressing(each);
    all_differ(&scenes(Expression::ALL, close), 1.0);
}

#[test]
fn any_two_outfits_and_any_two_of_their_colors_differ() {
    assert_eq!((Outfit::ALL.len(), Color::ALL.len()), (8, 12));
    let half = |scene: Scene| scene.framed(Framing::HalfFigure);
    let outfits = scenes(Outfit::ALL, |scene, each| half(scene).wearing(each, Color::Red));
    all_differ(&outfits, 2.5);
    let colors = scenes(Color::ALL, |scene, each| half(scene).wearing(Outfit::TShirt, each));
    all_differ(&colors, 4.0);
}

#[test]
fn any_two_framings_differ() {
    all_differ(&scenes(Framing::ALL, Scene::framed), 10.0);
}

#[test]
fn any_two_styles_colors_and_tones_differ() {
    assert!(HairStyle::ALL.len() >= 18 && HairColor::ALL.len() >= 13);
    all_differ(&looks(HairStyle::ALL, |who, each| who.traits.hair_style = each), 1.5);
    let dyed = |who: &mut Character, each| {
        who.traits.hair_style = HairStyle::Long;
        who.traits.hair_color = each;
    };
    all_differ(&looks(HairColor::ALL, dyed), 3.0);
    all_differ(&looks(SkinTone::ALL, |who, each| who.traits.skin = each), 3.0);
    all_differ(&looks(Glasses::ALL, |who, each| who.traits.glasses = each), 1.0);
}

#[test]
fn every_number_of_the_traits_changes_the_picture() {
    let numbers: Vec<fn(&mut Character, f32)> = vec![
        |c, v| c.traits.face_width = v,
        |c, v| c.traits.face_length = v,
        |c, v| c.traits.jaw_width = v,
        |c, v| c.traits.chin = v,
        |c, v| c.traits.cheekbones = v,
        |c, v| c.traits.cheeks = v,
        |c, v| c.traits.forehead = v,
        |c, v| c.traits.nose_length = v,
        |c, v| c.traits.nose_width = v,
        |c, v| c.traits.nose_hook = v,
        |c, v| c.traits.eye_size = v,
        |c, v| c.traits.eye_spacing = v,
        |c, v| c.traits.eye_roundness = v,
        |c, v| c.traits.eye_tilt = v,
        |c, v| c.traits.brow_thickness = v,
        |c, v| c.traits.brow_arch = v,
        |c, v| c.traits.brow_height = v,
        |c, v| c.traits.lip_fullness = v,
        |c, v| c.traits.mouth_width = v,
        |c, v| c.traits.ear_size = v,
        |c, v| c.traits.ear_angle = v,
        |c, v| c.traits.hair_volume = v,
        |c, v| c.traits.build = v,
        |c, v| c.traits.freckles = v.max(0.0),
        |c, v| c.traits.lip_color = v.max(0.0),
        |c, v| c.traits.age_lines = v.max(0.0),
    ];
    let scene = Scene::plain().framed(Framing::CloseUp).posed(25.0, 0.0, 0.0);
    for (i, set) in numbers.iter().enumerate() {
        let [low, high] = [-1.0, 1.0].map(|value| {
            let mut who = Character::from_seed(14);
            who.traits.hair_style = HairStyle::Curly;
            set(&mut who, value);
            render(&who, &scene, Size::square(96)).rgb
        });
        let changed = low.iter().zip(&high).filter(|(a, b)| a.abs_diff(**b) > 6).count();
        assert!(changed > 100, "trait {i} changes {changed} of {} values", low.len());
    }
}
