//! The command line itself.

use std::time::{Duration, Instant};

use crate::support::{World, words};

const COMMANDS: [&str; 6] = ["curate", "train", "evaluate", "generate", "convert", "models"];

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
    assert!(fastest < Duration::from_millis(50), "{fastest:?}");
    for command in COMMANDS {
        let line = format!("\n  {command} ");
        assert!(answers[0].1.contains(&line), "no {command} in:\n{}", answers[0].1);
    }
}

#[test]
fn every_command_explains_itself() {
    let world = World::new();
    for command in COMMANDS.into_iter().chain(["models list", "models pull"]) {
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
    assert!(!world.at("runs").exists());
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
