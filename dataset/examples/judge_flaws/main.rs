//! Judges pictures whose flaws are known: `--example judge_flaws -- OUT PICTURES [MODELS [plain]]`.
//!
//! PICTURES is what the studio's example `flaws` wrote, a folder of folders: a picture's faces are
//! its truth beside it, moved at random by 3 % of the distance between the eyes as a face finder
//! would; a reader of faces among the MODELS is asked, and their finder counts the people in pictures of two. With
//! MODELS, pictures without a truth are judged by the faces that these find, each also with flaws put on it (see
//! `spoil`) unless all shall be judged `plain`. OUT gets a line of JSON a picture: folder, name, flaw and its
//! strength, verdict, rules, measures.

mod spoil;

use std::error::Error;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use image::RgbImage;
use image::imageops::{self, FilterType};
use likeness_dataset::{Judged, judge_picture};
use likeness_faces::{Face, FaceModels};
use rayon::prelude::*;
use serde_json::{Value, json};

const JITTER: f32 = 0.03; // of the distance between the eyes: a deviation
const MIN_SIDE: u32 = 512; // pixels
const SIDE: u32 = 1024; // pixels of the longer side of what is spoilt

const SPOILT_EVERY: u64 = 25; // of clean renders: they have flaws of their own

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Result<()> {
    let args: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [out, pictures, rest @ ..] = args.as_slice() else {
        return Err("say where: `-- OUT PICTURES [MODELS [plain]]`".into());
    };
    let plain = rest.get(1).is_some_and(|word| word.as_os_str() == "plain");
    let models = rest.first().map(|dir| FaceModels::open(dir)).transpose()?;
    let mut paths = Vec::new();
    for folder in fs::read_dir(pictures)? {
        let folder = folder?.path();
        if folder.is_dir() {
            paths.extend(fs::read_dir(folder)?.map(|entry| entry.map(|e| e.path())));
        }
    }
    let mut paths = paths.into_iter().collect::<std::io::Result<Vec<PathBuf>>>()?;
    let picture = |path: &PathBuf| path.extension().is_some_and(|e| e != "json" && e != "part");
    paths.retain(picture);
    paths.sort();
    let out = Mutex::new(File::create(out)?);
    paths.par_iter().try_for_each(|path| {
        let lines = of_file(path, models.as_ref(), plain)?;
        Ok(out.lock().expect("no one panicked").write_all(lines.as_bytes())?)
    })
}

/// The lines of a picture and of what was put on it.
fn of_file(path: &Path, models: Option<&FaceModels>, plain: bool) -> Result<String> {
    let bytes = fs::read(path)?;
    let folder = path.parent().and_then(Path::file_name).unwrap_or_default();
    let folder = folder.to_string_lossy().into_owned();
    let truth = fs::read_to_string(path.with_extension("json")).ok();
    let truth: Option<Value> = truth.map(|text| serde_json::from_str(&text)).transpose()?;
    let Ok(image) = image::load_from_memory(&bytes).map(|image| image.to_rgb8()) else {
        return Ok(String::new()); // no picture
    };
    let faces = match (&truth, models) {
        // Its truth knows the first of them alone.
        (Some(_), Some(models)) if folder == "two-people" => models.faces(&image)?,
        (Some(truth), _) => vec![known(truth, path)],
        (None, Some(models)) => models.faces(&image)?,
        (None, None) => Vec::new(),
    };
    let name = path.display().to_string();
    let line = |flaw: &str, strength: f64, judged: Judged| {
        let rules = |reasons: &[likeness_dataset::Reason]| {
            reasons.iter().map(|reason| reason.rule.clone()).collect::<Vec<_>>()
        };
        let measures: serde_json::Map<String, Value> =
            judged.measures.iter().map(|m| (m.kind.name.to_string(), json!(m.value))).collect();
        let (rules, notes) = (rules(&judged.reasons), rules(&judged.notes));
        json!({
            "folder": folder, "path": name, "flaw": flaw,
            "strength": strength, "verdict": judged.verdict.name(), "rules": rules, "notes": notes,
            "measures": measures, "truth": truth,
        })
        .to_string()
            + "\n"
    };
    let mut lines =
        line("none", 0.0, judge_picture(&name, &bytes, faces.clone(), MIN_SIDE, models)?);
    let spoilt = match &truth {
        Some(_) => folder == "clean" && stem(path).is_some_and(|n| n.is_multiple_of(SPOILT_EVERY)),
        None => !plain,
    };
    if !spoilt {
        return Ok(lines);
    }
    let image = fitted(image);
    let faces = match (&truth, models) {
        (None, Some(models)) => models.faces(&image)?,
        _ => faces,
    };
    for (flaw, strength, spoilt) in spoil::all(&image, faces.first()) {
        lines += &line(flaw, strength, judge_picture(&name, &spoilt, faces.clone(), 1, models)?);
    }
    Ok(lines)
}

/// The number that a picture is called by.
fn stem(path: &Path) -> Option<u64> {
    path.file_stem()?.to_str()?.parse().ok()
}

/// The face of a truth of the studio, as found by someone who is not exact.
fn known(truth: &Value, path: &Path) -> Face {
    let mut state = path
        .to_string_lossy()
        .bytes()
        .fold(7u64, |state, byte| (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let mut normal = || {
        let sum: f32 = (0..12)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (state >> 40) as f32 / (1u64 << 24) as f32
            })
            .sum();
        sum - 6.0 // twelve even numbers of 0 to 1 have a deviation of 1
    };
    let number = |value: &Value| value.as_f64().unwrap_or(0.0) as f32;
    let mut landmarks = [[0f32; 2]; 5];
    for (mark, at) in landmarks.iter_mut().enumerate() {
        let mark = &truth["landmarks"][mark];
        *at = [number(&mark["x"]), number(&mark["y"])];
    }
    let middle = |a: [f32; 2], b: [f32; 2]| [(a[0] + b[0]) / 2.0, (a[1] + b[1]) / 2.0];
    let [eyes, mouth] = [middle(landmarks[0], landmarks[1]), middle(landmarks[3], landmarks[4])];
    let high = (eyes[0] - mouth[0]).hypot(eyes[1] - mouth[1]); // about the distance of the eyes
    for at in landmarks.iter_mut().flatten() {
        *at += normal() * JITTER * high;
    }
    let corners: Vec<f32> = (0..4).map(|side| number(&truth["face_box"][side])).collect();
    let bbox = [corners[0], corners[1], corners[2] - corners[0], corners[3] - corners[1]];
    Face { bbox, landmarks, score: 0.9 }
}

/// `image` with its longer side brought down to [`SIDE`], so that flaws are as large on all.
fn fitted(image: RgbImage) -> RgbImage {
    let longer = image.width().max(image.height());
    if longer <= SIDE {
        return image;
    }
    let fit = |length: u32| (length * SIDE / longer).max(1);
    imageops::resize(&image, fit(image.width()), fit(image.height()), FilterType::Triangle)
}
