//! Rendered characters: folders of their photos, and a base that is made of them.

use std::collections::BTreeSet;

use image::imageops::{self, FilterType};
use image::{Rgb, RgbImage};
use serde_json::Value;

use crate::support::{World, sd15, words};

const PRETRAINING: &str = "\
out = 'small'\n[corpus]\ncharacters = 3\npictures_each = 3\nheld_out_characters = 1\nside = 32\n\
[autoencoder]\nchannels = [16, 16, 16]\nlayers = 1\nlatent_channels = 4\ngroups = 2\nsquare = 16\n\
[autoencoder.train]\nsteps = 2\nbatch = 2\nlearning_rate = 1e-3\nwarmup_steps = 1\nsave_every = 2\n\
[text]\nmerges = 50\nwindow = 40\nwidth = 32\nlayers = 1\nheads = 2\n\
[text.train]\nsteps = 2\nbatch = 2\nlearning_rate = 1e-3\nwarmup_steps = 1\nsave_every = 2\n\
[denoiser]\nchannels = [32, 32]\nlayers = 1\nheads = [1, 2]\ngroups = 4\naverage = 0.9\nmin_snr_gamma = 5.0\nbackground = 0.5\n\
[denoiser.train]\nsteps = 2\nbatch = 2\nlearning_rate = 1e-3\nwarmup_steps = 1\nsave_every = 2\n\
[finder]\nside = 32\ntrunk = { channels = [8, 8, 8, 8, 8], groups = 4 }\n\
[finder.train]\nsteps = 1\nbatch = 2\nlearning_rate = 1e-3\nwarmup_steps = 1\nsave_every = 2\n\
[identity]\nside = 16\nmargin = 0.3\ndimension = 6\ntrunk = { channels = [8, 8], groups = 4 }\n\
[identity.train]\nsteps = 1\nbatch = 2\nlearning_rate = 1e-3\nwarmup_steps = 1\nsave_every = 2\n\
[face_reader]\naxes = ['expression']\nside = 16\nmargin = 0.1\ntrunk = { channels = [8, 8], groups = 4 }\n\
[face_reader.train]\nsteps = 1\nbatch = 2\nlearning_rate = 1e-3\nwarmup_steps = 1\nsave_every = 2\n\
[reader]\naxes = ['place', 'light', 'hair colour']\ntrunk = { channels = [8, 8], groups = 4 }\n\
[reader.train]\nsteps = 1\nbatch = 2\nlearning_rate = 1e-3\nwarmup_steps = 1\nsave_every = 2\n\
[measures]\nprompts = 4\nsteps = 2\nguidance = 4.0\n";

/// The lines of `truth.jsonl` in `folder`.
fn truth(world: &World, folder: &str) -> Vec<Value> {
    let text = world.text(&format!("{folder}/truth.jsonl"));
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn the_studio_renders_good_pictures_flaws_and_duplicates_with_their_truth() {
    let world = World::new();
    let ask =
        "studio --seed 5 --pictures 3 --duplicates 1 --flaw defocus=0.8 --flaw watermark --size 96";
    world.likeness(&format!("{ask} --out a --captions mika")).ok();
    world.likeness(&format!("{ask} --out b")).ok();
    let lines = truth(&world, "a");
    let paths: Vec<_> = lines.iter().map(|l| l["path"].as_str().expect("a path")).collect();
    assert_eq!(paths.len(), 6);
    for path in &paths {
        let picture = image::open(world.at(&format!("a/{path}"))).expect("a picture").into_rgb8();
        assert_eq!(picture.dimensions(), (96, 96));
        assert!(world.bytes(&format!("a/{path}")) == world.bytes(&format!("b/{path}")), "{path}");
    }
    let pictures: BTreeSet<_> =
        paths.iter().map(|path| world.bytes(&format!("a/{path}"))).collect();
    assert_eq!(pictures.len(), 6, "no picture is another's");
    assert!(world.text("a/good-001.txt").contains("mika"));

    let listed = world.likeness("studio --list").ok().stdout;
    assert!(listed.lines().count() >= 14 && listed.contains("watermark"), "{listed}");
    world.likeness("studio --out a").fails(2, &["a", "not empty", "--out"]);
    world.likeness("studio --out c --flaw blurr").fails(2, &["blurr", "defocus"]);
    world.likeness("studio --out c --flaw noise=2").fails(2, &["noise=2", "0 to 1"]);
    world.likeness("studio --out c --duplicates 17").fails(2, &["17", "16"]);
}

#[test]
fn the_demo_walks_the_whole_path_on_the_built_in_base() {
    let world = World::new();
    let demo = "demo --out d --seed 2 --steps 300 --pictures 1 --device cpu --json";
    let told: Value = serde_json::from_str(&world.likeness(demo).ok().stdout).expect("JSON alone");
    let count = |key: &str| told[key].as_u64().expect("a number");
    // Processors disagree by less than a hundredth, which may decide about one.
    assert!(count("flawed_dropped") >= 7 && count("good_dropped") <= 1, "{told}");
    assert_eq!(count("duplicates_dropped"), 2);
    // What the base's finder and encoder have learned: photos of one character are alike.
    let identity = |key: &str| told["identity"][key].as_f64().expect("a number");
    assert!(identity("ceiling") - identity("floor") > 0.4, "{told}");
    // What the base has learned: it paints the place that a prompt asks for, with the LoRA, too.
    let place = |arm: &str| told["place_accuracy"][arm].as_f64().expect("a share");
    assert!(place("base") >= 0.8 && place("adapter") >= 0.7, "{told}");
    assert!(told["leak"].is_number());
    // What the LoRA has learned: a fifth of the steps already moves faces towards the character's (0.27 of the gap).
    assert!(identity("closed") > 0.1, "{told}");
    // It changes what is painted from the same noise.
    let images = |arm: &str| {
        let scores: Value =
            serde_json::from_str(&world.text("d/run/evaluation/scores.json")).expect("JSON");
        let images = scores["images"].as_array().expect("images").clone();
        let own = images.into_iter().filter(|image| image["arm"] == arm);
        own.map(|image| {
            world.bytes(&format!("d/run/evaluation/{}", image["file"].as_str().expect("a file")))
        })
        .collect::<Vec<_>>()
    };
    let (base, adapter) = (images("base"), images("adapter"));
    assert_eq!((base.len(), adapter.len()), (20, 20));
    assert!(base.iter().zip(&adapter).all(|(a, b)| a != b));
    // Unpacked once, whole, and used from there.
    let cache = world.at("home/.cache/likeness/builtin");
    let folders = std::fs::read_dir(cache).expect("a cache").count();
    assert_eq!(folders, 1);
    let paint = "generate --base builtin --steps 2 --device cpu --out a.png --prompt smiling";
    world.likeness(paint).ok();
    assert_eq!(
        image::open(world.at("a.png")).expect("a picture").into_rgb8().dimensions(),
        (96, 96)
    );
}

#[test]
fn a_pretraining_makes_a_base_that_paints_and_a_demo_of_it() {
    let world = World::new();
    world.put("small.toml", PRETRAINING.as_bytes());
    let made = world.likeness("pretrain small.toml --device cpu").ok().stdout;
    assert!(made.contains("small/base"), "{made}");
    let measures: Value =
        serde_json::from_str(&world.text("small/base/measures.json")).expect("JSON");
    assert_eq!(
        (&measures["prompts"], &measures["read"]["place"]["prompts"]),
        (&4.into(), &4.into())
    );
    assert!(measures["identity_kept"]["pairs"].is_u64(), "{measures}");
    let read = &measures["read"]["place"];
    assert!(read["on_renders"].is_number() && read["decoded"].is_number(), "{measures}");
    image::open(world.at("small/base/grid.png")).expect("a grid of renders and samples");
    let size = world.bytes("small/corpus/pictures.rgb").len();
    assert_eq!(size, 9 * 32 * 32 * 3);
    let paint = "generate --base small/base --size 32x32 --steps 2 --device cpu --out a.png --prompt smiling";
    world.likeness(paint).ok();
    assert_eq!(
        image::open(world.at("a.png")).expect("a picture").into_rgb8().dimensions(),
        (32, 32)
    );
    let demo = "demo --base small/base --steps 3 --pictures 1 --device cpu --seed 4";
    let told = world.likeness(&format!("{demo} --out d --json")).ok().stdout;
    let told: Value = serde_json::from_str(&told).expect("JSON alone");
    assert_eq!(
        (&told["flawed"], &told["good"], &told["duplicates"]),
        (&8.into(), &16.into(), &2.into())
    );
    assert_eq!(told["duplicates_dropped"], 2, "copies are found without knowing any face: {told}");
    assert!(told["seconds"]["train"].is_number());
    assert!(told["place_accuracy"].is_null(), "a reader of one step is not believed");
    let page = world.text("d/index.html");
    for shown in ["photo-26.png", "under-exposure", "bare base", "likeness evaluate", "<polyline"] {
        assert!(page.contains(shown), "{shown}");
    }
    assert!(!page.contains("{subject}"), "prompts are shown as they were painted");
    for link in page.split("src=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(world.at(&format!("d/{link}")).exists(), "{link}");
    }
    world.likeness(&format!("{demo} --out d")).fails(2, &["`d` is not empty", "--out"]);
    let other = format!("demo --base {} --out e", sd15());
    world.likeness(&other).fails(2, &["no folder `judges`", "likeness pretrain"]);
    world.likeness("pretrain none.toml").fails(1, &["none.toml", "check the path"]);
    world.likeness("pretrain small.toml --set corpus.side=30").fails(2, &["corpus.side", "30"]);
}

#[test]
fn a_reader_of_faces_with_flaws_judges_photos() {
    let world = World::new();
    world.put("small.toml", PRETRAINING.as_bytes());
    let axes = "face_reader.axes=['eyes','cover','light on the face','strength of the expression']";
    let ask = "pretrain small.toml --device cpu --only face-reader --set corpus.flawed=0.5 --set";
    let args = ask.split_whitespace().chain([axes]).map(str::to_owned).collect::<Vec<_>>();
    world.run(&args).ok();
    let card = world.text("small/base/judges/face_reader.toml");
    assert!(card.contains("strength of the expression") && card.contains("overdone"), "{card}");
    // The built-in finder finds faces, the reader of one step says whatever it does.
    let judges = world.at("judges");
    std::fs::create_dir(&judges).expect("a folder");
    let builtin = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/builtin/judges");
    for name in ["finder.onnx", "finder.toml", "identity.onnx", "identity.toml"] {
        std::fs::copy(format!("{builtin}/{name}"), judges.join(name)).expect("copied");
    }
    for name in ["face_reader.onnx", "face_reader.toml"] {
        let made = world.at(&format!("small/base/judges/{name}"));
        std::fs::copy(made, judges.join(name)).expect("copied");
    }
    world.likeness("studio --out photos --seed 9 --pictures 4 --size 512 --captions mika").ok();
    world.likeness("curate photos --trigger mika --models judges").ok();
    let first = world.text("mika.dataset/images.jsonl");
    for read in
        ["read_eyes_closed", "read_covered", "read_hard_shadow", "read_backlit", "read_overdone"]
    {
        assert!(first.contains(read), "{read}: {first}");
    }
    world
        .likeness("pretrain small.toml --set corpus.flawed=2")
        .fails(2, &["corpus.flawed", "0 to 1"]);
}

#[test]
fn the_built_in_judges_name_what_is_wrong_with_rendered_photos() {
    let world = World::new();
    let args = ["--flaw", "closed eyes", "--flaw", "dark glasses", "--flaw", "watermark"];
    let mut ask: Vec<String> = words("studio --seed 12 --pictures 4 --out photos");
    ask.extend(args.map(str::to_owned));
    world.run(&ask).ok();
    let asked = "curate photos --trigger mika --models builtin --out mika.dataset --json";
    let told: Value = serde_json::from_str(&world.likeness(asked).ok().stdout).expect("JSON");
    let rules = |name: &str| -> Vec<String> {
        let records = told["records"].as_array().expect("records");
        let record = records.iter().find(|r| r["path"].as_str().is_some_and(|p| p.contains(name)));
        let reasons = record.expect("a record")["reasons"].as_array().expect("reasons");
        reasons.iter().map(|r| r["rule"].as_str().expect("a rule").to_owned()).collect()
    };
    for (name, rule) in
        [("eyes", "eyes closed"), ("glasses", "covered"), ("watermark", "lettering")]
    {
        assert!(rules(name).iter().any(|said| said == rule), "{name}: {:?}", rules(name));
    }
}

#[test]
fn a_face_is_found_at_one_place_however_large_or_wide_its_photo() {
    let world = World::new();
    world.likeness("studio --seed 3 --pictures 1 --out photos").ok();
    let file = std::fs::read_dir(world.at("photos")).expect("a folder").flatten();
    let picture = |path: &std::path::PathBuf| path.extension().is_some_and(|end| end == "png");
    let file = file.map(|entry| entry.path()).find(picture).expect("a picture");
    let square = image::open(&file).expect("a picture").to_rgb8();
    let side = square.width();
    let save = |picture: &RgbImage, name: &str| {
        picture.save(world.at(&format!("photos/{name}.png"))).expect("saved");
    };
    // Five times as long it is shrunk by two before faces are found in it.
    save(&imageops::resize(&square, 5 * side, 5 * side, FilterType::CatmullRom), "large");
    let mut wide = RgbImage::from_pixel(side + side / 4, side, Rgb([90; 3]));
    imageops::replace(&mut wide, &square, 0, 0);
    save(&wide, "wide");
    std::fs::rename(&file, world.at("photos/square.png")).expect("renamed");
    let asked = "curate photos --trigger mika --models builtin --out mika.dataset --json";
    let told: Value = serde_json::from_str(&world.likeness(asked).ok().stdout).expect("JSON");
    let landmarks = |name: &str| -> Vec<f64> {
        let records = told["records"].as_array().expect("records");
        let record = records.iter().find(|r| r["path"] == format!("{name}.png")).expect("a record");
        let points = record["faces"][0]["landmarks"].as_array().expect("a face");
        points.iter().flat_map(|p| [0, 1].map(|axis| p[axis].as_f64().expect("a number"))).collect()
    };
    let (expected, large, wide) = (landmarks("square"), landmarks("large"), landmarks("wide"));
    let eyes = (expected[0] - expected[2]).hypot(expected[1] - expected[3]);
    for (at, expected) in expected.iter().enumerate() {
        let off = |found: f64| (found - expected).abs() / eyes;
        assert!(off(large[at] / 5.0) < 0.05, "{at}: {expected} and {} of 5", large[at]);
        assert!(off(wide[at]) < 0.12, "{at}: {expected} and {}", wide[at]);
    }
}
