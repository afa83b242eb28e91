//! Bases that are of another family, incomplete, cut off, lying or pickles.

use likeness_diffusion::weights::{HostTensor, TensorFile, save};
use safetensors::Dtype;

use crate::support::{World, args, fixture, listing};

/// Draws and trains with `base`; both have to fail alike and leave the world as it was.
fn refused(world: &World, base: &str, configs: bool, parts: &[&str]) {
    let before = listing(&world.at(""));
    let mut draw = args(&["generate", "--prompt", "x", "--out", "x.png", "--base", base]);
    let train =
        ["train", "--dataset", "mika.dataset", "--out", "runs/a", "--steps", "1", "--base", base];
    let mut train = args(&train);
    if configs {
        let configs = fixture("single-file/configs/sd15").display().to_string();
        draw.extend(args(&["--base-configs", &configs]));
        train.extend([args(&["--set"]), vec![format!("base_configs={configs}")]].concat());
    }
    for args in [draw, train] {
        world.run(&args).fails(1, parts);
        let mut after = listing(&world.at(""));
        // A run folder may have been begun: a base is only read through once it is claimed.
        after.retain(|path, _| !path.starts_with("runs/a"));
        assert_eq!(after, before);
        assert!(!world.at("runs/a/checkpoints").exists());
        let _ = std::fs::remove_dir_all(world.at("runs"));
    }
}

fn tensors(world: &World, name: &str, tensors: &[(&str, &[usize])]) -> String {
    let tensors: Vec<_> = tensors
        .iter()
        .map(|(name, shape)| {
            let values = vec![0.0; shape.iter().product()];
            ((*name).to_owned(), HostTensor { shape: shape.to_vec(), values })
        })
        .collect();
    save(&world.at(name), &tensors, &Default::default(), Dtype::F32).expect("it is written");
    name.to_owned()
}

/// Names and shapes of the tensors of a file.
type Contents<'a> = &'a [(&'a str, &'a [usize])];

#[test]
fn a_checkpoint_of_another_family_is_named_as_what_it_is() {
    let world = World::with_dataset(1);
    let cases: [(&str, Contents, &str); 6] = [
        (
            "sdxl.safetensors",
            &[
                ("conditioner.embedders.1.model.ln_final.weight", &[8]),
                ("model.diffusion_model.input_blocks.0.0.weight", &[8, 4, 3, 3]),
            ],
            "an SDXL checkpoint",
        ),
        ("flux.safetensors", &[("double_blocks.0.img_attn.qkv.weight", &[6, 2])], "a FLUX"),
        (
            "sd3.safetensors",
            &[("model.diffusion_model.joint_blocks.0.x_block.attn.qkv.weight", &[6, 2])],
            "an SD 3 checkpoint",
        ),
        (
            "inpainting.safetensors",
            &[("model.diffusion_model.input_blocks.0.0.weight", &[8, 9, 3, 3])],
            "an inpainting checkpoint",
        ),
        ("lora.safetensors", &[("lora_unet_x.lora_down.weight", &[4, 8])], "a LoRA"),
        (
            "folder/unet/diffusion_pytorch_model.safetensors",
            &[("add_embedding.linear_1.weight", &[8, 8])],
            "an SDXL UNet",
        ),
    ];
    for (name, names, found) in cases {
        let file = tensors(&world, name, names);
        let base = if file.starts_with("folder") { "folder" } else { &file };
        refused(&world, base, false, &[base, found, "SD 1.x and SD 2.x"]);
    }
    let other = tensors(&world, "other.safetensors", &[("encoder.weight", &[2])]);
    refused(&world, &other, false, &[&other, "not a checkpoint", "diffusers folder"]);
    refused(&world, "nowhere", false, &["nowhere`", "no such file or folder"]);
    refused(&world, "photos", false, &["photos`", "no `unet` folder"]);
}

/// The tiny SD 1.5 in one file, changed.
fn changed(
    world: &World,
    name: &str,
    change: impl FnOnce(&mut Vec<(String, HostTensor)>),
) -> String {
    let file = TensorFile::open(&fixture("single-file/sd15_ldm.safetensors")).expect("a fixture");
    let floats = file.names().into_iter().filter(|name| file.is_float(name));
    let read = |name: String| {
        let tensor = file.read(&name).expect("readable").expect("there");
        (name, tensor)
    };
    let mut tensors: Vec<_> = floats.map(read).collect();
    change(&mut tensors);
    save(&world.at(name), &tensors, &file.metadata(), Dtype::F32).expect("it is written");
    name.to_owned()
}

const CONV: &str = "model.diffusion_model.middle_block.0.in_layers.2.weight";

#[test]
fn a_checkpoint_that_lacks_has_or_bends_one_tensor_is_an_error_that_names_it() {
    let world = World::with_dataset(1);
    let whole = changed(&world, "whole.safetensors", |_| ());
    let configs = fixture("single-file/configs/sd15").display().to_string();
    let draw = ["generate", "--prompt", "x", "--steps", "1", "--size", "64x64", "--base", &whole];
    let draw = [args(&draw), args(&["--base-configs", &configs])].concat();
    world.run(&draw).ok();

    let lacks = changed(&world, "lacks.safetensors", |all| all.retain(|(name, _)| name != CONV));
    refused(&world, &lacks, true, &[&lacks, "1 missing: mid_block.resnets.0.conv1.weight"]);
    let has = changed(&world, "has.safetensors", |all| {
        let tensor = HostTensor { shape: vec![1], values: vec![0.0] };
        all.push(("model.diffusion_model.surprise".into(), tensor));
    });
    refused(&world, &has, true, &[&has, "1 unknown: model.diffusion_model.surprise"]);
    let bends = changed(&world, "bends.safetensors", |all| {
        let (_, tensor) = all.iter_mut().find(|(name, _)| name == CONV).expect("it has it");
        tensor.shape.swap(1, 3);
    });
    let parts = [&bends, "1 of another shape: mid_block.resnets.0.conv1.weight", "wanted"];
    refused(&world, &bends, true, &parts);
    let strange = changed(&world, "strange.safetensors", |all| {
        let tensor = HostTensor { shape: vec![1], values: vec![0.0] };
        all.push(("surprise.weight".into(), tensor));
    });
    refused(&world, &strange, true, &[&strange, "1 unknown: surprise.weight"]);
}

#[test]
fn a_cut_off_or_lying_file_is_an_error_and_never_believed() {
    let world = World::with_dataset(1);
    let whole = std::fs::read(fixture("single-file/sd15_ldm.safetensors")).expect("a fixture");
    let header = |text: &str, data: usize| {
        let length = (text.len() as u64).to_le_bytes();
        [&length, text.as_bytes(), &vec![0; data]].concat()
    };
    let entry = |shape: &str, end: &str| {
        format!("{{\"x\":{{\"dtype\":\"F32\",\"shape\":{shape},\"data_offsets\":[0,{end}]}}}}")
    };
    let cases: [(&str, Vec<u8>); 9] = [
        ("half", whole[..whole.len() / 2].to_vec()),
        ("in-header", whole[..100].to_vec()),
        ("one-byte-short", whole[..whole.len() - 1].to_vec()),
        ("empty", Vec::new()),
        ("beyond-the-file", header(&entry("[1000]", "4000"), 8)),
        ("shape-lies", header(&entry("[1000]", "8"), 8)),
        ("shape-overflows", header(&entry("[4294967296,4294967296,4]", "8"), 8)),
        ("huge-header", [&u64::MAX.to_le_bytes(), b"{}".as_slice()].concat()),
        ("no-json", header("not json at all", 0)),
    ];
    for (name, bytes) in cases {
        let name = format!("{name}.safetensors");
        world.put(&name, &bytes);
        refused(&world, &name, false, &[&name, "not a whole safetensors file", "again"]);
        let lora = world.generate(&format!("--prompt x --out x.png --lora {name}"));
        world.run(&lora).fails(1, &[&name, "not a whole safetensors file"]);
        std::fs::remove_file(world.at(&name)).expect("removed");
    }
}

#[test]
fn a_pickle_is_refused_by_its_name_and_by_its_content() {
    let world = World::with_dataset(1);
    for (name, bytes) in [
        ("model.ckpt", b"anything".as_slice()),
        ("model.PT", b"anything"),
        ("zip.safetensors", b"PK\x03\x04archive/data.pkl"),
        ("bare.safetensors", b"\x80\x02ctorch"),
    ] {
        world.put(name, bytes);
        refused(&world, name, false, &[name, "is a pickle", "runs the code in it", "safetensors"]);
        let lora = world.generate(&format!("--prompt x --out x.png --lora {name}"));
        world.run(&lora).fails(1, &[name, "is a pickle"]);
    }
    let unet = "folder/unet/diffusion_pytorch_model.bin";
    world.put(unet, b"anything");
    refused(&world, "folder", false, &[unet, "is a pickle"]);
}
