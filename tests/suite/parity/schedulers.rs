//! Tables and traces of the samplers that are built.

use burn::tensor::{Tensor, TensorData};
use likeness_diffusion::sampler::{Sampler, SamplerKind, SamplerOptions};
use likeness_diffusion::schedule::{BetaSchedule, Schedule, ScheduleConfig};
use serde_json::Value;

use super::golden::Case;
use crate::support::device;

pub fn check(case: &mut Case) {
    check_tables(case);
    let configs = case.meta["schedulers"].as_object().expect("a map of schedulers").clone();
    for (name, scheduler) in configs {
        let Some(kind) = kind_of(&scheduler) else {
            continue;
        };
        let config: ScheduleConfig =
            serde_json::from_value(scheduler["config"].clone()).expect("a schedule we know");
        let schedule = Schedule::new(config);
        let karras = scheduler["config"]["use_karras_sigmas"] == true;
        let eta = if name == "ddim_eta1" { 1.0 } else { 0.0 };
        let options = SamplerOptions { karras, eta, ..SamplerOptions::new(kind, &schedule) };
        for steps in step_counts(case, &name) {
            check_run(case, &format!("{name}/{steps}"), options, &schedule, steps);
        }
    }
}

/// The sampler that a diffusers scheduler is, if we have it.
pub fn kind_of(scheduler: &Value) -> Option<SamplerKind> {
    let config = &scheduler["config"];
    match scheduler["class"].as_str()? {
        "DDPMScheduler" => Some(SamplerKind::Ddpm),
        "DDIMScheduler" => Some(SamplerKind::Ddim),
        "EulerDiscreteScheduler" => Some(SamplerKind::Euler),
        "EulerAncestralDiscreteScheduler" => Some(SamplerKind::EulerA),
        "DPMSolverMultistepScheduler" if config["algorithm_type"] == "dpmsolver++" => {
            Some(match config["use_karras_sigmas"].as_bool() {
                Some(true) => SamplerKind::DpmPp2mKarras,
                _ => SamplerKind::DpmPp2m,
            })
        }
        _ => None,
    }
}

fn step_counts(case: &Case, name: &str) -> Vec<usize> {
    let prefix = format!("{name}/");
    let traces = case.keys().into_iter().filter(|key| key.ends_with("/trace"));
    let steps = traces.filter_map(|key| key.strip_prefix(&prefix)?.split('/').next()?.parse().ok());
    steps.collect()
}

fn check_tables(case: &mut Case) {
    let plain = ScheduleConfig::default();
    let tables = [
        ("scaled_linear", plain.clone()),
        (
            "linear",
            ScheduleConfig {
                beta_schedule: BetaSchedule::Linear,
                beta_start: 1e-4,
                beta_end: 0.02,
                ..plain.clone()
            },
        ),
        (
            "squaredcos_cap_v2",
            ScheduleConfig { beta_schedule: BetaSchedule::SquaredcosCapV2, ..plain.clone() },
        ),
        ("zero_snr", ScheduleConfig { rescale_betas_zero_snr: true, ..plain }),
    ];
    for (name, config) in tables {
        let schedule = Schedule::new(config);
        case.check_numbers(&format!("tables/{name}/betas"), schedule.betas());
        case.check_numbers(&format!("tables/{name}/alphas_cumprod"), schedule.alphas_cumprod());
    }
}

fn check_run(
    case: &mut Case,
    key: &str,
    options: SamplerOptions,
    schedule: &Schedule,
    steps: usize,
) {
    let device = device();
    let outputs = case.tensor::<5>("model_outputs", &device);
    let noises = case.tensor::<5>("noises", &device);
    let mut sampler = Sampler::new(options, schedule, steps);
    case.check_numbers(&format!("{key}/timesteps"), sampler.timesteps());
    if case.has(&format!("{key}/sigmas")) && !sampler.sigmas().is_empty() {
        case.check_numbers(&format!("{key}/sigmas"), sampler.sigmas());
    }
    let start = sampler.start_sigma();
    case.check_numbers(&format!("{key}/init_noise_sigma"), &[start]);
    let at = |all: &Tensor<5>, i: usize| all.clone().narrow(0, i, 1).squeeze_dim::<4>(0);
    let mut x = case.tensor::<4>("init", &device) * start;
    let (mut inputs, mut trace) = (Vec::new(), Vec::new());
    for i in 0..steps {
        inputs.push(sampler.model_input(i, x.clone()));
        x = sampler.step(i, at(&outputs, i), x, || at(&noises, i));
        trace.push(x.clone());
    }
    case.check_data(&format!("{key}/scaled_inputs"), &stacked(inputs));
    case.check_data(&format!("{key}/trace"), &stacked(trace));
}

fn stacked(tensors: Vec<Tensor<4>>) -> TensorData {
    Tensor::stack::<5>(tensors, 0).into_data()
}
