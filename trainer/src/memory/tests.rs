//! The estimate follows its formula, and `auto` its rule, on SD 1.5's sizes.

use likeness_diffusion::adapter::Preset;
use likeness_diffusion::precision::Precision;
use likeness_diffusion::unet::{Kind, StepShape};

use super::*;

const GIB: u64 = 1 << 30;

/// A base of SD 1.5's sizes with weights of 3 GiB.
fn predictor(unet: &UnetConfig, preset: Preset, rank: usize) -> Predictor<'_> {
    let targets = Targets::preset(preset, false);
    let layers = unet.steps([64, 64]).into_iter().flat_map(|step| step.layers);
    let places = layers.chain(unet.time_layers());
    let places = places.map(|(path, shape)| Place { component: Component::Unet, path, shape });
    Predictor {
        unet,
        places: places.filter(|place| targets.has(place)).collect(),
        rank,
        weights: 3 * GIB,
        text_weights: 0,
        text_numbers: 0,
        encoders: GIB,
        vae_channels: 128,
        factor: 8,
        precision: Precision::F32,
    }
}

fn load(batch: usize, side: usize) -> Load {
    Load { batch, latents: [side, side], tokens: 77 }
}

#[test]
fn more_photos_larger_ones_and_less_recomputing_take_more() {
    let unet = UnetConfig::default();
    let predictor = predictor(&unet, Preset::Attention, 16);
    let step = |load, how| predictor.estimate(load, how, true).step;
    for how in Checkpointing::ALL {
        let (one, two) = (step(load(1, 64), how), step(load(2, 64), how));
        assert!(two.abs_diff(2 * one) <= 1, "all of it is a sample's: {one} {two}");
        assert!(step(load(1, 96), how) > 2 * one, "2.25 times the places");
        let long = Load { tokens: 3 * 77, ..load(1, 64) };
        assert!(step(long, how) > one);
    }
    let ways = Checkpointing::ALL.map(|how| step(load(1, 64), how));
    assert!(ways[0] > 2 * ways[1] && ways[1] > ways[2], "{ways:?}");
}

#[test]
fn layers_that_learn_keep_what_they_read() {
    let unet = UnetConfig::default();
    let none = |preset, rank| {
        predictor(&unet, preset, rank).estimate(load(1, 64), Checkpointing::None, false)
    };
    let attention = none(Preset::Attention, 16);
    assert!(none(Preset::FeedForward, 16).step > attention.step);
    assert!(none(Preset::Convolutions, 16).step > none(Preset::FeedForward, 16).step);
    let wider = none(Preset::Attention, 32);
    assert!(wider.step > attention.step && wider.adapter == 2 * attention.adapter);
}

#[test]
fn a_transformer_keeps_what_its_table_says() {
    let unet = UnetConfig::default();
    let steps = unet.steps([64, 64]);
    let is_first = |step: &&StepShape| step.kind == Kind::Transformer;
    let step = steps.iter().find(is_first).expect("SD 1.5 has transformers");
    let frozen = Counted { step, text_tokens: 77, rank: 4, learns: &|_| false };
    let (cn, cm) = (320 * 64 * 64, 320 * 77);
    // Three norms, q, k, v and the output, the text's q, k, v and output, GEGLU.
    assert_eq!(frozen.kept(), 3 * cn + 4 * cn + (2 * cn + 2 * cm) + 8 * cn);
    let to_q = Counted { learns: &|path| path.ends_with("attn1.to_q"), ..frozen };
    assert_eq!(to_q.kept() - frozen.kept(), cn + 4 * 64 * 64);
}

#[test]
fn the_peak_is_that_of_the_worst_phase() {
    let unet = UnetConfig::default();
    let predictor = predictor(&unet, Preset::Attention, 16);
    let estimate = predictor.estimate(load(1, 64), Checkpointing::Blocks, true);
    assert_eq!(estimate.peak(), estimate.training);
    assert!(estimate.caching > GIB && estimate.caching < estimate.training);
    assert_eq!(predictor.estimate(load(1, 64), Checkpointing::Blocks, false).caching, 0);
}

#[test]
fn auto_takes_the_fastest_way_that_fits() {
    let unet = UnetConfig::default();
    let predictor = predictor(&unet, Preset::Attention, 16);
    let load = load(1, 64);
    let needed = |how| predictor.estimate(load, how, true).peak();
    let chosen = |free| choose(&predictor, load, true, None, free).estimate.checkpointing;
    for how in Checkpointing::ALL {
        assert_eq!(chosen(Some(needed(how))), how);
    }
    let little = choose(&predictor, load, true, None, Some(GIB));
    assert_eq!(little.estimate.checkpointing, Checkpointing::Blocks);
    assert_eq!(little.fits(), Some(false));
    assert_eq!(chosen(None), Checkpointing::None);
    let asked = choose(&predictor, load, true, Some(Checkpointing::Attention), Some(GIB));
    assert_eq!(
        (asked.estimate.checkpointing, asked.fits()),
        (Checkpointing::Attention, Some(false))
    );
}
