//! A whole pretraining of a few numbers: it ends in a base, and being cut off changes nothing.

use std::fs;
use std::path::Path;

use burn::tensor::{Device, Tensor};
use likeness_diffusion::checkpoint::Checkpoint;
use likeness_diffusion::vae::Vae;
use likeness_diffusion::weights::TensorFile;
use serde_json::json;

use image::{Rgb, RgbImage};
use likeness_faces::{Axis, Face, FaceModels, Identity, SceneReader, align_with_margin};

use super::autoencoder::Beginning;
use super::config::{LatentReaderConfig, PretrainConfig};
use super::corpus::{AXES, CHARACTERS, Corpus, LABELS, Label, PIXELS};
use super::export;
use super::run::{Part, Pretrained, corpus_folder, pretrain};
use crate::progress::{Event, Stop};

mod latents;

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
groups = 1
square = 8
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
[text.train]
steps = 3
batch = 4
learning_rate = 1e-2
warmup_steps = 1
save_every = 3
[denoiser]
channels = [8, 16]
layers = 1
heads = [1, 2]
groups = 4
average = 0.9
min_snr_gamma = 5.0
background = 0.5
[denoiser.train]
steps = 5
batch = 3
learning_rate = 1e-2
warmup_steps = 1
save_every = 2
[finder]
side = 32
trunk = { channels = [8, 8, 8, 8, 8], groups = 4 }
[finder.train]
steps = 2
batch = 2
learning_rate = 1e-2
warmup_steps = 1
save_every = 1
[identity]
side = 16
margin = 0.25
dimension = 6
trunk = { channels = [8, 16], groups = 4 }
[identity.train]
steps = 2
batch = 3
learning_rate = 1e-2
warmup_steps = 1
save_every = 1
[face_reader]
axes = ["top"]
side = 16
margin = 0.0
trunk = { channels = [8, 16], groups = 4 }
[face_reader.train]
steps = 2
batch = 3
learning_rate = 1e-2
warmup_steps = 1
save_every = 1
[reader]
axes = ["top"]
trunk = { channels = [8, 16], groups = 4 }
[reader.train]
steps = 2
batch = 3
learning_rate = 1e-2
warmup_steps = 1
save_every = 1
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
        let label = Label {
            character,
            captions: vec![caption],
            classes: vec![index % 3],
            face: [4.0, 4.0, 12.0, 12.0],
            landmarks: [[6.0, 6.0], [10.0, 6.0], [8.0, 8.0], [6.5, 10.0], [9.5, 10.0]],
            yaw: 30.0 * (index % 2) as f32,
        };
        labels += &format!("{}\n", json!(label));
    }
    let axes = [Axis::new("top", ["red", "green", "blue"].map(str::to_owned).into())];
    fs::write(folder.join(AXES), json!(axes).to_string()).expect("axes");
    let characters = [0, 1, 2, 3, 4, 5].map(|who| [who % 2, who / 2]);
    fs::write(folder.join(CHARACTERS), json!(characters).to_string()).expect("characters");
    fs::write(folder.join(PIXELS), pixels).expect("pictures");
    fs::write(folder.join(LABELS), labels).expect("labels");
}

/// Runs until the state with this number is saved, or to the end; how often one was.
fn run(config: &PretrainConfig, part: Part, stop_after: usize) -> (Pretrained, usize) {
    let (stop, device, mut saved) = (Stop::new(), Device::flex(), 0);
    let done = pretrain(config, &[part], (&device, &stop), &mut |_| (), &mut |event| {
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
    let finished = || Pretrained::Finished(whole.out.clone());
    assert_eq!(run(&whole, Part::Base, usize::MAX), (finished(), 2 + 1 + 3));
    assert_eq!(run(&cut, Part::Base, 1), (Pretrained::Stopped("autoencoder"), 1));
    let second = run(&cut, Part::Base, 3);
    assert_eq!(second, (Pretrained::Stopped("denoiser"), 3), "the end, then two steps");
    assert_eq!(run(&cut, Part::Base, usize::MAX).0, Pretrained::Finished(cut.out.clone()));
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
    assert_eq!(run(&whole, Part::Base, usize::MAX), (finished(), 0));
}

/// The pretraining of a base, which was run, and one that begins with it.
fn one_after_another(folder: &Path) -> [PretrainConfig; 2] {
    let [first, mut second] = ["first", "second"].map(|name| config(&folder.join(name)));
    for config in [&first, &second] {
        corpus(&corpus_folder(&config.out), 16);
    }
    run(&first, Part::Base, usize::MAX);
    second.from = Some(first.out.join("base"));
    [first, second]
}

#[test]
fn a_pretraining_begins_with_the_weights_and_words_of_another_base() {
    let folder = tempfile::tempdir().expect("a folder");
    let [first, mut second] = one_after_another(folder.path());
    for train in [&mut second.autoencoder.train, &mut second.denoiser.train] {
        train.learning_rate = 0.0;
    }
    run(&second, Part::Base, usize::MAX);
    for file in [export::VAE, export::UNET, export::TEXT_ENCODER, "tokenizer/vocab.json"] {
        let bytes = |config: &PretrainConfig| fs::read(config.out.join("base").join(file));
        assert!(bytes(&first).expect("a file") == bytes(&second).expect("a file"), "{file}");
    }
    // Halfway back from what was learned.
    let mut third = config(&folder.path().join("third"));
    corpus(&corpus_folder(&third.out), 16);
    third.from = second.from.clone();
    let weights = |config: &PretrainConfig| {
        let file = TensorFile::open(&config.out.join("base").join(export::UNET)).expect("a file");
        file.read("conv_in.weight").expect("readable").expect("there").values
    };
    run(&third, Part::Base, usize::MAX);
    let learned = weights(&third);
    third.denoiser.kept = 0.5;
    run(&third, Part::Base, usize::MAX);
    let (half, begun) = (weights(&third), weights(&first));
    let far =
        |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    let middle: Vec<f32> = begun.iter().zip(&learned).map(|(a, b)| 0.5 * (a + b)).collect();
    let (off, moved) = (far(&half, &middle), far(&begun, &learned));
    assert!(moved > 0.0 && off < 0.1 * moved, "{off} {moved}");
    let mut other = config(&folder.path().join("other"));
    corpus(&corpus_folder(&other.out), 16);
    (other.from, other.denoiser.channels) = (second.from, vec![16, 16]);
    let (stop, device) = (Stop::new(), Device::flex());
    let done = pretrain(&other, &[Part::Base], (&device, &stop), &mut |_| (), &mut |_| ());
    let text = done.expect_err("another UNet").to_string();
    assert!(text.contains("unet/") && text.contains("lacks"), "{text}");
}

#[test]
fn a_base_begins_with_one_of_fewer_latent_channels() {
    let folder = tempfile::tempdir().expect("a folder");
    let [first, mut second] = one_after_another(folder.path());
    second.autoencoder.latent_channels = 3;
    second.denoiser.train.learning_rate = 0.0;
    run(&second, Part::Base, usize::MAX);
    let read = |config: &PretrainConfig, name: &str| {
        let file = TensorFile::open(&config.out.join("base").join(export::UNET)).expect("a file");
        file.read(name).expect("readable").expect("there")
    };
    let [two, three] = [&first, &second].map(|config| read(config, "conv_in.weight"));
    assert_eq!((two.shape[1], three.shape[1]), (2, 3));
    for (two, three) in two.values.chunks(2 * 9).zip(three.values.chunks(3 * 9)) {
        assert!(three[..18] == *two && three[18..].iter().all(|weight| *weight == 0.0));
    }
    let [two, three] = [&first, &second].map(|config| read(config, "conv_out.bias"));
    assert!(three.values[..2] == two.values[..] && three.values[2] == 0.0);
    let [two, three] = [&first, &second].map(|config| read(config, "conv_norm_out.weight"));
    assert_eq!(two.values, three.values);
}

#[test]
fn an_autoencoder_begins_with_the_transform_and_what_undoes_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = config(folder.path());
    corpus(&corpus_folder(&config.out), 16);
    let device = Device::flex();
    let corpus = Corpus::open(&corpus_folder(&config.out), 16, config.pictures());
    let corpus = corpus.expect("a corpus");
    let begun = Beginning::fresh(&config.vae(1.0), &corpus, (1, false), &device);
    let source = begun.encoder.joined(&begun.decoder).frozen();
    let vae = Vae::load(config.vae(1.0), &source, &device).expect("all weights");
    let indices: Vec<usize> = (0..12).collect();
    let pixels = corpus.pixels(&indices, &device);
    let size = |x: Tensor<4>| f64::from(x.square().mean().into_scalar::<f32>()).sqrt();

    let encoded = vae.encode(pixels.clone()).mean;
    let meant = begun.latents.at(&indices, &device) / begun.latents.scaling;
    assert!(size(encoded.clone() - meant.clone()) < 0.02 * size(meant), "the encoder's latents");
    let error = size(vae.decode(encoded) - pixels.clone());
    assert!(error < 0.25 * size(pixels), "two channels of twelve, no step of training: {error}");
}

/// What a reader of latents adds to a file.
fn told(config: &mut PretrainConfig) -> &mut LatentReaderConfig {
    config.latent_reader.insert(LatentReaderConfig {
        axes: vec!["top".into()],
        weight: 1.0,
        trunk: config.face_reader.trunk.clone(),
        train: config.face_reader.train,
    })
}

#[test]
fn an_axis_that_the_corpus_does_not_have_is_refused_by_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut config = config(folder.path());
    corpus(&corpus_folder(&config.out), 16);
    config.reader.axes = vec!["weather".into()];
    told(&mut config).axes = vec!["weather".into()];
    let (stop, device) = (Stop::new(), Device::flex());
    for (part, key) in [(Part::Reader, "reader.axes"), (Part::Denoiser, "latent_reader.axes")] {
        let done = pretrain(&config, &[part], (&device, &stop), &mut |_| (), &mut |_| ());
        let text = done.expect_err("an unknown axis").to_string();
        assert!(text.contains(key) && text.contains("the corpus knows top"), "{text}");
    }
}

#[test]
fn the_judges_are_written_as_networks_that_the_commands_open() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = config(folder.path());
    corpus(&corpus_folder(&config.out), 16);
    for part in [Part::Finder, Part::Identity, Part::Reader, Part::FaceReader] {
        assert_eq!(run(&config, part, usize::MAX), (Pretrained::Finished(config.out.clone()), 2));
    }
    let faces = FaceModels::open(&config.out.join("base/judges")).expect("a finder and an encoder");
    let picture = RgbImage::from_fn(40, 40, |x, y| Rgb([6 * x as u8, 6 * y as u8, 90]));
    faces.faces(&picture).expect("a finder that runs");
    let landmarks = [[14.0, 15.0], [26.0, 15.0], [20.0, 22.0], [15.0, 28.0], [25.0, 28.0]];
    let face = Face { bbox: [10.0, 10.0, 20.0, 24.0], landmarks, score: 1.0 };
    let seen = faces.identity(&picture, &face).expect("an encoder that runs");

    // The same face by the trainer's own code.
    let aligned = align_with_margin(&picture, &landmarks, 16, 0.25);
    let ours = super::judges::identity::direction(&config, &aligned);
    assert!(seen.cosine(&Identity::new(ours)) > 0.9999);
    let reader = SceneReader::open(&config.out.join("base/judges")).expect("a readable folder");
    let reader = reader.expect("a reader");
    let read = |face| reader.read(&picture, face).expect("readers that run");
    assert_eq!(read(None).iter().flatten().count(), 1, "only the reader of pictures");
    assert!(read(Some(&face)).iter().all(|label| label.is_some_and(|label| label < 3)));
}

#[test]
fn the_state_of_other_models_is_refused_by_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut config = config(folder.path());
    corpus(&corpus_folder(&config.out), 16);
    run(&config, Part::Base, 1);
    config.autoencoder.channels = vec![8, 16];
    let (stop, device) = (Stop::new(), Device::flex());
    let done = pretrain(&config, &[Part::Base], (&device, &stop), &mut |_| (), &mut |_| ());
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
        ("autoencoder.channels=[4, 4]", "autoencoder.channels"),
        ("autoencoder.square=9", "autoencoder.square"),
        ("text.train.batch=0", "text.train"),
        ("reader.axes=[]", "reader.axes"),
        ("face_reader.margin=3", "face_reader"),
        ("autoencoder.faces=2", "autoencoder.faces"),
        ("denoiser.timestep_power=0", "denoiser.timestep_power"),
        ("denoiser.kept=0.5", "denoiser.kept"),
        ("denoiser.heads=[1, 0]", "denoiser.heads"),
        ("denoiser.heads=[3, 6]", "denoiser.heads"),
        ("denoiser.groups=0", "denoiser.groups"),
        ("text.heads=3", "text.heads"),
        ("text.window=78", "text.window"),
        ("finder.side=48", "finder"),
        ("finder.trunk.channels=[8]", "finder"),
        ("identity.trunk.groups=3", "identity"),
        ("identity.margin=3", "identity"),
        ("reader.trunk.channels=[]", "reader"),
        ("denoiser.train.steps=0", "denoiser.train"),
        ("denoiser.train.stepz=1", "stepz"),
    ] {
        let text = parse(set).expect_err(set).to_string();
        assert!(text.contains(key), "{set}: {text}");
    }
}
