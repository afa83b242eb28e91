//! SD 1.x and 2.x pipelines: text states, UNet and its blocks, autoencoder, whole runs.

use burn::tensor::{Device, Tensor, TensorData};
use likeness_diffusion::checkpoint::Checkpoint;
use likeness_diffusion::pipeline::{Pipeline, Request};
use likeness_diffusion::probe::Probe;
use likeness_diffusion::sampler::{Sampler, SamplerKind, SamplerOptions};
use likeness_diffusion::schedule::{Schedule, ScheduleConfig};
use likeness_diffusion::text::TextEncoder;
use likeness_diffusion::unet::Unet;
use likeness_diffusion::vae::Vae;
use serde_json::{Value, json};

use super::golden::Case;
use super::schedulers::kind_of;
use crate::support::device;

pub fn check(case: &mut Case) {
    let device = device();
    let checkpoint = Checkpoint::open(&case.folder.join("pipeline"), None).expect("a pipeline");
    check_models(case, &checkpoint, &device);
    let single = case.folder.join("single_file_ldm.safetensors");
    if single.exists() {
        let configs = case.folder.join("pipeline");
        let same = Checkpoint::open(&single, Some(&configs)).expect("the same as one file");
        check_models(case, &same, &device);
    }
    check_tokens(case, &checkpoint);
    let pipeline = Pipeline::load(&checkpoint, &device).expect("the same models");
    for name in sampling_runs(case) {
        check_sampling(case, &pipeline.unet, &checkpoint, &name, &device);
    }
    if case.name == "sd15-tiny" {
        check_prompts(case, &pipeline, &checkpoint, &device);
        check_image_to_image(case, &checkpoint, &device);
    }
    if case.has("velocity/x0") {
        check_velocity(case, &checkpoint, &device);
    }
}

fn check_models(case: &mut Case, checkpoint: &Checkpoint, device: &Device) {
    check_text(case, &checkpoint.load_text_encoder(device).expect("text encoder"));
    let unet = checkpoint.load_unet(device).expect("unet");
    check_unet(case, &unet, device);
    check_blocks(case, &unet, device);
    check_vae(case, &checkpoint.load_vae(device).expect("vae"), device);
}

fn check_tokens(case: &mut Case, checkpoint: &Checkpoint) {
    let prompts: Vec<String> =
        serde_json::from_value(case.meta["prompts"].clone()).expect("prompts");
    let got: Vec<_> = prompts.iter().map(|p| checkpoint.tokenizer().window(p)).collect();
    let want = case.id_rows("tokenizer/input_ids");
    case.equal("token ids", got, want);
}

fn check_text(case: &mut Case, encoder: &TextEncoder) {
    let ids = case.id_rows("tokenizer/input_ids");
    let states = encoder.hidden_states(&ids);
    let layers = states.len() - 1;
    for (i, state) in states.iter().enumerate() {
        if case.has(&format!("text/hidden.{i}")) {
            // transformers' last entry is taken after the final norm in no version that made these.
            case.check(&format!("text/hidden.{i}"), state.clone());
        }
    }
    case.check("text/last_hidden_state", encoder.encode(&ids, 0));
    case.check("text/penultimate_raw", states[layers - 1].clone());
    case.check("text/penultimate_ln", encoder.encode(&ids, 1));
    case.check("text/skip2_ln", encoder.encode(&ids, 2));
    let pooled = encoder.pooled(&ids, encoder.encode(&ids, 0));
    case.check("text/pooled", pooled);
}

fn check_unet(case: &mut Case, unet: &Unet, device: &Device) {
    let x = case.tensor::<4>("unet/sample", device);
    let text = case.tensor::<3>("unet/encoder_hidden_states", device);
    for key in case.keys() {
        let Some(t) = key.strip_prefix("unet/out/t") else {
            continue;
        };
        let t: f64 = t.parse().expect("a timestep");
        case.check(&key, unet.forward(x.clone(), &[t, t], text.clone()));
    }
    if case.has("unet/out/per_sample") {
        let t: Vec<f64> = case.numbers("unet/timestep_per_sample");
        case.check("unet/out/per_sample", unet.forward(x.clone(), &t, text.clone()));
    }
    for shape in ["wide", "odd"] {
        if case.has(&format!("unet/{shape}/sample")) {
            let x = case.tensor::<4>(&format!("unet/{shape}/sample"), device);
            let out = unet.forward(x, &[321.0], text.clone().narrow(0, 0, 1));
            case.check(&format!("unet/{shape}/out_t321"), out);
        }
    }
    if case.has("unet/long_prompt/out_t500") {
        let text = case.tensor::<3>("unet/long_prompt/encoder_hidden_states", device);
        let out = unet.forward(x.narrow(0, 0, 1), &[500.0], text);
        case.check("unet/long_prompt/out_t500", out);
    }
}

struct Blocks<'a>(&'a mut Case);

impl Probe for Blocks<'_> {
    fn see(&mut self, name: &str, output: TensorData) {
        let key = format!("blocks_t500/{name}");
        if self.0.has(&key) {
            self.0.check_data(&key, &output);
        }
    }
}

fn check_blocks(case: &mut Case, unet: &Unet, device: &Device) {
    if !case.has("blocks_t500/conv_out") {
        return;
    }
    let x = case.tensor::<4>("unet/sample", device).narrow(0, 0, 1);
    let text = case.tensor::<3>("unet/encoder_hidden_states", device).narrow(0, 0, 1);
    unet.forward_probed(x, &[500.0], text, &mut Some(&mut Blocks(case)));
}

fn check_vae(case: &mut Case, vae: &Vae, device: &Device) {
    let moments = vae.encode(case.tensor("vae/image", device));
    case.check("vae/mean", moments.mean.clone());
    case.check("vae/logvar", moments.log_variance.clone());
    let noise = case.tensor("vae/noise", device);
    case.check("vae/sampled_scaled_latent", moments.sample(noise, vae.config()));
    let z = case.tensor("vae/z", device);
    case.check("vae/decoded", vae.decode(z));
    for name in sampling_runs(case) {
        if case.has(&format!("sample/{name}/decoded")) {
            let latents: Tensor<4> = case.tensor(&format!("sample/{name}/final_latents"), device);
            let decoded = vae.decode(latents / vae.config().scaling_factor);
            case.check(&format!("sample/{name}/decoded"), decoded);
        }
    }
}

fn sampling_runs(case: &Case) -> Vec<String> {
    let keys = case.keys();
    let runs = keys
        .iter()
        .filter_map(|key| key.strip_prefix("sample/")?.strip_suffix("/latents_after_each_step"));
    runs.map(String::from).collect()
}

fn check_sampling(
    case: &mut Case,
    unet: &Unet,
    checkpoint: &Checkpoint,
    name: &str,
    device: &Device,
) {
    let config = case.meta["sampling"]["schedulers"][name].clone();
    let steps = case.meta["sampling"]["steps"].as_u64().expect("a count") as usize;
    let kind = kind_of(&json!({ "class": class_of(&config), "config": config }));
    let kind = kind.unwrap_or_else(|| panic!("a sampler that we have: {name}"));
    let schedule_config: ScheduleConfig = serde_json::from_value(config).expect("a schedule");
    let schedule = Schedule::new(schedule_config);
    let options = SamplerOptions::new(kind, &schedule);
    let times = Sampler::new(options, &schedule, steps).timesteps().to_vec();
    case.check_numbers(&format!("sample/{name}/timesteps"), &times);
    // The pipeline's own loop, with this schedule and states made by our own text encoder.
    let mut pipeline = Pipeline::load(checkpoint, device).expect("the same models");
    pipeline.unet = unet.clone();
    pipeline.set_schedule(schedule);
    let rescale = if name.contains("zero_snr") {
        case.meta["sampling"]["guidance_rescale (ddim_zero_snr_trailing only)"]
            .as_f64()
            .expect("a share")
    } else {
        0.0
    };
    let request = Request { guidance_rescale: rescale, ..request(case, checkpoint, kind) };
    let start = case.tensor("sample/initial_latents", device);
    let mut trail = Vec::new();
    let last = pipeline
        .sample_watched(&request, start, &mut |_, x| trail.push(x.clone()))
        .expect("a sound request");
    let trail = Tensor::stack::<5>(trail, 0);
    case.check(&format!("sample/{name}/latents_after_each_step"), trail);
    case.check(&format!("sample/{name}/final_latents"), last);
}

/// Scheduler configs don't carry their class: told by the keys that only one has.
fn class_of(config: &Value) -> &'static str {
    if config.get("algorithm_type").is_some() {
        "DPMSolverMultistepScheduler"
    } else if config.get("interpolation_type").is_some() {
        "EulerDiscreteScheduler"
    } else {
        "DDIMScheduler"
    }
}

/// The request that every case samples with.
pub fn request(case: &Case, checkpoint: &Checkpoint, sampler: SamplerKind) -> Request {
    let sampling = &case.meta["sampling"];
    let text = |key: &str| sampling[key].as_str().expect("a prompt").to_owned();
    let side = checkpoint.unet.sample_size * checkpoint.factor();
    Request {
        prompt: text("prompt"),
        negative: text("negative"),
        width: side,
        height: side,
        steps: sampling["steps"].as_u64().expect("a count") as usize,
        guidance: sampling["guidance_scale"].as_f64().expect("a scale"),
        guidance_rescale: 0.0,
        sampler,
        seed: 0,
        batch: 1,
        clip_skip: 0,
    }
}

/// Runs from the prompts themselves, with and without clip skip.
fn check_prompts(case: &mut Case, pipeline: &Pipeline, checkpoint: &Checkpoint, device: &Device) {
    let start: Tensor<4> = case.tensor("sample/initial_latents", device);
    let plain = request(case, checkpoint, SamplerKind::Ddim);
    for (key, clip_skip) in [("from_text_clip_skip_0", 0), ("clip_skip_1_a1111", 1)] {
        let request = Request { clip_skip, ..plain.clone() };
        let x = pipeline.sample(&request, start.clone(), &mut |_| {}).expect("a sound request");
        case.check(&format!("sample/{key}/final_latents"), x);
    }
    // diffusers skips layers for the positive prompt only; likeness, as A1111, for both.
    let prompt = pipeline.encode(&plain.prompt, 1);
    let negative = pipeline.encode(&plain.negative, 0);
    let x = pipeline
        .sample_states(&plain, start, prompt, negative, &mut |_, _| {})
        .expect("a sound request");
    case.check("sample/clip_skip_1_diffusers/final_latents", x);
}

fn check_image_to_image(case: &mut Case, checkpoint: &Checkpoint, device: &Device) {
    let schedule = checkpoint.noise_schedule();
    let options = SamplerOptions::new(SamplerKind::Ddim, &schedule);
    let times = Sampler::new(options, &schedule, 10).timesteps()[4..].to_vec();
    case.check_numbers("img2img/timesteps_10_strength_0.6", &times);
    let x = case.tensor("vae/sampled_scaled_latent", device);
    let noise = case.tensor("sample/initial_latents", device);
    case.check("img2img/noised_start", schedule.add_noise(x, noise, &[times[0] as usize]));
}

fn check_velocity(case: &mut Case, checkpoint: &Checkpoint, device: &Device) {
    let schedule = checkpoint.noise_schedule();
    let x: Tensor<4> = case.tensor("velocity/x0", device);
    let noise: Tensor<4> = case.tensor("velocity/noise", device);
    let times: Vec<usize> =
        case.ints("velocity/timesteps").into_iter().map(|t| t as usize).collect();
    case.check("velocity/target", schedule.target(x.clone(), noise.clone(), &times));
    case.check("velocity/noisy", schedule.add_noise(x, noise, &times));
}
