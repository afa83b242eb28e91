//! Output folders that belong to something else: refused, and not a byte changed.

use crate::support::{World, listing};

#[test]
fn training_into_another_runs_folder_names_the_field_and_leaves_the_run() {
    let world = World::with_dataset(2);
    world.run(&world.train("a", "--steps 1 --set seed=1")).ok();
    let before = listing(&world.at("runs/a"));
    let other = world.train("a", "--steps 1 --set seed=2");
    world.run(&other).fails(2, &["runs/a", "seed: 1 then, 2 now", "another output folder"]);
    assert_eq!(listing(&world.at("runs/a")), before);
}

#[test]
fn training_into_a_folder_that_is_no_run_is_refused() {
    let world = World::with_dataset(1);
    world.put("runs/a/thesis.tex", b"all of it");
    world.put("runs/b", b"a file");
    let before = listing(&world.at("runs"));
    for more in ["--steps 1", "--steps 1 --resume"] {
        world.run(&world.train("a", more)).fails(2, &["runs/a", "not a run folder", "`out`"]);
        world.run(&world.train("b", more)).fails(2, &["runs/b", "is a file", "`out`"]);
    }
    world.run(&world.train("c", "--steps 1 --resume")).fails(2, &["runs/c", "holds no run"]);
    assert_eq!(listing(&world.at("runs")), before);
}

#[test]
fn training_without_a_dataset_or_without_kept_photos_says_what_to_do() {
    let world = World::with_photos(1);
    let args = world.train("a", "--steps 1");
    world.run(&args).fails(1, &["mika.dataset"]);
    world.run(&world.curate()).ok();
    let id = world.text("mika.dataset/images.jsonl");
    assert_eq!(id.lines().count(), 1);
    world.put("mika.dataset/images.jsonl", id.replace("\"keep\"", "\"drop\"").as_bytes());
    world.run(&args).fails(2, &["mika.dataset", "keeps no photo", "report.html"]);
    assert!(!world.at("runs").exists());
}

#[test]
fn evaluating_what_is_no_run_or_not_finished_says_so() {
    let world = World::with_dataset(1);
    world.likeness("evaluate mika.dataset").fails(1, &["mika.dataset", "not a run folder"]);
    world.run(&world.train("a", "--steps 1")).ok();
    std::fs::remove_file(world.at("runs/a/adapter.safetensors")).expect("removed");
    let ran = world.likeness("evaluate runs/a --suite smoke --steps 1 --size 64x64");
    ran.fails(1, &["adapter.safetensors", "finish the training"]);
    assert!(!world.at("runs/a/evaluation").exists());
}
