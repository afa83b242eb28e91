//! Every golden case, checked value by value.
//!
//! A case is a folder with `meta.json` and `io.safetensors`, made with diffusers,
//! transformers and PEFT (see `tests/fixtures/README.md`). The cases below
//! `LIKENESS_GOLDENS` are checked, or else those of `tests/fixtures`.

mod golden;
mod lora_files;
mod lora_train;
mod schedulers;
mod single_file;
mod stable_diffusion;
mod tokenizer;

use std::io::Write;
use std::path::{Path, PathBuf};

use golden::Case;

/// What checks a case.
type Check = fn(&mut Case);

/// The check of each case that is built, by the case's name.
const CHECKS: [(&str, Check); 7] = [
    ("tokenizer-clip", tokenizer::check),
    ("schedulers", schedulers::check),
    ("sd15-tiny", stable_diffusion::check),
    ("sd21-tiny", stable_diffusion::check),
    ("single-file", single_file::check),
    ("lora-files", lora_files::check),
    ("lora-train", lora_train::check),
];

/// Cases of families that are not built yet.
const NOT_BUILT: [&str; 5] = ["sdxl-tiny", "flux-tiny", "sd3-tiny", "controlnet-tiny", "lora-sdxl"];

#[test]
fn parity_with_the_reference_in_every_golden_case() {
    let root = std::env::var_os("LIKENESS_GOLDENS").map_or_else(fixtures, PathBuf::from);
    let mut folders = Vec::new();
    case_folders(&root, &mut folders);
    let (mut checked, mut failed) = (0, Vec::new());
    for folder in folders {
        let mut case = Case::open(&folder);
        let Some((_, check)) = CHECKS.iter().find(|(name, _)| *name == case.name) else {
            let built =
                if NOT_BUILT.contains(&case.name.as_str()) { "not built yet" } else { "unknown" };
            say(&format!("{:<16} {built}  {}", case.name, folder.display()));
            continue;
        };
        check(&mut case);
        checked += 1;
        say(&case.line());
        failed.extend(case.failures);
    }
    assert!(checked > 0, "no case below `{}` could be checked", root.display());
    assert!(failed.is_empty(), "{} values differ:\n{}", failed.len(), failed.join("\n"));
}

/// The cases that are in the project.
pub fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

fn case_folders(below: &Path, found: &mut Vec<PathBuf>) {
    if below.join("meta.json").exists() && below.join("io.safetensors").exists() {
        found.push(below.to_owned());
        return;
    }
    let mut inside: Vec<_> = std::fs::read_dir(below)
        .unwrap_or_else(|e| panic!("cannot list `{}`: {e}", below.display()))
        .map(|entry| entry.expect("listable").path())
        .filter(|path| path.is_dir())
        .collect();
    inside.sort();
    inside.iter().for_each(|folder| case_folders(folder, found));
}

/// Prints even when the test passes: the harness captures only the print macros.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").expect("stdout is open");
}
