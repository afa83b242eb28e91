//! One LoRA in every dialect: the same pictures as diffusers makes with it.

use burn::tensor::Tensor;
use likeness_diffusion::checkpoint::Checkpoint;
use likeness_diffusion::layers::LayerMut;
use likeness_diffusion::pipeline::Pipeline;
use likeness_diffusion::sampler::SamplerKind;

use super::golden::Case;
use super::stable_diffusion::request;
use crate::support::device;

pub fn check(case: &mut Case) {
    let device = device();
    let base = case.sibling("sd15-tiny").join("pipeline");
    let checkpoint = Checkpoint::open(&base, None).expect("the base of these adapters");
    let mut pipeline = Pipeline::load(&checkpoint, &device).expect("its models");
    check_run(case, &pipeline, &checkpoint, "no_lora");
    let runs: Vec<String> = case
        .keys()
        .iter()
        .filter_map(|key| key.strip_suffix("/final_latents").map(String::from))
        .filter(|run| run.contains("/scale"))
        .collect();
    assert!(runs.len() >= 9, "seven files, some at several strengths");
    for run in runs {
        let (file, strength) = run.split_once("/scale").expect("a file and a strength");
        let adapter = pipeline
            .read_adapter(&case.folder.join(format!("{file}.safetensors")))
            .unwrap_or_else(|e| panic!("{run}: {e}"));
        pipeline.attach(&adapter, strength.parse().expect("a strength"));
        check_run(case, &pipeline, &checkpoint, &run);
        pipeline.detach();
    }
    check_two(case, &mut pipeline, &checkpoint);
    check_merged(case, &mut pipeline, &checkpoint);
}

fn check_run(case: &mut Case, pipeline: &Pipeline, checkpoint: &Checkpoint, run: &str) {
    let device = device();
    let request = request(case, checkpoint, SamplerKind::Ddim);
    let start = case.tensor("sample/initial_latents", &device);
    let latents = pipeline.sample(&request, start, &mut |_| {}).expect("a sound request");
    case.check(&format!("{run}/final_latents"), latents.clone());
    let ids = case.id_rows("text/input_ids");
    let states = pipeline.text_encoder.encode(&ids, 0);
    case.check(&format!("{run}/text_last_hidden_state"), states);
    if case.has(&format!("{run}/decoded")) {
        let want: Tensor<4> = case.tensor(&format!("{run}/final_latents"), &device);
        case.check(&format!("{run}/decoded"), pipeline.decode_raw(want));
    }
}

fn check_two(case: &mut Case, pipeline: &mut Pipeline, checkpoint: &Checkpoint) {
    for (file, strength) in [("kohya_sd_scripts", 0.7), ("kohya_locon", 0.4)] {
        let path = case.folder.join(format!("{file}.safetensors"));
        let adapter = pipeline.read_adapter(&path).expect("a LoRA");
        pipeline.attach(&adapter, strength);
    }
    check_run(case, pipeline, checkpoint, "two/a0.7_b0.4");
    pipeline.detach();
}

fn check_merged(case: &mut Case, pipeline: &mut Pipeline, checkpoint: &Checkpoint) {
    let path = case.folder.join("kohya_sd_scripts.safetensors");
    let adapter = pipeline.read_adapter(&path).expect("a LoRA");
    pipeline.attach(&adapter, 1.0);
    pipeline.merge();
    check_run(case, pipeline, checkpoint, "kohya_sd_scripts/fused1.0");
    let unet = pipeline.unet.layers().into_iter().map(|layer| ("unet", layer));
    let text = pipeline.text_encoder.layers().into_iter().map(|layer| ("text_encoder", layer));
    let fused: Vec<(String, Tensor<2>)> = unet
        .chain(text)
        .filter_map(|(part, layer)| match layer {
            LayerMut::Linear(layer) => {
                let key = format!("fused_weights/{part}.{}.weight", layer.path());
                Some((key, layer.weight().clone()))
            }
            LayerMut::Conv(_) => None,
        })
        .collect();
    let mut found = 0;
    for (key, weight) in fused {
        if case.has(&key) {
            case.check(&key, weight);
            found += 1;
        }
    }
    assert!(found >= 6, "fused weights were compared: {found}");
}
