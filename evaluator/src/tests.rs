//! Whole evaluations with a fake painter and a fake judge.

use std::path::Path;

use crate::fake::{FakeJudge, FakePainter, FakeReader, plan, portrait, references};
use crate::*;

fn run(plan: &Plan, painter: &mut FakePainter, out: &Path) -> Result<Scores, Error> {
    evaluate(plan, &references(), painter, faces(&mut FakeJudge), out, &mut |_| ())
}

/// The judge alone.
fn faces(judge: &mut FakeJudge) -> Judges<'_> {
    Judges { faces: Some(judge), scenes: None }
}

fn scores(painter: fn(&Shot) -> Option<u8>) -> Scores {
    let out = tempfile::tempdir().expect("folder");
    run(&plan(), &mut FakePainter::new(painter), out.path()).expect("evaluated")
}

#[test]
fn the_base_scores_zero_and_a_copy_of_the_references_at_least_one() {
    let scores = scores(|shot| Some(if shot.arm == Arm::Adapter { 10 } else { 85 }));
    let identity = scores.identity.as_ref().expect("measured");
    let mean = |arm| scores.arm(arm).and_then(|arm| arm.nis).expect("measured").mean;
    assert!(mean(Arm::Base).abs() < 1e-9);
    assert!((1.0..1.1).contains(&mean(Arm::Adapter)), "{}", mean(Arm::Adapter));
    assert!((identity.scale.floor - 75.0_f64.to_radians().cos()).abs() < 1e-6);
    assert_eq!(identity.verdict, Verdict::Improves);
    assert_eq!(scores.gate.outcome, Outcome::Pass);
    assert_eq!(scores.images.len(), 12 + 6 + 12);
    assert!(scores.leak.expect("measured").difference.mean.abs() < 1e-9);
}

#[test]
fn a_lora_that_does_nothing_makes_no_difference_and_fails() {
    let scores = scores(|shot| Some(70 + (shot.seed % 20) as u8));
    let identity = scores.identity.expect("measured");
    assert_eq!(identity.verdict, Verdict::NoDifference);
    assert_eq!((identity.difference.low, identity.difference.high), (0.0, 0.0));
    assert_eq!(scores.gate.outcome, Outcome::Fail);
}

#[test]
fn noise_is_no_difference_and_a_loss_is_worse() {
    let noise = scores(|shot| {
        let own = shot.seed.wrapping_mul(if shot.arm == Arm::Base { 7 } else { 13 });
        Some(60 + (own % 31) as u8)
    });
    assert_eq!(noise.identity.expect("measured").verdict, Verdict::NoDifference);
    let loss = scores(|shot| Some(if shot.arm == Arm::Adapter { 90 } else { 60 }));
    assert_eq!(loss.identity.expect("measured").verdict, Verdict::Worsens);
}

#[test]
fn an_image_without_a_face_counts_as_zero() {
    let scores = scores(|shot| match shot.arm {
        Arm::Base | Arm::Class => Some(85),
        Arm::Adapter if shot.prompt.contains("bridge") => None,
        Arm::Adapter => Some(10),
    });
    let adapter = scores.arm(Arm::Adapter).expect("painted");
    assert_eq!((adapter.faces, adapter.images), (Some(10), 12));
    let faceless: Vec<_> = scores.images.iter().filter(|image| image.face == Some(false)).collect();
    assert!(faceless.iter().all(|image| image.nis == Some(0.0) && image.cosine.is_none()));
    let best = scores.images.iter().filter_map(|image| image.nis).fold(0.0, f64::max);
    assert!((adapter.nis.expect("measured").mean - best * 10.0 / 12.0).abs() < 1e-9);
    assert!(
        scores.warnings.iter().any(|w| w.contains("2 of 12 images of the adapter show no face"))
    );
    assert_ne!(scores.gate.outcome, Outcome::Pass);
}

#[test]
fn without_a_floor_or_a_distance_there_is_a_reason_and_no_number() {
    let faceless = scores(|shot| (shot.arm == Arm::Adapter).then_some(10));
    assert_eq!(faceless.identity, None);
    assert!(faceless.gate.reason.contains("no face was found in any image of the bare base"));
    assert!(faceless.arms.iter().all(|arm| arm.nis.is_none() && arm.face_rate.is_some()));
    let alike = scores(|_| Some(10));
    assert_eq!((alike.identity, alike.gate.outcome), (None, Outcome::Inconclusive));
    assert!(alike.gate.reason.contains("cannot tell the character"));
}

#[test]
fn without_a_judge_there_are_images_and_a_report_that_says_what_is_missing() {
    let out = tempfile::tempdir().expect("folder");
    let mut painter = FakePainter::good();
    let scores =
        evaluate(&plan(), &references(), &mut painter, Judges::default(), out.path(), &mut |_| ());
    let scores = scores.expect("evaluated");
    assert_eq!((scores.identity.is_none(), scores.encoder.is_none()), (true, true));
    assert!(scores.images.iter().all(|image| image.face.is_none() && image.nis.is_none()));
    let page = std::fs::read_to_string(out.path().join("report.html")).expect("report");
    assert!(page.contains("INCONCLUSIVE") && page.contains("no face model was given"));
    assert!(!page.contains("NaN"));
}

#[test]
fn too_few_references_are_refused_before_anything_is_painted() {
    let out = tempfile::tempdir().expect("folder");
    let mut few = references()[..1].to_vec();
    few.push(Reference { name: "back.jpg".into(), image: portrait(None) });
    let mut painter = FakePainter::good();
    let error =
        evaluate(&plan(), &few, &mut painter, faces(&mut FakeJudge), out.path(), &mut |_| ());
    assert!(matches!(error, Err(Error::TooFewReferences { found: 1, given: 2 })));
    assert_eq!(painter.painted, 0);
}

#[test]
fn an_interrupted_run_goes_on_and_ends_as_an_uninterrupted_one() {
    let (torn, whole) =
        (tempfile::tempdir().expect("folder"), tempfile::tempdir().expect("folder"));
    let mut painter = FakePainter { stops_after: 9, ..FakePainter::good() };
    let error = run(&plan(), &mut painter, torn.path()).expect_err("interrupted");
    assert!(error.to_string().contains("images/p05-s02-base.png"), "{error}");
    let mut painter = FakePainter::good();
    let mut reused = 0;
    let mut count =
        |event| reused += usize::from(matches!(event, Event::Image { reused: true, .. }));
    let mut judge = FakeJudge;
    let judge = faces(&mut judge);
    evaluate(&plan(), &references(), &mut painter, judge, torn.path(), &mut count)
        .expect("resumed");
    assert_eq!((reused, painter.painted), (9, 21));
    run(&plan(), &mut FakePainter::good(), whole.path()).expect("evaluated");
    for file in ["scores.json", "report.html", "grid.png", "plan.json"] {
        let read = |folder: &Path| std::fs::read(folder.join(file)).expect(file);
        assert_eq!(read(torn.path()), read(whole.path()), "{file}");
    }
}

#[test]
fn a_folder_of_another_plan_is_refused_and_replaced_by_force() {
    let out = tempfile::tempdir().expect("folder");
    run(&plan(), &mut FakePainter::good(), out.path()).expect("evaluated");
    let mut other = plan();
    other.recipe.adapter_hash = "cc".repeat(32);
    let error = run(&other, &mut FakePainter::good(), out.path()).expect_err("foreign");
    assert!(matches!(error, Error::ForeignFolder { .. }));
    other.force = true;
    let mut painter = FakePainter::good();
    let scores = run(&other, &mut painter, out.path()).expect("forced");
    assert_eq!((painter.painted, scores.plan_hash), (30, other.recipe.hash()));
}

#[test]
fn scores_survive_their_file() {
    let out = tempfile::tempdir().expect("folder");
    let scores = run(&plan(), &mut FakePainter::good(), out.path()).expect("evaluated");
    let path = out.path().join("scores.json");
    assert!(Scores::read(&path).expect("read") == scores);
    let text = std::fs::read_to_string(&path).expect("read");
    assert!(text.contains("\"verdict\": \"improves\"") && text.contains("\"outcome\": \"PASS\""));
    std::fs::write(&path, text.replacen("\"version\": 2", "\"version\": 9", 1)).expect("written");
    assert!(matches!(Scores::read(&path), Err(Error::ScoresVersion { version: 9, .. })));
}

#[test]
fn a_class_word_that_became_the_character_leaks_and_fails() {
    let scores = scores(|shot| Some(if shot.arm == Arm::Base { 85 } else { 10 }));
    let leak = scores.leak.expect("measured").difference;
    assert!(leak.low > 0.9, "{leak:?}");
    assert_eq!(scores.gate.outcome, Outcome::Fail);
    assert!(scores.gate.reason.contains("leak"), "{}", scores.gate.reason);
    let class = scores.images.iter().filter(|image| image.arm == Arm::Class);
    assert!(class.clone().count() == 6 && class.clone().all(|image| image.replicate == 1));
    assert!(class.into_iter().all(|image| !image.text.contains("aurora")));
}

#[test]
fn a_reader_says_which_pictures_show_what_is_asked_for() {
    let out = tempfile::tempdir().expect("folder");
    let (mut judge, mut reader) = (FakeJudge, FakeReader::new(["on a beach", "in a forest"]));
    let mut plan = plan();
    for (number, prompt) in plan.recipe.suite.prompts.iter_mut().enumerate() {
        let place = ["on a beach", "in a forest", "at home"][number % 3];
        prompt.text = format!("a {{subject}} {place}, number {number}");
    }
    // The base shows what is asked for; the adapter is always on the beach.
    let mut painter = FakePainter::new(|shot| {
        let forest = shot.prompt.contains("forest") && shot.arm == Arm::Base;
        Some(if forest { 81 } else { 10 })
    });
    let judges = Judges { faces: Some(&mut judge), scenes: Some(&mut reader) };
    let scores = evaluate(&plan, &references(), &mut painter, judges, out.path(), &mut |_| ())
        .expect("evaluated");
    let [reading] = scores.readings.as_slice() else { panic!("{:?}", scores.readings) };
    assert_eq!((reading.axis.as_str(), reading.prompts), ("place", 4));
    assert_eq!((reading.base.mean, reading.adapter.mean), (1.0, 0.5));
    let page = std::fs::read_to_string(out.path().join("report.html")).expect("report");
    assert!(page.contains("Fidelity to the prompt"));
}

#[test]
fn each_image_names_the_reference_it_is_nearest_to() {
    let scores = scores(|shot| Some(if shot.arm == Arm::Adapter { 19 } else { 85 }));
    let adapter = scores.images.iter().filter(|image| image.arm == Arm::Adapter);
    for nearest in adapter.map(|image| image.nearest.as_ref().expect("a face")) {
        assert_eq!(nearest.reference, "20.jpg");
        assert!((nearest.cosine - 1.0_f64.to_radians().cos()).abs() < 1e-6);
    }
    assert!(scores.warnings.iter().any(|warning| warning.contains("look whether they copy it")));
}

#[test]
fn the_report_stands_alone_and_escapes_what_it_is_given() {
    let out = tempfile::tempdir().expect("folder");
    let mut plan = plan();
    plan.recipe.trigger = "<img src=x onerror=alert(1)>".into();
    plan.recipe.suite.prompts[0].name = "\"><script>".into();
    plan.recipe.settings.insert("note".into(), "a & b </td>".into());
    run(&plan, &mut FakePainter::good(), out.path()).expect("evaluated");
    let page = std::fs::read_to_string(out.path().join("report.html")).expect("report");
    for leak in ["<img src=x", "<script", "a & b", "http://", "https://", "NaN"] {
        assert!(!page.contains(leak), "{leak}");
    }
    assert_eq!(page.matches("data:image/jpeg;base64,").count(), 30 + 3);
    assert!(page.contains("&lt;img src=x onerror=alert(1)&gt;"));
}

#[test]
fn events_count_up_to_the_total() {
    let out = tempfile::tempdir().expect("folder");
    let mut events = Vec::new();
    let (mut painter, mut keep) = (FakePainter::good(), |event| events.push(event));
    let mut judge = FakeJudge;
    let judge = faces(&mut judge);
    evaluate(&plan(), &references(), &mut painter, judge, out.path(), &mut keep)
        .expect("evaluated");
    assert_eq!(events.len(), 3 + 30 + 3);
    assert!(matches!(&events[32], Event::Image { done: 30, total: 30, reused: false, .. }));
    assert!(matches!(&events[35], Event::Written { path } if path.ends_with("scores.json")));
}
