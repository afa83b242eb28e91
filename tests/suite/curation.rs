//! What there is to do with a dataset beside curating it: a dry run, the sheet, calibration, masks.

use std::collections::BTreeMap;

use likeness_faces::onnx::Graph;

use crate::support::{World, words};

/// The usual curation, and `more`.
fn curate(world: &World, more: &str) -> Vec<String> {
    [world.curate(), words(more)].concat()
}

#[test]
fn a_dry_run_of_a_curation_shows_the_plan_and_writes_nothing() {
    let world = World::with_photos(2);
    let told = world.run(&curate(&world, "--dry-run")).ok().stdout;
    for part in ["2 kept, 0 dropped", "bucket 128 x 128: 2 photos", "nothing was written"] {
        assert!(told.contains(part), "no `{part}` in:\n{told}");
    }
    assert!(!world.at("mika.dataset").exists());
    world.run(&curate(&world, "--dry-run --masks")).fails(2, &["--masks"]);
    world.run(&curate(&world, "--framing closeup")).fails(2, &["closeup", "close-up"]);
}

#[test]
fn photos_are_enlarged_only_where_that_is_asked_for() {
    let world = World::with_photos(2);
    let ask = "curate photos --trigger mika --no-faces --min-side 64 --resolution 256 --dry-run";
    let told = world.likeness(ask).ok().stdout;
    assert!(told.contains("0 kept, 2 dropped") && told.contains("enlarged 1.60 times"), "{told}");
    let told = world.likeness(&format!("{ask} --upscale")).ok().stdout;
    assert!(told.contains("2 kept, 0 dropped") && told.contains("2 enlarged"), "{told}");
}

#[test]
fn a_sheet_is_drawn_and_a_persons_traits_are_found_in_prompts() {
    let world = World::with_photos(3);
    let mut args = world.curate();
    args.extend(["--trait".to_owned(), "crooked smile".to_owned()]);
    world.run(&args).ok();
    let told = world.likeness("curate sheet mika.dataset").ok().stdout;
    assert!(told.contains("p0.png") && told.contains("crooked smile"), "{told}");
    let sheet = image::open(world.at("mika.dataset/sheet.png")).expect("a picture");
    assert_eq!(sheet.width(), 3 * 520 + 8);
    world.run(&world.curate()).ok();
    let mut lint = words("prompt lint --dataset mika.dataset");
    lint.push("mika woman with a crooked smile".to_owned());
    let told = world.run(&lint).ok().stdout;
    assert!(told.contains("identity word") && told.contains("> crooked smile"), "{told}");
}

#[test]
fn a_calibration_is_shown_written_read_and_forgotten() {
    let world = World::with_dataset(14);
    let told = world.likeness("curate calibrate mika.dataset --dry-run").ok().stdout;
    assert!(told.contains("accepted photos") && told.contains("nothing was written"), "{told}");
    assert!(!world.at("mika.dataset/limits.toml").exists());
    world.likeness("curate calibrate mika.dataset --tighten").ok();
    let limits = world.text("mika.dataset/limits.toml");
    assert!(limits.contains("noise = "), "{limits}");
    world.put("mika.dataset/limits.toml", limits.replace("noise", "noize").as_bytes());
    world.run(&world.curate()).fails(1, &["limits.toml", "`noize`", "did you mean `noise`"]);
    world.likeness("curate calibrate mika.dataset --reset").ok();
    world.run(&world.curate()).ok();
}

#[test]
fn a_white_mask_trains_as_none_and_a_background_needs_a_mask() {
    let world = World::with_photos(2);
    world.run(&curate(&world, "--masks")).ok();
    assert_eq!(std::fs::read_dir(world.at("mika.dataset/masks")).expect("masks").count(), 2);
    world.run(&world.train("plain", "--steps 2")).ok();
    world.run(&world.train("masked", "--steps 2 --set train.mask=face")).ok();
    let losses = |run: &str| {
        let text = world.text(&format!("runs/{run}/steps.jsonl"));
        let lines = text.lines().map(|line| serde_json::from_str(line).expect("JSON"));
        lines.map(|line: serde_json::Value| line["loss"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(losses("plain"), losses("masked"));
    let alone = world.train("a", "--steps 2 --set train.mask_background=0.5");
    world.run(&alone).fails(2, &["train.mask_background", "train.mask"]);
}

#[test]
fn persons_are_masked_by_a_network_and_a_mask_that_is_there_stays() {
    let world = World::with_photos(2);
    // Takes red for a person.
    let mut graph = Graph::new();
    let red = graph.slice(Graph::INPUT, 1, 0, 1);
    let outputs = BTreeMap::from([("matte".to_owned(), (red, vec![1, 1, 32, 32]))]);
    world.put("net/red.onnx", &graph.file(&[1, 3, 32, 32], &outputs));
    let card = "kind = \"matte\"\ninput_size = 32\nchannels = \"rgb\"\nmean = 0\nscale = 255\n\
        licence = \"MIT\"\nsource = \"a test\"\n";
    world.run(&curate(&world, "--person-masks net/red.onnx")).fails(2, &["red.toml"]);
    world.put("net/red.toml", card.replace("matte", "reader").as_bytes());
    world.run(&curate(&world, "--person-masks net/red.onnx")).fails(2, &["--person-masks", "axes"]);
    world.put("net/red.toml", card.as_bytes());
    assert!(!world.at("mika.dataset").exists(), "nothing was done before");
    let told = world.run(&curate(&world, "--person-masks net/red.onnx")).ok().stderr;
    assert!(told.contains("2 masks were written"), "{told}");
    let files = || std::fs::read_dir(world.at("mika.dataset/masks")).expect("masks");
    let path = files().next().expect("a mask").expect("a file").path();
    let mask = image::open(&path).expect("a picture").into_luma8();
    assert_eq!(mask.dimensions(), (128, 128));
    let name = path.file_name().expect("a name").to_string_lossy().into_owned();
    let photo = name.split('-').next().expect("the photo's stem");
    let photo = image::open(world.at(&format!("photos/{photo}.png"))).expect("a photo").into_rgb8();
    let mean = |sum: u64, of: u32| sum as f64 / f64::from(of * of);
    let red = mean(photo.pixels().map(|pixel| u64::from(pixel.0[0])).sum(), photo.width());
    let white = mean(mask.pixels().map(|pixel| u64::from(pixel.0[0])).sum(), mask.width());
    assert!((red - white).abs() < 8.0, "{red} is red, {white} is in the mask");
    let told = world.run(&curate(&world, "--person-masks net/red.onnx")).ok().stderr;
    assert!(told.contains("0 masks were written"), "{told}");
    world.run(&world.train("masked", "--steps 2 --set train.mask=face")).ok();
}
