//! SD 1.5 as one original file: the same weights as the folder, under its own names.

use likeness_diffusion::checkpoint::{Checkpoint, Family};
use likeness_diffusion::weights::names::ldm;

use super::golden::Case;
use crate::support::device;

pub fn check(case: &mut Case) {
    let device = device();
    let configs = case.folder.join("configs/sd15");
    let file = case.folder.join("sd15_ldm.safetensors");
    let checkpoint = Checkpoint::open(&file, Some(&configs)).expect("an SD 1.x file");
    case.equal("family", checkpoint.family(), Family::Sd1);
    let unet = checkpoint.load_unet(&device).expect("unet");
    let x = case.tensor("sd15/sample", &device);
    let text = case.tensor("sd15/encoder_hidden_states", &device);
    case.check("sd15/unet_out_t500", unet.forward(x, &[500.0], text));
    checkpoint.load_vae(&device).expect("vae");
    checkpoint.load_text_encoder(&device).expect("text encoder");
    check_key_map(case, &checkpoint);
}

fn check_key_map(case: &mut Case, checkpoint: &Checkpoint) {
    let path = case.folder.join("unet_key_map.json");
    let text = std::fs::read_to_string(path).expect("the key map");
    let maps: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let map = maps["sd15_unet"].as_object().expect("SD 1.5's map").clone();
    assert!(map.len() > 100, "a whole UNet's names");
    for (ours, theirs) in map {
        let got = ldm::unet(&ours, &checkpoint.unet).map(|foreign| foreign.name);
        case.equal(&ours, got, theirs.as_str().map(String::from));
    }
}
