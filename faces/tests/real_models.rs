//! Real models on real photographs. Runs where `LIKENESS_MODELS` names a folder
//! with a detector and an encoder and `LIKENESS_PHOTOS` one with `obama*.jpg`
//! and `biden.jpg` (official White House photographs, public domain).
#![allow(clippy::print_stderr)]

use std::fs;
use std::path::PathBuf;

use image::RgbImage;
use likeness_faces::{FaceError, FaceModels, Identity, centroid};

fn folder(variable: &str) -> Option<PathBuf> {
    let folder = std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_dir());
    if folder.is_none() {
        // Not by a print macro: the harness would swallow it.
        let line = format!("skipped: {variable} names no folder\n");
        std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes()).expect("stderr is open");
    }
    folder
}

fn photo(path: PathBuf) -> RgbImage {
    image::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).to_rgb8()
}

fn main_identity(models: &FaceModels, image: &RgbImage) -> Identity {
    let faces = models.faces(image).expect("a detector that runs");
    models.identity(image, faces.first().expect("a face")).expect("an encoder that runs")
}

#[test]
fn the_same_person_is_alike_and_another_is_not() {
    let (Some(dir), Some(photos)) = (folder("LIKENESS_MODELS"), folder("LIKENESS_PHOTOS")) else {
        return;
    };
    let models = FaceModels::open(&dir).expect("models");
    let read = |name: &str| main_identity(&models, &photo(photos.join(name)));
    let same = ["obama.jpg", "obama2.jpg", "obama3.jpg"].map(read);
    let other = read("biden.jpg");
    for (index, a) in same.iter().enumerate() {
        for b in &same[index + 1..] {
            eprintln!("same person: {:.3}", a.cosine(b));
            assert!(a.cosine(b) > 0.6);
        }
        eprintln!("another person: {:.3}", a.cosine(&other));
        assert!(a.cosine(&other) < 0.25);
    }
    let middle = centroid(&same).expect("three alike");
    assert!(middle.cosine(&other) < models.same_person_cosine());
}

#[test]
fn faces_lie_in_the_photos_own_pixels() {
    let (Some(dir), Some(photos)) = (folder("LIKENESS_MODELS"), folder("LIKENESS_PHOTOS")) else {
        return;
    };
    let models = FaceModels::open(&dir).expect("models");
    assert!(models.describe().iter().all(|card| !card.licence.is_empty()));
    assert_eq!(models.fingerprint().len(), 64);
    let image = photo(photos.join("obama.jpg"));
    let whole = models.faces(&image).expect("faces");
    assert_eq!(whole.len(), 1);
    let [x, y, width, height] = whole[0].bbox;
    let [right, left, nose, ..] = whole[0].landmarks;
    assert!(right[0] < nose[0] && nose[0] < left[0]);
    assert!(x > 0.0 && x + width < image.width() as f32 && y + height < image.height() as f32);
    let padded = RgbImage::from_fn(image.width() + 300, image.height() + 300, |x, y| {
        *image.get_pixel(x.saturating_sub(300), y.saturating_sub(300))
    });
    let moved = &models.faces(&padded).expect("faces")[0];
    assert!((moved.bbox[0] - x - 300.0).abs() < 0.1 * width, "{moved:?}");
    assert!(models.faces(&RgbImage::new(300, 2000)).expect("an empty picture").is_empty());
}

#[test]
fn a_truncated_model_is_a_clear_error() {
    let Some(dir) = folder("LIKENESS_MODELS") else {
        return;
    };
    let models = FaceModels::open(&dir).expect("models");
    let copy = tempfile::tempdir().expect("a temporary folder");
    for card in models.describe() {
        let name = card.kind.word();
        let bytes = fs::read(&card.file).expect("a model file");
        fs::write(copy.path().join(format!("{name}.onnx")), &bytes[..bytes.len() * 2 / 3])
            .expect("a copy");
        let text = format!(
            "kind = \"{name}\"\ninput_size = {}\nchannels = \"rgb\"\nmean = 0\nscale = 1\n\
             output_dimension = 256\nlicence = \"\"\nsource = \"\"\n",
            card.input_size
        );
        fs::write(copy.path().join(format!("{name}.toml")), text).expect("a description");
    }
    let error = FaceModels::open(copy.path()).err().expect("truncated models");
    assert!(matches!(error, FaceError::Model { .. }), "{error}");
}
