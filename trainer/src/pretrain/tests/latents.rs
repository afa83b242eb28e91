//! Latents: whose encoder they come from, the faces in them, and the reader that looks at these.

use burn::tensor::{Device, Tensor};
use likeness_diffusion::weights::{TensorFile, save};
use safetensors::Dtype;

use super::super::autoencoder::Beginning;
use super::super::config::PretrainConfig;
use super::super::corpus::Corpus;
use super::super::export;
use super::super::latent_faces::{LatentFaces, Square};
use super::super::run::{Part, Pretrained, corpus_folder};
use super::{config, corpus, one_after_another, run, told};

#[test]
fn latents_are_those_of_the_encoder_that_a_base_has() {
    let folder = tempfile::tempdir().expect("a folder");
    let [first, _] = one_after_another(folder.path());
    let device = Device::flex();
    let corpus = Corpus::open(&corpus_folder(&first.out), 16, first.pictures());
    let corpus = corpus.expect("a corpus");
    let base = first.out.join("base");
    let read = || {
        let read = Beginning::read(&first.vae(1.0), &corpus, &base, &device);
        read.expect("an autoencoder").latents
    };
    let transformed = Beginning::fresh(&first.vae(1.0), &corpus, (1, true), &device).latents;
    assert_eq!(read().of(5), transformed.of(5), "the corpus's own transform");

    // An encoder whose means are twice as large is another one.
    let path = base.join(export::VAE);
    let file = TensorFile::open(&path).expect("a file");
    let doubled = |name: &String| {
        let mut tensor = file.read(name).expect("readable").expect("there");
        if name.starts_with("quant_conv") {
            tensor.values.iter_mut().for_each(|value| *value *= 2.0);
        }
        (name.clone(), tensor)
    };
    let tensors: Vec<_> = file.names().iter().map(doubled).collect();
    save(&path, &tensors, &Default::default(), Dtype::F32).expect("a folder to write to");
    let shares = transformed.scaling / read().scaling;
    assert!((shares - 2.0).abs() < 0.05, "{shares}");
}

#[test]
fn a_reader_of_latents_moves_the_denoiser_and_being_cut_off_changes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let names = ["plain", "unheard", "heard", "cut"];
    let [plain, mut unheard, mut heard, mut cut] =
        names.map(|name| config(&folder.path().join(name)));
    told(&mut unheard).weight = 0.0;
    told(&mut heard);
    told(&mut cut);
    for config in [&plain, &unheard, &heard, &cut] {
        corpus(&corpus_folder(&config.out), 16);
    }
    let state = |config: &PretrainConfig| {
        let file = TensorFile::open(&config.out.join("denoiser/state.safetensors"));
        let weights = file.expect("a state").read("unet.values").expect("readable");
        weights.expect("a UNet's").values
    };
    for config in [&plain, &unheard, &heard] {
        run(config, Part::Denoiser, usize::MAX);
    }
    assert_eq!(run(&cut, Part::Denoiser, 1), (Pretrained::Stopped("text"), 1));
    let second = run(&cut, Part::Denoiser, 1);
    assert_eq!(second, (Pretrained::Stopped("latent_reader"), 1), "after a step of two");
    run(&cut, Part::Denoiser, usize::MAX);
    assert_eq!(state(&plain), state(&unheard));
    assert_ne!(state(&plain), state(&heard));
    assert_eq!(state(&heard), state(&cut));
}

#[test]
fn faces_of_latents_are_squares_of_the_pictures_and_know_what_they_are_made_of() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = config(folder.path());
    corpus(&corpus_folder(&config.out), 16);
    let device = Device::flex();
    let corpus = Corpus::open(&corpus_folder(&config.out), 16, config.pictures());
    let corpus = corpus.expect("a corpus");
    let latents = Beginning::fresh(&config.vae(1.0), &corpus, (1, true), &device).latents;
    let faces = LatentFaces::new(&corpus, &latents, 8, &device);
    let seen = |latents: Tensor<4>, middle: [f32; 2], side: f32| {
        faces.of(latents, &[Square { middle, side }]).into_data().iter::<f32>().collect::<Vec<_>>()
    };
    let at = latents.at(&[3], &device);
    // Red above green; two numbers a block keep most of a colour.
    let whole = seen(at.clone(), [8.0, 8.0], 16.0);
    let pixel = |face: &[f32], c: usize, y: usize| face[(c * 8 + y) * 8 + 4];
    assert!(pixel(&whole, 0, 1) > 0.2 && pixel(&whole, 1, 1) < -0.3, "red above");
    assert!(pixel(&whole, 1, 6) > 0.2 && pixel(&whole, 0, 6) < -0.3, "green below");
    // A square of the upper half alone, and one beyond the edge, are red all over.
    for middle in [[8.0, 3.0], [8.0, -20.0]] {
        let above = seen(at.clone(), middle, 6.0);
        assert!((0..8).all(|y| pixel(&above, 0, y) > 0.2 && pixel(&above, 1, y) < -0.3));
    }
    // The gradient reaches the latents that the square shows, and no other.
    let tracked = at.autodiff().require_grad();
    let face = faces.of(tracked.clone(), &[Square { middle: [4.0, 4.0], side: 4.0 }]);
    let gradient = tracked.grad(&face.sum().backward()).expect("a gradient");
    let [above, below] =
        [0, 4].map(|row| gradient.clone().narrow(2, row, 4).abs().sum().into_scalar::<f32>());
    assert!(above > 0.0 && below == 0.0, "{above} {below}");
}
