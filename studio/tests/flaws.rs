//! Each flaw does what its name says, by a measure, and more of it at more strength.

use likeness_studio::{
    Character, Flaw, Framing, Glasses, HairStyle, Picture, Place, Scene, Size, near_duplicate,
    render, render_flawed,
};

fn shot(flaws: &[(Flaw, f32)]) -> Picture {
    let mut who = Character::from_seed(8);
    who.traits.hair_style = HairStyle::Crop;
    who.traits.glasses = Glasses::None;
    let scene = Scene::plain().at(Place::City).framed(Framing::CloseUp);
    render_flawed(&who, &scene, Size::square(128), flaws)
}

fn gray(picture: &Picture) -> Vec<f32> {
    picture.rgb.chunks(3).map(|p| p.iter().map(|v| f32::from(*v)).sum::<f32>() / 3.0).collect()
}

fn mean(picture: &Picture) -> f32 {
    let gray = gray(picture);
    gray.iter().sum::<f32>() / gray.len() as f32
}

/// The variance of the Laplacian, the usual measure of sharpness.
fn sharpness(picture: &Picture) -> f32 {
    let (g, w, h) = (gray(picture), picture.width as usize, picture.height as usize);
    let inside = (1..h - 1).flat_map(|y| (1..w - 1).map(move |x| y * w + x));
    let edges: Vec<f32> =
        inside.map(|i| g[i - 1] + g[i + 1] + g[i - w] + g[i + w] - 4.0 * g[i]).collect();
    let mean = edges.iter().sum::<f32>() / edges.len() as f32;
    edges.iter().map(|e| (e - mean) * (e - mean)).sum::<f32>() / edges.len() as f32
}

/// The mean brightness of the middle of the face.
fn face(picture: &Picture) -> f32 {
    let [x0, y0, x1, y1] = picture.truth.face_box.map(|v| v.clamp(0.0, 127.0) as usize);
    let g = gray(picture);
    let (mut sum, mut count) = (0.0, 0);
    for y in y0 + (y1 - y0) / 4..y1 - (y1 - y0) / 4 {
        for x in x0 + (x1 - x0) / 4..x1 - (x1 - x0) / 4 {
            (sum, count) = (sum + g[y * 128 + x], count + 1);
        }
    }
    sum / count as f32
}

/// Asserts that `measure` rises from no flaw by half of it to all of it.
fn rises(flaw: Flaw, measure: impl Fn(&Picture) -> f32) {
    let [none, half, full] = [0.0, 0.5, 1.0].map(|s| measure(&shot(&[(flaw, s)])));
    assert!(none < half && half < full, "{flaw:?}: {none}, {half}, {full}");
}

#[test]
fn blurs_take_sharpness_and_noise_adds_it() {
    rises(Flaw::Defocus, |p| -sharpness(p));
    rises(Flaw::MotionBlur, |p| -sharpness(p));
    rises(Flaw::Noise, sharpness);
}

#[test]
fn exposures_darken_and_brighten() {
    rises(Flaw::UnderExposure, |p| -mean(p));
    rises(Flaw::OverExposure, mean);
    rises(Flaw::Watermark, mean);
}

#[test]
fn backlight_darkens_the_face_against_its_place() {
    rises(Flaw::Backlight, |p| mean(p) - 2.0 * face(p));
}

#[test]
fn a_hard_shadow_spreads_the_brightness_of_the_face() {
    let side = |p: &Picture| {
        let (g, marks) = (gray(p), p.truth.landmarks);
        let y = (marks[2].y * 0.5 + marks[0].y * 0.5) as usize;
        (g[y * 128 + marks[0].x as usize] - g[y * 128 + marks[1].x as usize]).abs()
    };
    assert!(side(&shot(&[(Flaw::HardShadow, 1.0)])) > side(&shot(&[])) + 20.0);
}

#[test]
fn covers_hide_the_landmarks_under_them() {
    let seen = |flaw| shot(&[(flaw, 1.0)]).truth.landmarks.map(|mark| mark.visible);
    assert_eq!(shot(&[]).truth.landmarks.map(|mark| mark.visible), [true; 5]);
    assert_eq!(seen(Flaw::DarkGlasses), [false, false, true, true, true]);
    assert_eq!(seen(Flaw::Mask), [true, true, false, false, false]);
    assert!(seen(Flaw::Hand).iter().any(|visible| !visible));
}

#[test]
fn closed_eyes_show_no_white_and_no_pupil() {
    let spread = |p: &Picture| {
        let (g, eye) = (gray(p), p.truth.landmarks[0]);
        let row = (-8..=8_i32).map(|dx| g[eye.y as usize * 128 + (eye.x as i32 + dx) as usize]);
        let row: Vec<f32> = row.collect();
        row.iter().copied().fold(0.0, f32::max) - row.iter().copied().fold(255.0, f32::min)
    };
    assert!(spread(&shot(&[(Flaw::ClosedEyes, 1.0)])) < 0.6 * spread(&shot(&[])));
}

#[test]
fn an_extreme_pose_is_in_the_truth() {
    let truth = shot(&[(Flaw::ExtremePose, 1.0)]).truth;
    assert!(truth.scene.yaw.abs() > 75.0 && truth.scene.pitch < -25.0);
    assert_eq!(truth.flaws, [("extreme pose".to_owned(), 1.0)]);
}

#[test]
fn a_tiny_picture_is_tiny_and_a_small_face_small() {
    assert_eq!(shot(&[(Flaw::Tiny, 1.0)]).width, 24);
    let height = |p: &Picture| p.truth.face_box[3] - p.truth.face_box[1];
    assert!(height(&shot(&[(Flaw::SmallFace, 1.0)])) < 0.6 * height(&shot(&[])));
}

#[test]
fn a_filter_changes_colors_and_a_second_person_half_of_the_picture() {
    let apart = |flaw| {
        let (a, b) = (shot(&[]), shot(&[(flaw, 1.0)]));
        a.rgb.iter().zip(&b.rgb).filter(|(a, b)| a.abs_diff(**b) > 12).count()
    };
    assert!(apart(Flaw::ColorFilter) > 128 * 128 / 3);
    assert!(apart(Flaw::TwoPeople) > 128 * 128 / 3);
    assert!(apart(Flaw::ExtremeExpression) > 300);
}

#[test]
fn a_flaw_of_no_strength_changes_nothing() {
    for flaw in Flaw::ALL.iter().filter(|f| !matches!(f, Flaw::ExtremeExpression | Flaw::SmallFace))
    {
        let picture = shot(&[(*flaw, 0.0)]);
        assert!(picture.rgb == shot(&[]).rgb, "{flaw:?}");
    }
}

#[test]
fn a_near_duplicate_is_near_but_no_copy_and_its_truth_moves_along() {
    let picture = render(&Character::from_seed(8), &Scene::plain(), Size::square(128));
    let copy = near_duplicate(&picture, 1.0, 4);
    assert_eq!((copy.width, copy.height), (128, 128));
    assert!(copy.rgb != picture.rgb);
    let (a, b) = (gray(&picture), gray(&copy));
    let apart = a.iter().zip(&b).map(|(a, b)| (a - b).abs()).sum::<f32>() / a.len() as f32;
    assert!(apart < 18.0, "{apart}");
    let (a, b) = (picture.truth.landmarks[2], copy.truth.landmarks[2]);
    assert!((a.x - b.x).abs() < 6.0 && (a.y - b.y).abs() < 6.0 && a != b);
    assert!(near_duplicate(&picture, 1.0, 4) == copy);
}
