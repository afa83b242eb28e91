//! Pictures are functions of their seeds, and their truth agrees with them.

use likeness_studio::{
    Angle, Character, Color, Framing, HairStyle, Light, Outfit, Place, Scene, Size, Traits, render,
};

fn bald(seed: u64) -> Character {
    let mut who = Character::from_seed(seed);
    who.traits.hair_style = HairStyle::Bald;
    who.traits.glasses = likeness_studio::Glasses::None;
    who
}

#[test]
fn one_and_two_threads_make_the_same_bytes() {
    let (who, scene) = (Character::from_seed(5), Scene::sample(11));
    let [one, two] = [1, 2].map(|threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        pool.install(|| render(&who, &scene, Size::square(96)))
    });
    assert!(one == two);
}

#[test]
fn any_size_and_shape_can_be_rendered() {
    let who = Character::from_seed(1);
    for (width, height) in [(64, 64), (67, 45), (45, 93), (320, 200)] {
        let picture = render(&who, &Scene::plain(), Size { width, height });
        assert_eq!(picture.rgb.len(), (width * height * 3) as usize);
    }
}

#[test]
fn a_scene_never_changes_who_is_in_it() {
    let who = Character::from_seed(40);
    for seed in 0..4 {
        let picture = render(&who, &Scene::sample(seed), Size::square(64));
        assert_eq!(picture.truth.character, who);
        assert_eq!(picture.truth.scene, Scene::sample(seed));
    }
}

#[test]
fn traits_are_drawn_independently() {
    let fields = serde_json::to_value(&Character::from_seed(0).traits).expect("traits are JSON");
    assert_eq!(fields.as_object().expect("by name").len(), Traits::COUNT);
    let all: Vec<Traits> = (0..600).map(|i| Character::from_seed(i).traits).collect();
    let numbers: Vec<fn(&Traits) -> f32> = vec![
        |t| t.face_width,
        |t| t.face_length,
        |t| t.jaw_width,
        |t| t.nose_length,
        |t| t.eye_size,
        |t| t.eye_spacing,
        |t| t.lip_fullness,
        |t| t.brow_thickness,
    ];
    for (i, a) in numbers.iter().enumerate() {
        for b in &numbers[i + 1..] {
            let product: f32 = all.iter().map(|t| a(t) * b(t)).sum::<f32>() / 600.0;
            assert!(product.abs() * 3.0 < 0.17, "correlated by {}", product * 3.0);
        }
    }
}

#[test]
fn landmarks_keep_their_order_and_lie_in_the_face_box() {
    for seed in 0..6 {
        let truth = render(&bald(seed), &Scene::plain(), Size::square(128)).truth;
        let [right_eye, left_eye, nose, right, left] = truth.landmarks;
        assert!(right_eye.x < nose.x && nose.x < left_eye.x, "eyes beside the nose");
        assert!(right_eye.y < nose.y && nose.y < right.y, "eyes above nose above mouth");
        assert!(right.x < left.x);
        let [x0, y0, x1, y1] = truth.face_box;
        for mark in truth.landmarks {
            assert!(mark.visible, "{mark:?} of {seed}");
            assert!(mark.x > x0 && mark.x < x1 && mark.y > y0 && mark.y < y1);
        }
    }
}

#[test]
fn the_far_eye_of_a_profile_is_hidden_and_the_near_one_seen() {
    let size = Size::square(128);
    for seed in [1, 2, 3] {
        let right = render(&bald(seed), &Scene::plain().posed(70.0, 0.0, 0.0), size).truth;
        assert!(right.landmarks[0].visible && !right.landmarks[1].visible, "seed {seed}");
        let left = render(&bald(seed), &Scene::plain().posed(-70.0, 0.0, 0.0), size).truth;
        assert!(!left.landmarks[0].visible && left.landmarks[1].visible, "seed {seed}");
    }
}

#[test]
fn a_turned_face_mirrors_and_its_nose_leads() {
    let size = Size::square(128);
    let at = |yaw: f32| render(&bald(7), &Scene::plain().posed(yaw, 0.0, 0.0), size).truth;
    let (right, left) = (at(30.0), at(-30.0));
    assert!((right.landmarks[2].x - 64.0) + (left.landmarks[2].x - 64.0) < 0.5, "mirrored noses");
    let lead =
        |t: &likeness_studio::Truth| t.landmarks[2].x - (t.landmarks[0].x + t.landmarks[1].x) / 2.0;
    assert!(lead(&right) > 3.0 && lead(&left) < -3.0, "{} {}", lead(&right), lead(&left));
}

#[test]
fn a_face_that_looks_up_lifts_its_nose() {
    let size = Size::square(128);
    let at = |pitch: f32| {
        let [a, b, nose, c, d] =
            render(&bald(7), &Scene::plain().posed(0.0, pitch, 0.0), size).truth.landmarks;
        let (eyes, mouth) = ((a.y + b.y) / 2.0, (c.y + d.y) / 2.0);
        (nose.y - eyes) / (mouth - eyes)
    };
    assert!(at(20.0) < at(0.0) && at(0.0) < at(-20.0));
}

#[test]
fn the_picture_shows_a_pupil_where_the_truth_says_an_eye_is() {
    let scene = Scene::plain().framed(Framing::CloseUp);
    for seed in [2, 9, 14] {
        let picture = render(&bald(seed), &scene, Size::square(256));
        for eye in &picture.truth.landmarks[..2] {
            let darkest = (-4..=4_i32).flat_map(|dy| (-4..=4_i32).map(move |dx| (dx, dy)));
            let darkest = darkest.map(|(dx, dy)| {
                let (x, y) = ((eye.x as i32 + dx) as usize, (eye.y as i32 + dy) as usize);
                let at = (y * 256 + x) * 3;
                picture.rgb[at..at + 3].iter().map(|v| u32::from(*v)).sum::<u32>()
            });
            assert!(darkest.min().expect("81 pixels") < 140, "seed {seed}, {eye:?}");
        }
    }
}

#[test]
fn angles_name_the_side_of_the_picture_that_a_face_looks_to() {
    assert_eq!(Angle::of_yaw(0.0), Angle::Front);
    for angle in Angle::ALL {
        assert_eq!(Angle::of_yaw(angle.yaw()), *angle);
    }
    assert!(Angle::FarLeft.yaw() < 0.0);
}

#[test]
fn light_from_the_left_brightens_the_left_cheek() {
    let mut scene = Scene::plain().lit(Light::Side).framed(Framing::CloseUp);
    let mut bright = Vec::new();
    for from_left in [true, false] {
        scene.light_from_left = from_left;
        let picture = render(&bald(5), &scene, Size::square(64));
        let column =
            |x: usize| -> u32 { (24..44).map(|y| u32::from(picture.rgb[(y * 64 + x) * 3])).sum() };
        bright.push(column(24) > column(40));
    }
    assert_eq!(bright, [true, false]);
}

#[test]
fn truth_survives_json() {
    let scene = Scene::sample(3).at(Place::Beach).wearing(Outfit::Coat, Color::Teal);
    let truth = render(&Character::from_seed(3), &scene, Size::square(64)).truth;
    let line = serde_json::to_string(&truth).expect("truth is JSON");
    assert!(line.contains("\"on a beach\"") && !line.contains('\n'));
    assert_eq!(serde_json::from_str::<likeness_studio::Truth>(&line).expect("and back"), truth);
}
