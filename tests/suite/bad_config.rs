//! Arguments and run files that make no sense: exit code 2, and nothing begun.

use likeness_kernels::device::ENGINES;

use crate::support::{World, args, listing, sd15, words};

#[test]
fn a_misspelled_key_in_a_run_file_is_named_with_its_line_and_the_nearest_key() {
    let world = World::with_dataset(1);
    let top = format!("base = \"{}\"\ndataset = \"mika.dataset\"\nout = \"runs/a\"\n", sd15());
    world.put("mika.toml", format!("{top}\n[adapter]\nrnak = 8\n").as_bytes());
    let before = listing(&world.at(""));
    let parts = ["mika.toml", "line 6", "rnak", "did you mean `rank`?"];
    world.likeness("train mika.toml").fails(2, &parts);
    world.likeness("train mika.toml --steps 5 --set seed=1").fails(2, &parts);
    world.likeness("train mika.toml --dry-run").fails(2, &parts);
    assert_eq!(listing(&world.at("")), before);
}

#[test]
fn a_misspelled_key_on_the_command_line_is_named_with_the_nearest_key() {
    let world = World::with_dataset(1);
    for (set, parts) in [
        ("train.learning_rat=1e-4", ["--set", "did you mean `learning_rate`?"]),
        ("adapter.rnak=8", ["--set", "did you mean `rank`?"]),
        ("sed=1", ["--set", "did you mean `seed`?"]),
        ("adapter.rank", ["--set", "`adapter.rank` has no `=`"]),
        ("=8", ["--set", "names no key"]),
        ("seed.x=8", ["--set", "`seed.x=8`"]),
    ] {
        let more = format!("--steps 1 --set seed=1 --set {set}");
        world.run(&world.train("a", &more)).fails(2, &parts);
    }
    assert!(!world.at("runs").exists());
}

#[test]
fn values_that_cannot_be_are_refused_by_key() {
    let world = World::with_dataset(1);
    for (set, parts) in [
        ("train.steps=0", ["`train.steps`", "give 1 or more"]),
        ("adapter.rank=0", ["`adapter.rank`", "give 4 to 64"]),
        ("adapter.rank=4096", ["`adapter.rank`", "narrowest layer"]),
        ("train.learning_rate=-1", ["`train.learning_rate`", "above 0"]),
        ("train.learning_rate=fast", ["--set", "learning_rate"]),
        ("train.schedule=sawtooth", ["--set", "sawtooth"]),
        ("train.clip_skip=99", ["`train.clip_skip`", "give fewer"]),
        ("adapter.include=[\"to_z\"]", ["`adapter.include`", "to_z"]),
    ] {
        let ran = world.run(&world.train("a", &format!("--steps 1 --set {set}")));
        ran.fails(2, &parts);
    }
}

#[test]
fn a_run_file_that_is_not_there_or_lacks_a_key_says_what_to_do() {
    let world = World::with_dataset(1);
    world.likeness("train nowhere.toml").exits(1);
    world
        .likeness("train --out runs/a --base x")
        .fails(2, &["missing field `dataset`", "--dataset"]);
    world.put("half.toml", b"base = \"x\"\nout = ");
    let ran = world.likeness("train half.toml").exits(2);
    assert!(ran.error().contains("half.toml") && ran.error().contains("line 2"), "{}", ran.stderr);
}

#[test]
fn a_device_that_is_unknown_or_not_built_is_an_error_and_never_another_one() {
    let world = World::with_dataset(1);
    let cases = [
        ("gpu", ["`gpu` is not a device", "cuda[:N]"]),
        ("cuda", ["built without `cuda`", "--features cuda"]),
        ("vulkan", ["built without `vulkan`", "--features vulkan"]),
        ("tch", ["built without `tch`", "use one of: cpu"]),
    ];
    let built = |device| ENGINES.contains(&(device, true));
    for (device, parts) in cases.into_iter().filter(|(device, _)| !built(device)) {
        let more = format!("--steps 1 --device {device}");
        world.run(&world.train("a", &more)).fails(2, &parts);
        let more = format!("--prompt x --out x.png --device {device}");
        world.run(&world.generate(&more)).fails(2, &parts);
    }
    assert!(!world.at("runs").exists() && !world.at("x.png").exists());
}

#[test]
fn a_request_that_cannot_be_drawn_is_refused_with_what_can() {
    let world = World::new();
    for (more, part) in [
        ("--size 64", "512x768"),
        ("--size 0x0", "multiples of"),
        ("--size 63x64", "multiples of"),
        ("--size 1000000x1000000", "--size"),
        ("--steps 0", "choose 1 to"),
        ("--steps 1000000", "choose 1 to"),
        ("--batch 0", "choose 1 or more"),
        ("--guidance nan", "guidance"),
        ("--clip-skip 40", "clip skip 40"),
        ("--sampler magic", "euler"),
        ("--lora x.safetensors=much", "not a strength"),
    ] {
        let mut command = words("generate --prompt x --out x.png --base");
        command.push(sd15());
        command.extend(words(more));
        world.run(&command).fails(2, &[part]);
    }
    assert!(listing(&world.at("")).is_empty());
}

#[test]
fn a_picture_that_is_there_is_not_replaced() {
    let world = World::new();
    world.put("mine.png", b"a picture of mine");
    let ran = world.run(&world.generate("--prompt x --out mine.png"));
    ran.fails(2, &["`mine.png` is there already", "--out"]);
    assert_eq!(world.bytes("mine.png"), b"a picture of mine");
    world.put("lora.safetensors", b"mine");
    let lora = crate::support::fixture("lora-files/kohya_sd_scripts.safetensors");
    let lora = lora.display().to_string();
    let base = sd15();
    let command = args(&[
        "convert",
        &lora,
        "--base",
        &base,
        "--to",
        "diffusers",
        "--out",
        "lora.safetensors",
    ]);
    world.run(&command).fails(2, &["`lora.safetensors` is there already"]);
    assert_eq!(world.bytes("lora.safetensors"), b"mine");
}
