//! Pictures to measure a curator on: clean ones and some of every flaw at full strength.
//!
//! `--example flaws -- DIR SEED CLEAN EACH` writes `clean/` with CLEAN pictures of 512 px and a
//! folder with EACH of every flaw into DIR, the truth of each beside it as JSON. Other seeds give
//! other characters in other scenes. A picture that is there is not rendered again.
//!
//! Clean: a portrait or closer, turned by at most 60 degrees, with open eyes, in any light and
//! place. A flawed picture is such a one with that flaw, and with nothing else.

use std::error::Error;
use std::fs;
use std::path::Path;

use image::RgbImage;
use likeness_studio::{Character, Expression, Flaw, Framing, Scene, Size, render_flawed};
use rayon::prelude::*;

const SIDE: u32 = 512;
const MOST_YAW: f32 = 60.0;
const AT_ONCE: usize = 32; // pictures of every kind, so that a part of the work is of use, too

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [dir, numbers @ ..] = args.as_slice() else {
        return Err("say where and how many: `-- DIR SEED CLEAN EACH`".into());
    };
    let numbers: Vec<u64> =
        numbers.iter().map(|n| n.parse()).collect::<std::result::Result<_, _>>()?;
    let &[seed, clean, each] = numbers.as_slice() else {
        return Err("three numbers: `-- DIR SEED CLEAN EACH`".into());
    };
    let jobs = jobs(seed, clean, each);
    for kind in std::iter::once("clean").chain(Flaw::ALL.iter().map(|flaw| flaw.name())) {
        fs::create_dir_all(Path::new(dir).join(folder(kind)))?;
    }
    jobs.par_chunks(AT_ONCE)
        .try_for_each(|part| part.iter().try_for_each(|job| job.run(dir.as_ref())))
}

/// A picture to render.
struct Job {
    flaw: Option<Flaw>,
    seed: u64,
    number: u64,
}

/// Every kind in turn, so that what is there at any time is of all kinds.
fn jobs(seed: u64, clean: u64, each: u64) -> Vec<Job> {
    let kinds: Vec<(Option<Flaw>, u64)> = std::iter::once((None, clean))
        .chain(Flaw::ALL.iter().map(|flaw| (Some(*flaw), each)))
        .collect();
    let most = clean.max(each);
    let rounds = (0..most).flat_map(|round| kinds.iter().map(move |kind| (round, *kind)));
    rounds
        .filter(|(round, (_, count))| round < count)
        .map(|(number, (flaw, _))| {
            // No flaw shares its characters with the clean pictures or another flaw.
            let kind = flaw.map_or(0, |flaw| 1 + flaw as u64);
            Job { flaw, seed: seed + kind * 100_000 + number, number }
        })
        .collect()
}

impl Job {
    fn run(&self, dir: &Path) -> Result<()> {
        let kind = self.flaw.map_or("clean", |flaw| flaw.name());
        let path = dir.join(folder(kind)).join(format!("{:05}.png", self.number));
        if path.exists() {
            return Ok(());
        }
        let flaws: Vec<(Flaw, f32)> = self.flaw.iter().map(|flaw| (*flaw, 1.0)).collect();
        let (who, scene) = (Character::from_seed(self.seed), clean_scene(self.seed));
        let picture = render_flawed(&who, &scene, Size::square(SIDE), &flaws);
        fs::write(path.with_extension("json"), serde_json::to_string(&picture.truth)?)?;
        let image = RgbImage::from_raw(picture.width, picture.height, picture.rgb);
        let part = path.with_extension("part");
        image
            .ok_or("a picture has a byte a channel")?
            .save_with_format(&part, image::ImageFormat::Png)?;
        Ok(fs::rename(part, path)?)
    }
}

/// The first clean scene from `seed` on.
fn clean_scene(seed: u64) -> Scene {
    let shut = [Expression::Asleep, Expression::Wink];
    (0..)
        .map(|step| Scene::sample(seed * 1000 + step))
        .find(|scene| {
            scene.framing != Framing::HalfFigure
                && scene.yaw.abs() <= MOST_YAW
                && !shut.contains(&scene.expression)
        })
        .expect("most scenes are clean")
}

fn folder(kind: &str) -> String {
    kind.replace(' ', "-")
}
