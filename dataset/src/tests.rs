//! Whole curations of small folders.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use image::ImageFormat;
use image::imageops::{self, FilterType};

use crate::testing::{encoded, jpeg, jpeg_taken, jpeg_with_orientation, png_header, texture};
use crate::{CurateOptions, Dataset, DatasetError, Event, ImageRecord, Summary, Verdict, curate};

/// A folder with photos, and room for a dataset.
pub(crate) struct Place {
    root: tempfile::TempDir,
}

impl Place {
    pub fn new() -> Self {
        let root = tempfile::tempdir().expect("a temporary folder");
        fs::create_dir(root.path().join("photos")).expect("a folder in it");
        Self { root }
    }

    pub fn with_photos(count: u32) -> Self {
        let place = Self::new();
        for seed in 0..count {
            place.put(&format!("p{seed}.jpg"), &jpeg(&texture(600, 520, seed + 10)));
        }
        place
    }

    fn photos(&self) -> PathBuf {
        self.root.path().join("photos")
    }

    pub fn out(&self) -> PathBuf {
        self.root.path().join("it.dataset")
    }

    pub fn put(&self, name: &str, bytes: &[u8]) {
        fs::write(self.photos().join(name), bytes).expect("a file");
    }

    pub fn options(&self) -> CurateOptions {
        CurateOptions {
            photos: self.photos(),
            out: self.out(),
            trigger: "ohwx".into(),
            ..CurateOptions::default()
        }
    }

    pub fn curate(&self) -> Result<Summary, DatasetError> {
        curate(&self.options(), None, &mut |_| {})
    }

    pub fn dataset(&self) -> Dataset {
        Dataset::open(self.out()).expect("a dataset")
    }
}

pub(crate) fn named<'a>(records: &'a [ImageRecord], path: &str) -> &'a ImageRecord {
    records.iter().find(|record| record.path == path).expect("a record of that photo")
}

fn rules(record: &ImageRecord) -> Vec<&str> {
    record.reasons.iter().map(|reason| reason.rule.as_str()).collect()
}

fn bytes_below(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = fs::read_dir(dir).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries.map(|path| (path.clone(), fs::read(&path).expect("a file"))).collect()
}

#[test]
fn every_fault_is_found_and_the_photos_are_not_touched() {
    let place = Place::with_photos(2);
    let sharp = texture(700, 700, 1);
    let mut dark = texture(600, 600, 2);
    dark.pixels_mut().for_each(|pixel| pixel.0 = pixel.0.map(|value| value / 8));
    place.put("blurred.jpg", &jpeg(&imageops::blur(&sharp, 7.0)));
    place.put("dark.png", &encoded(dark.into(), ImageFormat::Png));
    place.put("small.png", &encoded(texture(300, 900, 3).into(), ImageFormat::Png));
    place.put("cut.jpg", &jpeg(&sharp)[..9000]);
    place.put("giant.png", &png_header(60_000, 60_000));
    place.put("empty.jpg", b"");
    place.put("notes.md", b"not a picture");
    let larger = imageops::resize(&texture(600, 520, 10), 900, 780, FilterType::Lanczos3);
    place.put("p0_large.webp", &encoded(larger.into(), ImageFormat::WebP));
    place.put("p1_copy.jpg", &jpeg(&texture(600, 520, 11)));
    let before = bytes_below(&place.photos());
    let summary = place.curate().expect("a curation");
    assert_eq!(before, bytes_below(&place.photos()));

    let records = &summary.records;
    assert_eq!(records.len(), 10);
    let faults = [
        ("blurred.jpg", "blurred"),
        ("dark.png", "dark"),
        ("small.png", "small"),
        ("cut.jpg", "unreadable"),
        ("giant.png", "unreadable"),
        ("empty.jpg", "unreadable"),
        ("p0.jpg", "duplicate"),
        ("p1_copy.jpg", "duplicate"),
    ];
    for (path, rule) in faults {
        assert_eq!(rules(named(records, path)), [rule], "{path}");
    }
    assert_eq!(named(records, "p0.jpg").duplicate_of.as_deref(), Some("p0_large.webp"));
    assert_eq!(named(records, "p1_copy.jpg").duplicate_of.as_deref(), Some("p1.jpg"));
    assert_eq!((summary.kept, summary.dropped), (2, 8));
    assert!(summary.unmeasured[0].contains("no face models"));
    assert!(summary.advice[0].contains("2 photos are kept"));
}

#[test]
fn of_a_burst_the_best_stays() {
    let place = Place::new();
    let moved = |other: u32| {
        let (mut scene, part) = (texture(320, 240, 1), texture(320, 240, other));
        let part = imageops::crop_imm(&part, 110, 70, 100, 115).to_image();
        imageops::replace(&mut scene, &part, 110, 70);
        scene
    };
    place.put("a.jpg", &jpeg_taken(&moved(5), "2024:05:31 18:04:09"));
    place.put("b.jpg", &jpeg_taken(&moved(9), "2024:05:31 18:04:10"));
    place.put("other.jpg", &jpeg_taken(&texture(320, 240, 12), "2024:05:31 18:04:10"));
    let options = CurateOptions { min_side: 16, upscale: true, ..place.options() };
    let summary = curate(&options, None, &mut |_| {}).expect("a curation");
    assert_eq!(summary.kept, 2, "{:?}", summary.records);
    let burst = ["a.jpg", "b.jpg"].map(|path| named(&summary.records, path));
    let dropped = burst.into_iter().find(|record| !record.is_kept()).expect("one of both");
    assert!(dropped.reasons[0].message.starts_with("1.0 s from `"), "{dropped:?}");
}

#[test]
fn a_dataset_gives_upright_pixels_of_the_buckets_size() {
    let place = Place::new();
    let lying = texture(900, 600, 5);
    place.put("lying.jpg", &jpeg_with_orientation(&lying, 6));
    place.put("upright.jpg", &jpeg(&texture(640, 512, 6)));
    place.curate().expect("a curation");
    let dataset = place.dataset();
    let record = named(&dataset.images, "lying.jpg");
    assert_eq!((record.width, record.height), (600, 900));
    for record in dataset.kept() {
        let (bucket, crop) = (record.bucket.expect("a bucket"), record.crop.expect("a crop"));
        let pixels = dataset.pixels(record).expect("pixels");
        assert_eq!(pixels.dimensions(), (bucket.width, bucket.height));
        let off = f64::from(crop.width) / bucket.aspect() - f64::from(crop.height);
        assert!(off.abs() < 1.0, "{crop:?} {bucket:?}");
    }
    assert_eq!(dataset.kept().count(), 2);
    place.put("upright.jpg", &jpeg(&texture(640, 512, 7)));
    let error = dataset.pixels(named(&dataset.images, "upright.jpg")).expect_err("another photo");
    assert!(matches!(error, DatasetError::PhotoChanged { .. }), "{error}");
}

#[test]
fn captions_come_from_sidecars_and_edits_stay() {
    let place = Place::with_photos(4);
    place.put("p1.txt", b"ohwx on a beach");
    place.put("p2.txt", b"on a beach");
    place.curate().expect("a curation");
    let caption = |path: &str| {
        let dataset = place.dataset();
        dataset.caption(named(&dataset.images, path)).expect("a caption")
    };
    assert_eq!(caption("p0.jpg"), "a photo of ohwx person");
    assert_eq!(caption("p1.jpg"), "ohwx on a beach");
    assert_eq!(caption("p2.jpg"), "ohwx person, on a beach");
    let hash = place.dataset().content_hash().expect("a hash");

    fs::write(place.out().join("captions/p3.txt"), "ohwx in the rain").expect("an edit");
    assert_ne!(hash, place.dataset().content_hash().expect("a hash"));
    place.put("p1.txt", b"ohwx at sea");
    for _ in 0..2 {
        let summary = place.curate().expect("a second curation");
        assert_eq!(caption("p3.jpg"), "ohwx in the rain");
        assert_eq!(caption("p1.jpg"), "ohwx at sea");
        assert!(named(&summary.records, "p3.jpg").notes[0].message.contains("edited"));
    }
}

#[test]
fn curating_twice_gives_the_same_bytes() {
    let place = Place::with_photos(3);
    place.curate().expect("a curation");
    let read = || {
        ["images.jsonl", "character.toml", "report.html"]
            .map(|name| fs::read(place.out().join(name)).expect(name))
    };
    let first = read();
    let mut events = Vec::new();
    curate(&place.options(), None, &mut |event| events.push(format!("{event:?}"))).expect("again");
    assert_eq!(first, read());
    assert_eq!(events.len(), 1 + 3 + 1 + 1);
    assert_eq!(events[0], format!("{:?}", Event::Found { photos: 3 }));
}

#[test]
fn a_persons_decisions_hold_when_curating_and_when_opening() {
    let place = Place::with_photos(3);
    place.put("small.jpg", &jpeg(&texture(400, 400, 9)));
    place.put("cut.jpg", &jpeg(&texture(600, 600, 9))[..5000]);
    place.curate().expect("a curation");
    let sha = |path: &str| named(&place.dataset().images, path).sha256.clone();
    let line = |path: &str, verdict: &str| {
        format!(
            "{{\"sha256\":\"{}\",\"verdict\":\"{verdict}\",\"reason\":\"I say so\"}}\n",
            sha(path)
        )
    };
    let text = line("small.jpg", "keep") + &line("p0.jpg", "drop") + &line("cut.jpg", "keep");
    let hash = place.dataset().content_hash().expect("a hash");
    fs::write(place.out().join("decisions.jsonl"), &text).expect("decisions");
    for _ in 0..2 {
        let dataset = place.dataset();
        let small = named(&dataset.images, "small.jpg");
        assert_eq!(small.reasons[0].message, "kept by a person: I say so");
        assert_eq!(small.notes.last().map(|note| note.rule.as_str()), Some("small"));
        assert!(dataset.pixels(small).is_ok() && dataset.caption(small).is_ok());
        assert_eq!(named(&dataset.images, "p0.jpg").verdict, Verdict::Drop);
        assert_eq!(named(&dataset.images, "cut.jpg").verdict, Verdict::Drop);
        assert_ne!(hash, dataset.content_hash().expect("a hash"));
        assert_eq!(place.curate().expect("again").records, dataset.images);
        assert_eq!(fs::read_to_string(place.out().join("decisions.jsonl")).expect("kept"), text);
    }
    fs::write(place.out().join("decisions.jsonl"), "").expect("an undo");
    assert_eq!(hash, place.dataset().content_hash().expect("a hash"));
}

#[test]
fn a_choice_keeps_the_best_and_whom_a_person_kept() {
    let place = Place::with_photos(3);
    place.put("large.jpg", &jpeg(&texture(900, 780, 40)));
    let chosen = |count| {
        let options = CurateOptions { choose: Some(count), ..place.options() };
        curate(&options, None, &mut |_| {}).expect("a curation").records
    };
    let records = chosen(1);
    assert_eq!(records.iter().filter(|record| record.is_kept()).count(), 1);
    assert!(named(&records, "large.jpg").is_kept());
    let left = named(&records, "p0.jpg");
    assert_eq!(rules(left), ["not chosen"]);
    assert!(
        left.reasons[0].message.contains("`large.jpg` stands for it and is better"),
        "{left:?}"
    );
    let line = format!("{{\"sha256\":\"{}\",\"verdict\":\"keep\"}}\n", left.sha256);
    fs::write(place.out().join("decisions.jsonl"), line).expect("a decision");
    let records = chosen(1);
    assert!(named(&records, "p0.jpg").is_kept() && !named(&records, "large.jpg").is_kept());
    let none = CurateOptions { choose: Some(0), ..place.options() };
    assert!(matches!(curate(&none, None, &mut |_| {}), Err(DatasetError::Option { .. })));
}

#[test]
fn a_weight_is_part_of_what_is_trained_on_and_one_is_not_written() {
    let place = Place::with_photos(2);
    place.curate().expect("a curation");
    let path = place.out().join("images.jsonl");
    let text = fs::read_to_string(&path).expect("records");
    assert!(!text.contains("weight"));
    let hash = place.dataset().content_hash().expect("a hash");
    let weighed = text.replacen("\"caption_file\"", "\"weight\":1.5,\"caption_file\"", 1);
    fs::write(&path, weighed).expect("records");
    assert_eq!(place.dataset().images[0].weight, 1.5);
    assert_ne!(place.dataset().content_hash().expect("a hash"), hash);
}

#[test]
fn a_foreign_folder_is_refused_and_nothing_is_lost() {
    let place = Place::with_photos(1);
    fs::create_dir(place.out()).expect("a folder");
    fs::write(place.out().join("thesis.txt"), "years of work").expect("a file");
    let error = place.curate().expect_err("a foreign folder");
    assert!(error.to_string().contains("--force"), "{error}");
    assert_eq!(fs::read_dir(place.out()).expect("a folder").count(), 1);
    let forced = CurateOptions { force: true, ..place.options() };
    curate(&forced, None, &mut |_| {}).expect("forced");
    assert!(place.out().join("thesis.txt").exists());

    let renamed = CurateOptions { trigger: "other".into(), ..place.options() };
    let error = curate(&renamed, None, &mut |_| {}).expect_err("another trigger");
    assert!(error.to_string().contains("`ohwx`, not `other`"), "{error}");
    let elsewhere = Place::with_photos(2);
    let moved = CurateOptions { photos: elsewhere.photos(), ..place.options() };
    let error = curate(&moved, None, &mut |_| {}).expect_err("other photos");
    assert!(matches!(error, DatasetError::OtherDataset { .. }), "{error}");
    let inside = CurateOptions { out: place.photos(), force: true, ..place.options() };
    let error = curate(&inside, None, &mut |_| {}).expect_err("the photos themselves");
    assert!(matches!(error, DatasetError::OutIsPhotos { .. }), "{error}");
}

#[test]
fn a_forced_trigger_rewrites_our_captions_and_keeps_edited_ones() {
    let place = Place::with_photos(2);
    place.curate().expect("a curation");
    fs::write(place.out().join("captions/p1.txt"), "ohwx by hand").expect("an edit");
    let options = CurateOptions { trigger: "zkw".into(), force: true, ..place.options() };
    curate(&options, None, &mut |_| {}).expect("forced");
    let caption = |name| fs::read_to_string(place.out().join("captions").join(name)).expect(name);
    assert_eq!(caption("p0.txt"), "a photo of zkw person");
    assert_eq!(caption("p1.txt"), "ohwx by hand");
}

#[test]
fn a_folder_without_pictures_and_bad_options_say_what_to_do() {
    let place = Place::new();
    place.put("notes.md", b"hello");
    let error = place.curate().expect_err("no pictures");
    assert!(error.to_string().contains("1 other files"), "{error}");
    assert!(!place.out().exists());
    place.put("cut.jpg", b"\xff\xd8\xff");
    assert!(place.curate().expect_err("none usable").to_string().contains("1 unusable"));
    for (step, resolution) in [(0, 512), (12, 516), (64, 500)] {
        let options = CurateOptions { bucket_step: step, resolution, ..place.options() };
        assert!(matches!(curate(&options, None, &mut |_| {}), Err(DatasetError::Option { .. })));
    }
    let nameless = CurateOptions { trigger: " ".into(), ..place.options() };
    assert!(matches!(curate(&nameless, None, &mut |_| {}), Err(DatasetError::Option { .. })));
}

#[test]
fn the_report_shows_names_and_reasons_escaped() {
    let place = Place::with_photos(1);
    place.put("<b>&.jpg", &jpeg(&texture(300, 300, 4)));
    place.curate().expect("a curation");
    let page = fs::read_to_string(place.out().join("report.html")).expect("a report");
    assert!(page.contains("&lt;b&gt;&amp;.jpg") && !page.contains("<b>&.jpg"));
    assert!(page.contains("too small: the shorter side has 300 of 512 pixels"));
    assert_eq!(page.matches("data:image/jpeg;base64,").count(), 2);
    assert!(!page.contains("http://") && !page.contains("https://"));
}
