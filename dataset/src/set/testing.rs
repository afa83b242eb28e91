//! Photos and records for the tests of sets.

use likeness_faces::{Face, Identity, Pose};

use crate::FORMAT_VERSION;
use crate::bars::Bars;
use crate::camera::Camera;
use crate::compression::Compression;
use crate::crop::Crop;
use crate::exposure::Exposure;
use crate::features::Features;
use crate::measure::{FaceLook, Look, Measured, Person, Photo};
use crate::measures::Measures;
use crate::portrait::Portrait;
use crate::print::Print;
use crate::record::{ImageRecord, Verdict};
use crate::scenery::Scenery;
use crate::sharpness::Sharpness;
use crate::tone::{FaceTone, Tone};

/// An identity in a plane.
pub(crate) fn towards(angle: f32) -> Identity {
    Identity::new(vec![angle.cos(), angle.sin()])
}

fn face(size: f32) -> Face {
    Face { bbox: [0.0, 0.0, size, size], landmarks: [[0.0; 2]; 5], score: 0.9 }
}

/// How a good picture looks.
pub(crate) fn look() -> Look {
    let exposure = Exposure { mean: 0.5, dark_share: 0.0, bright_share: 0.0, p5: 0.1, p99: 0.9 };
    Look { sharpness: Sharpness { detail: 0.05, reblur: 0.1, evenness: 0.5 }, exposure }
}

/// How a good face looks.
pub(crate) fn face_look() -> FaceLook {
    let portrait = Portrait { light_side: 0.1, shadow: 0.05, shadow_edge: 0.08, cover: 3.0 };
    let features = Features {
        eyes_open: 0.1,
        either_eye_open: 0.12,
        eyes_clear: 0.6,
        eyes_seen: 0.5,
        mouth_seen: 0.3,
        mouth_open: 0.1,
    };
    let tone = FaceTone { contrast: 1.6, tint: 0.0, skin_hue: Some(3.0) };
    let pose = Pose { yaw: 5.0, pitch: -3.0, roll: 1.0 };
    let scenery = Scenery { outfit: None, background: None, busy: 0.0 };
    let condition = Default::default();
    FaceLook {
        look: look(),
        pose,
        portrait,
        features,
        tone,
        skin: Some(0.6),
        backlight: 0.1,
        share: 0.4,
        scenery,
        condition,
    }
}

/// A measured photo of some people: the angle of an identity and the size of its face in pixels,
/// the largest first.
pub(crate) fn photo(people: &[(f32, f32)]) -> Photo {
    let faces: Vec<Face> = people.iter().map(|(_, size)| face(*size)).collect();
    let others = people.iter().enumerate().skip(1).map(|(face, (who, _))| Person {
        face,
        look: face_look(),
        identity: towards(*who),
    });
    let measured = Measured {
        width: 800,
        height: 600,
        picture: look(),
        camera: Camera { noise: 0.5, colours: 12.0, blueness: 0.0 },
        compression: Compression { quality: Some(90.0), blocks: 0.1 },
        tone: Tone { black_point: 0.02, lifted_blacks: 0.01, white_point: 0.95, crushed: 0.0 },
        bars: Bars::default(),
        lettering: 0.0,
        face: faces.first().map(|_| face_look()),
        identity: people.first().map(|(who, _)| towards(*who)),
        others: others.collect(),
        faces,
        print: Print::flat(),
        taken: None,
        thumbnail: Vec::new(),
    };
    Photo { path: "a.jpg".into(), sha256: "ab".into(), measured: Ok(measured), cached: false }
}

/// A kept record with some measures.
pub(crate) fn record(path: &str, measures: &[(&'static str, f64)]) -> ImageRecord {
    let mut all = Measures::default();
    measures.iter().for_each(|(name, value)| all.add(*name, *value, "", None, None));
    ImageRecord {
        version: FORMAT_VERSION,
        path: path.into(),
        sha256: format!("sha of {path}"),
        width: 800,
        height: 1000,
        verdict: Verdict::Keep,
        reasons: Vec::new(),
        notes: Vec::new(),
        measures: all,
        faces: vec![Face { bbox: [300.0, 200.0, 200.0, 260.0], ..face(1.0) }],
        crop: Some(Crop { x: 0, y: 0, width: 800, height: 1000 }),
        bucket: None,
        upscale: None,
        duplicate_of: None,
        weight: 1.0,
        caption_file: String::new(),
        caption_written_sha256: String::new(),
    }
}
