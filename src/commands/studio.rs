//! `likeness studio`: rendered photos of a character that does not exist, to try everything on.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use likeness_diffusion::atomic;
use likeness_studio::{
    Character, Flaw, IdentitySaid, Picture, Scene, Size, Wording, caption, near_duplicate, render,
    render_flawed,
};
use rayon::prelude::*;

use crate::exit::Usage;
use crate::meter::Meter;
use crate::png;

/// Pictures rendered between two moves of the meter.
const AT_ONCE: usize = 8;

/// Arguments of `likeness studio`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Folder for the pictures; new, or empty
    #[arg(long, value_name = "DIR", required_unless_present = "list")]
    out: Option<PathBuf>,
    /// The character: the same number is always the same face
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// How many different characters, with seeds from --seed on; each gets a folder if more than one
    #[arg(long, value_name = "N", default_value_t = 1)]
    characters: u64,
    /// Good pictures of each
    #[arg(long, value_name = "N", default_value_t = 16)]
    pictures: usize,
    /// The first scene; scenes follow one another from there
    #[arg(long, value_name = "N", default_value_t = 1)]
    scene: u64,
    /// Add a picture with this flaw (strength 0 to 1, 1 unless given); may be repeated, or "all"
    #[arg(long, value_name = "NAME[=STRENGTH]")]
    flaw: Vec<String>,
    /// Add near-duplicates of so many of the good pictures
    #[arg(long, value_name = "N", default_value_t = 0)]
    duplicates: usize,
    /// Pixels a side, 64 to 1024
    #[arg(long, value_name = "PX", default_value_t = 512, value_parser = clap::value_parser!(u32).range(64..=1024))]
    size: u32,
    /// Write a caption beside each picture that calls the character so
    #[arg(long, value_name = "WORDS")]
    captions: Option<String>,
    /// Say which flaws there are, and stop
    #[arg(long)]
    list: bool,
}

/// One picture to be made.
struct Job {
    folder: PathBuf,
    name: String,
    character: Character,
    scene: Scene,
    kind: Kind,
}

enum Kind {
    Good,
    Flawed(Flaw, f32),
    Duplicate,
}

/// Renders, and says where.
pub fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<()> {
    if args.list {
        for flaw in Flaw::ALL {
            writeln!(out, "{}", flaw.name())?;
        }
        return Ok(());
    }
    let folder = args.out.as_deref().expect("clap asks for it");
    let flaws = flaws(&args.flaw)?;
    if args.duplicates > args.pictures {
        let (wanted, there) = (args.duplicates, args.pictures);
        let text = format!("--duplicates is {wanted}, but there are {there} good pictures");
        return Err(Usage(format!("{text}; give at most that many")).into());
    }
    let taken = fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
    if taken {
        let text = format!("`{}` is not empty; give a new folder by --out", folder.display());
        return Err(Usage(text).into());
    }
    let jobs = jobs(args, folder, &flaws);
    for job in &jobs {
        fs::create_dir_all(&job.folder)
            .with_context(|| format!("cannot create `{}`", job.folder.display()))?;
    }
    let mut meter = Meter::new("studio", jobs.len());
    let mut truth = Vec::with_capacity(jobs.len());
    for (done, some) in jobs.chunks(AT_ONCE).enumerate() {
        let made = some.par_iter().map(|job| made(job, args)).collect::<Result<Vec<_>, _>>()?;
        truth.extend(made);
        meter.set(done * AT_ONCE + some.len(), "pictures");
    }
    meter.finish();
    atomic::write(&folder.join("truth.jsonl"), (truth.join("\n") + "\n").as_bytes())?;
    writeln!(out, "pictures {} in {}", jobs.len(), folder.display())?;
    writeln!(out, "truth    {}", folder.join("truth.jsonl").display())?;
    if args.characters == 1 {
        writeln!(out, "next     likeness curate {} --trigger mika", folder.display())?;
    }
    Ok(())
}

/// The flaws that were asked for, with their strengths.
fn flaws(asked: &[String]) -> anyhow::Result<Vec<(Flaw, f32)>> {
    let mut found = Vec::new();
    for text in asked {
        let (name, strength) = match text.rsplit_once('=') {
            None => (text.as_str(), 1.0),
            Some((name, number)) => {
                let strength = number.parse().ok().filter(|s| (0.0..=1.0).contains(s));
                let wrong =
                    || Usage(format!("--flaw {text}: `{number}` is no strength; give 0 to 1"));
                (name, strength.ok_or_else(wrong)?)
            }
        };
        match (name, Flaw::from_name(name)) {
            ("all", _) => found.extend(Flaw::ALL.iter().map(|flaw| (*flaw, strength))),
            (_, Some(flaw)) => found.push((flaw, strength)),
            (_, None) => {
                let names: Vec<_> = Flaw::ALL.iter().map(|flaw| flaw.name()).collect();
                let text = format!("`{name}` is no flaw; choose of: all, {}", names.join(", "));
                return Err(Usage(text).into());
            }
        }
    }
    Ok(found)
}

fn jobs(args: &Args, folder: &Path, flaws: &[(Flaw, f32)]) -> Vec<Job> {
    let mut jobs = Vec::new();
    for number in 0..args.characters {
        let character = Character::from_seed(args.seed.wrapping_add(number));
        let folder = match args.characters {
            1 => folder.to_owned(),
            _ => folder.join(format!("character-{}", character.seed)),
        };
        let count = args.pictures + flaws.len();
        let first = args.scene.wrapping_add(number.wrapping_mul(count as u64));
        let mut add = |index: usize, name: String, kind: Kind| {
            let scene = Scene::sample(first.wrapping_add(index as u64));
            let (folder, character) = (folder.clone(), character.clone());
            jobs.push(Job { folder, name, character, scene, kind });
        };
        for index in 0..args.pictures {
            add(index, format!("good-{:03}", index + 1), Kind::Good);
        }
        for index in 0..args.duplicates {
            add(index, format!("duplicate-{:03}", index + 1), Kind::Duplicate);
        }
        for (index, (flaw, strength)) in flaws.iter().enumerate() {
            let name = format!("flaw-{:02}-{}", index + 1, flaw.name().replace(' ', "-"));
            add(args.pictures + index, name, Kind::Flawed(*flaw, *strength));
        }
    }
    jobs
}

/// Renders and writes one picture; its line of truth.
fn made(job: &Job, args: &Args) -> anyhow::Result<String> {
    let Job { folder, name, character, scene, kind } = job;
    let size = Size::square(args.size);
    let picture = match kind {
        Kind::Good => render(character, scene, size),
        Kind::Duplicate => near_duplicate(&render(character, scene, size), 0.5, scene.seed),
        Kind::Flawed(flaw, strength) => {
            render_flawed(character, scene, size, &[(*flaw, *strength)])
        }
    };
    let path = folder.join(format!("{name}.png"));
    write(&path, &picture)?;
    if let Some(subject) = &args.captions {
        let wording = Wording::of(subject).saying(IdentitySaid::Unsaid).seeded(scene.seed);
        let text = caption(character, scene, &wording) + "\n";
        atomic::write(&folder.join(format!("{name}.txt")), text.as_bytes())?;
    }
    let place = path.strip_prefix(args.out.as_deref().unwrap_or(folder)).unwrap_or(&path);
    let line = serde_json::json!({ "path": place, "truth": picture.truth });
    Ok(line.to_string())
}

fn write(path: &Path, picture: &Picture) -> anyhow::Result<()> {
    let Picture { width, height, rgb, .. } = picture;
    png::save(path, (*width, *height), rgb, None)
}
