//! A whole pretraining of a few numbers: it ends in a base, and being cut off changes nothing.

use std::fs;
use std::path::Path;

use burn::tensor::Device;
use likeness_diffusion::checkpoint::Checkpoint;
use serde_json::json;

use super::config::PretrainConfig;
use super::corpus::Label;
use super::run::{Pretrained, corpus_folder, pretrain};
use crate::progress::{Event, Stop};

const FILE: &str = r#"
out = "unset"
[corpus]
characters = 6
pictures_each = 2
held_out_characters = 2
side = 16
[autoencoder]
channels = [8, 8]
layers = 1
latent_channels = 2
groups = 4
[autoencoder.train]
steps = 4
batch = 2
learning_rate = 1e-2
warmup_steps = 1
save_every = 3
[text]
merges = 20
window = 12
width = 16
layers = 1
heads = 2
[denoiser]
channels = [8, 16]
layers = 1
heads = [1, 2]
groups = 4
average = 0.9
min_snr_gamma = 5.0
[denoiser.train]
steps = 5
batch = 3
learning_rate = 1e-2
warmup_steps = 1
save_every = 2
"#;

fn config(out: &Path) -> PretrainConfig {
    let out = format!("out={}", toml::Value::String(out.display().to_string()));
    PretrainConfig::parse(Path::new("tiny.toml"), FILE, &[out]).expect("a valid file")
}

/// Twelve pictures of two colours each, which their captions name.
fn corpus(folder: &Path, side: usize) {
    fs::create_dir_all(folder).expect("a folder");
    let (mut pixels, mut labels) = (Vec::new(), String::new());
    for index in 0..12usize {
        let colors = [[200, 30, 30], [30, 200, 30], [30, 30, 200]];
        let [top, bottom] = [colors[index % 3], colors[index / 3 % 3]];
        let rows = (0..side * side).map(|place| if place < side * side / 2 { top } else { bottom });
        pixels.extend(rows.flatten());
        let names = ["red", "green", "blue"];
        let caption = format!("{} over {}", names[index % 3], names[index / 3 % 3]);
        let character = index as u64 / 2;
        let label = Label { character, captions: vec![caption], classes: vec![index % 3] };
        labels += &format!("{}\n", json!(label));
    }
    fs::write(folder.join("pictures.rgb"), pixels).expect("pictures");
    fs::write(folder.join("pictures.jsonl"), labels).expect("labels");
}

/// Runs until the state with this number is saved, or to the end; how often one was.
fn run(config: &PretrainConfig, stop_after: usize) -> (Pretrained, usize) {
    let (stop, mut saved) = (Stop::new(), 0);
    let done = pretrain(config, &Device::flex(), &stop, &mut |_| (), &mut |event| {
        if let Event::Saved(_) = event {
            saved += 1;
            if saved == stop_after {
                stop.ask();
            }
        }
    });
    (done.expect("a pretraining"), saved)
}

#[test]
fn a_pretraining_that_was_cut_off_ends_with_the_same_bytes_in_a_base() {
    let folder = tempfile::tempdir().expect("a folder");
    let [whole, cut] = ["whole", "cut"].map(|name| config(&folder.path().join(name)));
    for config in [&whole, &cut] {
        corpus(&corpus_folder(&config.out), 16);
    }
    let base = whole.out.join("base");
    assert_eq!(run(&whole, usize::MAX), (Pretrained::Finished(base.clone()), 2 + 3));
    assert_eq!(run(&cut, 1), (Pretrained::Stopped("autoencoder"), 1));
    assert_eq!(run(&cut, 3), (Pretrained::Stopped("denoiser"), 3), "the end, then two steps");
    assert_eq!(run(&cut, usize::MAX).0, Pretrained::Finished(cut.out.join("base")));
    for part in ["vae", "unet", "text_encoder"] {
        let name = if part == "text_encoder" { "model" } else { "diffusion_pytorch_model" };
        let bytes = |config: &PretrainConfig| {
            let path = config.out.join(format!("base/{part}/{name}.safetensors"));
            fs::read(path).expect("weights")
        };
        assert!(bytes(&whole) == bytes(&cut), "{part}");
    }
    let checkpoint = Checkpoint::open(&base, None).expect("a base that opens");
    checkpoint.load_unet(&Device::flex()).expect("a UNet that loads");
    checkpoint.load_vae(&Device::flex()).expect("an autoencoder that loads");
    checkpoint.load_text_encoder(&Device::flex()).expect("a text encoder that loads");

    // A finished pretraining is not repeated.
    assert_eq!(run(&whole, usize::MAX), (Pretrained::Finished(base), 0));
}

#[test]
fn the_state_of_other_models_is_refused_by_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut config = config(folder.path());
    corpus(&corpus_folder(&config.out), 16);
    run(&config, 1);
    config.autoencoder.channels = vec![8, 16];
    let (stop, device) = (Stop::new(), Device::flex());
    let done = pretrain(&config, &device, &stop, &mut |_| (), &mut |_| ());
    let text = done.expect_err("another autoencoder").to_string();
    assert!(text.contains("state.safetensors") && text.contains("delete it"), "{text}");
}

#[test]
fn sizes_that_do_not_fit_are_refused_by_key() {
    let parse = |set: &str| PretrainConfig::parse(Path::new("a.toml"), FILE, &[set.to_owned()]);
    for (set, key) in [
        ("corpus.side=18", "corpus.side"),
        ("corpus.held_out_characters=6", "corpus.characters"),
        ("autoencoder.groups=3", "autoencoder.groups"),
        ("denoiser.heads=[3, 6]", "denoiser.heads"),
        ("denoiser.groups=0", "denoiser.groups"),
        ("text.heads=3", "text.heads"),
        ("text.window=78", "text.window"),
        ("denoiser.train.steps=0", "denoiser.train"),
        ("denoiser.train.stepz=1", "stepz"),
    ] {
        let text = parse(set).expect_err(set).to_string();
        assert!(text.contains(key), "{set}: {text}");
    }
}
