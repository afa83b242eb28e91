//! Reviews of small datasets.

use std::fs;
use std::path::PathBuf;

use super::*;
use crate::crop::Crop;
use crate::curate;
use crate::curate::CurateOptions;
use crate::testing::{jpeg, jpeg_with_orientation, texture};
use crate::tests::{Place, named};

impl Place {
    fn review(&self) -> Review {
        Review::open(self.out()).expect("a dataset")
    }

    fn curated(count: u32) -> Self {
        let place = Self::with_photos(count);
        place.curate().expect("a curation");
        place
    }

    fn sha(&self, path: &str) -> String {
        named(&self.dataset().images, path).sha256.clone()
    }

    fn decision(&self, path: &str) -> Decision {
        Decision { sha256: self.sha(path), ..Decision::default() }
    }

    fn caption_of(&self, path: &str) -> String {
        let dataset = self.dataset();
        dataset.caption(named(&dataset.images, path)).expect("a caption")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.out().join(name)
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.file(name)).expect("a file")
    }

    fn undo(&self) -> Changed {
        let review = self.review();
        let revision = review.revision().expect("a revision");
        review.undo(&revision).expect("an undo").expect("something to undo")
    }
}

const CROP: Crop = Crop { x: 40, y: 30, width: 450, height: 350 }; // 576 x 448 of 600 x 520

/// Drops p0, and gives p1 another caption and another crop.
fn decide_three(place: &Place) {
    let review = place.review();
    let verdict = Some(Verdict::Drop);
    let reason = "the eyes\nare closed".into();
    let drop = Decision { verdict, reason, ..place.decision("p0.jpg") };
    let changed = review.decide(drop).expect("a verdict");
    let photo = changed.photo.expect("a photo");
    assert_eq!(photo.record.verdict, Verdict::Drop);
    assert_ne!(photo.verdict_by_rules, Verdict::Drop);
    assert_eq!(changed.last, Some(changed.decision));
    assert_eq!(changed.revision, review.revision().expect("a revision"));
    assert_ne!(changed.revision, changed.revision_before);
    let caption = Some(" ohwx in a garden\n".into());
    let caption_was = Some(place.caption_of("p1.jpg"));
    let words = Decision { caption, caption_was, ..place.decision("p1.jpg") };
    review.decide(words).expect("a caption");
    review.decide(Decision { crop: Some(CROP), ..place.decision("p1.jpg") }).expect("a crop");
}

#[test]
fn decisions_reach_training_outlive_curating_and_are_undone_one_by_one() {
    let place = Place::curated(3);
    let hash = || place.dataset().content_hash().expect("a hash");
    let (before, mut hashes) = (place.text("images.jsonl"), vec![hash()]);
    decide_three(&place);
    for _ in 0..2 {
        let dataset = place.dataset();
        let first = named(&dataset.images, "p0.jpg");
        assert_eq!(first.verdict, Verdict::Drop);
        assert_eq!(first.reasons[0].message, "dropped by a person: the eyes are closed");
        let second = named(&dataset.images, "p1.jpg");
        assert_eq!(place.caption_of("p1.jpg"), "ohwx in a garden");
        assert_eq!(place.text("captions/p1.txt"), "ohwx in a garden");
        assert_eq!((second.crop, second.upscale), (Some(CROP), Some(1.28)));
        assert_eq!(dataset.pixels(second).expect("pixels").dimensions(), (576, 448));
        assert!(second.notes.iter().any(|note| note.message.contains("chosen by a person")));
        assert_eq!(place.curate().expect("again").records, place.dataset().images);
        assert_eq!(place.text("decisions.jsonl").lines().count(), 3);
        hashes.push(hash());
    }
    assert!(hashes[0] != hashes[1] && hashes[1] == hashes[2]);

    assert_eq!(place.undo().decision.crop, Some(CROP));
    assert_ne!(named(&place.dataset().images, "p1.jpg").crop, Some(CROP));
    let undone = place.undo();
    assert!(undone.decision.caption.is_some() && !undone.caption_stays);
    assert_eq!(place.caption_of("p1.jpg"), "a photo of ohwx person");
    assert_eq!(place.undo().decision.verdict, Some(Verdict::Drop));
    let review = place.review();
    assert!(review.undo(&review.revision().expect("one")).expect("no error").is_none());
    assert_eq!(hash(), hashes[0]);
    place.curate().expect("again");
    assert_eq!(place.text("images.jsonl"), before, "as if nothing had been decided");
}

#[test]
fn what_changed_meanwhile_is_not_overwritten() {
    let place = Place::curated(2);
    let review = place.review();
    let seen = Some(place.caption_of("p0.jpg"));
    let stale = review.revision().expect("a revision");
    fs::write(place.file("captions/p0.txt"), "ohwx by hand\n").expect("an edit");
    let caption = Some("ohwx by review".to_owned());
    let words = Decision { caption, caption_was: seen, ..place.decision("p0.jpg") };
    let error = review.decide(words.clone()).expect_err("another caption is there");
    assert!(matches!(error, DatasetError::ChangedMeanwhile { .. }), "{error}");
    assert_eq!(place.text("decisions.jsonl"), "");
    assert_eq!(place.text("captions/p0.txt"), "ohwx by hand\n");

    let caption_was = Some("ohwx by hand".into());
    review.decide(Decision { caption_was, ..words }).expect("the caption that was seen");
    let error = review.undo(&stale).expect_err("not the last decision that was seen");
    assert!(matches!(error, DatasetError::ChangedMeanwhile { .. }), "{error}");
    assert!(!place.undo().caption_stays);
    assert_eq!(place.text("captions/p0.txt"), "ohwx by hand\n", "to the byte");

    let caption_was = Some("ohwx by hand".into());
    let caption = Some("ohwx by review".into());
    let words = Decision { caption, caption_was, ..place.decision("p0.jpg") };
    review.decide(words).expect("again");
    fs::write(place.file("captions/p0.txt"), "ohwx by hand, later").expect("an edit");
    assert!(place.undo().caption_stays);
    assert_eq!(place.text("captions/p0.txt"), "ohwx by hand, later");
}

#[test]
fn a_decided_caption_that_only_stands_in_its_line_is_trained_on_and_written_by_the_next_curation() {
    let place = Place::curated(2);
    let line = format!("{{\"sha256\":\"{}\",\"caption\":\"ohwx at sea\"}}", place.sha("p0.jpg"));
    fs::write(place.file("decisions.jsonl"), line).expect("a line without its end");
    assert_eq!(place.caption_of("p0.jpg"), "ohwx at sea");
    place.put("p0.txt", b"ohwx on land"); // another draft changes nothing
    place.curate().expect("again");
    assert_eq!(place.text("captions/p0.txt"), "ohwx at sea");
    let verdict = Some(Verdict::Review);
    let keep = Decision { verdict, ..place.decision("p1.jpg") };
    place.review().decide(keep).expect("a line after it");
    assert_eq!(place.text("decisions.jsonl").lines().count(), 2);
    assert_eq!(place.dataset().images[1].verdict, Verdict::Review);
}

#[test]
fn a_crop_holds_while_its_bucket_has_the_aspect() {
    let place = Place::curated(1);
    let crop = Some(CROP);
    place.review().decide(Decision { crop, ..place.decision("p0.jpg") }).expect("a crop");
    let with = |resolution, bucket_step| {
        let options = CurateOptions { resolution, bucket_step, ..place.options() };
        curate(&options, None, &mut |_| {}).expect("a curation").records[0].clone()
    };
    assert_eq!(with(256, 32).crop, crop, "288 x 224 is as wide as 576 x 448");
    let square = with(64, 64);
    assert_ne!(square.crop, crop);
    let note = square.notes.last().expect("a note").message.clone();
    assert!(note.contains("not used") && note.contains("64 x 64"), "{note}");
    assert_eq!(with(512, 64).crop, crop, "the decision is still there");
}

#[test]
fn what_was_said_of_a_chosen_crop_goes_into_its_caption() {
    let place = Place::curated(1);
    let crop = Some(CROP);
    place.review().decide(Decision { crop, ..place.decision("p0.jpg") }).expect("a crop");
    let sha256 = place.sha("p0.jpg");
    let said = serde_json::json!({
        "version": 1, "sha256": sha256, "crop": CROP, "kind": "tags", "model": "m", "key": "k",
        "phrases": ["on a bench"], "keep_identity": false,
    });
    fs::write(place.file("words.jsonl"), format!("{said}\n")).expect("words");
    place.curate().expect("again");
    assert!(place.caption_of("p0.jpg").ends_with(", on a bench"), "{}", place.caption_of("p0.jpg"));
    place.undo();
    place.curate().expect("again");
    assert_eq!(place.caption_of("p0.jpg"), "a photo of ohwx person", "it was said of another part");
}

#[test]
fn what_cannot_be_decided_is_refused_with_the_reason() {
    let place = Place::with_photos(1);
    place.put("cut.jpg", &jpeg(&texture(600, 600, 9))[..5000]);
    place.curate().expect("a curation");
    let keep = Some(Verdict::Keep);
    let of = |path| place.decision(path);
    let outside = Some(Crop { x: 300, ..CROP });
    let caption_was = Some(place.caption_of("p0.jpg"));
    let long = Some("x".repeat(2001));
    for (decision, why) in [
        (Decision { verdict: keep, ..of("cut.jpg") }, "cannot be read"),
        (Decision { crop: outside, ..of("p0.jpg") }, "not inside"),
        (Decision { caption: long, caption_was: caption_was.clone(), ..of("p0.jpg") }, "2001"),
        (Decision { caption: Some("\n".into()), caption_was, ..of("p0.jpg") }, "0 characters"),
        (of("p0.jpg"), "says nothing"),
        (Decision { verdict: keep, ..Decision::default() }, "no photo"),
    ] {
        let error = place.review().decide(decision).expect_err(why).to_string();
        assert!(error.contains(why) && error.contains("; "), "{error}");
    }
    assert_eq!(place.text("decisions.jsonl"), "");
}

#[test]
fn copies_of_a_file_are_one_photo() {
    let place = Place::with_photos(2);
    place.put("p1_copy.jpg", &jpeg(&texture(600, 520, 11)));
    place.curate().expect("a curation");
    let verdict = Some(Verdict::Keep);
    place.review().decide(Decision { verdict, ..place.decision("p1.jpg") }).expect("a decision");
    place.curate().expect("again");
    let now = place.review().read().expect("a dataset");
    let paths: Vec<_> = now.photos.iter().map(|photo| photo.record.path.as_str()).collect();
    assert_eq!((paths, now.copies), (vec!["p0.jpg", "p1.jpg"], 1));
    assert_eq!(place.dataset().kept().count(), 2, "the copy stays dropped");
    assert_eq!(now.last.and_then(|last| last.verdict), Some(Verdict::Keep));
}

#[test]
fn a_preview_is_upright_and_no_larger_than_asked_for() {
    let place = Place::with_photos(1);
    place.put("lying.jpg", &jpeg_with_orientation(&texture(900, 600, 5), 6));
    place.curate().expect("a curation");
    let (review, sha256) = (place.review(), place.sha("lying.jpg"));
    let size = |side| {
        let bytes = review.preview(&sha256, side).expect("a preview");
        let preview = image::load_from_memory(&bytes).expect("a picture");
        (preview.width(), preview.height())
    };
    assert_eq!((size(2048), size(300)), ((600, 900), (200, 300)));
    place.put("lying.jpg", &jpeg(&texture(900, 600, 6)));
    let error = review.preview(&sha256, 300).expect_err("another photo");
    assert!(matches!(error, DatasetError::PhotoChanged { .. }), "{error}");
}

#[test]
fn two_reviews_and_a_curation_at_once_lose_nothing() {
    let place = Place::curated(2);
    std::thread::scope(|scope| {
        for path in ["p0.jpg", "p1.jpg"] {
            let (review, place) = (place.review(), &place);
            scope.spawn(move || {
                for count in 0..10 {
                    let caption_was = Some(place.caption_of(path));
                    let caption = Some(format!("ohwx {count}"));
                    let words = Decision { caption, caption_was, ..place.decision(path) };
                    review.decide(words).expect("a decision");
                }
            });
        }
        place.curate().expect("again");
    });
    assert_eq!(place.text("decisions.jsonl").lines().count(), 20);
    for path in ["p0.jpg", "p1.jpg"] {
        assert_eq!(place.caption_of(path), "ohwx 9");
    }
}
