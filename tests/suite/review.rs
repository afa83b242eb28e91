//! `likeness curate review`: the real server, asked over HTTP and by a browser.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::browser::{self, Browser};
use crate::support::{World, words};

/// A running `likeness curate review mika.dataset`.
struct Server {
    process: Child,
    port: u16,
    token: String,
}

impl Server {
    fn start(world: &World) -> Self {
        let mut command = world.command(&words("curate review mika.dataset"));
        let mut process = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the server starts");
        let mut line = String::new();
        let out = process.stdout.take().expect("its output");
        BufReader::new(out).read_line(&mut line).expect("a line");
        let (_, rest) = line.split_once("http://127.0.0.1:").expect("an address");
        let (port, token) = rest.trim_end_matches(['/', '\n']).split_once('/').expect("a token");
        assert!(token.len() == 32 && token.bytes().all(|b| b.is_ascii_hexdigit()), "{line}");
        Self { process, port: port.parse().expect("a port"), token: token.to_owned() }
    }

    fn address(&self) -> String {
        format!("http://127.0.0.1:{}/{}/", self.port, self.token)
    }

    /// Sends `head`, in which HOST and TOKEN are put, with `body`; status, headers, body.
    fn send(&self, head: &str, body: &str) -> (u16, String, Vec<u8>) {
        let head = head.replace("HOST", &format!("127.0.0.1:{}", self.port));
        let head = head.replace("TOKEN", &self.token).replace('\n', "\r\n");
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).expect("it listens");
        let length = body.len();
        write!(stream, "{head}\r\nContent-Length: {length}\r\n\r\n{body}").expect("sent");
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).expect("an answer");
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("headers") + 4;
        let headers = String::from_utf8(bytes[..end].to_vec()).expect("text");
        let status = headers.split(' ').nth(1).and_then(|code| code.parse().ok());
        (status.expect("a status"), headers, bytes[end..].to_vec())
    }

    fn get(&self, path: &str) -> (u16, Value) {
        let (status, _, body) = self.send(&format!("GET /TOKEN/{path} HTTP/1.1\nHost: HOST"), "");
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let head = format!("POST /TOKEN/{path} HTTP/1.1\nHost: HOST");
        let (status, _, body) = self.send(&head, &body.to_string());
        (status, serde_json::from_slice(&body).expect("JSON"))
    }

    fn state(&self) -> Value {
        self.get("api/state").1
    }

    fn undo(&self) -> (u16, Value) {
        self.post("api/undo", &json!({ "revision": self.state()["revision"] }))
    }

    /// Presses Ctrl-C; the exit code.
    fn end(mut self) -> Option<i32> {
        let id = self.process.id().to_string();
        let sent = Command::new("kill").args(["-INT", &id]).status().expect("kill runs");
        assert!(sent.success());
        self.process.wait().expect("it ends").code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn photo<'a>(state: &'a Value, path: &str) -> &'a Value {
    let photos = state["photos"].as_array().expect("a list");
    photos.iter().find(|photo| photo["path"] == path).expect("a photo")
}

#[test]
fn only_the_page_itself_is_served_and_every_refusal_is_json() {
    let world = World::with_dataset(2);
    let server = Server::start(&world);
    let good = "GET /TOKEN/ HTTP/1.1\nHost: HOST";
    let (status, headers, page) = server.send(good, "");
    assert_eq!(status, 200);
    assert!(headers.contains("default-src 'none'") && headers.contains("no-store"), "{headers}");
    let page = String::from_utf8(page).expect("text");
    for outside in ["http:", "https:", "//", " style=", " onclick=", "<script>"] {
        assert!(!page.contains(outside), "{outside}");
    }
    for (head, status) in [
        ("GET / HTTP/1.1\nHost: HOST", 403),
        ("GET /0123/ HTTP/1.1\nHost: HOST", 403),
        ("GET /TOKEN/ HTTP/1.1\nHost: evil.example", 403),
        ("GET /TOKEN/ HTTP/1.1\nHost: HOST\nOrigin: http://evil.example", 403),
        ("GET /TOKEN/api/nothing HTTP/1.1\nHost: HOST", 404),
        ("GET /TOKEN/../images.jsonl HTTP/1.1\nHost: HOST", 404),
        ("GET /TOKEN/photo/p0.png HTTP/1.1\nHost: HOST", 404),
        ("GET /TOKEN/photo/ HTTP/1.1\nHost: HOST", 404),
        ("POST /TOKEN/api/state HTTP/1.1\nHost: HOST", 405),
        ("GET /TOKEN/api/undo HTTP/1.1\nHost: HOST", 405),
        ("DELETE /TOKEN/api/decision HTTP/1.1\nHost: HOST", 405),
        ("POST /TOKEN/api/decision HTTP/1.1\nHost: HOST", 400),
        ("GET /TOKEN/\nHost: HOST", 400),
    ] {
        let (found, _, body) = server.send(head, "");
        let body: Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!(found, status, "{head}: {body}");
        assert!(body["error"].as_str().is_some_and(|reason| !reason.is_empty()), "{head}");
    }
    let huge = "x".repeat(70_000);
    let (status, _, _) = server.send("POST /TOKEN/api/decision HTTP/1.1\nHost: HOST", &huge);
    assert_eq!(status, 413);
    let sha256 = photo(&server.state(), "p0.png")["sha256"].as_str().expect("text").to_owned();
    let head = format!("GET /TOKEN/photo/{sha256}?side=100 HTTP/1.1\nHost: HOST");
    let (_, headers, bytes) = server.send(&head, "");
    assert!(headers.contains("image/jpeg"), "{headers}");
    assert_eq!(image::load_from_memory(&bytes).expect("a picture").width(), 100);
    assert_eq!(world.text("mika.dataset/decisions.jsonl"), "");
    assert_eq!(server.end(), Some(0));
}

#[test]
fn decisions_are_appended_undone_and_outlive_a_new_curation() {
    let world = World::with_dataset(3);
    let server = Server::start(&world);
    let first = server.state();
    let sha = |path| photo(&first, path)["sha256"].clone();
    let decide = |decision: &Value| server.post("api/decision", decision);
    let drop = json!({ "sha256": sha("p0.png"), "verdict": "drop", "reason": "blurred" });
    let (status, changed) = decide(&drop);
    assert_eq!((status, &changed["photo"]["verdict"]), (200, &json!("drop")), "{changed}");
    let was = photo(&first, "p1.png")["caption"].clone();
    let words = json!({ "sha256": sha("p1.png"), "caption": "mika by a lake", "caption_was": was });
    assert_eq!(decide(&words).0, 200);
    let crop = json!({ "x": 8, "y": 4, "width": 96, "height": 96 });
    assert_eq!(decide(&json!({ "sha256": sha("p2.png"), "crop": crop })).0, 200);
    let log = || world.text("mika.dataset/decisions.jsonl");
    assert_eq!(log().lines().count(), 3);

    let (status, refused) = decide(&words);
    assert_eq!(status, 409, "another window saw the former caption: {refused}");
    let wide = json!({ "x": 0, "y": 0, "width": 96, "height": 60 });
    let (status, refused) = decide(&json!({ "sha256": sha("p2.png"), "crop": wide }));
    assert_eq!(status, 422);
    assert!(refused["error"].as_str().is_some_and(|error| error.contains("aspect")), "{refused}");
    assert_eq!(decide(&json!({ "sha256": "00", "verdict": "keep" })).0, 404);
    assert_eq!(server.post("api/undo", &json!({ "revision": first["revision"] })).0, 409);
    assert_eq!(log().lines().count(), 3, "nothing was written or lost");

    for _ in 0..2 {
        let ran = world.run(&world.curate()).ok();
        assert!(ran.stdout.contains("2 kept, 1 dropped"), "{}", ran.stdout);
        let now = server.state();
        assert_eq!(photo(&now, "p0.png")["reasons"][0]["message"], "dropped by a person: blurred");
        assert_eq!(photo(&now, "p1.png")["caption"], "mika by a lake");
        assert_eq!(photo(&now, "p2.png")["crop"], crop);
    }
    assert_eq!(world.text("mika.dataset/captions/p1.txt"), "mika by a lake");
    for left in [2, 1, 0] {
        assert_eq!(server.undo().0, 200);
        assert_eq!(log().lines().count(), left);
    }
    let (status, nothing) = server.undo();
    assert_eq!((status, nothing), (200, Value::Null));
    let now = server.state();
    for path in ["p0.png", "p1.png", "p2.png"] {
        for field in ["verdict", "caption", "crop"] {
            assert_eq!(photo(&now, path)[field], photo(&first, path)[field], "{path} {field}");
        }
    }
    let revision = now["revision"].as_str().expect("text");
    let (_, same) = server.get(&format!("api/state?revision={revision}"));
    assert_eq!(same["unchanged"], true);
    assert_eq!(server.end(), Some(0));
}

#[test]
fn what_cannot_be_reviewed_is_refused_and_a_folder_called_review_can_be_curated() {
    let world = World::with_photos(1);
    world.likeness("curate review").fails(2, &["DATASET"]);
    world.likeness("curate review nowhere").fails(2, &["nowhere", "./review"]);
    world.likeness("curate review photos").fails(1, &["photos", "likeness curate"]);
    world.likeness("curate photos").fails(2, &["--trigger"]);
    let help = world.likeness("curate --help").ok().stdout;
    assert!(help.contains("review") && help.contains("./review"), "{help}");
    std::fs::rename(world.at("photos"), world.at("review")).expect("a folder called review");
    let mut curate = world.curate();
    curate[1] = "./review".into();
    world.run(&curate).ok();
}

#[test]
fn a_person_decides_by_keys_in_a_browser() {
    let Some(program) = browser::program() else {
        // Not by a print macro: the harness would swallow it.
        let line = "skipped: no Chromium is installed (LIKENESS_CHROMIUM names one)";
        let _ = writeln!(std::io::stderr(), "{line}");
        return;
    };
    let world = World::with_dataset(4);
    let server = Server::start(&world);
    let mut page = Browser::open(&program, &world.at("browser"), &server.address(), (1280, 720));
    page.wait("document.body?.dataset.ready === 'yes'");
    let log = || -> Vec<Value> {
        let text = world.text("mika.dataset/decisions.jsonl");
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    };
    let at = |name: &str| format!("document.getElementById('name').textContent === '{name}'");
    let tells =
        |text: &str| format!("document.getElementById('said').textContent.includes('{text}')");
    page.wait(&at("p0.png"));
    page.wait("document.querySelector('#picture img').naturalWidth === 160");
    assert_eq!(page.value("document.querySelectorAll('#strip li').length"), 4);

    page.press("k");
    page.wait(&at("p1.png"));
    page.press("d");
    page.wait("document.getElementById('why').open");
    page.press("2");
    page.wait(&at("p2.png"));
    assert_eq!(log()[1]["reason"], "blurred");
    page.press("e");
    page.wait("document.activeElement.id === 'words'");
    page.value("document.getElementById('words').select()");
    page.write("mika in <b>bold</b> light");
    page.press("Enter");
    page.wait(&tells("p2.png: caption"));
    assert_eq!(
        page.value("document.getElementById('caption').textContent"),
        "mika in <b>bold</b> light"
    );
    assert_eq!(page.value("document.querySelectorAll('#caption b').length"), 0);
    assert_eq!(world.text("mika.dataset/captions/p2.txt"), "mika in <b>bold</b> light");

    page.press("c");
    page.wait("document.body.classList.contains('cropping')");
    for key in ["-", "-", "-", "ArrowRight", "Enter"] {
        page.press(key);
    }
    page.wait(&tells("p2.png: crop"));
    let crop = log()[3]["crop"].clone();
    assert!(crop["width"].as_u64().is_some_and(|width| width < 160) && crop["x"] != 0, "{crop}");
    page.press("c");
    page.wait("document.body.classList.contains('cropping')");
    let corner =
        "JSON.stringify(document.querySelector('[data-corner=se]').getBoundingClientRect())";
    let rectangle = page.value(corner);
    let rectangle: Value = serde_json::from_str(rectangle.as_str().expect("text")).expect("JSON");
    let side = |name: &str| rectangle[name].as_f64().expect("a number") + 10.0;
    page.drag((side("x"), side("y")), (side("x") - 60.0, side("y") - 60.0));
    page.press("Enter");
    page.wait("document.getElementById('said').textContent.includes('crop') && !document.body.classList.contains('cropping')");
    let smaller = log()[4]["crop"].clone();
    assert_eq!(
        (&smaller["x"], &smaller["y"]),
        (&crop["x"], &crop["y"]),
        "the other corner is held"
    );
    assert!(smaller["width"].as_u64() < crop["width"].as_u64(), "{smaller} {crop}");

    page.press("ArrowRight");
    page.wait(&at("p3.png"));
    page.press("r");
    page.wait(&tells("p3.png: review"));
    for left in (0..6).rev() {
        page.press("u");
        page.wait("document.body.ariaBusy === 'false'");
        page.wait(&format!("document.getElementById('undo').disabled === {}", left == 0));
        assert_eq!(log().len(), left);
    }
    assert_eq!(world.text("mika.dataset/captions/p2.txt"), "a photo of mika woman");

    page.press("/");
    page.wait("document.activeElement.id === 'filter'");
    page.write("p3");
    page.wait("document.querySelectorAll('#strip li').length === 1");
    page.press("Escape");
    page.wait("document.querySelectorAll('#strip li').length === 4");
    page.press("?");
    page.wait("document.getElementById('help').open");
    page.press("Escape");
    page.wait("!document.getElementById('help').open");
    let refused = "performance.getEntriesByType('resource').filter(e => !e.name.startsWith(location.origin)).length";
    assert_eq!(page.value(refused), 0, "nothing was asked for elsewhere");
    assert_eq!(server.end(), Some(0));
}
