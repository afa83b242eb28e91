//! Large folders: nothing is measured twice, nothing piles up, and what cannot
//! be read is said.

#![allow(clippy::print_stdout)] // what ignored tests measure

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use image::{Rgb, RgbImage};
use likeness_dataset::{
    CurateOptions, DatasetError, Event, ImageRecord, Summary, curate, curate_until,
};

/// A folder with photos, and room for a dataset.
struct Place {
    root: tempfile::TempDir,
}

impl Place {
    fn with_photos(count: u32) -> Self {
        let root = tempfile::tempdir().expect("a temporary folder");
        fs::create_dir(root.path().join("photos")).expect("a folder in it");
        let place = Self { root };
        (0..count).for_each(|number| place.photo(&format!("p{number:05}.png"), number));
        place
    }

    fn at(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// A small picture of its own for each `seed`.
    fn photo(&self, name: &str, seed: u32) {
        let cell = |x: u32, y: u32| {
            let mut hash =
                (x / 4 * 73 + y / 4).wrapping_mul(0x9e37_79b1) ^ seed.wrapping_mul(0x85eb_ca77);
            hash = (hash ^ (hash >> 15)).wrapping_mul(0x2c1b_3c6d);
            (hash >> 24) as u8
        };
        let picture = RgbImage::from_fn(48, 40, |x, y| Rgb([cell(x, y), cell(y, x), 90]));
        picture.save(self.at("photos").join(name)).expect("a picture is written");
    }

    fn options(&self) -> CurateOptions {
        CurateOptions {
            photos: self.at("photos"),
            out: self.at("it.dataset"),
            trigger: "ohwx".into(),
            min_side: 16,
            ..CurateOptions::default()
        }
    }

    fn curate(&self) -> Summary {
        self.counted().0
    }

    /// The summary, and how many photos were not in the cache.
    fn counted(&self) -> (Summary, usize) {
        let mut fresh = 0;
        let summary = curate(&self.options(), None, &mut |event| {
            if let Event::Measured { cached: false, .. } = event {
                fresh += 1;
            }
        });
        (summary.expect("a curation"), fresh)
    }

    fn records(&self) -> String {
        fs::read_to_string(self.at("it.dataset/images.jsonl")).expect("records")
    }

    fn entries(&self) -> Vec<PathBuf> {
        let folder = fs::read_dir(self.at("it.dataset/cache/measures")).expect("a cache");
        let mut paths: Vec<_> = folder.map(|entry| entry.expect("an entry").path()).collect();
        paths.sort();
        paths
    }
}

fn reason<'a>(summary: &'a Summary, path: &str) -> &'a str {
    let named = |record: &&ImageRecord| record.path == path;
    let record = summary.records.iter().find(named).unwrap_or_else(|| panic!("no {path}"));
    &record.reasons.first().unwrap_or_else(|| panic!("{path} is kept")).message
}

#[test]
fn after_one_photo_changed_one_photo_is_measured() {
    let place = Place::with_photos(5);
    assert_eq!(place.counted().1, 5);
    let (records, report) = (place.records(), fs::read(place.at("it.dataset/report.html")));
    assert_eq!(place.counted().1, 0);
    assert_eq!(place.records(), records, "what is cached is what was measured");
    assert_eq!(fs::read(place.at("it.dataset/report.html")).ok(), report.ok());
    place.photo("p00002.png", 77);
    fs::rename(place.at("photos/p00003.png"), place.at("photos/z.png")).expect("renamed");
    assert_eq!(place.counted().1, 1);
    assert_eq!(place.entries().len(), 5, "what no photo needs is removed");
}

#[test]
fn another_limit_measures_anew() {
    let place = Place::with_photos(2);
    place.curate();
    let small = CurateOptions { max_pixels: 100, ..place.options() };
    let refused = curate(&small, None, &mut |_| {}).expect_err("all are too large");
    assert!(matches!(refused, DatasetError::NoPictures { .. }), "{refused}");
}

#[test]
fn entries_that_were_changed_are_not_trusted() {
    let place = Place::with_photos(5);
    place.curate();
    let records = place.records();
    let entries = place.entries();
    let bytes = |index: usize| fs::read(&entries[index]).expect("an entry");
    fs::write(&entries[0], &bytes(0)[..200]).expect("torn");
    let mut changed = bytes(1);
    let digit = changed.iter().rposition(u8::is_ascii_digit).expect("a number in it");
    changed[digit] = if changed[digit] == b'1' { b'2' } else { b'1' };
    fs::write(&entries[1], changed).expect("changed");
    fs::write(&entries[2], bytes(3)).expect("of another photo");
    fs::write(&entries[4], b"").expect("emptied");
    let (_, fresh) = place.counted();
    assert_eq!((fresh, place.records() == records), (4, true));
    assert_eq!(place.counted().1, 0, "they are whole again");
}

#[test]
fn what_was_measured_before_a_stop_is_not_measured_again() {
    let place = Place::with_photos(120);
    let asked = AtomicUsize::new(0); // before each photo
    let stopped = || asked.fetch_add(1, Ordering::SeqCst) >= 40;
    let error = curate_until(&stopped, &place.options(), None, &mut |_| {});
    let Err(DatasetError::Stopped { measured: 40, photos: 120, .. }) = error else {
        panic!("{error:?}");
    };
    assert!(!place.at("it.dataset/images.jsonl").exists());
    assert_eq!(place.counted().1, 80);
    let resumed = place.records();
    fs::remove_dir_all(place.at("it.dataset")).expect("removed");
    assert_eq!(place.counted().1, 120);
    assert_eq!(place.records(), resumed);
}

#[test]
fn a_report_of_many_photos_has_pages() {
    let place = Place::with_photos(410);
    let summary = place.curate();
    let dropped = summary.records.iter().filter(|record| !record.is_kept()).count();
    let page = |name: &str| fs::read_to_string(place.at("it.dataset").join(name)).expect(name);
    let cards = |name: &str| page(name).matches("data:image/jpeg;base64,").count();
    assert_eq!(["report.html", "report-2.html", "report-3.html"].map(cards), [200, 200, 10]);
    assert!(page("report.html").contains("<a href=\"report-3.html\">3</a>"));
    assert!(page("report-2.html").contains(&format!("<b class=\"bad\">{dropped}</b>dropped")));
    (100..410).for_each(|number| {
        fs::remove_file(place.at(&format!("photos/p{number:05}.png"))).expect("removed");
    });
    place.curate();
    assert_eq!(cards("report.html"), 100);
    assert!(!place.at("it.dataset/report-2.html").exists());
}

#[test]
fn a_photo_that_goes_away_while_curating_is_reported() {
    let place = Place::with_photos(3);
    let gone = place.at("photos/p00001.png");
    let summary = curate(&place.options(), None, &mut |event| {
        if let Event::Found { .. } = event {
            fs::remove_file(&gone).expect("removed");
        }
    });
    let summary = summary.expect("a curation");
    assert!(reason(&summary, "p00001.png").contains("went away"));
    assert_eq!(summary.records.len(), 3);
}

#[cfg(unix)]
#[test]
fn odd_entries_of_a_folder_are_reported_and_never_followed() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;

    let place = Place::with_photos(2);
    let photos = place.at("photos");
    fs::write(photos.join(OsStr::from_bytes(b"caf\xe9.jpg")), b"x").expect("a file");
    symlink("loop.png", photos.join("loop.png")).expect("a link to itself");
    symlink(".", photos.join("again")).expect("a link to the folder itself");
    symlink("nowhere", photos.join("dangling.webp")).expect("a link to nothing");
    fs::create_dir(photos.join("album")).expect("a subfolder");
    let pipe = std::process::Command::new("mkfifo").arg(photos.join("pipe.jpg")).status();
    assert!(pipe.is_ok_and(|status| status.success()));
    fs::write(photos.join("bitmap.bmp"), b"BM      ").expect("a file");
    let summary = place.curate();
    assert!(reason(&summary, "caf\u{fffd}.jpg").contains("not valid Unicode; rename"));
    assert!(reason(&summary, "loop.png").contains("cannot be read"));
    assert!(reason(&summary, "dangling.webp").contains("went away"));
    assert!(reason(&summary, "pipe.jpg").contains("no plain file"));
    assert!(reason(&summary, "bitmap.bmp").contains("a BMP picture; convert"));
    assert_eq!(summary.records.len(), 7);
    assert!(
        summary.advice.iter().any(|line| line.contains("2 subfolders")),
        "{:?}",
        summary.advice
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_dataset_that_cannot_be_written_is_known_at_the_first_photo() {
    let place = Place::with_photos(50);
    let options = CurateOptions { out: "/proc/it.dataset".into(), ..place.options() };
    let mut measured = 0;
    let error = curate(&options, None, &mut |event| {
        measured += usize::from(matches!(event, Event::Measured { .. }));
    });
    let error = error.expect_err("nobody writes there").to_string();
    assert!(error.contains("cannot write `/proc/it.dataset`; check"), "{error}");
    assert_eq!(measured, 0);
}

/// The largest resident memory of this process so far in MiB, on Linux.
fn peak_mib() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib / 1024)
}

#[test]
#[ignore = "takes minutes; prints the memory of 100 and 10,000 photos"]
fn ten_thousand_photos_take_little_more_memory_than_a_hundred() {
    let mut peaks = Vec::new();
    for count in [100, 10_000] {
        let place = Place::with_photos(count);
        assert_eq!(place.curate().records.len(), count as usize);
        peaks.extend(peak_mib());
        println!("{count} photos: at most {:?} MiB", peaks.last());
    }
    if let [few, many] = peaks[..] {
        assert!(many < few + 256, "{few} MiB, then {many} MiB");
    }
}
