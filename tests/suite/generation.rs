//! Pictures: what they depend on, and what they carry.

use std::fs::File;
use std::io::BufReader;

use image::RgbImage;

use crate::support::{World, args, fixture, sd15, words};

/// Draws `prompt` with more arguments into `name`, and gives the picture.
fn draw(world: &World, name: &str, prompt: &str, more: &str) -> RgbImage {
    let mut args = world.generate(more);
    args.extend(["--prompt", prompt, "--out", name].map(str::to_owned));
    world.run(&args).ok();
    pixels(world, name)
}

fn pixels(world: &World, name: &str) -> RgbImage {
    image::open(world.at(name)).expect("a picture").into_rgb8()
}

/// The text that a picture carries.
fn parameters(world: &World, name: &str) -> String {
    let file = BufReader::new(File::open(world.at(name)).expect("a picture"));
    let reader = png::Decoder::new(file).read_info().expect("a PNG");
    let info = reader.info();
    let plain = info.uncompressed_latin1_text.iter().map(|t| (t.keyword.clone(), t.text.clone()));
    let wide = info.utf8_text.iter().map(|t| (t.keyword.clone(), t.get_text().expect("text")));
    let found = plain.chain(wide).find(|(keyword, _)| keyword == "parameters");
    found.expect("the chunk `parameters`").1
}

/// The largest difference of two pictures in grey levels.
fn apart(a: &RgbImage, b: &RgbImage) -> u8 {
    assert_eq!(a.dimensions(), b.dimensions());
    a.iter().zip(b.iter()).map(|(a, b)| a.abs_diff(*b)).max().expect("pixels")
}

fn lora(name: &str) -> String {
    fixture(&format!("lora-files/{name}.safetensors")).display().to_string()
}

#[test]
fn a_seed_is_a_picture_and_another_seed_another() {
    let world = World::new();
    let a = draw(&world, "a.png", "a cat", "--seed 3");
    draw(&world, "b.png", "a cat", "--seed 3");
    assert!(world.bytes("a.png") == world.bytes("b.png"));
    let other = draw(&world, "c.png", "a cat", "--seed 4");
    assert!(apart(&a, &other) > 10);
    for (name, _) in [("euler", 0), ("euler-a", 0), ("ddim", 0), ("ddpm", 0), ("dpm++-2m", 0)] {
        let more = format!("--seed 3 --sampler {name}");
        let other = draw(&world, &format!("{name}.png"), "a cat", &more);
        assert!(apart(&a, &other) > 0, "{name} is a sampler of its own");
    }
}

#[test]
fn a_picture_carries_what_it_was_made_with() {
    let world = World::new();
    let path = lora("kohya_sd_scripts");
    let more = format!("--seed 3 --negative blurry --guidance 5 --lora {path}=0.5");
    draw(&world, "a.png", "a cat", &more);
    let text = parameters(&world, "a.png");
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines[0], "a cat <lora:kohya_sd_scripts:0.5>");
    assert_eq!(lines[1], "Negative prompt: blurry");
    for part in ["Steps: 3", "CFG scale: 5", "Seed: 3", "Size: 64x64", "Sampler: dpm++-2m-karras"] {
        assert!(lines[2].contains(part), "no `{part}` in {}", lines[2]);
    }
    draw(&world, "wide.png", "Ælfgifu 猫", "");
    assert!(parameters(&world, "wide.png").starts_with("Ælfgifu 猫\n"));
}

#[test]
fn merged_and_live_loras_give_the_same_picture() {
    let world = World::new();
    let bare = draw(&world, "bare.png", "a cat", "");
    let loras = format!("--lora {}=0.7 --lora {}", lora("kohya_locon"), lora("diffusers_peft"));
    let live = draw(&world, "live.png", "a cat", &loras);
    let merged = draw(&world, "merged.png", "a cat", &format!("{loras} --merge"));
    assert!(apart(&live, &merged) <= 1, "{} levels apart", apart(&live, &merged));
    assert!(apart(&live, &bare) > 1, "the LoRAs do something");
}

#[test]
fn two_loras_are_neither_of_them_alone_and_their_order_does_not_matter() {
    let world = World::new();
    let (a, b) = (lora("kohya_locon"), lora("kohya_sd_scripts"));
    let only_a = draw(&world, "a.png", "a cat", &format!("--lora {a}"));
    let only_b = draw(&world, "b.png", "a cat", &format!("--lora {b}"));
    let ab = draw(&world, "ab.png", "a cat", &format!("--lora {a} --lora {b}"));
    let ba = draw(&world, "ba.png", "a cat", &format!("--lora {b} --lora {a}"));
    assert!(apart(&ab, &only_a) > 1 && apart(&ab, &only_b) > 1);
    assert!(apart(&ab, &ba) <= 1, "{} levels apart", apart(&ab, &ba));
    let none = draw(&world, "none.png", "a cat", &format!("--lora {a}=0 --lora {b}=0"));
    let bare = draw(&world, "bare.png", "a cat", "");
    assert!(apart(&none, &bare) <= 1, "strength 0 is no LoRA");
}

#[test]
fn a_prompt_beyond_77_tokens_is_read_to_its_end() {
    let world = World::new();
    let begin = "a ".repeat(100);
    let long = draw(&world, "long.png", &format!("{begin} cat on a bridge at night"), "");
    let other = draw(&world, "other.png", &format!("{begin} dog in a forest at noon"), "");
    let short = draw(&world, "short.png", begin.trim(), "");
    assert!(apart(&long, &short) > 0, "the end of the prompt counts");
    assert!(apart(&long, &other) > 0, "and what it says");
}

#[test]
fn a_batch_is_its_pictures_one_by_one() {
    let world = World::new();
    let mut args = world.generate("--prompt cat --seed 5 --batch 2 --out both");
    let ran = world.run(&args).ok();
    assert_eq!(ran.stdout, "both/seed-5.png\nboth/seed-6.png\n");
    for seed in [5, 6] {
        let name = format!("{seed}.png");
        let one = draw(&world, &name, "cat", &format!("--seed {seed}"));
        let of_both = format!("both/seed-{seed}.png");
        let levels = apart(&one, &pixels(&world, &of_both));
        assert!(levels <= 1, "seed {seed} is {levels} levels apart");
        assert_eq!(parameters(&world, &name), parameters(&world, &of_both));
    }
    let ran = world.run(&args).ok();
    assert_eq!(ran.stdout, "both/seed-5-1.png\nboth/seed-6-1.png\n", "nothing is replaced");
    *args.last_mut().expect("arguments") = "one.png".to_owned();
    world.run(&args).fails(2, &["`--out`", "give a folder"]);
}

#[test]
fn a_lora_that_went_to_diffusers_and_back_gives_the_same_pictures() {
    let world = World::new();
    let (base, first) = (sd15(), lora("kohya_locon"));
    let convert = |from: &str, to: &str, out: &str| {
        let args = args(&["convert", from, "--base", &base, "--to", to, "--out", out]);
        world.run(&args).ok();
    };
    convert(&first, "diffusers", "there.safetensors");
    convert("there.safetensors", "kohya", "back.safetensors");
    let before = draw(&world, "before.png", "a cat", &format!("--lora {first}"));
    for name in ["there", "back"] {
        let more = format!("--lora {name}.safetensors");
        let after = draw(&world, &format!("{name}.png"), "a cat", &more);
        assert_eq!(apart(&before, &after), 0, "{name}");
    }
}

#[test]
fn a_trained_lora_changes_the_picture_and_a_fresh_one_would_not() {
    let world = World::with_dataset(1);
    for (name, rate) in [("learns", "0.05"), ("idles", "1e-12")] {
        let more = format!("--steps 2 --set train.learning_rate={rate}");
        world.run(&world.train(name, &more)).ok();
    }
    let bare = draw(&world, "bare.png", "mika", "");
    let of = |name: &str| {
        let more = format!("--lora runs/{name}/adapter.safetensors");
        apart(&bare, &draw(&world, &format!("{name}.png"), "mika", &more))
    };
    assert!(of("learns") > 1);
    assert!(of("idles") <= 1);
}

#[test]
fn a_size_may_have_two_different_sides_on_either_family() {
    let world = World::new();
    for (name, base) in [("one", sd15()), ("two", crate::support::sd21())] {
        let mut args = words("generate --prompt x --steps 2 --size 72x48 --base");
        args.extend([base, "--out".to_owned(), format!("{name}.png")]);
        world.run(&args).ok();
        assert_eq!(pixels(&world, &format!("{name}.png")).dimensions(), (72, 48));
    }
}
