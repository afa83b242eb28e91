//! A training run as its user sees it.

use likeness_diffusion::weights::TensorFile;
use likeness_trainer::config;
use likeness_trainer::steps_log::{self, StepRecord};

use crate::support::{World, leftovers, listing};

/// Batches, noise and timesteps are functions of seed and step, so a run whose rate is next to
/// nothing shows the base's loss on the very batches of a run that learns.
#[test]
fn training_lowers_the_loss_on_the_very_same_batches() {
    let world = World::with_dataset(2);
    for (name, rate) in [("learns", "5e-3"), ("idles", "1e-12")] {
        let more = format!("--steps 20 --set train.learning_rate={rate}");
        world.run(&world.train(name, &more)).ok();
    }
    let losses = |name: &str| -> Vec<f32> {
        let records = steps_log::read(&world.at(&format!("runs/{name}/steps.jsonl")));
        assert_eq!(records.len(), 20);
        records.iter().map(|record| record.loss).collect()
    };
    let (learns, idles) = (losses("learns"), losses("idles"));
    assert_eq!(learns[0], idles[0], "a fresh adapter changes nothing");
    let third = |losses: &[f32], at: usize| losses[at..at + 6].iter().sum::<f32>() / 6.0;
    let (first, last) = (third(&learns, 0), third(&learns, 14));
    assert!(last < first - 0.03, "the loss goes from {first} to {last}");
    let base = third(&idles, 14);
    assert!(last < base - 0.05, "the base has {base} where the adapter has {last}");
}

#[test]
fn a_run_folder_tells_every_step_every_setting_and_what_it_was_made_of() {
    let world = World::with_dataset(3);
    let more = "--steps 3 --set adapter.alpha=2 --set train.learning_rate=3e-4 --set seed=5";
    let ran = world.run(&world.train("a", more)).ok();
    assert!(ran.stdout.contains("runs/a/adapter.safetensors"), "{}", ran.stdout);
    assert!(ran.stdout.contains("likeness evaluate runs/a"), "{}", ran.stdout);

    let records = steps_log::read(&world.at("runs/a/steps.jsonl"));
    assert_eq!(records.len(), world.text("runs/a/steps.jsonl").lines().count());
    let steps: Vec<_> = records.iter().map(|record| record.step).collect();
    assert_eq!(steps, [1, 2, 3]);
    let sane = |r: &StepRecord| r.loss > 0.0 && r.gradient_norm > 0.0 && r.learning_rate == 3e-4;
    assert!(records.iter().all(sane), "{records:?}");

    let path = world.at("runs/a/run.toml");
    let run = config::parse(&path, &world.text("runs/a/run.toml"), &[]).expect("a run file");
    assert_eq!((run.seed, run.train.steps, run.adapter.rank), (5, 3, 4));

    let adapter = TensorFile::open(&world.at("runs/a/adapter.safetensors")).expect("a LoRA");
    let header = adapter.metadata();
    for (key, value) in [
        ("ss_network_dim", "4"),
        ("ss_network_alpha", "2"),
        ("ss_base_model_version", "sd_v1"),
        ("ss_network_module", "networks.lora"),
        ("ss_num_train_images", "3"),
        ("ss_steps", "3"),
        ("ss_seed", "5"),
        ("modelspec.trigger_phrase", "mika woman"),
    ] {
        assert_eq!(header.get(key).map(String::as_str), Some(value), "{key}");
    }
    let photos: serde_json::Value =
        serde_json::from_str(&header["likeness.photos"]).expect("a list of photos");
    let photos = photos.as_array().expect("a list");
    assert_eq!(photos.len(), 3);
    for photo in photos {
        assert_eq!(photo["caption"], "a photo of mika woman");
        assert_eq!(photo["sha256"].as_str().map(str::len), Some(64));
    }
    assert_eq!(leftovers(&world.at("runs")), Vec::<std::path::PathBuf>::new());
}

#[test]
fn a_finished_run_is_refused_without_resume_and_left_alone_with_it() {
    let world = World::with_dataset(2);
    let args = world.train("a", "--steps 2");
    world.run(&args).ok();
    let before = listing(&world.at("runs/a"));
    assert_eq!(before.len(), 11, "{:?}", before.keys());
    world.run(&args).fails(2, &["runs/a", "--resume"]);
    assert_eq!(listing(&world.at("runs/a")), before);

    let again = world.likeness("train runs/a/run.toml --resume").ok();
    assert!(again.stdout.contains("runs/a/adapter.safetensors"), "{}", again.stdout);
    assert_eq!(listing(&world.at("runs/a")), before);
}

#[test]
fn a_finished_adapter_outlives_its_checkpoints() {
    let world = World::with_dataset(2);
    let args = world.train("a", "--steps 1");
    world.run(&args).ok();
    std::fs::remove_dir_all(world.at("runs/a/checkpoints")).expect("removed to save room");
    let before = listing(&world.at("runs/a"));
    let other = world.train("a", "--steps 1 --set seed=1");
    for args in [args, other] {
        world.run(&args).fails(2, &["runs/a", "adapter.safetensors"]);
        assert_eq!(listing(&world.at("runs/a")), before);
    }
}

#[cfg(unix)]
#[test]
fn what_is_written_can_be_read_by_whom_the_umask_lets() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::with_dataset(2);
    world.run(&world.train("a", "--steps 1")).ok();
    let plain = world.put("plain", b"");
    let mode = |path: &std::path::Path| {
        let data = path.metadata().expect("it is there");
        data.permissions().mode() & 0o777
    };
    for folder in ["mika.dataset", "runs/a"] {
        for file in listing(&world.at(folder)).into_keys() {
            let path = world.at(folder).join(file);
            assert_eq!(mode(&path), mode(&plain), "{}", path.display());
        }
    }
}
