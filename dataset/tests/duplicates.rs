//! How many altered copies of real photos are found, and how many other photos are taken for one.
//! Runs where `LIKENESS_PHOTO_SETS` names a folder of photos and of folders of photos.
#![allow(clippy::print_stdout)] // what ignored tests measure

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use image::imageops::{self, FilterType};
use image::{DynamicImage, Rgb, RgbImage};
use likeness_dataset::decode::decode;
use likeness_dataset::{CurateOptions, ImageRecord, curate};
use rayon::prelude::*;

const SIDE: f64 = 720.0; // pixels of the originals' longer side, at most

/// What was done to a copy.
struct Change {
    name: &'static str,
    /// Whether it is in a mirror.
    flipped: bool,
    of: fn(&RgbImage) -> RgbImage,
    /// JPEG quality that it is stored in.
    quality: u8,
}

const fn change(name: &'static str, quality: u8, of: fn(&RgbImage) -> RgbImage) -> Change {
    Change { name, flipped: false, of, quality }
}

const fn flipped(name: &'static str, quality: u8, of: fn(&RgbImage) -> RgbImage) -> Change {
    Change { name, flipped: true, of, quality }
}

const CHANGES: [Change; 20] = [
    change("encoded at quality 75", 75, |p| p.clone()),
    change("encoded at quality 30", 30, |p| p.clone()),
    change("half the size", 90, |p| scaled(p, 0.5)),
    change("1.5 times the size", 90, |p| scaled(p, 1.5)),
    change("squeezed to a square", 90, |p| imageops::resize(p, 500, 500, FilterType::Triangle)),
    change("5 % cut off each side", 90, |p| cut(p, [0.05; 4])),
    change("10 % cut off each side", 90, |p| cut(p, [0.1; 4])),
    change("15 % cut off each side", 90, |p| cut(p, [0.15; 4])),
    change("15 % cut off the left", 90, |p| cut(p, [0.15, 0.0, 0.0, 0.0])),
    change("15 % cut off top and right", 90, |p| cut(p, [0.0, 0.15, 0.15, 0.0])),
    change("12, 3, 8 and 14 % cut off, half size", 80, |p| {
        scaled(&cut(p, [0.12, 0.03, 0.08, 0.14]), 0.5)
    }),
    flipped("in a mirror", 90, imageops::flip_horizontal),
    flipped("in a mirror, 8 % cut off each side", 80, |p| {
        imageops::flip_horizontal(&cut(p, [0.08; 4]))
    }),
    flipped("in a mirror, half the size", 80, |p| scaled(&imageops::flip_horizontal(p), 0.5)),
    change("brighter by 15 %", 90, |p| toned(p, |v| v * 1.15)),
    change("darker by 15 %", 90, |p| toned(p, |v| v * 0.85)),
    change("contrast up by 20 %", 90, |p| toned(p, |v| (v - 128.0) * 1.2 + 128.0)),
    change("gamma 1.25", 90, |p| toned(p, |v| 255.0 * (v / 255.0).powf(1.25))),
    change("warmer", 90, |p| map(p, |[r, g, b]| [r * 1.1, g, b * 0.88])),
    change("grey, 5 % cut off each side", 80, |p| {
        cut(&DynamicImage::from(imageops::grayscale(p)).into_rgb8(), [0.05; 4])
    }),
];

fn scaled(picture: &RgbImage, by: f64) -> RgbImage {
    let side = |length: u32| (f64::from(length) * by).round() as u32;
    let (width, height) = (side(picture.width()), side(picture.height()));
    imageops::resize(picture, width, height, FilterType::CatmullRom)
}

/// Less these shares of the left, the top, the right and the bottom.
fn cut(picture: &RgbImage, [left, top, right, bottom]: [f64; 4]) -> RgbImage {
    let (width, height) = (f64::from(picture.width()), f64::from(picture.height()));
    let (x, y) = (width * left, height * top);
    let (w, h) = (width * (1.0 - left - right), height * (1.0 - top - bottom));
    imageops::crop_imm(picture, x as u32, y as u32, w as u32, h as u32).to_image()
}

fn toned(picture: &RgbImage, tone: impl Fn(f64) -> f64) -> RgbImage {
    map(picture, |pixel| pixel.map(&tone))
}

fn map(picture: &RgbImage, to: impl Fn([f64; 3]) -> [f64; 3]) -> RgbImage {
    let mut changed = picture.clone();
    for pixel in changed.pixels_mut() {
        *pixel = Rgb(to(pixel.0.map(f64::from)).map(|value| value.clamp(0.0, 255.0) as u8));
    }
    changed
}

/// The photos in `folder` and its subfolders, sorted.
fn photos(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        match path.extension().and_then(|ending| ending.to_str()) {
            _ if path.is_dir() => found.extend(photos(&path)),
            Some("jpg" | "png") => found.push(path),
            _ => {}
        }
    }
    found.sort();
    found
}

/// Writes the originals, brought to [`SIDE`], and their copies; how many originals.
fn write(sets: &Path, into: &Path) -> usize {
    let originals = photos(sets);
    originals.par_iter().enumerate().for_each(|(number, path)| {
        let picture = decode(path, 100_000_000).expect("a picture").image;
        let longer = f64::from(picture.width().max(picture.height()));
        let picture = scaled(&picture, (SIDE / longer).min(1.0));
        put(&picture, 92, &into.join(format!("{number:04}-original.jpg")));
        for (index, change) in CHANGES.iter().enumerate() {
            let name = format!("{number:04}-{index:02}.jpg");
            put(&(change.of)(&picture), change.quality, &into.join(name));
        }
    });
    originals.len()
}

fn put(picture: &RgbImage, quality: u8, path: &Path) {
    let file = fs::File::create(path).expect("a file");
    image::codecs::jpeg::JpegEncoder::new_with_quality(file, quality)
        .encode_image(picture)
        .expect("a JPEG is written");
}

fn group(path: &str) -> &str {
    &path[..4]
}

fn changed(path: &str) -> Option<&'static Change> {
    path[5..7].parse().ok().map(|index: usize| &CHANGES[index])
}

fn is_flipped(path: &str) -> bool {
    changed(path).is_some_and(|change| change.flipped)
}

/// Whether it was dropped for something else than being a duplicate: blurred by being enlarged,
/// dark by being darkened.
fn elsewise(record: &ImageRecord) -> bool {
    record.duplicate_of.is_none() && !record.is_kept()
}

#[test]
#[ignore = "takes minutes; prints how many altered copies are found"]
fn altered_copies_are_found_and_other_photos_are_not_taken_for_one() {
    let Some(sets) = std::env::var_os("LIKENESS_PHOTO_SETS") else {
        println!("skipped: LIKENESS_PHOTO_SETS names no folder");
        return;
    };
    let place = tempfile::tempdir().expect("a temporary folder");
    let into = place.path().join("photos");
    fs::create_dir(&into).expect("a folder in it");
    let originals = write(Path::new(&sets), &into);
    let options = CurateOptions {
        photos: into,
        out: place.path().join("it.dataset"),
        trigger: "ohwx".into(),
        min_side: 16,
        resolution: 256, // half the size is no enlargement
        ..CurateOptions::default()
    };
    let started = std::time::Instant::now();
    curate(&options, None, &mut |_| {}).expect("a curation");
    let first = started.elapsed();
    let started = std::time::Instant::now();
    let summary = curate(&options, None, &mut |_| {}).expect("a curation");
    let again = started.elapsed();

    let standing: Vec<&ImageRecord> =
        summary.records.iter().filter(|record| !elsewise(record)).collect();
    let mut groups: BTreeMap<&str, usize> = BTreeMap::new();
    standing.iter().for_each(|record| *groups.entry(group(&record.path)).or_default() += 1);
    let expected: usize = groups.values().map(|size| size - 1).sum();
    let (mut right, mut wrong, mut flips, mut flips_said) = (0, 0, 0, 0);
    let mut values = Vec::new();
    for record in &standing {
        let Some(of) = record.duplicate_of.as_deref() else { continue };
        if group(of) != group(&record.path) {
            wrong += 1;
            println!("taken for another: {} for {of}: {:?}", record.path, record.reasons);
            continue;
        }
        right += 1;
        values.extend(record.reasons.iter().filter_map(|reason| reason.value));
        let mirrored = record.reasons.iter().any(|reason| reason.message.contains("in a mirror"));
        let meant = is_flipped(of) != is_flipped(&record.path);
        flips += usize::from(meant);
        flips_said += usize::from(meant && mirrored);
        if meant != mirrored {
            println!("said to be a mirror image: {mirrored}: {} of {of}", record.path);
        }
    }
    for size in groups.keys() {
        let stay: Vec<_> = standing
            .iter()
            .filter(|record| group(&record.path) == *size && record.duplicate_of.is_none())
            .map(|record| changed(&record.path).map_or(record.path.as_str(), |change| change.name))
            .collect();
        if stay.len() > 1 {
            println!("group {size}: not joined: {stay:?}");
        }
    }
    let mut elsewhere: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for record in summary.records.iter().filter(|record| elsewise(record)) {
        let rule = record.reasons.first().map_or("nothing", |reason| reason.rule.as_str());
        let change = changed(&record.path).map_or("as it is", |change| change.name);
        *elsewhere.entry((rule, change)).or_default() += 1;
    }
    println!("dropped for something else: {elsewhere:?}");
    let share = |part: usize, whole: usize| 100.0 * part as f64 / whole.max(1) as f64;
    values.sort_by(f64::total_cmp);
    let lowest = &values[..values.len().min(8)];
    println!("{} right ones by a value, the lowest {lowest:?}", values.len());
    println!("{originals} originals, {} files, {} judged", summary.records.len(), standing.len());
    println!("recall {:.2} % ({right} of {expected})", share(right, expected));
    println!("precision {:.2} % ({wrong} wrong)", share(right, right + wrong));
    println!("flips said {:.2} % ({flips_said} of {flips})", share(flips_said, flips));
    println!("{:.1} s, again {:.1} s", first.as_secs_f64(), again.as_secs_f64());
    assert!(share(right, expected) >= 99.0 && share(right, right + wrong) >= 99.0);
}
