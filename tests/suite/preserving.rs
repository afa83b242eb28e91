//! Class preservation: what is learned belongs to the trigger, not to everyone.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use image::RgbImage;

use crate::support::World;

/// The picture of `prompt` by the base, or with the LoRA of run `run`.
fn drawn(world: &World, prompt: &str, run: Option<&str>) -> RgbImage {
    let name = format!("{} {prompt}.png", run.unwrap_or("base"));
    let mut args = world.generate("--seed 3");
    args.extend(["--prompt", prompt, "--out", &name].map(str::to_owned));
    if let Some(run) = run {
        args.extend(["--lora".to_owned(), format!("runs/{run}/adapter.safetensors")]);
    }
    world.run(&args).ok();
    image::open(world.at(&name)).expect("a picture").into_rgb8()
}

/// The mean difference of two pictures in grey levels.
fn apart(a: &RgbImage, b: &RgbImage) -> f64 {
    let sum: u64 = a.iter().zip(b.iter()).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    sum as f64 / a.len() as f64
}

#[test]
fn the_class_stays_nearer_to_the_base_where_it_is_preserved() {
    let world = World::with_dataset(2);
    let learns = "--steps 40 --set train.learning_rate=5e-3";
    world.run(&world.train("free", learns)).ok();
    world.run(&world.train("kept", &format!("{learns} --set train.preserve_class=3"))).ok();
    let class = drawn(&world, "a photo of woman", None);
    let moved = |run: &str| apart(&class, &drawn(&world, "a photo of woman", Some(run)));
    let (free, kept) = (moved("free"), moved("kept"));
    assert!(kept < 0.7 * free, "the class moved by {free} without preservation, {kept} with it");
    let character = |run: Option<&str>| drawn(&world, "a photo of mika woman", run);
    assert!(apart(&character(None), &character(Some("kept"))) > kept, "the character is learned");
}

#[test]
fn the_class_is_preserved_on_pictures_that_the_base_painted() {
    let world = World::with_dataset(2);
    let learns = "--steps 40 --set train.learning_rate=5e-3 --set train.preserve_class=20";
    let ran = world.run(&world.train("a", &format!("{learns} --set train.class_pictures=3"))).ok();
    assert!(ran.stderr.contains("paint: 3/3  pictures of the class"), "{}", ran.stderr);
    world.run(&world.train("photos", learns)).ok();
    assert_ne!(
        world.bytes("runs/a/adapter.safetensors"),
        world.bytes("runs/photos/adapter.safetensors")
    );
    let painted = std::fs::read_dir(world.at("runs/a/cache/class")).expect("painted").count();
    assert_eq!(painted, 3);
    world.run(&world.train("free", "--steps 40 --set train.learning_rate=5e-3")).ok();
    let class = drawn(&world, "a photo of woman", None);
    let moved = |run: &str| apart(&class, &drawn(&world, "a photo of woman", Some(run)));
    let (free, kept) = (moved("free"), moved("a"));
    assert!(kept < 0.7 * free, "the class moved by {free} without preservation, {kept} with it");
    let ran = world.run(&world.train("b", "--set train.class_pictures=3"));
    ran.fails(2, &["`train.class_pictures`", "`train.preserve_class = 1`"]);
}

#[test]
fn a_caption_without_the_trigger_is_named() {
    let world = World::with_dataset(2);
    let captions = world.at("mika.dataset/captions");
    let first = std::fs::read_dir(&captions).expect("captions").next().expect("one").expect("it");
    std::fs::write(first.path(), "a photo of someone").expect("written");
    let ran = world.run(&world.train("a", "--steps 1 --set train.preserve_class=1"));
    ran.fails(2, &["`train.preserve_class`", "`mika`", "a photo of someone", "set 0"]);
    world.run(&world.train("b", "--steps 1")).ok();
}

#[test]
fn parts_of_captions_are_left_out_of_training() {
    let world = World::with_dataset(2);
    let captions = world.at("mika.dataset/captions");
    for caption in std::fs::read_dir(captions).expect("captions").flatten() {
        std::fs::write(caption.path(), "a photo of mika woman, smiling, on a beach")
            .expect("written");
    }
    let adapter = |run: &str, more: &str| {
        world.run(&world.train(run, &format!("--steps 2 {more}"))).ok();
        world.bytes(&format!("runs/{run}/adapter.safetensors"))
    };
    let whole = adapter("whole", "");
    assert!(whole != adapter("parts", "--set train.tag_dropout=0.5"));
    assert!(whole == adapter("none", "--set train.tag_dropout=0"), "0 changes no byte");
    let ran = world.run(&world.train("a", "--set train.tag_dropout=1.5"));
    ran.fails(2, &["`train.tag_dropout`", "0.3"]);
}

#[test]
fn steps_between_without_preservation_are_refused() {
    let world = World::with_dataset(1);
    let ran = world.run(&world.train("a", "--set train.preserve_every=2"));
    ran.fails(2, &["`train.preserve_every`", "`train.preserve_class = 1`"]);
}

#[test]
fn ctrl_c_while_the_class_is_painted_leaves_what_the_same_run_goes_on_from() {
    let world = World::with_dataset(2);
    let how = "--steps 2 --set train.preserve_class=1 --set train.class_pictures=60";
    world.run(&world.train("whole", how)).ok();
    let mut command = world.command(&world.train("cut", how));
    let mut running = command.stderr(Stdio::piped()).spawn().expect("it starts");
    let said = BufReader::new(running.stderr.take().expect("its messages"));
    // Messages are read on, so that none blocks it.
    let mut lines = said.lines().map_while(Result::ok);
    lines.find(|line| line.contains("pictures of the class")).expect("it paints");
    let id = running.id().to_string();
    Command::new("kill").args(["-INT", &id]).status().expect("kill runs");
    lines.for_each(drop);
    assert_eq!(running.wait().expect("it ends").code(), Some(130));
    let painted = std::fs::read_dir(world.at("runs/cut/cache/class")).expect("painted").count();
    assert!(painted < 60, "{painted}: it was painted to the end");
    assert!(world.at("runs/cut/checkpoints/step-00000").is_dir());
    world.run(&world.train("cut", &format!("{how} --resume"))).ok();
    let adapter = |run: &str| world.bytes(&format!("runs/{run}/adapter.safetensors"));
    assert_eq!(adapter("cut"), adapter("whole"));
}
