//! The rules of ARCHITECTURE.md that a compiler does not keep.
//!
//! Manifests and sources are read as text; every walk says how many files it
//! must find, so that a moved folder cannot make a rule pass by finding nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use likeness_trainer::config;
use likeness_trainer::pretrain::config::PretrainConfig;
use toml::Table;

/// Which of our crates each may depend on.
const ARROWS: [(&str, &[&str]); 7] = [
    ("faces", &[]),
    ("studio", &[]),
    ("dataset", &["faces"]),
    ("kernels", &[]),
    ("diffusion", &["kernels"]),
    ("trainer", &["dataset", "diffusion", "faces", "kernels"]),
    ("evaluator", &["dataset", "diffusion", "faces"]),
];

/// Libraries by which a crate would see tensors on a device.
const TENSOR_LIBRARIES: [&str; 4] = ["burn", "cubecl", "tch", "torch-sys"];

/// What only the command line does: it prints, exits and reads the environment.
const COMMAND_LINE_ONLY: [&str; 8] = [
    "println!",
    "eprintln!",
    "print!(",
    "std::env",
    "env::var",
    "std::process",
    "io::stdout",
    "io::stderr",
];

/// Lines of the longest file, tests included.
const LONGEST: usize = 400;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|e| panic!("`{}` is readable: {e}", path.display()))
}

/// The files below `folder` whose names end in `.extension`, sorted; at least `least` of them.
fn files(folder: &str, extension: &str, least: usize) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the folder is there") {
            let path = entry.expect("a readable entry").path();
            match path.is_dir() {
                true => folders.push(path),
                false if path.extension().is_some_and(|e| e == extension) => found.push(path),
                false => {}
            }
        }
    }
    found.sort();
    assert!(found.len() >= least, "{folder} holds {} of {least} .{extension} files", found.len());
    found
}

/// Every source of every crate, without their `tests/` folders.
fn sources() -> Vec<PathBuf> {
    let least = [("src", 10), ("faces/src", 10), ("dataset/src", 25), ("kernels/src", 3)];
    let more =
        [("diffusion/src", 60), ("trainer/src", 15), ("evaluator/src", 25), ("studio/src", 35)];
    let folders = least.into_iter().chain(more);
    folders.flat_map(|(folder, least)| files(folder, "rs", least)).collect()
}

/// The lines of `text` before its module of tests, without comments, with their numbers.
fn program(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let tests = text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len());
    let lines = text[..tests].lines().enumerate();
    lines.filter(|(_, line)| !line.trim_start().starts_with("//")).map(|(n, line)| (n + 1, line))
}

/// `path:line` of every line of `sources` on which `wrong` says so.
fn offences(sources: &[PathBuf], wrong: impl Fn(&Path, &str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for path in sources {
        let short = path.strip_prefix(root()).expect("a file of ours");
        for (number, line) in program(&read(path)) {
            if wrong(short, line) {
                found.push(format!("{}:{number}: {}", short.display(), line.trim()));
            }
        }
    }
    found
}

/// The names of all packages that `folder`'s manifest depends on, dev-dependencies aside.
fn dependencies(folder: &str) -> BTreeSet<String> {
    let manifest: Table = read(&root().join(folder).join("Cargo.toml")).parse().expect("TOML");
    let tables = ["dependencies", "build-dependencies", "target"].map(|key| manifest.get(key));
    assert!(tables[2].is_none(), "{folder} has target tables, which this test does not read");
    let names = tables.into_iter().flatten().filter_map(|table| table.as_table());
    names.flat_map(|table| table.keys().cloned()).collect()
}

#[test]
fn arrows_between_crates_point_one_way() {
    let workspace: Table = read(&root().join("Cargo.toml")).parse().expect("TOML");
    let members = workspace["workspace"]["members"].as_array().expect("a list");
    let members: BTreeSet<_> = members.iter().filter_map(|m| m.as_str()).collect();
    assert_eq!(members, ARROWS.iter().map(|(name, _)| *name).collect(), "ARROWS names them all");
    for (folder, allowed) in ARROWS {
        let ours: BTreeSet<String> = dependencies(folder)
            .iter()
            .filter_map(|name| name.strip_prefix("likeness-").map(str::to_owned))
            .collect();
        let allowed = allowed.iter().map(|name| (*name).to_owned()).collect();
        assert!(ours.is_subset(&allowed), "{folder} imports {ours:?}, but may import {allowed:?}");
    }
}

#[test]
fn photos_and_faces_never_see_a_tensor_library() {
    let lock: Table = read(&root().join("Cargo.lock")).parse().expect("TOML");
    let packages = lock["package"].as_array().expect("a list of packages");
    assert!(packages.len() > 300, "{} packages are locked", packages.len());
    let mut needs: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in packages {
        let listed = package.get("dependencies").and_then(|d| d.as_array());
        let names = listed.into_iter().flatten().filter_map(|d| d.as_str()?.split(' ').next());
        needs.entry(package["name"].as_str().expect("a name")).or_default().extend(names);
    }
    for (start, least) in
        [("likeness-faces", 50), ("likeness-dataset", 50), ("likeness-studio", 10)]
    {
        let (mut seen, mut open) = (BTreeSet::new(), vec![start]);
        while let Some(name) = open.pop() {
            if seen.insert(name) {
                open.extend(&needs[name]);
            }
        }
        assert!(seen.len() > least, "{start} reaches {} packages", seen.len());
        let is_tensor = |name: &&str| TENSOR_LIBRARIES.contains(name) || name.starts_with("burn-");
        let found: Vec<_> = seen.into_iter().filter(is_tensor).collect();
        assert!(found.is_empty(), "{start} reaches {found:?}");
    }
}

#[test]
fn only_the_command_line_prints_exits_or_reads_the_environment() {
    let found = offences(&sources(), |path, line| {
        !path.starts_with("src") && COMMAND_LINE_ONLY.iter().any(|token| line.contains(token))
    });
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn time_and_randomness_come_in_as_arguments() {
    let found = offences(&sources(), |path, line| {
        let clock = line.contains("SystemTime::now") || line.contains("Instant::now");
        let chance = line.contains("thread_rng") || line.contains("rand::rng(");
        // Trainings measure images a second for their logs, which nothing depends on.
        let log = path == Path::new("trainer/src/pace.rs") && line.contains("Instant::now");
        !path.starts_with("src") && (clock || chance) && !log
    });
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn nothing_is_left_to_do() {
    let found = offences(&sources(), |_, line| {
        ["todo!(", "unimplemented!(", "dbg!("].iter().any(|token| line.contains(token))
    });
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn unsafe_code_stays_in_the_kernels_and_where_weights_are_mapped_or_registers_cleared() {
    let found = offences(&sources(), |path, line| {
        let few = [
            "diffusion/src/weights/file.rs",
            "diffusion/src/weights/mapped.rs",
            "faces/src/registers.rs",
        ];
        let allowed = path.starts_with("kernels") || few.iter().any(|p| path == Path::new(p));
        !allowed && (line.contains("allow(unsafe_code)") || line.contains("unsafe {"))
    });
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn no_source_is_longer_than_can_be_read_in_one_go() {
    let tests = files("tests/suite", "rs", 8);
    let lines = |path: &PathBuf| read(path).lines().count();
    let all = sources().into_iter().chain(tests);
    let long: Vec<_> = all.map(|p| (lines(&p), p)).filter(|(n, _)| *n > LONGEST).collect();
    assert!(long.is_empty(), "split these by what they hold: {long:#?}");
}

#[test]
fn every_source_opens_with_what_it_is_for() {
    let silent: Vec<_> = sources().into_iter().filter(|p| !read(p).starts_with("//! ")).collect();
    assert!(silent.is_empty(), "{silent:#?}");
}

#[test]
fn every_shipped_run_file_is_valid_and_says_where_its_numbers_come_from() {
    for path in files("configs", "toml", 3) {
        let text = read(&path);
        if path.ends_with("builtin.toml") {
            PretrainConfig::parse(&path, &text, &[]).unwrap_or_else(|e| panic!("{e}"));
        } else {
            let parsed = config::parse(&path, &text, &[]).unwrap_or_else(|e| panic!("{e}"));
            assert!(parsed.dataset.ends_with("mika.dataset"), "the placeholder of every example");
        }
        for line in text.lines().filter(|line| line.contains(" = ") && !line.starts_with('#')) {
            let is_number =
                line.split(" = ").nth(1).is_some_and(|v| v.starts_with(char::is_numeric));
            assert!(!is_number || line.contains('#'), "{}: `{line}` has no source", path.display());
        }
    }
}

#[test]
fn the_training_guide_explains_every_key_of_a_run_file() {
    let least = "base = 'b'\nbase_configs = 'c'\ndataset = 'd'\nout = 'o'\n[adapter]\nalpha = 1.0\n\
        include = ['to_q']\n[train]\nprediction = 'epsilon'\n";
    let config = config::parse(Path::new("all.toml"), least, &[]).expect("a valid run file");
    let guide = read(&root().join("docs/training.md"));
    let mut keys = Vec::new();
    for (name, value) in Table::try_from(&config).expect("a run file is TOML") {
        match value.as_table() {
            Some(section) => keys.extend(section.keys().map(|key| format!("{name}.{key}"))),
            None => keys.push(name),
        }
    }
    assert!(keys.len() > 25, "{} keys", keys.len());
    let missing: Vec<_> = keys.iter().filter(|k| !guide.contains(&format!("| `{k}` |"))).collect();
    assert!(missing.is_empty(), "docs/training.md lacks {missing:?}");
}

#[test]
fn the_pretraining_guide_explains_every_key_of_its_file() {
    let path = root().join("configs/builtin.toml");
    let config: Table = read(&path).parse().expect("TOML");
    let guide = read(&root().join("docs/pretraining.md"));
    let (mut open, mut keys) = (vec![(String::new(), &config)], Vec::new());
    while let Some((before, table)) = open.pop() {
        for (name, value) in table {
            match value.as_table() {
                Some(table) => open.push((format!("{before}{name}."), table)),
                None => keys.push(format!("{before}{name}")),
            }
        }
    }
    assert!(keys.len() > 25, "{} keys", keys.len());
    let missing: Vec<_> = keys.iter().filter(|k| !guide.contains(&format!("| `{k}` |"))).collect();
    assert!(missing.is_empty(), "docs/pretraining.md lacks {missing:?}");
}

#[test]
fn every_link_between_documents_leads_somewhere() {
    let top = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"];
    let documents = files("docs", "md", 3).into_iter().chain(top.map(|name| root().join(name)));
    let mut links = 0;
    for document in documents {
        let folder = document.parent().expect("a file has a folder");
        for link in read(&document).split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = link.split('#').next().unwrap_or_default();
            if target.is_empty() || target.contains("://") {
                continue;
            }
            links += 1;
            assert!(folder.join(target).exists(), "{}: {link}", document.display());
        }
    }
    assert!(links > 15, "{links} links were found");
}
