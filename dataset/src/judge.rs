//! Judges one photo by itself.

mod look;

use crate::calibrate::OwnLimits;
use crate::limits;
use crate::measure::{FaceLook, Look, Measured};
use crate::measures::Measures;
use crate::record::{Reason, Verdict};
use crate::rules::{self, FaceRules};

/// What the rules say of a photo.
#[derive(Debug, Default)]
pub(crate) struct Judgement {
    /// Why it is dropped; none keeps it.
    pub reasons: Vec<Reason>,
    /// Why a person should look.
    pub doubts: Vec<Reason>,
    /// What is worth knowing.
    pub notes: Vec<Reason>,
    /// What was measured.
    pub measures: Measures,
    /// The dataset's own limits.
    pub own: OwnLimits,
}

/// Judges a photo whose shorter side has to be `min_side` pixels.
pub(crate) fn judge(
    photo: &Measured,
    min_side: u32,
    rules: FaceRules,
    limits: &OwnLimits,
) -> Judgement {
    let mut said = Judgement { own: limits.clone(), ..Judgement::default() };
    said.size(photo, min_side);
    said.picture_look(&photo.picture, rules != FaceRules::Apply || photo.face.is_none());
    said.limited(&limits::NOISE, photo.camera.noise);
    said.measures.add("blueness", photo.camera.blueness, "ratio", None, None);
    // What is dark has no colours to speak of; that it is dark is said elsewhere.
    if photo.picture.exposure.p99 >= rules::PICTURE_P99 {
        said.limited(&limits::COLOURS, photo.camera.colours);
    }
    said.edges_and_tones(photo);
    if rules == FaceRules::Apply {
        said.faces(photo);
        if let Some(face) = &photo.face {
            said.face_look(face, photo);
            said.portrait(face, &photo.picture);
        }
    }
    said
}

impl Judgement {
    /// The verdict, with its reasons in `reasons`: a reason to drop outweighs doubts, which become
    /// notes.
    pub fn verdict(mut self) -> (Verdict, Self) {
        let verdict = match (self.reasons.is_empty(), self.doubts.is_empty()) {
            (true, true) => Verdict::Keep,
            (true, false) => Verdict::Review,
            (false, _) => Verdict::Drop,
        };
        let doubts = std::mem::take(&mut self.doubts);
        match verdict {
            Verdict::Drop => self.notes.extend(doubts),
            _ => self.reasons = doubts,
        }
        (verdict, self)
    }

    /// What an app, a screen or a site did to the picture.
    fn edges_and_tones(&mut self, photo: &Measured) {
        if let Some(quality) = photo.compression.quality {
            self.limited(&limits::JPEG_QUALITY, quality);
        }
        self.limited(&limits::BLOCKS, photo.compression.blocks);
        self.limited(&limits::FRAME, photo.bars.frame);
        self.limited(&limits::BAR, photo.bars.bar);
        self.limited(&limits::LETTERING, photo.lettering);
        self.limited(&limits::LIFTED_BLACKS, photo.tone.lifted_blacks);
        self.limited(&limits::WHITE_POINT, photo.tone.white_point);
        self.limited(&limits::CRUSHED, photo.tone.crushed);
    }

    fn size(&mut self, photo: &Measured, min_side: u32) {
        let (side, least) = (f64::from(photo.width.min(photo.height)), f64::from(min_side));
        self.measures.add("short_side", side, "px", Some(least), None);
        if side < least {
            let message = format!("too small: the shorter side has {side} of {least} pixels");
            self.reasons.push(Reason::measured("small", message, side, least));
        }
    }

    fn faces(&mut self, photo: &Measured) {
        self.measures.add("faces", photo.faces.len() as f64, "count", Some(1.0), None);
        let Some(main) = photo.faces.first() else {
            let message = "no face was found, while most photos of this set have one";
            self.reasons.push(Reason::measured("no face", message, 0.0, 1.0));
            return;
        };
        if let Some(second) = photo.faces.get(1) {
            self.other_face(f64::from(second.area() / main.area().max(1.0)));
        }
        // A turned face's eyes look nearer to each other than they are.
        let turned = photo.face.map_or(1.0, |face| face.pose.yaw.to_radians().cos().max(0.5));
        let eyes = f64::from(main.eye_distance_px()) / turned;
        self.limited(&limits::EYE_DISTANCE, eyes);
        if (rules::EYE_DISTANCE_DOUBT_PX..rules::EYE_DISTANCE_GOOD_PX).contains(&eyes) {
            let message = format!("the face is small: {eyes:.0} pixels between the eyes");
            let good = rules::EYE_DISTANCE_GOOD_PX;
            self.notes.push(Reason::measured("small face", message, eyes, good));
        }
    }

    fn other_face(&mut self, share: f64) {
        let most = rules::OTHER_FACE_SHARE;
        self.measures.add("other_face_share", share, "share", None, Some(most));
        if share >= most {
            let percent = share * 100.0;
            let message = format!(
                "several people: another face is {percent:.0} % as large as the main one; crop the photo to one person"
            );
            self.reasons.push(Reason::measured("several people", message, share, most));
        }
    }

    fn portrait(&mut self, face: &FaceLook, picture: &Look) {
        let FaceLook { pose, portrait, features, tone, .. } = face;
        self.measures.add("face_share", face.share, "share", None, None);
        self.limited(&limits::YAW, pose.yaw);
        self.limited(&limits::PITCH, pose.pitch);
        self.limited(&limits::ROLL, pose.roll);
        let depth = tone.contrast * portrait.shadow.sqrt();
        let hard_light = portrait.shadow_edge * depth * picture.exposure.p99;
        let read = face.condition;
        let shadows = [
            (&limits::LIGHT_SIDE, portrait.light_side),
            (&limits::SHADOW, portrait.shadow),
            (&limits::SHADOW_EDGE, portrait.shadow_edge),
            (&limits::HARD_LIGHT, hard_light),
        ];
        self.read_or(read.hard_shadow, &limits::READ_HARD_SHADOW, &shadows);
        let backlight = [(&limits::BACKLIGHT, face.backlight)];
        self.read_or(read.backlit, &limits::READ_BACKLIT, &backlight);
        face.scenery.add_to(&mut self.measures);
        let (mut eyes, mut cover) = (Vec::new(), Vec::new());
        cover.push((&limits::COVER, portrait.cover));
        cover.push((&limits::EYES_SEEN, features.eyes_seen));
        if pose.yaw.abs() < limits::FAR_EYE_YAW {
            eyes.push((&limits::EYES_OPEN, features.eyes_open));
            eyes.push((&limits::EITHER_EYE_OPEN, features.either_eye_open));
            cover.push((&limits::EYES_CLEAR, features.eyes_clear));
            cover.push((&limits::FEATURES_SEEN, features.eyes_clear * features.mouth_seen));
        }
        cover.push((&limits::MOUTH_SEEN, features.mouth_seen));
        self.read_or(read.eyes_closed, &limits::READ_EYES_CLOSED, &eyes);
        self.read_or(read.covered, &limits::READ_COVERED, &cover);
        let mouth = [(&limits::MOUTH_OPEN, features.mouth_open)];
        self.read_or(read.overdone, &limits::READ_OVERDONE, &mouth);
        self.limited(&limits::FACE_CONTRAST, tone.contrast);
        self.measures.add("tint", tone.tint, "share", None, None);
        // Of photographs: rendered skin has no pores, and rendered nights are lit in colours.
        if let Some(fineness) = face.skin {
            self.limited(&limits::SKIN_FINENESS, fineness);
            tone.skin_hue.iter().for_each(|hue| self.limited(&limits::SKIN_HUE, *hue));
        }
    }
}

#[cfg(test)]
mod tests {
    use likeness_faces::Face;

    use super::*;
    use crate::exposure::Exposure;
    use crate::set::testing;
    use crate::sharpness::Sharpness;
    use crate::tone::FaceTone;

    fn look(mean: f64, detail: f64) -> Look {
        let exposure = Exposure { mean, dark_share: 0.0, bright_share: 0.0, p5: 0.1, p99: 0.9 };
        Look { sharpness: Sharpness { detail, reblur: 0.5, evenness: 0.5 }, exposure }
    }

    fn face(size: f32) -> Face {
        let mut landmarks = [[0.0; 2]; 5];
        landmarks[1] = [size * 0.4, 0.0];
        Face { bbox: [0.0, 0.0, size, size], landmarks, score: 0.9 }
    }

    fn face_look(look: Look) -> FaceLook {
        FaceLook { look, ..testing::face_look() }
    }

    fn photo(faces: Vec<Face>) -> Measured {
        let usual = testing::photo(&[]).measured.expect("measured");
        let face = faces.first().map(|_| face_look(look(0.5, 0.05)));
        Measured { face, faces, picture: look(0.5, 0.05), ..usual }
    }

    fn rules_of(photo: &Measured, rules: FaceRules) -> Vec<String> {
        judge(photo, 512, rules, &OwnLimits::default())
            .reasons
            .into_iter()
            .map(|reason| reason.rule)
            .collect()
    }

    #[test]
    fn a_good_photo_has_no_reasons_and_its_limits_are_recorded() {
        let said = judge(&photo(vec![face(300.0)]), 512, FaceRules::Apply, &OwnLimits::default());
        assert!(said.reasons.is_empty() && said.notes.is_empty(), "{said:?}");
        assert_eq!(said.measures.get("short_side"), Some(600.0));
        let eyes = said.measures.iter().find(|measure| measure.kind.name == "eye_distance");
        assert_eq!(eyes.and_then(|measure| measure.kind.lowest), Some(60.0));
    }

    #[test]
    fn each_fault_is_named() {
        assert_eq!(
            rules_of(&photo(vec![face(300.0), face(150.0)]), FaceRules::Apply),
            ["several people"]
        );
        assert!(rules_of(&photo(vec![face(300.0), face(80.0)]), FaceRules::Apply).is_empty());
        assert_eq!(rules_of(&photo(vec![face(100.0)]), FaceRules::Apply), ["small face"]);
        assert_eq!(rules_of(&photo(vec![]), FaceRules::Apply), ["no face"]);
        let mut burnt = photo(vec![face(300.0)]);
        burnt.face.as_mut().expect("a face").look.exposure.bright_share = 0.22;
        assert!(rules_of(&burnt, FaceRules::Apply).is_empty(), "a doubt alone");
        burnt.picture.exposure.mean = 0.84;
        assert_eq!(rules_of(&burnt, FaceRules::Apply), ["bright"]);
        let mut bleached = photo(vec![face(300.0)]);
        bleached.face.as_mut().expect("a face").look.exposure.bright_share = 0.05;
        let doubts = |photo: &Measured| {
            judge(photo, 512, FaceRules::Apply, &OwnLimits::default()).doubts.len()
        };
        assert_eq!(doubts(&bleached), 0, "white beside black is a highlight");
        bleached.tone.black_point = 0.22;
        assert_eq!(doubts(&bleached), 1);
        let mut dark = photo(vec![face(300.0)]);
        dark.face = Some(face_look(look(0.05, 0.0001)));
        assert_eq!(rules_of(&dark, FaceRules::Apply), ["blurred", "dark"]);
        dark.width = 100;
        assert_eq!(rules_of(&dark, FaceRules::NoModel), ["small"]);
    }

    #[test]
    fn dark_skin_in_a_bright_picture_is_no_fault_and_in_a_dim_one_a_doubt() {
        let mut photo = photo(vec![face(300.0)]);
        photo.face = Some(face_look(look(0.17, 0.05)));
        let verdict = |photo: &Measured| {
            judge(photo, 512, FaceRules::Apply, &OwnLimits::default()).verdict().0
        };
        assert_eq!(verdict(&photo), Verdict::Keep);
        photo.picture.exposure.p99 = 0.29;
        assert_eq!(verdict(&photo), Verdict::Review);
        photo.picture.exposure.p99 = 0.2;
        assert_eq!(verdict(&photo), Verdict::Drop);
    }

    #[test]
    fn a_dim_picture_is_a_doubt_in_plain_light_and_a_night_in_coloured() {
        let rules = |tint: f64, blueness: f64| {
            let mut photo = photo(vec![face(300.0)]);
            let look = FaceLook {
                tone: FaceTone { contrast: 1.6, tint, skin_hue: None },
                ..face_look(look(0.23, 0.05))
            };
            (photo.face, photo.camera.blueness) = (Some(look), blueness);
            photo.picture.exposure.p99 = 0.38;
            let said = judge(&photo, 512, FaceRules::Apply, &OwnLimits::default());
            said.doubts.into_iter().map(|reason| reason.rule).collect::<Vec<_>>()
        };
        assert_eq!(rules(0.0, 0.1), ["dark"]);
        assert!(rules(0.3, 0.1).is_empty() && rules(0.0, 0.9).is_empty());
    }

    #[test]
    fn smooth_and_tinted_skin_is_a_doubt_on_photographs() {
        let rules = |skin: Option<f64>, hue: f64| {
            let mut photo = photo(vec![face(300.0)]);
            let look = face_look(look(0.5, 0.05));
            let tone = FaceTone { skin_hue: Some(hue), ..look.tone };
            photo.face = Some(FaceLook { skin, tone, ..look });
            let said = judge(&photo, 512, FaceRules::Apply, &OwnLimits::default());
            said.doubts.into_iter().map(|reason| reason.rule).collect::<Vec<_>>()
        };
        assert_eq!(rules(Some(0.2), 0.0), ["smoothed skin"]);
        assert_eq!(rules(Some(0.4), -60.0), ["colour cast"]);
        assert_eq!(rules(Some(0.4), 60.0), ["colour cast"]);
        assert!(rules(Some(0.4), 20.0).is_empty() && rules(None, 60.0).is_empty());
    }

    #[test]
    fn doubtful_detail_is_soft_only_where_reblurring_changes_little() {
        let mut doubtful = photo(vec![]);
        doubtful.picture = look(0.5, 0.004);
        assert_eq!(rules_of(&doubtful, FaceRules::NoModel), ["blurred"]);
        doubtful.picture.sharpness.reblur = 0.15;
        assert!(rules_of(&doubtful, FaceRules::NoModel).is_empty());
    }

    #[test]
    fn little_detail_is_sharp_where_a_second_blur_takes_nearly_all_of_it() {
        let mut shadowed = photo(vec![]);
        shadowed.picture = look(0.5, 0.0016);
        shadowed.picture.sharpness.reblur = 0.15;
        assert_eq!(rules_of(&shadowed, FaceRules::NoModel), ["blurred"]);
        shadowed.picture.sharpness.reblur = 0.09;
        assert!(rules_of(&shadowed, FaceRules::NoModel).is_empty());
        shadowed.picture.sharpness.detail = 0.0004;
        assert_eq!(rules_of(&shadowed, FaceRules::NoModel), ["blurred"]);
    }

    #[test]
    fn a_face_that_is_smeared_one_way_is_blurred() {
        let mut moved = photo(vec![face(300.0)]);
        moved.face.as_mut().expect("a face").look.sharpness.evenness = 0.05;
        let said = judge(&moved, 512, FaceRules::Apply, &OwnLimits::default());
        assert_eq!(said.reasons.len(), 1);
        assert!(said.reasons[0].message.contains("smeared"), "{said:?}");
    }

    #[test]
    fn without_face_rules_the_picture_decides_and_faces_do_not() {
        let none = FaceRules::TooFew { with_face: 1 };
        assert!(rules_of(&photo(vec![face(50.0), face(50.0)]), none).is_empty());
        let mut soft = photo(vec![face(300.0)]);
        soft.picture = look(0.5, 0.0001);
        assert_eq!(rules_of(&soft, none), ["blurred"]);
        assert!(rules_of(&soft, FaceRules::Apply).is_empty(), "the face is sharp");
    }
}
