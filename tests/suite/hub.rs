//! `likeness models` against a hub that misbehaves.

use std::io::{Read, Write};
use std::net::TcpListener;

use crate::support::{Ran, World, args, listing, words};

/// Answers every request with `status` and `body`, and gives its address.
fn hub(status: &'static str, body: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let head = format!(
                "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
        }
    });
    address
}

fn pull(world: &World, hub: &str) -> Ran {
    let args = args(&["models", "pull", "faces", "--models", "models"]);
    let output = world.command(&args).env("HF_ENDPOINT", hub).output();
    Ran::of(&args, output.expect("the binary starts"))
}

#[test]
fn wrong_bytes_from_the_hub_are_not_saved() {
    let world = World::new();
    let hub = hub("200 OK", b"these are not the bytes that the catalogue knows");
    let url = format!("{hub}/opencv/face_detection_yunet/resolve/main/");
    let wanted = "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4";
    let ran = pull(&world, &hub).fails(1, &[&url, "sha256", wanted, "not saved", "try again"]);
    assert!(ran.stdout.contains("licence MIT"), "{}", ran.stdout);
    assert!(listing(&world.at("models")).is_empty());
}

#[test]
fn a_file_that_was_there_outlives_a_failed_pull() {
    let world = World::new();
    let file = "models/faces/face_detection_yunet_2023mar.onnx";
    world.put(file, b"an older version");
    let hub = hub("200 OK", b"wrong");
    pull(&world, &hub).fails(1, &["sha256"]);
    assert_eq!(world.bytes(file), b"an older version");
}

#[test]
fn a_hub_without_the_file_is_named_with_what_else_can_be_done() {
    let world = World::new();
    let hub = hub("404 Not Found", b"no such file");
    let file = "/resolve/main/face_detection_yunet_2023mar.onnx";
    pull(&world, &hub).fails(1, &[&hub, file, "404", "by hand", "models/faces"]);
    assert!(listing(&world.at("models")).is_empty());
    let gone = "http://127.0.0.1:9";
    pull(&world, gone).fails(1, &[gone, "check the connection"]);
}

#[test]
fn without_models_the_list_says_how_to_get_them() {
    let world = World::new();
    let ran = world.likeness("models list").ok();
    assert!(ran.stdout.contains("no face models in "), "{}", ran.stdout);
    assert!(ran.stdout.contains("home/.cache/likeness/models"), "{}", ran.stdout);
    assert!(ran.stdout.contains("likeness models pull faces"), "{}", ran.stdout);
    world.run(&words("models pull everything")).fails(2, &["`everything`", "pull `faces`"]);
    std::fs::create_dir(world.at("none")).expect("a folder");
    let ran = world.likeness("models list --models none");
    ran.fails(1, &["`none`", "likeness models pull"]);
}

#[test]
fn curation_with_models_that_are_not_there_is_an_error_only_if_they_were_asked_for() {
    let world = World::with_photos(1);
    let text = "curate photos --trigger mika --resolution 128 --bucket-step 8 --min-side 64";
    let ran = world.likeness(text).ok();
    assert!(ran.stderr.contains("likeness models pull faces"), "{}", ran.stderr);
    let ran = world.likeness(&format!("{text} --models nowhere --out b.dataset"));
    ran.fails(1, &["`nowhere`"]);
    assert!(!world.at("b.dataset").exists());
}
