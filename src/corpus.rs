//! The pictures that a pretraining learns from: rendered characters, with all that is known of them.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;

use anyhow::{Context, bail};
use likeness_diffusion::atomic;
use likeness_faces::{Axis, conditions};
use likeness_studio::{
    Character, Expression, HairColor, IdentitySaid, Light, Place, Scene, Size, Wording, caption,
    render_flawed, truth_of,
};
use likeness_trainer::pretrain::config::PretrainConfig;
use likeness_trainer::pretrain::corpus::{AXES, CHARACTERS, LABELS, Label, PIXELS};
use likeness_trainer::pretrain::run::corpus_folder;
use likeness_trainer::progress::Stop;
use rayon::prelude::*;

use crate::flawed;
use crate::meter::Meter;

/// Seed of the first character and scene: far from those that people type.
pub const FIRST: u64 = 1_000_000;
/// Pictures rendered between two moves of the meter.
const AT_ONCE: usize = 256;

/// Renders what is not there yet; `false` if someone asked to stop.
pub fn rendered(config: &PretrainConfig, stop: &Stop) -> anyhow::Result<bool> {
    let folder = corpus_folder(&config.out);
    fs::create_dir_all(&folder).with_context(|| format!("cannot create `{}`", folder.display()))?;
    let mut axes = axes();
    if config.corpus.flawed > 0.0 {
        let axis = |(name, labels): &conditions::Condition| {
            Axis::new(name, labels.iter().map(|label| (*label).to_owned()).collect())
        };
        axes.extend(conditions::ALL.iter().map(axis));
    }
    let axes = serde_json::to_string_pretty(&axes).expect("words are JSON") + "\n";
    atomic::write(&folder.join(AXES), axes.as_bytes())?;
    let characters: Vec<_> =
        (0..config.corpus.characters).map(|who| character(who as u64).traits.numbers()).collect();
    let characters = serde_json::to_string(&characters).expect("numbers are JSON") + "\n";
    atomic::write(&folder.join(CHARACTERS), characters.as_bytes())?;
    let (count, _) = config.pictures();
    let from = whole(&folder, 3 * config.corpus.side.pow(2))?;
    if from >= count {
        return Ok(true);
    }
    let (mut pixels, mut labels) = (append(&folder.join(PIXELS))?, append(&folder.join(LABELS))?);
    let full = || format!("cannot write in `{}`; is the disk full?", folder.display());
    let mut meter = Meter::new("render", count);
    for first in (from..count).step_by(AT_ONCE) {
        if stop.asked() {
            return Ok(false);
        }
        let last = (first + AT_ONCE).min(count);
        let some: Vec<_> =
            (first..last).into_par_iter().map(|index| example(config, index)).collect();
        for (rgb, label) in some {
            let line = serde_json::to_string(&label).expect("words and numbers are JSON");
            // Pixels first: a label stands for a picture that is there.
            pixels.write_all(&rgb).and_then(|()| pixels.flush()).with_context(full)?;
            writeln!(labels, "{line}").and_then(|()| labels.flush()).with_context(full)?;
        }
        meter.set(last, "pictures");
    }
    meter.finish();
    Ok(true)
}

fn append(path: &Path) -> anyhow::Result<BufWriter<File>> {
    let file = OpenOptions::new().append(true).create(true).open(path);
    file.map(BufWriter::new).with_context(|| format!("cannot open `{}`", path.display()))
}

/// How many pictures of `bytes` each are in `folder`, with their labels; a rest is cut off.
fn whole(folder: &Path, bytes: usize) -> anyhow::Result<usize> {
    let (pixels, labels) = (folder.join(PIXELS), folder.join(LABELS));
    if !labels.exists() {
        return Ok(0);
    }
    let read = |path: &Path| {
        let file = OpenOptions::new().read(true).write(true).open(path);
        file.with_context(|| format!("cannot open `{}`", path.display()))
    };
    let file = read(&labels)?;
    let (mut count, mut length, mut line) = (0, 0, Vec::new());
    let mut lines = BufReader::new(&file);
    loop {
        line.clear();
        let read = lines.read_until(b'\n', &mut line);
        let read = read.with_context(|| format!("cannot read `{}`", labels.display()))?;
        if read == 0 || !line.ends_with(b"\n") {
            break;
        }
        (count, length) = (count + 1, length + read as u64);
    }
    let there = read(&pixels)?;
    let held = there.metadata().map_or(0, |data| data.len());
    let meant = (count * bytes) as u64;
    if !(meant..=meant + bytes as u64).contains(&held) {
        bail!(
            "`{}` holds {held} bytes, which is not {count} pictures of {bytes}; delete `{}`",
            pixels.display(),
            folder.display()
        );
    }
    let cut = file.set_len(length).and_then(|()| there.set_len(meant));
    cut.with_context(|| format!("cannot write in `{}`", folder.display()))?;
    Ok(count)
}

/// What [`Label::classes`] count.
fn axes() -> Vec<Axis> {
    fn axis<T: Copy>(name: &str, all: &[T], word: fn(T) -> &'static str) -> Axis {
        let labels = all.iter().map(|each| word(*each).to_owned()).collect();
        Axis::new(name, labels)
    }
    vec![
        axis("place", Place::ALL, Place::name),
        axis("expression", Expression::ALL, Expression::name),
        axis("light", Light::ALL, Light::name),
        axis("hair colour", HairColor::ALL, HairColor::name),
    ]
}

/// Character number `who`.
fn character(who: u64) -> Character {
    Character::from_seed(FIRST + who)
}

/// Picture number `index` and what is known of it.
fn example(config: &PretrainConfig, index: usize) -> (Vec<u8>, Label) {
    let who = (index / config.corpus.pictures_each) as u64;
    let character = character(who);
    let scene = Scene::sample(FIRST + index as u64);
    let size = Size::square(config.corpus.side as u32);
    let flaws = flawed::drawn(index, config.corpus.flawed);
    let mut label = label(index as u64, who, (&character, &scene, size));
    if config.corpus.flawed > 0.0 {
        label.classes.extend(flawed::classes(&scene, &flaws));
    }
    (render_flawed(&character, &scene, size, &flaws).rgb, label)
}

/// Of each axis the label that is true of `character` in `scene`.
fn classes(character: &Character, scene: &Scene) -> Vec<usize> {
    let hair = character.traits.hair_color as usize;
    vec![scene.place as usize, scene.expression as usize, scene.light as usize, hair]
}

/// The same by the axes' names.
pub fn truth(character: &Character, scene: &Scene) -> BTreeMap<String, usize> {
    axes().into_iter().map(|axis| axis.name).zip(classes(character, scene)).collect()
}

fn label(index: u64, who: u64, (character, scene, size): (&Character, &Scene, Size)) -> Label {
    let wordings = [
        (IdentitySaid::Partly, 0.0),
        (IdentitySaid::Unsaid, 0.1),
        (IdentitySaid::Partly, 0.25),
        (IdentitySaid::Fully, 0.4),
    ];
    let say = |(number, (identity, dropout))| {
        let wording = Wording::of("person").saying(identity).dropping(dropout);
        caption(character, scene, &wording.seeded(4 * index + number))
    };
    let truth = truth_of(character, scene, size);
    Label {
        character: who,
        captions: (0..).zip(wordings).map(say).collect(),
        classes: classes(character, scene),
        face: truth.face_box,
        landmarks: truth.landmarks.map(|mark| [mark.x, mark.y]),
        yaw: scene.yaw,
    }
}
