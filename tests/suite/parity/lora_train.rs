//! Training: losses, gradients of the first step, weights after the last, tables.

use burn::tensor::{Device, Tensor};
use likeness_diffusion::adapter::{Adapter, Component, Module, Place};
use likeness_diffusion::checkpoint::Checkpoint;
use likeness_diffusion::pipeline::Pipeline;
use likeness_diffusion::schedule::{Prediction, Schedule};
use likeness_diffusion::unet::Checkpointing;
use likeness_trainer::learning_rate::{LearningRate, Shape};
use likeness_trainer::objective::{Batch, Objective, weight};
use likeness_trainer::optimizer::{AdamW, AdamWConfig};
use likeness_trainer::trainable::Trainable;
use serde_json::Value;

use super::golden::Case;
use crate::support::device;

/// Runs that are checked; the others (DoRA, FLUX) are not built yet.
const RUNS: [&str; 8] = [
    "attn",
    "attn+min_snr5",
    "attn+clip",
    "attn+zero_b",
    "rank2_alpha1",
    "locon",
    "rslora",
    "with_te",
];

pub fn check(case: &mut Case) {
    let base = case.sibling("sd15-tiny").join("pipeline");
    let checkpoint = Checkpoint::open(&base, None).expect("the base of these runs");
    check_tables(case, &checkpoint);
    check_learning_rates(case);
    // Each way of checkpointing in turn: none may change a number.
    for (run, checkpointing) in RUNS.into_iter().zip(Checkpointing::ALL.into_iter().cycle()) {
        check_run(case, &checkpoint, run, checkpointing);
    }
}

fn check_tables(case: &mut Case, checkpoint: &Checkpoint) {
    let device = device();
    let schedule = checkpoint.noise_schedule();
    let times: Vec<usize> = case.ints("data/timesteps").iter().map(|t| *t as usize).collect();
    let table = |f: &dyn Fn(usize) -> f64| times.iter().map(|t| f(*t)).collect::<Vec<_>>();
    case.check_numbers("data/snr", &table(&|t| schedule.snr(t)));
    case.check_numbers("data/min_snr5_weights_eps", &table(&|t| weight(&schedule, t, 5.0)));
    let mut config = schedule.config().clone();
    config.prediction_type = Prediction::VPrediction;
    let velocity = Schedule::new(config);
    case.check_numbers("data/min_snr5_weights_v", &table(&|t| weight(&velocity, t, 5.0)));
    let [steps, batch, c, h, w] = case.tensor::<5>("data/latents", &device).dims();
    let whole = |x: Tensor<5>| x.reshape([steps * batch, c, h, w]);
    let latents = whole(case.tensor("data/latents", &device));
    let noise = whole(case.tensor("data/noise", &device));
    case.check("data/noisy_latents", schedule.add_noise(latents, noise, &times));
}

fn check_learning_rates(case: &mut Case) {
    let shapes = [
        ("constant", Shape::Constant),
        ("constant_with_warmup", Shape::Constant),
        ("linear", Shape::Linear),
        ("cosine", Shape::Cosine),
    ];
    for (name, shape) in shapes {
        let meta = &case.meta["lr_schedules"][name];
        let count = |key: &str| meta[key].as_u64().unwrap_or(0) as usize;
        let rate = LearningRate {
            peak: meta["lr"].as_f64().expect("a rate"),
            shape,
            warmup_steps: count("num_warmup_steps"),
            steps: count("num_training_steps"),
        };
        // Behind its end diffusers' cosine rises again; a run never gets there.
        let known = rate.steps + 1;
        let key = format!("lr_schedule/{name}");
        let want = case.numbers(&key)[..known].to_vec();
        let got: Vec<f64> = (0..known).map(|step| rate.at(step)).collect();
        case.compare(&key, &got, &want, |_| 1e-7 * rate.peak); // they were stored as f32
    }
}

fn check_run(case: &mut Case, checkpoint: &Checkpoint, run: &str, checkpointing: Checkpointing) {
    let device = device();
    let mut pipeline = Pipeline::load(checkpoint, &device).expect("the base");
    let schedule = checkpoint.noise_schedule();
    let settings = case.meta["runs"][run].clone();
    let places = pipeline.places();
    let start = initial(case, run, &settings, &places);
    let mut trainable = Trainable::of_adapter(&start, &places, &device);
    let config = AdamWConfig {
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 1e-8,
        weight_decay: settings["weight_decay"].as_f64().unwrap_or(0.01),
        clip: settings["clip_grad_norm"].as_f64(),
    };
    let rate = settings["lr"].as_f64().unwrap_or(1e-3);
    let mut adam = AdamW::new(config, trainable.parameters(), &device);
    let gamma = run.ends_with("+min_snr5").then_some(5.0);
    let objective = Objective { min_snr_gamma: gamma };
    let steps = case.numbers(&format!("{run}/losses")).len();
    let ids = case.id_rows("data/te_input_ids");
    let (mut losses, mut norms) = (Vec::new(), Vec::new());
    for step in 0..steps {
        let with_text = trainable.has_text_encoder();
        let text = with_text.then_some(&mut pipeline.text_encoder);
        let leaves = trainable.install(&mut pipeline.unet, text);
        let mut batch = batch(case, step, &device);
        if with_text {
            batch.text = pipeline.text_encoder.encode(&ids, 0);
        }
        let (loss, mut pieces) =
            objective.gradients(&pipeline.unet, &schedule, &batch, checkpointing);
        losses.push(f64::from(loss.into_scalar::<f32>()));
        let gradient = leaves.gradient(&mut pieces);
        if step == 0 {
            check_gradients(case, run, &trainable.modules_of(gradient.clone()));
        }
        let (values, norm) = adam.step(trainable.values.clone(), gradient, rate);
        trainable.values = values;
        norms.push(f64::from(norm.into_scalar::<f32>()));
    }
    let want = case.numbers(&format!("{run}/losses"));
    case.compare(&format!("{run}/losses"), &losses, &want, |want| 1e-5 * want.abs());
    let want = case.numbers(&format!("{run}/grad_norms"));
    case.compare(&format!("{run}/grad_norms"), &norms, &want, |want| 1e-3 * want.abs());
    check_after(case, run, &trainable.to_adapter(), 2.0 * rate * steps as f64);
}

fn batch(case: &mut Case, step: usize, device: &Device) -> Batch {
    let at = |x: Tensor<5>| x.narrow(0, step, 1).squeeze_dim::<4>(0);
    let latents = at(case.tensor("data/latents", device));
    let noise = at(case.tensor("data/noise", device));
    let samples = latents.dims()[0];
    let times = case.ints("data/timesteps")[step * samples..(step + 1) * samples].to_vec();
    let text = case.tensor::<4>("data/encoder_hidden_states", device);
    Batch {
        latents,
        noise,
        timesteps: times.into_iter().map(|t| t as usize).collect(),
        text: text.narrow(0, step, 1).squeeze_dim(0),
        target: None,
        mask: None,
    }
}

/// The key of a module's factor in a run, as PEFT names it there.
fn key(case: &Case, run: &str, kind: &str, module: (Component, &str), factor: &str) -> String {
    let (component, path) = module;
    let names = match component {
        Component::Unet => vec![path.to_owned(), format!("unet.{path}")],
        Component::TextEncoder => {
            vec![format!("text_encoder.{path}"), format!("text_encoder.text_model.{path}")]
        }
    };
    let keys = names.into_iter().map(|name| format!("{run}/{kind}/{name}.{factor}.weight"));
    let mut keys = keys.filter(|key| case.has(key));
    keys.next().unwrap_or_default()
}

fn initial(case: &mut Case, run: &str, settings: &Value, places: &[Place]) -> Adapter {
    let rank = settings["rank"].as_f64().expect("a rank");
    let mut alpha = settings["alpha"].as_f64().expect("an alpha");
    if settings["use_rslora"] == true {
        alpha *= rank.sqrt(); // rank-stabilised LoRA divides by √rank
    }
    let mut modules = Vec::new();
    for Place { component, path, .. } in places {
        let down = key(case, run, "init", (*component, path), "lora_A");
        if down.is_empty() {
            continue;
        }
        let up = key(case, run, "init", (*component, path), "lora_B");
        let (down, up) = (case.host(&down), case.host(&up));
        modules.push(Module { component: *component, path: path.clone(), down, up, alpha });
    }
    let inits = case.keys().iter().filter(|k| k.starts_with(&format!("{run}/init/"))).count();
    assert_eq!(2 * modules.len(), inits, "{run}: every initial factor belongs to a layer");
    Adapter { modules, metadata: Default::default() }
}

fn factors(module: &Module) -> [(&'static str, Vec<f64>); 2] {
    let wide = |values: &[f32]| values.iter().map(|v| f64::from(*v)).collect();
    [("lora_A", wide(&module.down.values)), ("lora_B", wide(&module.up.values))]
}

fn check_gradients(case: &mut Case, run: &str, gradient: &Adapter) {
    for module in &gradient.modules {
        for (factor, got) in factors(module) {
            let key = key(case, run, "grad0", (module.component, &module.path), factor);
            if key.is_empty() {
                continue; // this run recorded none
            }
            let want = case.numbers(&key);
            let largest = want.iter().fold(0.0f64, |largest, x| largest.max(x.abs()));
            case.compare(&key, &got, &want, |want| 1e-3 * want.abs() + 1e-5 * largest);
        }
    }
}

/// Within 2e-5, but for the few elements whose tiny gradient flipped a step of Adam.
fn check_after(case: &mut Case, run: &str, after: &Adapter, flipped: f64) {
    let (mut elements, mut beyond) = (0usize, 0usize);
    for module in &after.modules {
        for (factor, got) in factors(module) {
            let key = key(case, run, "after", (module.component, &module.path), factor);
            assert!(!key.is_empty(), "{run}: every trained factor was recorded");
            let want = case.numbers(&key);
            case.compare(&key, &got, &want, |_| flipped);
            elements += got.len();
            beyond += got.iter().zip(&want).filter(|(g, w)| (*g - *w).abs() > 2e-5).count();
        }
    }
    let allowed = (elements / 1000).max(1) as f64;
    case.note(&format!("{run}/after, elements beyond 2e-5"), beyond as f64 / allowed);
}
