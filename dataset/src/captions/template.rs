//! A caption from what was measured: framing, angle, eyes, light.
//!
//! Only what was measured is said. Framing is that of the crop, since that is what a model sees.
//! Limits: the angles are those by which the studio names its own pictures
//! (`studio/src/scene/framing.rs`), so that both speak alike; framing is measured on 300 of them
//! (close-ups .53 to .75 of the height, portraits .40 to .59, half figures .28 to .38) and, below
//! that, reckoned from a body of 7.5 heads; light is the 95th percentile of natural photos.

use crate::crop::Crop;
use crate::record::ImageRecord;

/// A face of at least this share of the crop's height: a close-up.
const CLOSE_UP: f64 = 0.56;
/// As [`CLOSE_UP`]: a portrait.
const PORTRAIT: f64 = 0.39;
/// As [`CLOSE_UP`]: a half figure. A face is 18 cm, so this is a frame of 112 cm.
const HALF_FIGURE: f64 = 0.16;
/// Face heights below the chin that hold the rest of a body: (172 - 23) cm over 18 cm.
const BODY: f64 = 8.3;
/// Of the body's length so much must fit below the chin, since bodies differ and knees bend.
const BODY_FITS: f64 = 0.8;

const FULL_FIGURE: &str = "a full-figure photo";

/// Degrees of yaw from which a face is turned, in three-quarter view, in profile.
const YAW: [f64; 3] = [10.0, 28.0, 52.0];
/// Degrees of pitch from which a face looks up or down: natural ones are level within 10, and
/// pitch is measured to about 2.4.
const PITCH: f64 = 12.0;
/// Where light changes less than this along either eye, in doublings a pixel, both are closed: the
/// limit for a review (`limits/face.rs`).
const EYES_OPEN: f64 = 0.039;
/// Doublings between both sides of the face from which light comes from a side: p95 of natural photos is .848.
const SIDE_LIGHT: f64 = 0.85;
/// Doublings by which the background outshines the face in back light: p95 of natural photos is .908.
const BACK_LIGHT: f64 = 0.95;

/// "a close-up", or "a photo" where the framing was not measured.
pub(crate) fn opening(record: &ImageRecord) -> &'static str {
    framing(record).unwrap_or("a photo")
}

/// Whether the whole photo, not only its crop, shows the figure from head to about the feet.
pub(crate) fn shows_the_figure(record: &ImageRecord) -> bool {
    let (width, height) = (record.width, record.height);
    let crop = Some(Crop { x: 0, y: 0, width, height });
    framing(&ImageRecord { crop, ..record.clone() }) == Some(FULL_FIGURE)
}

/// The rest of what was measured, as phrases.
pub(crate) fn details(record: &ImageRecord) -> Vec<String> {
    let measure = |name| record.measures.get(name);
    let mut said = Vec::new();
    said.extend(measure("yaw").map(angle));
    match measure("pitch") {
        Some(pitch) if pitch >= PITCH => said.push("looking up"),
        Some(pitch) if pitch <= -PITCH => said.push("looking down"),
        _ => {}
    }
    // An eye in profile is seen from its side, where it is too thin to say.
    let seen = measure("yaw").is_none_or(|yaw| yaw.abs() < YAW[2]);
    let denied = measure("read_eyes_closed").is_some_and(|share| share < 0.5);
    if seen && !denied && measure("either_eye_open").is_some_and(|open| open < EYES_OPEN) {
        said.push("eyes closed");
    }
    if measure("light_side").is_some_and(|doublings| doublings.abs() >= SIDE_LIGHT) {
        said.push("side light");
    }
    if measure("backlight").is_some_and(|doublings| doublings >= BACK_LIGHT) {
        said.push("back light");
    }
    said.into_iter().map(str::to_owned).collect()
}

pub(crate) fn angle(yaw: f64) -> &'static str {
    let step = YAW.iter().filter(|limit| yaw.abs() >= **limit).count();
    match (step, yaw < 0.0) {
        (0, _) => "front view",
        (1, true) => "turned slightly left",
        (1, false) => "turned slightly right",
        (2, true) => "three-quarter view facing left",
        (2, false) => "three-quarter view facing right",
        (_, true) => "profile facing left",
        (_, false) => "profile facing right",
    }
}

/// How much of the person the crop holds, where faces were judged.
pub(crate) fn framing(record: &ImageRecord) -> Option<&'static str> {
    let crop = record.crop?;
    let face = record.faces.first()?;
    let judged = ["face_share", "faces"].iter().any(|name| record.measures.get(name).is_some());
    if !judged {
        return None; // a drawing or a toy, in which what was found need not be a face
    }
    let height = match record.measures.get("face_share") {
        Some(share) => share * f64::from(record.height),
        None => f64::from(face.bbox[3]),
    };
    let share = height / f64::from(crop.height);
    let chin = f64::from(face.bbox[1]) + f64::from(face.bbox[3]) - f64::from(crop.y);
    let below = (f64::from(crop.height) - chin) / height;
    match share {
        s if s >= CLOSE_UP => Some("a close-up"),
        s if s >= PORTRAIT => Some("a portrait"),
        s if s >= HALF_FIGURE => Some("a half-figure photo"),
        s if s > 0.0 && below >= BODY * BODY_FITS => Some(FULL_FIGURE),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use likeness_faces::Face;

    use super::*;
    use crate::captions::testing::record;

    /// A record of a face of `share` of the height whose top is at `top` of it, in a crop of all.
    fn framed(share: f32, top: f32) -> ImageRecord {
        let mut record = record("a.jpg");
        record.crop = Some(Crop { x: 0, y: 0, width: 800, height: 1000 });
        let bbox = [300.0, top * 1000.0, 150.0, share * 1000.0];
        record.faces = vec![Face { bbox, landmarks: [[0.0; 2]; 5], score: 0.9 }];
        record.measures.add("faces", 1.0, "count", None, None);
        record
    }

    #[test]
    fn framing_is_said_from_the_share_of_the_crop() {
        for (share, top, said) in [
            (0.61, 0.2, "a close-up"),
            (0.50, 0.2, "a portrait"),
            (0.31, 0.1, "a half-figure photo"),
            (0.10, 0.1, "a full-figure photo"),
            (0.10, 0.7, "a photo"), // small, but no room for legs
        ] {
            assert_eq!(opening(&framed(share, top)), said, "{share}");
        }
        let mut closer = framed(0.31, 0.1);
        closer.crop = Some(Crop { x: 0, y: 0, width: 500, height: 500 });
        assert_eq!(opening(&closer), "a close-up");
    }

    #[test]
    fn the_share_that_was_measured_goes_before_the_first_face() {
        let mut record = framed(0.61, 0.1);
        record.height = 1000;
        record.measures.add("face_share", 0.3, "share", None, None);
        assert_eq!(opening(&record), "a half-figure photo");
    }

    #[test]
    fn what_was_not_measured_is_not_said() {
        let mut unjudged = framed(0.61, 0.2);
        unjudged.measures = Default::default();
        assert_eq!(opening(&unjudged), "a photo");
        assert!(details(&unjudged).is_empty());
    }

    #[test]
    fn angles_eyes_and_light_are_said() {
        let said = |measures: &[(&'static str, f64)]| {
            let mut record = record("a.jpg");
            measures.iter().for_each(|(name, v)| record.measures.add(*name, *v, "", None, None));
            details(&record).join(", ")
        };
        let first = said(&[("yaw", -40.0), ("light_side", -1.2), ("pitch", 3.0)]);
        assert_eq!(first, "three-quarter view facing left, side light");
        let second = said(&[("yaw", 4.0), ("pitch", -20.0), ("either_eye_open", 0.01)]);
        assert_eq!(second, "front view, looking down, eyes closed");
        let squeezed = said(&[("yaw", 4.0), ("either_eye_open", 0.01), ("read_eyes_closed", 0.1)]);
        assert_eq!(squeezed, "front view", "a reader of faces knows better");
        let third = said(&[("yaw", 60.0), ("either_eye_open", 0.01), ("backlight", 1.5)]);
        assert_eq!(third, "profile facing right, back light");
        assert_eq!(said(&[("yaw", 15.0), ("pitch", 13.0)]), "turned slightly right, looking up");
    }
}
