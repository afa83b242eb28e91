//! The command line itself.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{World, args, listing, words};

const COMMANDS: [&str; 9] =
    ["curate", "caption", "prompt", "train", "evaluate", "generate", "convert", "doctor", "models"];

#[test]
fn help_answers_at_once_and_lists_every_command() {
    let world = World::new();
    let timed = || {
        let begun = Instant::now();
        let ran = world.likeness("--help").ok();
        (begun.elapsed(), ran.stdout)
    };
    let answers: Vec<_> = (0..5).map(|_| timed()).collect();
    let fastest = answers.iter().map(|(time, _)| *time).min().expect("five answers");
    // libtorch's libraries are gigabytes that the system loads before us.
    let limit = Duration::from_millis(if cfg!(feature = "tch") { 5000 } else { 50 });
    assert!(fastest < limit, "{fastest:?}");
    for command in COMMANDS {
        let line = format!("\n  {command} ");
        assert!(answers[0].1.contains(&line), "no {command} in:\n{}", answers[0].1);
    }
}

#[test]
fn every_command_explains_itself() {
    let world = World::new();
    for command in COMMANDS.into_iter().chain([
        "caption write",
        "caption lint",
        "prompt lint",
        "prompt trigger",
        "models list",
        "models pull",
    ]) {
        let ran = world.likeness(&format!("{command} --help")).ok();
        assert!(ran.stdout.contains("Usage: likeness"), "{}", ran.stdout);
    }
    let version = world.likeness("--version").ok().stdout;
    assert_eq!(version.trim(), format!("likeness {}", env!("CARGO_PKG_VERSION")));
}

#[test]
fn what_is_no_command_is_refused_with_the_ones_there_are() {
    let world = World::new();
    world.likeness("").exits(2);
    world.likeness("trian").fails(2, &["trian", "train"]);
    world.likeness("train --rsume").fails(2, &["--rsume", "--resume"]);
    world.likeness("generate").fails(2, &["--base", "--prompt"]);
}

#[test]
fn a_dry_run_prints_the_run_file_and_begins_nothing() {
    let world = World::with_dataset(2);
    let ran = world.run(&world.train("a", "--steps 10 --dry-run")).ok();
    let run = likeness_trainer::config::parse("out".as_ref(), &ran.stdout, &[]);
    assert_eq!(run.expect("a run file").train.steps, 10);
    assert!(ran.stdout.contains("SD 1.x"), "{}", ran.stdout);
    assert!(ran.stdout.contains("2 photos, each seen about 5 times"), "{}", ran.stdout);
    for part in ["buckets: 128x128 2", "10 steps; ", "have to be encoded", "memory: ", "disk: "] {
        assert!(ran.stdout.contains(part), "no `{part}` in:\n{}", ran.stdout);
    }
    assert!(!world.at("runs").exists());
}

#[test]
fn a_dry_run_for_scripts_tells_what_the_run_then_does() {
    let world = World::with_dataset(2);
    let more = "--steps 2 --set train.checkpointing=attention";
    let told = |more: &str| -> Value {
        let ran = world.run(&world.train("a", &format!("{more} --dry-run --json"))).ok();
        serde_json::from_str(&ran.stdout).expect("one JSON object")
    };
    let before = told(more);
    assert_eq!(before["photos"], 2);
    assert_eq!(before["from_step"], 0);
    assert_eq!(before["to_encode"], 4, "two photos, their caption and the empty text");
    assert_eq!(before["memory"]["checkpointing"], "attention");
    let ran = world.run(&world.train("a", more)).ok();
    let learns = format!("{} numbers in {} layers", before["parameters"], before["layers"]);
    assert!(ran.stderr.contains(&learns), "no `{learns}` in:\n{}", ran.stderr);
    assert!(ran.stderr.contains("checkpointing attention, since it was asked for"));
    assert!(ran.stderr.contains("at its peak; "), "{}", ran.stderr);
    let manifest: Value = serde_json::from_str(&world.text("runs/a/manifest.json")).expect("JSON");
    assert_eq!(manifest["memory"]["checkpointing"], "attention");

    let after = listing(&world.at("runs/a"));
    let going_on = told("--steps 4 --set train.checkpointing=attention --resume");
    assert_eq!((&going_on["from_step"], &going_on["to_encode"]), (&json!(2), &json!(0)));
    assert!(going_on["step_seconds"].as_f64().is_some_and(|seconds| seconds > 0.0));
    let refused = world.train("a", "--steps 4 --dry-run");
    world.run(&refused).fails(2, &["runs/a", "--resume"]);
    assert_eq!(listing(&world.at("runs/a")), after, "nothing was written");
}

#[test]
fn the_doctor_says_what_is_here_and_which_runs_fit() {
    let world = World::new();
    let ran = world.likeness("doctor").ok();
    for part in ["flex built in", "cores", "likeness models pull faces", "give --base FILE"] {
        assert!(ran.stdout.contains(part), "no `{part}` in:\n{}", ran.stdout);
    }
    let base = crate::support::sd15();
    let ran = world.run(&args(&["doctor", "--base", &base, "--json"])).ok();
    let told: Value = serde_json::from_str(&ran.stdout).expect("one JSON object");
    let findings = told["findings"].as_array().expect("a list");
    assert!(findings.iter().any(|f| f["about"] == "base" && f["state"] == "ok"), "{findings:?}");
    for finding in findings {
        assert_eq!(finding["state"] == "ok", finding["remedy"].is_null(), "{finding}");
    }
    let runs = told["runs"].as_array().expect("a list");
    assert_eq!(runs.len(), 12, "two sizes, two batches, three ways");
    assert!(listing(&world.at("")).is_empty());
}

#[test]
fn the_doctor_fails_on_a_base_that_does_not_open() {
    let world = World::new();
    world.put("broken.safetensors", b"no tensors at all");
    let ran = world.likeness("doctor --base broken.safetensors").exits(1);
    assert!(ran.stdout.contains("problem  base"), "{}", ran.stdout);
    world.likeness("doctor --base nowhere").exits(1);
    world.likeness("doctor --device gpu").fails(2, &["`gpu` is not a device"]);
}

#[test]
fn a_run_file_trains_what_it_says_and_options_win_over_it() {
    let world = World::with_dataset(2);
    let base = crate::support::sd15();
    let text = format!(
        "base = \"{base}\"\ndataset = \"mika.dataset\"\nout = \"runs/a\"\n\
         [adapter]\nrank = 2\n[train]\nsteps = 5\n"
    );
    world.put("mika.toml", text.as_bytes());
    world.run(&words("train mika.toml --steps 1 --set adapter.rank=3")).ok();
    let saved = world.text("runs/a/run.toml");
    assert!(saved.contains("steps = 1\n") && saved.contains("rank = 3\n"), "{saved}");
    assert_eq!(world.text("runs/a/steps.jsonl").lines().count(), 1);
}
