//! Curation of real photographs. Runs where `LIKENESS_MODELS` names a folder
//! with face models and `LIKENESS_PHOTOS` one with `obama.jpg`, `obama2.jpg`,
//! `obama3.jpg` and `biden.jpg` (official White House photographs, public
//! domain), or `LIKENESS_PHOTO_SETS` a folder of photo folders.
#![allow(clippy::print_stderr)]

use std::fs;
use std::path::{Path, PathBuf};

use likeness_dataset::{CurateOptions, Dataset, Summary, curate};
use likeness_faces::FaceModels;

fn folder(variable: &str) -> Option<PathBuf> {
    let folder = std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_dir());
    if folder.is_none() {
        // Not by a print macro: the harness would swallow it.
        let line = format!("skipped: {variable} names no folder\n");
        std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes()).expect("stderr is open");
    }
    folder
}

fn curated(photos: &Path, out: &Path, models: Option<&FaceModels>) -> Summary {
    let options = CurateOptions {
        photos: photos.into(),
        out: out.into(),
        trigger: "ohwx".into(),
        ..CurateOptions::default()
    };
    curate(&options, models, &mut |_| {}).expect("a curation")
}

fn rules<'a>(summary: &'a Summary, path: &str) -> Vec<&'a str> {
    let record = summary.records.iter().find(|record| record.path == path).expect("a record");
    record.reasons.iter().map(|reason| reason.rule.as_str()).collect()
}

#[test]
fn blurred_faces_and_another_person_are_dropped_and_the_rest_is_kept() {
    let (Some(models), Some(source)) = (folder("LIKENESS_MODELS"), folder("LIKENESS_PHOTOS"))
    else {
        return;
    };
    let models = FaceModels::open(&models).expect("models");
    let place = tempfile::tempdir().expect("a temporary folder");
    let (photos, out) = (place.path().join("photos"), place.path().join("it.dataset"));
    fs::create_dir(&photos).expect("a folder");
    let same = ["obama.jpg", "obama2.jpg", "obama3.jpg"];
    for name in same.iter().chain(&["biden.jpg"]) {
        fs::write(photos.join(name), fs::read(source.join(name)).expect(name)).expect("a copy");
    }
    for name in same {
        let image = image::open(source.join(name)).expect(name).to_rgb8();
        let eyes = models.faces(&image).expect("faces")[0].eye_distance_px();
        for percent in [3, 6, 10] {
            let blurred = image::imageops::fast_blur(&image, eyes * percent as f32 / 100.0);
            blurred.save(photos.join(format!("blurred-{percent}-{name}"))).expect("a picture");
        }
    }
    let summary = curated(&photos, &out, Some(&models));
    assert_eq!((summary.kept, summary.dropped), (3, 10));
    assert_eq!(rules(&summary, "biden.jpg"), ["another person"]);
    for name in same {
        assert!(rules(&summary, name).is_empty(), "{name}");
        for percent in [3, 6, 10] {
            let path = format!("blurred-{percent}-{name}");
            assert!(rules(&summary, &path).contains(&"blurred"), "{path}");
        }
    }
    let dataset = Dataset::open(&out).expect("a dataset");
    for record in dataset.kept() {
        let (crop, face) = (record.crop.expect("a crop"), &record.faces[0]);
        let [x, y] = face.center();
        assert!(x > crop.x as f32 && x < (crop.x + crop.width) as f32, "{}", record.path);
        assert!(y > crop.y as f32 && y < (crop.y + crop.height) as f32, "{}", record.path);
        dataset.pixels(record).expect("pixels");
    }
}

#[test]
fn no_photo_of_a_chosen_set_is_called_blurred_or_faceless() {
    let Some(sets) = folder("LIKENESS_PHOTO_SETS") else {
        return;
    };
    let models = folder("LIKENESS_MODELS").map(|dir| FaceModels::open(&dir).expect("models"));
    let place = tempfile::tempdir().expect("a temporary folder");
    let mut photos = 0;
    for entry in fs::read_dir(&sets).expect("a folder") {
        let set = entry.expect("an entry").path();
        if !set.is_dir() {
            continue;
        }
        let name = set.file_name().expect("a folder has a name");
        let summary = curated(&set, &place.path().join(name), models.as_ref());
        photos += summary.records.len();
        for record in &summary.records {
            let faults = rules(&summary, &record.path);
            let wrong = faults.iter().any(|rule| ["blurred", "no face", "dark"].contains(rule));
            assert!(!wrong, "{}/{}: {faults:?}", set.display(), record.path);
        }
    }
    assert!(photos > 0, "no photos in {}", sets.display());
}
