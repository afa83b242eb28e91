//! A folder to work in, photos made in code, and the real binary.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use burn::tensor::Device;
use image::{Rgb, RgbImage};
use tempfile::TempDir;

/// A temporary folder with photos, datasets and runs; commands run in it.
pub struct World {
    root: TempDir,
}

impl World {
    /// An empty world.
    pub fn new() -> Self {
        Self { root: tempfile::tempdir().expect("a temporary folder") }
    }

    /// A world with `photos/` of `count` good photos.
    pub fn with_photos(count: u32) -> Self {
        let world = Self::new();
        for seed in 0..count {
            world.photo(&format!("p{seed}.png"), seed);
        }
        world
    }

    /// A world with `mika.dataset` of `count` photos.
    pub fn with_dataset(count: u32) -> Self {
        let world = Self::with_photos(count);
        let kept = world.run(&world.curate()).ok().stdout;
        // Some are for review: their cells look like the blocks of a JPEG.
        assert!(kept.contains(&format!("{count} kept")) && kept.contains(", 0 dropped"), "{kept}");
        world
    }

    /// Where `name` is in this world.
    pub fn at(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// Writes `photos/name`, a sharp picture of its own for each `seed`.
    pub fn photo(&self, name: &str, seed: u32) {
        let path = self.put(&format!("photos/{name}"), b"");
        picture(seed).save(path).expect("a picture is written");
    }

    /// Writes a file.
    pub fn put(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.at(name);
        fs::create_dir_all(path.parent().expect("it has a folder")).expect("a folder");
        fs::write(&path, bytes).expect("a file is written");
        path
    }

    /// What a file holds.
    pub fn bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.at(name)).unwrap_or_else(|e| panic!("`{name}` cannot be read: {e}"))
    }

    /// What a text file holds.
    pub fn text(&self, name: &str) -> String {
        String::from_utf8(self.bytes(name)).expect("text")
    }

    /// Arguments that curate `photos/` into `mika.dataset` at the tiny model's size.
    pub fn curate(&self) -> Vec<String> {
        let text = "curate photos --trigger mika --class woman --no-faces \
                    --resolution 128 --bucket-step 8 --min-side 64";
        words(text)
    }

    /// Arguments that train `mika.dataset` into `runs/NAME` on the tiny SD 1.5, rank 4.
    pub fn train(&self, name: &str, more: &str) -> Vec<String> {
        let base = sd15();
        let text = format!("train --dataset mika.dataset --out runs/{name} --set adapter.rank=4");
        let mut args = words(&text);
        args.extend(["--base".to_owned(), base]);
        on_device(args, more)
    }

    /// Arguments that draw 64 x 64 pixels in 3 steps with the tiny SD 1.5.
    pub fn generate(&self, more: &str) -> Vec<String> {
        let mut args = words("generate --size 64x64 --steps 3 --base");
        args.push(sd15());
        on_device(args, more)
    }

    /// The binary with `args`, far from the person's own models and from the network.
    pub fn command(&self, args: &[String]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_likeness"));
        self.confine(&mut command);
        command.args(args);
        command
    }

    /// Sets folder and environment of `command`.
    pub fn confine(&self, command: &mut Command) {
        command
            .current_dir(self.root.path())
            .env("HOME", self.at("home"))
            .env("XDG_CACHE_HOME", self.at("home/.cache"))
            .env("HF_ENDPOINT", "http://127.0.0.1:9")
            .env_remove("LIKENESS_MODELS")
            .stdin(Stdio::null());
    }

    /// Runs the binary to its end.
    pub fn run(&self, args: &[String]) -> Ran {
        let output = self.command(args).output().expect("the binary starts");
        Ran::of(args, output)
    }

    /// Runs `likeness TEXT`.
    pub fn likeness(&self, text: &str) -> Ran {
        self.run(&words(text))
    }
}

/// The name of the device that the suite runs on: `LIKENESS_DEVICE`, or the processor.
fn device_name() -> String {
    std::env::var("LIKENESS_DEVICE").unwrap_or_else(|_| "cpu".to_owned())
}

/// The device that the suite runs on.
pub fn device() -> Device {
    likeness_diffusion::device(&device_name()).unwrap_or_else(|e| panic!("LIKENESS_DEVICE: {e}"))
}

/// `args` and `more` on the suite's device, unless `more` names one.
fn on_device(mut args: Vec<String>, more: &str) -> Vec<String> {
    if !more.contains("--device") {
        args.extend(["--device".to_owned(), device_name()]);
    }
    args.extend(words(more));
    args
}

/// How a command ended.
pub struct Ran {
    /// What was run.
    pub command: String,
    /// Its exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// What it printed.
    pub stdout: String,
    /// Progress and errors.
    pub stderr: String,
}

impl Ran {
    /// Of a finished process.
    pub fn of(args: &[String], output: Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self {
            command: args.join(" "),
            code: output.status.code(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }

    /// It has to have succeeded.
    pub fn ok(self) -> Self {
        self.exits(0)
    }

    /// It has to have ended with `code`, and without a panic.
    pub fn exits(self, code: i32) -> Self {
        let Self { command, stdout, stderr, .. } = &self;
        let said = format!("likeness {command}\n--- stdout\n{stdout}\n--- stderr\n{stderr}");
        assert_eq!(self.code, Some(code), "{said}");
        assert!(!stderr.contains("panicked"), "{said}");
        self
    }

    /// It has to have failed with `code` and an error that has every one of `parts`, and a remedy.
    pub fn fails(self, code: i32, parts: &[&str]) -> Self {
        let ran = self.exits(code);
        let error = ran.error();
        for part in parts {
            assert!(error.contains(part), "no `{part}` in:\n{}", ran.stderr);
        }
        // clap's errors end with where to read more, serde's with what they expected.
        let remedy = [";", "For more information", "expected "];
        let remedy = remedy.iter().any(|remedy| error.contains(remedy));
        assert!(remedy, "no remedy in:\n{}", ran.stderr);
        ran
    }

    /// The error without the progress before it.
    pub fn error(&self) -> &str {
        let at = self.stderr.find("error: ");
        &self.stderr[at.unwrap_or_else(|| panic!("no error in:\n{}", self.stderr))..]
    }
}

/// `text` at its spaces.
pub fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

/// Arguments one by one, for those with spaces.
pub fn args(list: &[&str]) -> Vec<String> {
    list.iter().map(|arg| (*arg).to_owned()).collect()
}

/// Every file below `folder` with its bytes.
pub fn listing(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        let entries = fs::read_dir(&next).unwrap_or_else(|e| panic!("{}: {e}", next.display()));
        for entry in entries {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).expect("it is below").to_owned();
                files.insert(name, fs::read(&path).expect("a readable file"));
            }
        }
    }
    files
}

/// The files below `folder` that writing left half done.
pub fn leftovers(folder: &Path) -> Vec<PathBuf> {
    let half = |path: &PathBuf| {
        let path = path.to_string_lossy();
        path.contains(".writing-") || path.ends_with(".partial")
    };
    listing(folder).into_keys().filter(half).collect()
}

/// `name` in `tests/fixtures`.
pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// The tiny SD 1.5 as a diffusers folder.
pub fn sd15() -> String {
    fixture("sd15-tiny/pipeline").display().to_string()
}

/// The tiny SD 2.1 as a diffusers folder.
pub fn sd21() -> String {
    fixture("sd21-tiny/pipeline").display().to_string()
}

/// A picture that the curator takes: detail at every scale, another layout for each `seed`.
pub fn picture(seed: u32) -> RgbImage {
    RgbImage::from_fn(160, 160, |x, y| {
        // Cells of no whole pixels, since those would lie on the grid of a JPEG's blocks.
        let [x, y] = [x * 8 / 9, y * 8 / 9];
        let mut value = 0.0;
        for octave in 0..6 {
            let size = 64 >> octave;
            value += random(x / size, y / size, seed * 31 + octave * 7919) - 0.5;
        }
        let tint = |number: u32| 60.0 * (random(x / 32, y / 32, seed * 31 + number) - 0.5);
        Rgb([tint(101), 20.0, tint(202)]
            .map(|tint| (128.0 + value * 80.0 + tint).clamp(0.0, 255.0) as u8))
    })
}

/// A pseudo-random number in 0..1 of a place.
fn random(x: u32, y: u32, seed: u32) -> f64 {
    let mut hash = x.wrapping_mul(0x9e37_79b1) ^ y.wrapping_mul(0x85eb_ca77) ^ seed;
    for _ in 0..3 {
        hash = (hash ^ (hash >> 15)).wrapping_mul(0x2c1b_3c6d);
    }
    f64::from(hash >> 8) / f64::from(1u32 << 24)
}
