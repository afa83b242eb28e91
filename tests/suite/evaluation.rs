//! The evaluation from a run folder to a report.

use std::path::Path;

use likeness_evaluator::Scores;

use crate::support::{World, leftovers, listing};

const SMOKE: &str = "--suite smoke --seeds 1 --steps 2 --size 64x64";

fn images(world: &World) -> std::collections::BTreeMap<std::path::PathBuf, Vec<u8>> {
    listing(&world.at("runs/a/evaluation/images"))
}

#[test]
fn an_evaluation_paints_scores_reports_and_is_used_again() {
    let world = World::with_dataset(2);
    let rate = "--steps 2 --set train.learning_rate=0.05";
    world.run(&world.train("a", rate)).ok();
    let ran = world.likeness(&format!("evaluate runs/a {SMOKE}")).ok();
    assert!(ran.stderr.contains("likeness models pull faces"), "{}", ran.stderr);
    assert!(ran.stdout.contains("runs/a/evaluation/report.html"), "{}", ran.stdout);

    let scores = Scores::read(&world.at("runs/a/evaluation/scores.json")).expect("scores");
    assert_eq!((scores.images.len(), scores.prompts.len()), (18, 6));
    assert_eq!((scores.encoder, scores.identity), (None, None), "nothing looked for faces");
    let first = images(&world);
    assert_eq!(first.len(), 18);
    for image in &scores.images {
        let file = Path::new(&image.file).file_name().expect("a name");
        let picture = image::load_from_memory(&first[Path::new(file)]).expect("a picture");
        assert_eq!((picture.width(), picture.height()), (64, 64));
        assert_eq!(image.text.contains("mika"), image.file.contains("adapter"), "{}", image.text);
    }
    let painted = |arm: &str| -> Vec<_> {
        first.iter().filter(|(name, _)| name.to_string_lossy().contains(arm)).collect()
    };
    let pairs = painted("base").into_iter().zip(painted("adapter"));
    assert!(pairs.clone().count() == 6 && pairs.clone().all(|(base, ours)| base.1 != ours.1));
    assert_eq!(leftovers(&world.at("runs/a")), Vec::<std::path::PathBuf>::new());

    let reused = world.likeness(&format!("evaluate runs/a {SMOKE} --json")).ok();
    let json: serde_json::Value = serde_json::from_str(&reused.stdout).expect("JSON alone");
    assert_eq!(json["images"].as_array().map(Vec::len), Some(18));
    assert_eq!(images(&world), first);

    let before = listing(&world.at("runs/a/evaluation"));
    let other = format!("evaluate runs/a {SMOKE} --seed 7");
    world.likeness(&other).fails(2, &["runs/a/evaluation", "another evaluation", "force"]);
    assert_eq!(listing(&world.at("runs/a/evaluation")), before);
    world.likeness(&format!("{other} --force")).ok();
    let replaced = images(&world);
    assert!(replaced.len() == 18 && replaced.iter().all(|(name, bytes)| first[name] != *bytes));
}

#[test]
fn a_report_needs_nothing_from_elsewhere() {
    let world = World::with_dataset(2);
    world.run(&world.train("a", "--steps 1")).ok();
    world.likeness(&format!("evaluate runs/a {SMOKE}")).ok();
    for report in ["mika.dataset/report.html", "runs/a/evaluation/report.html"] {
        let page = world.text(report);
        assert!(page.contains("data:image/"), "{report} has pictures");
        for reference in ["src=\"", "href=\"", "url("] {
            let outside: Vec<_> = page
                .split(reference)
                .skip(1)
                .filter(|rest| rest.starts_with("http") || rest.starts_with("//"))
                .map(|rest| rest.chars().take(60).collect::<String>())
                .collect();
            assert!(outside.is_empty(), "{report}: {outside:?}");
        }
        assert!(!page.contains("<script src") && !page.contains("@import"), "{report}");
    }
}

#[test]
fn a_folder_of_other_files_and_an_unknown_suite_are_refused() {
    let world = World::with_dataset(1);
    world.run(&world.train("a", "--steps 1")).ok();
    world.put("other/letter.txt", b"dear");
    let before = listing(&world.at(""));
    let into = format!("evaluate runs/a {SMOKE} --out other");
    world.likeness(&into).fails(2, &["`other`", "no evaluation", "another folder"]);
    let unknown = "evaluate runs/a --suite smock --size 64x64";
    world.likeness(unknown).fails(2, &["`smock`", "`heldout` or `smoke`"]);
    world
        .put("few.toml", b"version = 1\nname = \"few\"\n[[prompts]]\nname = \"a\"\ntext = \"a\"\n");
    world.likeness("evaluate runs/a --suite few.toml").fails(2, &["few", "give at least 3"]);
    std::fs::remove_file(world.at("few.toml")).expect("removed");
    assert_eq!(listing(&world.at("")), before);
}

/// Photos of one person below `LIKENESS_PHOTOS`, models below `LIKENESS_MODELS`.
#[test]
fn with_face_models_the_encoder_is_named_in_the_scores() {
    let given = |name: &str| std::env::var(name).ok();
    let (Some(models), Some(photos)) = (given("LIKENESS_MODELS"), given("LIKENESS_PHOTOS")) else {
        say("skipped: set LIKENESS_MODELS and LIKENESS_PHOTOS to evaluate with faces");
        return;
    };
    let world = World::new();
    let models_of = |text: String| {
        let mut args = crate::support::words(&text);
        args.extend(["--models".to_owned(), models.clone()]);
        args
    };
    let curate = "--trigger mika --class person --resolution 128 --bucket-step 8 --min-side 64";
    world.run(&models_of(format!("curate {photos} {curate}"))).ok();
    world.run(&world.train("a", "--steps 1")).ok();
    world.run(&models_of(format!("evaluate runs/a {SMOKE}"))).ok();
    let scores = Scores::read(&world.at("runs/a/evaluation/scores.json")).expect("scores");
    let models = likeness_faces::FaceModels::open(Path::new(&models)).expect("face models");
    assert_eq!(scores.encoder.as_deref(), Some(models.fingerprint()));
    assert!(scores.arms.iter().all(|arm| arm.faces.is_some()));
}

/// A line that a person sees without `--nocapture`.
fn say(line: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "{line}");
}
