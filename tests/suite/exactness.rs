//! A run that is cut off and goes on gives the bytes of one that was not.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::support::{Ran, World, leftovers, words};

/// Everything that a run can use.
const RICH: &str = "--set train.accumulate=2 --set train.batch=2 --set train.min_snr_gamma=5 --set train.tag_dropout=0.3 \
                    --set train.schedule=cosine --set train.preserve_class=0.5 --set train.preserve_every=2 --set train.warmup_steps=1 \
                    --set adapter.text_encoder=true --set train.learning_rate=1e-3";

/// The adapter, and the state of the last checkpoint.
fn result(world: &World, name: &str, steps: usize) -> BTreeMap<String, Vec<u8>> {
    let last = format!("checkpoints/step-{steps:05}");
    let files = ["adapter.safetensors", "state.safetensors", "manifest.json"];
    let in_last = files.map(|file| format!("{last}/{file}"));
    let all = in_last.into_iter().chain(["adapter.safetensors".to_owned()]);
    all.map(|file| (file.clone(), world.bytes(&format!("runs/{name}/{file}")))).collect()
}

fn assert_same(world: &World, one: &str, other: &str, steps: usize) {
    let (one, other) = (result(world, one, steps), result(world, other, steps));
    for (file, bytes) in &one {
        assert!(*bytes == other[file], "`{file}` differs");
    }
}

/// Starts a run and waits until `ready` says yes. The child is still running then.
fn started(world: &World, args: &[String], ready: impl Fn() -> bool) -> Child {
    let mut command = world.command(args);
    let mut child =
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts");
    let begun = Instant::now();
    while !ready() {
        let ended = child.try_wait().expect("a child");
        assert!(ended.is_none(), "it ended before it got there: {ended:?}");
        assert!(begun.elapsed() < Duration::from_secs(120), "it never got there");
        std::thread::sleep(Duration::from_millis(5));
    }
    child
}

/// Kills a run with SIGKILL as soon as it has saved step `at`, and lets it go on.
fn killed_and_resumed(world: &World, name: &str, more: &str, at: usize) {
    let manifest = world.at(&format!("runs/{name}/checkpoints/step-{at:05}/manifest.json"));
    let mut child = started(world, &world.train(name, more), || manifest.exists());
    child.kill().expect("it is still running");
    let status = child.wait().expect("a child");
    assert_eq!(status.code(), None, "the signal ended it");
    assert!(!world.at(&format!("runs/{name}/adapter.safetensors")).exists());
    let ran = world.run(&world.train(name, &format!("{more} --resume"))).ok();
    let from = format!("going on from step {at}");
    assert!(ran.stderr.contains(&from), "{}", ran.stderr);
}

#[test]
fn twelve_steps_equal_five_and_seven_after_a_kill() {
    let world = World::with_dataset(3);
    let more = "--steps 12 --set train.save_every=5";
    world.run(&world.train("whole", more)).ok();
    killed_and_resumed(&world, "cut", more, 5);
    assert_same(&world, "whole", "cut", 12);
    let steps = |name: &str| world.text(&format!("runs/{name}/steps.jsonl")).lines().count();
    assert_eq!((steps("whole"), steps("cut")), (12, 12));
}

#[test]
fn a_kill_changes_nothing_with_every_option_on() {
    let world = World::with_dataset(3);
    let more = format!("--steps 5 --set train.save_every=2 {RICH}");
    world.run(&world.train("whole", &more)).ok();
    killed_and_resumed(&world, "cut", &more, 2);
    assert_same(&world, "whole", "cut", 5);
}

#[test]
fn one_seed_gives_the_same_bytes_and_another_seed_others() {
    let world = World::with_dataset(3);
    for (name, seed) in [("a", 0), ("b", 0), ("c", 1)] {
        let more = format!("--steps 3 --set seed={seed}");
        world.run(&world.train(name, &more)).ok();
    }
    assert_same(&world, "a", "b", 3);
    let (a, c) = (result(&world, "a", 3), result(&world, "c", 3));
    let state = "checkpoints/step-00003/state.safetensors";
    assert!(a[state] != c[state], "seeds 0 and 1 give the same state");
}

#[test]
fn ctrl_c_saves_and_says_how_to_go_on() {
    let world = World::with_dataset(2);
    let more = "--steps 8 --set train.save_every=0";
    world.run(&world.train("whole", more)).ok();
    let log = world.at("runs/cut/steps.jsonl");
    let two = || fs::read_to_string(&log).is_ok_and(|text| text.lines().count() >= 2);
    let args = world.train("cut", more);
    let child = started(&world, &args, two);
    let sent = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .expect("kill is at hand");
    assert!(sent.success());
    let ran = Ran::of(&args, child.wait_with_output().expect("a child")).exits(130);
    let saved = ran.stdout.lines().find_map(|line| line.strip_prefix("stopped; saved "));
    let saved = saved.unwrap_or_else(|| panic!("no checkpoint in:\n{}", ran.stdout));
    assert!(world.at(saved).join("manifest.json").exists(), "{saved}");
    assert!(!world.at("runs/cut/adapter.safetensors").exists());
    let go_on = ran.stdout.lines().find_map(|line| line.strip_prefix("go on    likeness "));
    let go_on = go_on.unwrap_or_else(|| panic!("no way on in:\n{}", ran.stdout));
    world.run(&words(go_on)).ok();
    assert_same(&world, "whole", "cut", 8);
}

#[test]
fn a_damaged_checkpoint_is_named_and_the_one_before_it_takes_over() {
    let world = World::with_dataset(2);
    let more = "--steps 3 --set train.save_every=1";
    world.run(&world.train("whole", more)).ok();
    world.run(&world.train("cut", "--steps 2 --set train.save_every=1")).ok();
    let state = "runs/cut/checkpoints/step-00002/state.safetensors";
    let mut bytes = world.bytes(state);
    *bytes.last_mut().expect("not empty") ^= 1;
    world.put(state, &bytes);
    let args = world.train("cut", &format!("{more} --resume"));
    world.run(&args).fails(1, &["step-00002", "state.safetensors", "remove it"]);
    fs::remove_dir_all(world.at("runs/cut/checkpoints/step-00002")).expect("removed as told");
    world.put("runs/cut/checkpoints/.writing-Ab1/state.safetensors", b"half");
    world.put("runs/cut/.writing-Cd2", b"half");
    let ran = world.run(&args).ok();
    assert!(ran.stderr.contains("going on from step 1"), "{}", ran.stderr);
    assert_same(&world, "whole", "cut", 3);
    assert_eq!(leftovers(&world.at("runs")), Vec::<std::path::PathBuf>::new());
}

#[test]
fn going_on_with_other_settings_is_refused_field_by_field() {
    let world = World::with_dataset(2);
    world.run(&world.train("a", "--steps 1")).ok();
    let before = crate::support::listing(&world.at("runs/a"));
    let more = "--steps 2 --resume --set adapter.alpha=8 --set train.clip=0.5";
    let fields = ["adapter.alpha: 4 then, 8 now", "train.clip: 1 then, 0.5 now"];
    world.run(&world.train("a", more)).fails(2, &fields);
    world.photo("p9.png", 9);
    world.run(&world.curate()).ok();
    world.run(&world.train("a", "--steps 2 --resume")).fails(2, &["dataset: "]);
    assert_eq!(crate::support::listing(&world.at("runs/a")), before);
}
