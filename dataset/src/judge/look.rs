//! Sharpness and exposure of a face and of a whole picture.

use super::Judgement;
use crate::limits;
use crate::measure::{FaceLook, Look, Measured};
use crate::record::Reason;
use crate::rules;
use crate::sharpness::Sharpness;

impl Judgement {
    /// Sharpness and exposure of the main face of `photo`.
    pub(super) fn face_look(&mut self, face: &FaceLook, photo: &Measured) {
        let (picture, black_point) = (&photo.picture, photo.tone.black_point);
        let Look { sharpness, exposure } = face.look;
        self.sharpness("face", sharpness, true);
        let (darkest, brightest) = rules::FACE_LUMINANCE;
        let (most_black, most_white) = (rules::FACE_BLACK, rules::FACE_WHITE);
        let (mean, dark, bright) = (exposure.mean, exposure.dark_share, exposure.bright_share);
        self.measures.add("face_luminance", mean, "share", Some(darkest), Some(brightest));
        self.measures.add("face_black", dark, "share", None, Some(most_black));
        self.measures.add("face_white", bright, "share", None, Some(most_white));
        let percent = |share: f64| format!("{:.0} %", share * 100.0);
        let (tint, blueness) = (face.tone.tint, photo.camera.blueness);
        let plain = tint < rules::PLAIN_TINT && blueness < rules::PLAIN_BLUE;
        let dim = if plain { rules::PLAIN_DIM_P99 } else { rules::DIM_P99 };
        let p99 = picture.exposure.p99;
        if mean < darkest {
            let message = format!("the face is dark: {} mean luminance", percent(mean));
            self.reasons.push(Reason::measured("dark", message, mean, darkest));
        } else if dark > most_black {
            let message = format!("{} of the face is lost in black", percent(dark));
            self.reasons.push(Reason::measured("dark", message, dark, most_black));
        } else if mean < rules::DIM_FACE && p99 < dim && p99 >= rules::PORTRAIT_P99 {
            let message = "the picture is dim, and the face dark in it";
            self.doubts.push(Reason::measured("dark", message, p99, dim));
        }
        if mean > brightest {
            let message = format!("the face is overexposed: {} mean luminance", percent(mean));
            self.reasons.push(Reason::measured("bright", message, mean, brightest));
        } else if bright > rules::FACE_WHITE_DOUBT {
            let message = format!("{} of the face is lost in white", percent(bright));
            let end = if bright > most_white { most_white } else { rules::FACE_WHITE_DOUBT };
            let said = if end == most_white { &mut self.reasons } else { &mut self.doubts };
            said.push(Reason::measured("bright", message, bright, end));
        }
        let burnt = if bright > rules::BURNT_FACE { picture.exposure.mean } else { 0.0 };
        self.limited(&limits::BURNT, burnt);
        let bleached = if black_point > rules::NO_BLACK { bright } else { 0.0 };
        self.limited(&limits::BLEACHED, bleached);
    }

    /// The whole picture is always measured, but judged (`decides`) only where there is no face
    /// to judge by; that it is dark all over is always said.
    pub(super) fn picture_look(&mut self, look: &Look, decides: bool) {
        self.sharpness("picture", look.sharpness, decides);
        let (p5, p99) = (look.exposure.p5, look.exposure.p99);
        let limit = |value: f64| decides.then_some(value);
        self.measures.add("picture_luminance", look.exposure.mean, "share", None, None);
        self.measures.add("picture_p5", p5, "share", None, limit(rules::PICTURE_P5));
        let darkest = if decides { rules::PICTURE_P99 } else { rules::PORTRAIT_P99 };
        self.measures.add("picture_p99", p99, "share", Some(darkest), None);
        if p99 < darkest {
            let message = "the picture is dark: hardly anything in it is brighter than a third";
            self.reasons.push(Reason::measured("dark", message, p99, darkest));
        }
        if decides && p5 > rules::PICTURE_P5 {
            let message = "the picture is nearly all white";
            self.reasons.push(Reason::measured("bright", message, p5, rules::PICTURE_P5));
        }
    }

    /// Detail decides; where it is doubtful, reblur does.
    fn sharpness(&mut self, of: &str, found: Sharpness, decides: bool) {
        let Sharpness { detail, reblur, evenness } = found;
        let doubtful = detail < rules::SOFT_DETAIL;
        let least = decides.then_some(rules::BLURRED_DETAIL);
        let most = (decides && doubtful).then_some(rules::SOFT_REBLUR);
        self.measures.add(format!("{of}_detail"), detail, "share", least, None);
        self.measures.add(format!("{of}_reblur"), reblur, "ratio", None, most);
        let even = if of == "face" { rules::FACE_EVENNESS } else { rules::PICTURE_EVENNESS };
        let even = decides.then_some(even);
        self.measures.add(format!("{of}_evenness"), evenness, "ratio", even, None);
        let percent = detail * 100.0;
        let sharp = detail >= rules::NO_DETAIL && reblur < rules::SHARP_REBLUR;
        if least.is_some_and(|least| detail < least) && !sharp {
            let message =
                format!("the {of} is blurred: fine detail is {percent:.2} % of its contrast");
            let least = rules::BLURRED_DETAIL;
            self.reasons.push(Reason::measured("blurred", message, detail, least));
        } else if most.is_some_and(|most| reblur > most) {
            let message = format!(
                "the {of} is soft: fine detail is {percent:.2} % of its contrast, and blurring it again changes little"
            );
            self.reasons.push(Reason::measured("blurred", message, reblur, rules::SOFT_REBLUR));
        } else if let Some(least) = even.filter(|least| evenness < *least) {
            let message = format!("the {of} is smeared along one direction, as by motion");
            self.reasons.push(Reason::measured("blurred", message, evenness, least));
        }
    }
}
