//! How many planted photos of other people are found, and how many of the right person's are taken
//! for another's. Runs where `LIKENESS_MODELS` names a folder with face models and
//! `LIKENESS_PEOPLE` a folder with a folder of photos for each person.
#![allow(clippy::print_stdout)] // what ignored tests measure

use std::fs;
use std::path::{Path, PathBuf};

use image::imageops::{self, FilterType};
use image::{Rgb, RgbImage};
use likeness_dataset::decode::decode;
use likeness_dataset::{CurateOptions, curate};
use likeness_faces::FaceModels;

const LEAST_PHOTOS: usize = 5; // of a character
const MOST_PHOTOS: usize = 14; // of a character in a set
const SETS: usize = 10; // for each character and number of strangers

/// A person's photos as they are put into sets.
struct Person {
    name: String,
    photos: Vec<RgbImage>,
    /// Further ones: cut close around the face, smaller, in another tone.
    close: Vec<RgbImage>,
}

fn people(folder: &Path, models: &FaceModels) -> Vec<Person> {
    let mut folders: Vec<PathBuf> = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    folders.iter().map(|folder| person(folder, models)).collect()
}

fn person(folder: &Path, models: &FaceModels) -> Person {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    let name = folder.file_name().expect("a name").to_string_lossy().into_owned();
    let mut person = Person { name, photos: Vec::new(), close: Vec::new() };
    for (number, file) in files.iter().enumerate() {
        let picture = decode(file, 100_000_000).expect("a picture").image;
        let picture = fitted(&picture, 1200);
        if let Some(face) = models.faces(&picture).expect("faces").first() {
            person.close.push(close(&picture, face.enlarged(1.7), number));
        }
        person.photos.push(picture);
    }
    person
}

fn fitted(picture: &RgbImage, side: u32) -> RgbImage {
    let longer = picture.width().max(picture.height());
    let to = |length: u32| (length * side / longer).max(1);
    match longer > side {
        true => imageops::resize(
            picture,
            to(picture.width()),
            to(picture.height()),
            FilterType::Triangle,
        ),
        false => picture.clone(),
    }
}

/// The part around a face, in one of three tones, mirrored every other time.
fn close(picture: &RgbImage, [x, y, w, h]: [f32; 4], number: usize) -> RgbImage {
    let (x, y) = (x.max(0.0) as u32, y.max(0.0) as u32);
    let (w, h) = ((w as u32).min(picture.width() - x), (h as u32).min(picture.height() - y));
    let part = imageops::crop_imm(picture, x, y, w, h).to_image();
    let mut part = fitted(&part, 400);
    let gamma = [0.75, 1.0, 1.35][number % 3];
    for pixel in part.pixels_mut() {
        let tone = |v: u8| (255.0 * (f64::from(v) / 255.0).powf(gamma)) as u8;
        *pixel = Rgb(pixel.0.map(tone));
    }
    if number.is_multiple_of(2) { part } else { imageops::flip_horizontal(&part) }
}

/// Numbers that look random: which strangers are planted.
fn draw(state: &mut u32, below: usize) -> usize {
    *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
    (*state >> 8) as usize % below
}

#[derive(Default)]
struct Count {
    strangers: usize,
    found: usize,
    own: usize,
    flagged: usize,
}

/// Where photos were measured once, so that each set is judged at once.
struct Measured<'a> {
    models: &'a FaceModels,
    cache: PathBuf,
}

impl<'a> Measured<'a> {
    fn new(place: &Path, models: &'a FaceModels, people: &[Person]) -> Self {
        let (photos, out) = (place.join("all"), place.join("all.dataset"));
        fs::create_dir(&photos).expect("a folder");
        let all = people.iter().flat_map(|person| person.photos.iter().chain(&person.close));
        for (number, picture) in all.enumerate() {
            picture.save(photos.join(format!("{number}.png"))).expect("a picture");
        }
        let cache = out.join(CACHE);
        curate(&options(photos, out), Some(models), &mut |_| {}).expect("a curation");
        Self { models, cache }
    }

    /// Puts what was measured into the dataset `out`.
    fn copy_into(&self, out: &Path) {
        let cache = out.join(CACHE);
        fs::create_dir_all(&cache).expect("a folder");
        for entry in fs::read_dir(&self.cache).expect("a folder") {
            let path = entry.expect("an entry").path();
            fs::copy(&path, cache.join(path.file_name().expect("a name"))).expect("a copy");
        }
    }
}

const CACHE: &str = "cache/measures";

fn options(photos: PathBuf, out: PathBuf) -> CurateOptions {
    let trigger = "ohwx".into();
    CurateOptions { photos, out, trigger, min_side: 16, force: true, ..CurateOptions::default() }
}

impl Count {
    /// Curates a set: the character's photos and the strangers' in one folder.
    fn add(
        &mut self,
        own: &[&RgbImage],
        strangers: &[&RgbImage],
        with: (&Measured, Option<&RgbImage>),
    ) {
        let place = tempfile::tempdir().expect("a temporary folder");
        let photos = place.path().join("photos");
        fs::create_dir(&photos).expect("a folder in it");
        let put = |kind: &str, pictures: &[&RgbImage]| {
            for (number, picture) in pictures.iter().enumerate() {
                picture.save(photos.join(format!("{kind}-{number:02}.png"))).expect("a picture");
            }
        };
        put("own", own);
        put("stranger", strangers);
        let reference = with.1.map(|picture| {
            let path = place.path().join("reference.png");
            picture.save(&path).expect("a picture");
            path
        });
        let out = place.path().join("it.dataset");
        with.0.copy_into(&out);
        let references = reference.into_iter().collect();
        let options = CurateOptions { references, ..options(photos, out) };
        let summary = curate(&options, Some(with.0.models), &mut |_| {}).expect("a curation");
        for record in &summary.records {
            // Photos that are dropped for another reason were not compared.
            let Some(cosine) = record.measures.get("same_person") else { continue };
            let flagged = record.reasons.iter().any(|reason| reason.rule == "another person");
            let stranger = record.path.starts_with("stranger");
            match stranger {
                true => {
                    (self.strangers, self.found) =
                        (self.strangers + 1, self.found + usize::from(flagged))
                }
                false => {
                    (self.own, self.flagged) = (self.own + 1, self.flagged + usize::from(flagged))
                }
            }
            if flagged != stranger {
                println!("    {}: {cosine:.3}", record.path);
            }
        }
    }

    fn print(&self, what: &str) {
        let share = |part: usize, whole: usize| 100.0 * part as f64 / whole.max(1) as f64;
        let Self { strangers, found, own, flagged } = self;
        println!(
            "{what}: {:.1} % of strangers found ({found} of {strangers}), {:.1} % of the own flagged ({flagged} of {own})",
            share(*found, *strangers),
            share(*flagged, *own),
        );
    }
}

#[test]
#[ignore = "takes minutes; prints how many planted strangers are found"]
fn planted_strangers_are_found_and_the_right_person_stays() {
    let folder = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_dir());
    let (Some(models), Some(sets)) = (folder("LIKENESS_MODELS"), folder("LIKENESS_PEOPLE")) else {
        println!("skipped: LIKENESS_MODELS or LIKENESS_PEOPLE names no folder");
        return;
    };
    let models = FaceModels::open(&models).expect("models");
    let people = people(&sets, &models);
    let place = tempfile::tempdir().expect("a temporary folder");
    let measured = Measured::new(place.path(), &models, &people);
    let (mut alone, mut led, mut state) = (Count::default(), Count::default(), 7);
    for character in people.iter().filter(|person| person.photos.len() >= LEAST_PHOTOS) {
        let own: Vec<&RgbImage> =
            character.photos.iter().chain(&character.close).take(MOST_PHOTOS).collect();
        println!("{}: {} photos", character.name, own.len());
        for planted in 1..=3 {
            for set in 0..SETS {
                let mut others: Vec<&Person> =
                    people.iter().filter(|person| person.name != character.name).collect();
                let strangers: Vec<&RgbImage> = (0..planted)
                    .map(|_| {
                        let other = others.swap_remove(draw(&mut state, others.len()));
                        &other.photos[draw(&mut state, other.photos.len())]
                    })
                    .collect();
                if set.is_multiple_of(2) {
                    led.add(&own[1..], &strangers, (&measured, Some(own[0])));
                }
                alone.add(&own, &strangers, (&measured, None));
            }
        }
    }
    alone.print("without a reference");
    led.print("with one reference");
}

/// A stranger, larger, beside the character: the character's part begins at the given column.
fn together(stranger: &RgbImage, own: &RgbImage) -> (RgbImage, u32) {
    let scaled = |picture: &RgbImage, height: u32| {
        let width = picture.width() * height / picture.height();
        imageops::resize(picture, width.max(1), height, FilterType::Triangle)
    };
    let (left, right) = (scaled(stranger, 560), scaled(own, 420));
    let mut both = RgbImage::from_pixel(left.width() + right.width(), 560, Rgb([128; 3]));
    imageops::replace(&mut both, &left, 0, 0);
    imageops::replace(&mut both, &right, left.width().into(), 140);
    (both, left.width())
}

#[test]
#[ignore = "takes minutes; prints how often the right one of two faces is chosen"]
fn beside_a_larger_stranger_the_characters_face_is_chosen() {
    let folder = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_dir());
    let (Some(models), Some(sets)) = (folder("LIKENESS_MODELS"), folder("LIKENESS_PEOPLE")) else {
        println!("skipped: LIKENESS_MODELS or LIKENESS_PEOPLE names no folder");
        return;
    };
    let models = FaceModels::open(&models).expect("models");
    let people = people(&sets, &models);
    let (mut right, mut all, mut state) = (0, 0, 3);
    for character in people.iter().filter(|person| person.photos.len() >= LEAST_PHOTOS) {
        let place = tempfile::tempdir().expect("a temporary folder");
        let photos = place.path().join("photos");
        fs::create_dir(&photos).expect("a folder in it");
        for (number, picture) in character.photos.iter().enumerate() {
            picture.save(photos.join(format!("own-{number:02}.png"))).expect("a picture");
        }
        let others: Vec<&Person> =
            people.iter().filter(|person| person.name != character.name).collect();
        let mut starts = Vec::new();
        for (number, own) in character.close.iter().enumerate() {
            let other = others[draw(&mut state, others.len())];
            let stranger = &other.close[draw(&mut state, other.close.len())];
            let (both, start) = together(stranger, own);
            both.save(photos.join(format!("two-{number:02}.png"))).expect("a picture");
            starts.push(start as f32);
        }
        let out = place.path().join("it.dataset");
        let summary = curate(&options(photos, out), Some(&models), &mut |_| {}).expect("curated");
        for record in summary.records.iter().filter(|record| record.path.starts_with("two-")) {
            let number: usize = record.path[4..6].parse().expect("a number");
            let prominent =
                |face: &&likeness_faces::Face| face.area() * 9.0 > record.faces[0].area();
            if record.faces.iter().filter(prominent).count() < 2 {
                continue; // the detector missed one of them
            }
            all += 1;
            let chosen = record.faces[0].center()[0] > starts[number];
            right += usize::from(chosen);
            if !chosen {
                println!("    {} {}: {:?}", character.name, record.path, record.reasons);
            }
        }
    }
    println!("the right one of two faces: {right} of {all}");
}
