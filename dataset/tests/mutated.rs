//! Broken pictures of every kind: none stops a curation, takes long or fills
//! the memory, and each is in the report with a reason.
//!
//! Mutations are drawn by a seeded generator. `pictures/make.py` made the
//! pictures that are mutated.

#![allow(clippy::print_stdout)] // what was survived

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use likeness_dataset::decode::{self, DecodeError};
use likeness_dataset::{CurateOptions, Summary, curate};

const MAX_PIXELS: u64 = 1_000_000;
const LONGEST: Duration = Duration::from_secs(2);
const MOST_MIB: u64 = 256; // of the whole test program

/// A small generator of pseudo-random numbers (xorshift64*, Vigna 2016).
struct Dice(u64);

impl Dice {
    /// 0 to `below` - 1.
    fn roll(&mut self, below: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        number as usize % below.max(1)
    }
}

/// The pictures in `pictures/` with one of these endings.
fn pictures(endings: &[&str]) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pictures");
    let mut found: Vec<(String, Vec<u8>)> = fs::read_dir(folder)
        .expect("the folder of pictures")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|e| endings.iter().any(|known| e == *known)))
        .map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, fs::read(&path).expect("a picture"))
        })
        .collect();
    found.sort();
    found
}

/// `bytes` broken in one of ten ways.
fn mutated(mut bytes: Vec<u8>, dice: &mut Dice) -> Vec<u8> {
    let length = bytes.len();
    let (start, size) = (dice.roll(length), dice.roll(64) + 1);
    let end = (start + size).min(length);
    match dice.roll(10) {
        0 => bytes.truncate(start),
        1 => flip(&mut bytes, length, dice),
        2 => flip(&mut bytes, length.min(120), dice),
        3 => bombed(&mut bytes, [60_000, 60_000]),
        4 => bombed(&mut bytes, [1 + dice.roll(2000) as u32, 1 + dice.roll(500) as u32]),
        5 => bytes[start..end].fill(0),
        6 => drop(bytes.drain(start..end)),
        7 => {
            let noise: Vec<u8> = (0..size).map(|_| dice.roll(256) as u8).collect();
            drop(bytes.splice(start..start, noise));
        }
        8 => {
            let part = bytes[start..end].repeat(dice.roll(200) + 1);
            drop(bytes.splice(start..end, part));
        }
        _ => bytes[start..].iter_mut().for_each(|byte| *byte = dice.roll(256) as u8),
    }
    bytes
}

/// Flips 1 to 20 bits of the first `length` bytes.
fn flip(bytes: &mut [u8], length: usize, dice: &mut Dice) {
    for _ in 0..dice.roll(20) + 1 {
        bytes[dice.roll(length)] ^= 1 << dice.roll(8);
    }
}

/// Makes the header of a picture claim to be of another size, in pixels.
fn bombed(bytes: &mut [u8], [width, height]: [u32; 2]) {
    let (wide, high) = ((width as u16).to_be_bytes(), (height as u16).to_be_bytes());
    if bytes.starts_with(b"\x89PNG") {
        bytes[16..20].copy_from_slice(&width.to_be_bytes());
        bytes[20..24].copy_from_slice(&height.to_be_bytes());
        let check = crc32(&bytes[12..29]);
        bytes[29..33].copy_from_slice(&check.to_be_bytes());
    } else if bytes.starts_with(b"\xff\xd8") {
        let frame = bytes.windows(2).position(|pair| pair == [0xff, 0xc0] || pair == [0xff, 0xc2]);
        let at = frame.expect("a frame header") + 5;
        bytes[at..at + 4].copy_from_slice(&[high, wide].concat());
    } else if bytes.get(12..16) == Some(b"VP8X") {
        bytes[24..27].copy_from_slice(&(width - 1).to_le_bytes()[..3]);
        bytes[27..30].copy_from_slice(&(height - 1).to_le_bytes()[..3]);
    } else if bytes.get(12..16) == Some(b"VP8L") {
        let size = ((width - 1) & 0x3fff) | (((height - 1) & 0x3fff) << 14);
        bytes[21..25].copy_from_slice(&size.to_le_bytes());
    }
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 }
        })
    })
}

/// The largest resident memory of this process so far in MiB, on Linux.
fn peak_mib() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib / 1024)
}

fn curated(photos: PathBuf, out: PathBuf) -> Summary {
    let options = CurateOptions {
        photos,
        out,
        trigger: "ohwx".into(),
        min_side: 32,
        max_pixels: MAX_PIXELS,
        ..CurateOptions::default()
    };
    curate(&options, None, &mut |_| {}).expect("a curation")
}

/// Curates a folder of `count` broken pictures of each format.
fn survive(count: usize, seed: u64) {
    let dice = &mut Dice(seed);
    for endings in [&["jpg"][..], &["png"], &["webp"]] {
        let place = tempfile::tempdir().expect("a temporary folder");
        let photos = place.path().join("photos");
        fs::create_dir(&photos).expect("a folder in it");
        let originals = pictures(endings);
        assert!(originals.len() >= 3, "{endings:?}: {} pictures", originals.len());
        let whole = originals.iter().find(|(name, _)| !name.starts_with("animated"));
        fs::write(photos.join("whole.png"), &whole.expect("a still one").1).expect("a file");
        let mut slowest = (Duration::ZERO, String::new());
        for number in 0..count {
            let (name, original) = &originals[dice.roll(originals.len())];
            let ending = ["jpg", "png", "webp", "jpeg"][dice.roll(4)];
            let bytes = mutated(original.clone(), dice);
            let begun = Instant::now();
            let _ = decode::decode_bytes(&bytes, MAX_PIXELS);
            slowest = slowest.max((begun.elapsed(), format!("{number} of {name}")));
            fs::write(photos.join(format!("{number:04}-{name}.{ending}")), bytes).expect("a file");
        }
        assert!(slowest.0 < LONGEST, "{slowest:?}");
        let summary = curated(photos, place.path().join("it.dataset"));
        assert_eq!(summary.records.len(), count + 1);
        let unreadable: Vec<_> = summary.records.iter().filter(|r| r.width == 0).collect();
        for record in &unreadable {
            let [reason] = record.reasons.as_slice() else { panic!("{record:?}") };
            let remedy = reason.message.contains(';') && reason.message.len() > 20;
            assert!(reason.rule == "unreadable" && remedy, "{record:?}");
        }
        println!(
            "{count} broken {} files: {} cannot be read, the slowest took {:.0} ms ({})",
            endings[0],
            unreadable.len(),
            slowest.0.as_secs_f64() * 1e3,
            slowest.1
        );
        assert!(unreadable.len() * 4 > count, "mutations break pictures");
    }
    if let Some(peak) = peak_mib() {
        println!("at most {peak} MiB in memory");
        assert!(peak < MOST_MIB, "{peak} MiB");
    }
}

#[test]
fn broken_pictures_are_reported_and_the_rest_goes_on() {
    survive(40, 5);
}

#[test]
#[ignore = "takes a minute; 500 files of each format"]
fn five_hundred_broken_pictures_of_each_format_are_reported() {
    survive(500, 11);
}

#[test]
fn unusual_pictures_are_read_or_refused_with_a_reason() {
    let read = |name: &str| {
        let found = pictures(&["jpg", "png", "webp", "gif"]);
        let (_, bytes) = found.into_iter().find(|(found, _)| found == name).expect(name);
        decode::decode_bytes(&bytes, MAX_PIXELS)
    };
    let original = read("palette.png").expect("a picture").image;
    for (name, size) in [
        ("progressive.jpg", (96, 72)),
        ("cmyk.jpg", (96, 72)),
        ("lossless.webp", (96, 72)),
        ("lossy.webp", (72, 96)),
        ("lying-exif.jpg", (72, 96)),
        ("grey.jpg", (96, 72)),
        ("sixteen-bit.png", (96, 72)),
    ] {
        let image = read(name).unwrap_or_else(|error| panic!("{name}: {error}")).image;
        assert_eq!(image.dimensions(), size, "{name}");
        if size == (96, 72) && !["grey.jpg", "sixteen-bit.png"].contains(&name) {
            let pairs = image.iter().zip(original.iter());
            let off: f64 = pairs.map(|(a, b)| f64::from(a.abs_diff(*b))).sum();
            let mean = off / f64::from(96 * 72 * 3);
            assert!(mean < 20.0, "{name} is off by {mean:.1} on average");
        }
    }
    for name in ["animated.png", "animated.webp"] {
        assert!(matches!(read(name), Err(DecodeError::Animated)), "{name}");
    }
    assert!(matches!(read("still.gif"), Err(DecodeError::Foreign("a GIF"))));
}

#[test]
fn bombs_are_refused_by_their_headers() {
    for (name, mut bytes) in pictures(&["jpg", "png", "webp"]) {
        if name.starts_with("animated") || name == "lossy.webp" {
            continue; // refused for another reason, or bounded by its format
        }
        bombed(&mut bytes, [16_000, 16_000]);
        let begun = Instant::now();
        let refused = decode::decode_bytes(&bytes, MAX_PIXELS);
        assert!(matches!(refused, Err(DecodeError::TooLarge { .. })), "{name}: {refused:?}");
        assert!(begun.elapsed() < LONGEST, "{name}");
    }
}
