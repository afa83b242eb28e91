//! Photos that cannot be used, and photos that are not ours to change.

use std::path::PathBuf;

use crate::support::{World, args, leftovers, listing, words};

#[test]
fn a_broken_photo_is_dropped_with_its_reason_and_the_rest_goes_on() {
    let world = World::with_photos(3);
    crate::support::picture(7).save(world.at("whole.jpg")).expect("a JPEG is written");
    let whole = world.bytes("whole.jpg");
    world.put("photos/cut.jpg", &whole[..whole.len() / 2]);
    world.put("photos/letter.jpg", b"Dear diary, this is not a picture.");
    world.put("photos/empty.png", b"");
    let ran = world.run(&world.curate()).ok();
    assert!(ran.stdout.contains("3 kept, 3 dropped"), "{}", ran.stdout);
    for line in ["drop cut.jpg: the file is cut off", "drop letter.jpg: the file is not a"] {
        assert!(ran.stdout.contains(line), "no `{line}` in:\n{}", ran.stdout);
    }
    assert!(ran.stdout.contains("drop empty.png: the file is empty; "), "{}", ran.stdout);
    let records = world.text("mika.dataset/images.jsonl");
    assert_eq!(records.lines().count(), 6);
    assert!(world.text("mika.dataset/report.html").contains("cut.jpg"));
    world.run(&world.train("a", "--steps 1")).ok();
}

#[cfg(unix)]
#[test]
fn ctrl_c_keeps_what_was_measured_and_the_same_command_goes_on() {
    use std::process::{Command, Stdio};

    let world = World::with_photos(400);
    let mut command = world.command(&world.curate());
    let mut child =
        command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the binary starts");
    let kept =
        || std::fs::read_dir(world.at("mika.dataset/cache/measures")).map_or(0, Iterator::count);
    while kept() == 0 {
        assert!(child.try_wait().expect("a process").is_none(), "it ended before any photo");
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(sent.is_ok_and(|status| status.success()));
    let output = child.wait_with_output().expect("it ends");
    let ran = crate::support::Ran::of(&world.curate(), output).exits(130);
    let kept = kept();
    assert!(ran.stdout.contains(&format!("stopped; {kept} of 400 photos")), "{}", ran.stdout);
    assert!(!world.at("mika.dataset/images.jsonl").exists());
    world.run(&world.curate()).ok();
    assert_eq!(world.text("mika.dataset/images.jsonl").lines().count(), 400);
}

#[test]
fn photos_and_their_captions_are_never_touched() {
    let world = World::with_photos(2);
    world.put("photos/p0.txt", b"mika laughing, a red coat\r\n");
    world.put("photos/p1.txt", b"  somebody on a beach  ");
    world.put("photos/notes.md", b"mine");
    let before = listing(&world.at("photos"));
    assert_eq!(before.len(), 5);
    world.run(&world.curate()).ok();
    world.put("mika.dataset/captions/p1.txt", b"mika woman, written by hand");
    world.run(&world.curate()).ok();
    world.run(&world.train("a", "--steps 1")).ok();
    assert_eq!(listing(&world.at("photos")), before);
    let caption = |name: &str| world.text(&format!("mika.dataset/captions/{name}"));
    assert_eq!(caption("p0.txt").trim(), "mika laughing, a red coat");
    assert_eq!(caption("p1.txt"), "mika woman, written by hand", "an edit is kept");
    assert_eq!(leftovers(&world.at("mika.dataset")), Vec::<PathBuf>::new());
}

#[test]
fn a_folder_without_usable_pictures_is_an_error_that_says_what_is_in_it() {
    let world = World::new();
    world.put("photos/a.jpg", b"no picture");
    world.put("photos/b.txt", b"text");
    let before = listing(&world.at(""));
    let ran = world.run(&world.curate());
    ran.fails(1, &["no usable picture", "photos", "1 unusable pictures, 1 other files"]);
    assert_eq!(listing(&world.at("")), before, "no dataset was begun");
}

#[test]
fn a_photos_folder_that_is_not_there_is_named() {
    let world = World::new();
    world.run(&world.curate()).fails(1, &["`photos`", "No such file"]);
    assert!(!world.at("mika.dataset").exists());
}

#[test]
fn options_that_cannot_be_are_refused_before_anything_is_written() {
    let world = World::with_photos(1);
    for (more, part) in [
        ("--resolution 100", "resolution is 100"),
        ("--bucket-step 7", "bucket_step is 7"),
        ("--choose 0", "choose is 0"),
        ("--reference me.jpg", "--reference"),
        ("--trigger a/b", "--trigger"),
        ("--resolution many", "--resolution"),
    ] {
        let trigger = if more.contains("trigger") { "" } else { "--trigger mika" };
        let text = format!("curate photos --no-faces {trigger} {more}");
        world.run(&words(&text)).fails(2, &[part]);
    }
    world.run(&args(&["curate", "photos", "--trigger", ""])).fails(2, &["--trigger"]);
    assert_eq!(listing(&world.at("")).len(), 1, "only the photo is there");
}

#[test]
fn curation_into_a_folder_of_something_else_is_refused_and_leaves_it() {
    let world = World::with_photos(2);
    world.put("mika.dataset/novel.txt", b"chapter one");
    world.put("file.dataset", b"a file");
    let before = listing(&world.at(""));
    world.run(&world.curate()).fails(2, &["mika.dataset", "not a dataset", "--out"]);
    let into = |out: &str| [world.curate(), args(&["--out", out])].concat();
    world.run(&into("file.dataset")).fails(2, &["file.dataset", "not a dataset"]);
    world.run(&into("photos")).fails(2, &["holds the photos"]);
    assert_eq!(listing(&world.at("")), before);
}

#[test]
fn curation_over_another_character_is_refused_and_names_what_differs() {
    let world = World::with_dataset(2);
    let before = listing(&world.at("mika.dataset"));
    let text = "curate photos --trigger jan --out mika.dataset --no-faces --min-side 64";
    world.likeness(text).fails(2, &["mika.dataset", "`mika`", "`jan`", "--force"]);
    std::fs::rename(world.at("photos"), world.at("others")).expect("renamed");
    let text = "curate others --trigger mika --no-faces --min-side 64";
    world.likeness(text).fails(2, &["mika.dataset", "photos", "others"]);
    assert_eq!(listing(&world.at("mika.dataset")), before);
}

#[test]
fn a_photo_that_changed_since_it_was_curated_stops_the_run() {
    let world = World::with_dataset(2);
    world.photo("p0.png", 99);
    let ran = world.run(&world.train("a", "--steps 1"));
    ran.fails(1, &["p0.png", "changed since it was curated", "curate again"]);
}
