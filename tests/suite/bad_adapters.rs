//! LoRA files that a base cannot take.

use likeness_diffusion::weights::{HostTensor, save};
use safetensors::Dtype;

use crate::support::{World, args, fixture, sd21};

#[test]
fn a_lora_of_another_base_lists_the_layers_that_do_not_fit() {
    let world = World::new();
    let lora = fixture("lora-files/kohya_sd_scripts.safetensors").display().to_string();
    let base = sd21();
    let draw = ["generate", "--prompt", "x", "--out", "x.png", "--base", &base, "--lora", &lora];
    let ran = world.run(&args(&draw));
    ran.fails(1, &["kohya_sd_scripts.safetensors", "of another shape: ", "wanted", "family"]);
    let to = ["convert", &lora, "--base", &base, "--to", "diffusers", "--out", "y.safetensors"];
    world.run(&args(&to)).fails(1, &["kohya_sd_scripts.safetensors", "of another shape: "]);
    assert!(!world.at("x.png").exists() && !world.at("y.safetensors").exists());
}

#[test]
fn other_kinds_of_adapters_are_named_and_never_half_applied() {
    let world = World::new();
    let layer = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q";
    let cases = [
        ("dora", format!("{layer}.dora_scale"), "DoRA"),
        ("loha", format!("{layer}.hada_w1_a"), "LoHa"),
        ("lokr", format!("{layer}.lokr_w1"), "LoKr"),
        ("wrong", "lora_unet_nowhere.lora_down.weight".to_owned(), "lora_unet_nowhere"),
        ("half", format!("{layer}.lora_down.weight"), "missing"),
    ];
    for (name, key, found) in cases {
        let tensor = HostTensor { shape: vec![4, 4], values: vec![0.0; 16] };
        let file = format!("{name}.safetensors");
        let path = world.at(&file);
        save(&path, &[(key, tensor)], &Default::default(), Dtype::F32).expect("it is written");
        let draw = world.generate(&format!("--prompt x --out x.png --lora {file}"));
        world.run(&draw).fails(1, &[&file, found]);
    }
    let nowhere = world.generate("--prompt x --out x.png --lora nowhere.safetensors");
    world.run(&nowhere).fails(1, &["nowhere.safetensors", "No such file"]);
    assert!(!world.at("x.png").exists());
}
