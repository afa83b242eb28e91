//! Gradient checkpointing changes memory and time, and no gradient.

use burn::tensor::{Device, Tensor, TensorData};
use likeness_diffusion::adapter::{Preset, Targets, places};
use likeness_diffusion::checkpoint::Checkpoint;
use likeness_diffusion::noise;
use likeness_diffusion::unet::Checkpointing;
use likeness_trainer::objective::{Batch, Objective};
use likeness_trainer::steps_log;
use likeness_trainer::trainable::Trainable;

use crate::support::{World, device, listing, sd15, sd21};

fn random<const D: usize>(purpose: &str, shape: [usize; D], device: &Device) -> Tensor<D> {
    let values = noise::normal(3, purpose, 0, shape.iter().product());
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// The gradient of every factor of `preset` on `base`: by one graph over everything, and by each
/// way of checkpointing.
fn gradients(base: &str, preset: Preset, text_learns: bool, size: [usize; 2]) -> Vec<Vec<f32>> {
    let device = device();
    let checkpoint = Checkpoint::open(base.as_ref(), None).expect("a fixture");
    let mut unet = checkpoint.load_unet(&device).expect("its UNet");
    let mut encoder = checkpoint.load_text_encoder(&device).expect("its encoder");
    let all = places(&mut unet, Some(&mut encoder));
    let targets = Targets::preset(preset, text_learns);
    let mut trainable = Trainable::fresh(&all, &targets, 2, 2.0, 7, &device);
    // A fresh B is zero, and so would be the gradient of every A.
    trainable.values = random("factors", [trainable.parameters()], &device) * 0.1;
    let schedule = checkpoint.noise_schedule();
    let [batch, channels] = [2, checkpoint.unet.in_channels];
    let shape = [batch, channels, size[0], size[1]];
    let windows: Vec<_> =
        ["mika", "a cat"].iter().map(|text| checkpoint.tokenizer().window(text)).collect();
    let objective = Objective { min_snr_gamma: Some(5.0) };
    let mut run = |how: Option<Checkpointing>| -> Vec<f32> {
        let leaves = trainable.install(&mut unet, text_learns.then_some(&mut encoder));
        let batch = Batch {
            latents: random("latents", shape, &device),
            noise: random("noise", shape, &device),
            timesteps: vec![100, 700],
            text: encoder.encode(&windows, 0),
            target: None,
            mask: None,
        };
        let mut pieces = match how {
            Some(how) => objective.gradients(&unet, &schedule, &batch, how).1,
            None => {
                let loss = objective.loss_probed(&unet, &schedule, &batch, &mut None);
                vec![loss.backward()]
            }
        };
        leaves.gradient(&mut pieces).into_data().iter::<f32>().collect()
    };
    let ways = [None].into_iter().chain(Checkpointing::ALL.map(Some));
    ways.map(&mut run).collect()
}

fn assert_same(base: &str, preset: Preset, text_learns: bool, size: [usize; 2]) {
    let what = format!("{base} {preset:?} text {text_learns} at {size:?}");
    let found = gradients(base, preset, text_learns, size);
    let [whole, none, attention, blocks] = &found[..] else { panic!("four gradients") };
    assert!(none == attention, "{what}: `attention` changes gradients");
    assert!(none == blocks, "{what}: `blocks` changes gradients");
    let largest = whole.iter().fold(0.0f32, |largest, x| largest.max(x.abs()));
    assert!(largest > 0.0, "{what}: nothing learns");
    let reached = whole.iter().filter(|x| **x != 0.0).count();
    assert!(reached * 10 > whole.len() * 9, "{what}: {reached} of {} learn", whole.len());
    let apart = whole.iter().zip(none).map(|(a, b)| (a - b).abs()).fold(0.0f32, f32::max);
    assert!(apart <= 1e-5 * largest, "{what}: {apart} apart from one graph, of {largest}");
}

#[test]
fn every_way_of_checkpointing_gives_the_gradients_of_one_graph() {
    for preset in [Preset::Attention, Preset::FeedForward, Preset::Convolutions] {
        for text_learns in [false, true] {
            assert_same(&sd15(), preset, text_learns, [8, 8]);
        }
    }
    assert_same(&sd21(), Preset::Convolutions, true, [8, 8]);
}

#[test]
fn odd_latents_come_back_through_the_skips() {
    assert_same(&sd15(), Preset::Convolutions, true, [7, 9]);
}

#[test]
fn a_run_gives_the_same_bytes_whatever_is_recomputed() {
    let world = World::with_dataset(2);
    let rich = "--steps 2 --set train.batch=2 --set train.accumulate=2 \
                --set adapter.layers=convolutions --set adapter.text_encoder=true";
    for way in ["none", "attention", "blocks", "auto"] {
        let more = format!("{rich} --set train.checkpointing={way}");
        world.run(&world.train(way, &more)).ok();
    }
    let state = |way: &str| listing(&world.at(&format!("runs/{way}/checkpoints")));
    for way in ["attention", "blocks", "auto"] {
        assert!(state(way) == state("none"), "`{way}` gives other bytes");
    }
}

#[test]
fn a_run_may_go_on_with_another_way_of_checkpointing() {
    let world = World::with_dataset(2);
    let none = "--set train.checkpointing=none";
    world.run(&world.train("whole", &format!("--steps 3 {none}"))).ok();
    world.run(&world.train("cut", &format!("--steps 2 {none}"))).ok();
    let more = "--steps 3 --resume --set train.checkpointing=blocks";
    world.run(&world.train("cut", more)).ok();
    let last = |name: &str| world.bytes(&format!("runs/{name}/adapter.safetensors"));
    assert!(last("cut") == last("whole"), "they differ");
}

#[test]
fn recomputing_takes_less_memory() {
    let world = World::with_dataset(2);
    let peaks = ["none", "attention", "blocks"].map(|way| {
        let more = format!("--steps 1 --set train.batch=48 --set train.checkpointing={way}");
        world.run(&world.train(way, &more)).ok();
        let log = steps_log::read(&world.at(&format!("runs/{way}/steps.jsonl")));
        log[0].peak_memory_mib
    });
    // Not every system tells.
    if let [Some(none), Some(attention), Some(blocks)] = peaks {
        assert!(attention < 0.9 * none && blocks < attention, "{none} {attention} {blocks} MiB");
    }
}
