//! Contact sheets of what the studio renders: `--example sheet -- DIR [NAME..]`.

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use image::RgbImage;
use likeness_studio::{
    Character, Color, Expression, Flaw, Framing, HairStyle, Light, Outfit, Picture, Place, Scene,
    Size, near_duplicate, render, render_flawed,
};
use rayon::prelude::*;

const CELL: u32 = 160;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let folder = args.next().ok_or("say where to write: `-- DIR`")?;
    let only: Vec<String> = args.collect();
    std::fs::create_dir_all(&folder)?;
    for (name, columns, jobs) in sheets() {
        if only.is_empty() || only.iter().any(|o| o == name) {
            let size = Size::square(match name {
                "large" => 512,
                "thumbnails" => 96,
                _ => CELL,
            });
            let pictures: Vec<Picture> =
                jobs.par_iter().map(|(who, scene)| render(who, scene, size)).collect();
            write(&Path::new(&folder).join(format!("{name}.png")), &pictures, columns)?;
        }
    }
    if only.is_empty() || only.iter().any(|o| o == "flaws") {
        write(&Path::new(&folder).join("flaws.png"), &flawed(), 9)?;
    }
    if only.is_empty() || only.iter().any(|o| o == "speed") {
        speed()?;
    }
    Ok(())
}

type Job = (Character, Scene);

fn sheets() -> Vec<(&'static str, u32, Vec<Job>)> {
    let who = |seed: u64| Character::from_seed(seed);
    let plain = Scene::plain;
    let framed = |framing| plain().framed(framing);
    let characters = (0..64).map(|i| (who(i), plain())).collect();
    let faces = (64..128).map(|i| (who(i), framed(Framing::CloseUp))).collect();
    let yaws = [-70, -52, -35, -17, 0, 17, 35, 52, 70].into_iter();
    let turn = |seed: u64, pitch: f32| {
        yaws.clone().map(move |yaw| (who(seed), plain().posed(yaw as f32, pitch, 0.0)))
    };
    let poses = turn(3, -22.0)
        .chain(turn(3, 0.0))
        .chain(turn(3, 22.0))
        .chain(turn(10, 0.0))
        .chain(turn(14, 0.0))
        .collect();
    let of_each = |f: fn(&Scene, usize) -> Scene, count: usize, seeds: &[u64]| -> Vec<Job> {
        let all = seeds.iter().flat_map(|s| (0..count).map(move |i| (*s, i)));
        all.map(|(seed, i)| (who(seed), f(&plain(), i))).collect()
    };
    let express =
        |s: &Scene, i: usize| s.clone().expressing(Expression::ALL[i]).framed(Framing::CloseUp);
    let light = |s: &Scene, i: usize| s.clone().lit(Light::ALL[i]);
    let lit_outside =
        |s: &Scene, i: usize| s.clone().lit(Light::ALL[i]).at(Place::Beach).posed(25.0, 0.0, 0.0);
    let mut lights = of_each(light, Light::ALL.len(), &[1, 5, 12]);
    lights.extend(of_each(lit_outside, Light::ALL.len(), &[1, 5, 12]));
    let place = |s: &Scene, i: usize| s.clone().at(Place::ALL[i]);
    let mut places = of_each(place, Place::ALL.len(), &[2]);
    let wide =
        |s: &Scene, i: usize| s.clone().at(Place::ALL[i]).framed(Framing::HalfFigure).seeded(5);
    places.extend(of_each(wide, Place::ALL.len(), &[4]));
    let outfit = |s: &Scene, i: usize| {
        let (outfit, color) = (Outfit::ALL[i % 8], Color::ALL[(i * 5 + i / 8) % 12]);
        s.clone().wearing(outfit, color).framed(Framing::HalfFigure)
    };
    let hair = HairStyle::ALL.iter().enumerate().flat_map(|(i, style)| {
        let mut who = who(200 + i as u64);
        who.traits.hair_style = *style;
        let front = (who.clone(), plain());
        let side = (who.clone(), plain().posed(-45.0, 0.0, 0.0));
        [front, side, (who, plain().posed(68.0, 0.0, 0.0))]
    });
    let sampled = (0..64).map(|i| (who(1000 + i), Scene::sample(i))).collect();
    let thumbnails = Place::ALL
        .iter()
        .enumerate()
        .flat_map(|(i, place)| {
            (0..6).map(move |k| {
                let scene = Scene::sample(100 + 6 * i as u64 + k).at(*place);
                let seed = 300 + 6 * i as u64 + k;
                (who(seed), if k < 3 { scene.lit(Light::Soft) } else { scene })
            })
        })
        .collect();
    let large = [
        (who(33), plain().framed(Framing::Portrait)),
        (who(2), plain().posed(66.0, 8.0, 0.0).expressing(Expression::Smile).lit(Light::Golden)),
        (who(4), plain().framed(Framing::CloseUp).expressing(Expression::Smile).at(Place::Cafe)),
        (who(10), plain().posed(-35.0, -10.0, 6.0).at(Place::Meadow)),
        (who(29), plain().framed(Framing::CloseUp).posed(25.0, 0.0, -4.0).at(Place::Library)),
        (who(17), plain().framed(Framing::HalfFigure).wearing(Outfit::Suit, Color::Gray)),
    ]
    .to_vec();
    vec![
        ("characters", 8, characters),
        ("faces", 8, faces),
        ("poses", 9, poses),
        ("expressions", 9, of_each(express, Expression::ALL.len(), &[1, 6, 9, 14])),
        ("lights", 8, lights),
        ("places", 10, places),
        ("outfits", 8, of_each(outfit, 24, &[8])),
        ("hair", 9, hair.collect()),
        ("sampled", 8, sampled),
        ("thumbnails", 12, thumbnails),
        ("large", 3, large),
    ]
}

/// Every flaw at half and at full strength, and a picture with two near-duplicates.
fn flawed() -> Vec<Picture> {
    let (who, scene) = (Character::from_seed(33), Scene::plain().at(Place::Park).seeded(3));
    let size = Size::square(CELL);
    let jobs: Vec<(Flaw, f32)> =
        [0.5, 1.0].into_iter().flat_map(|s| Flaw::ALL.iter().map(move |f| (*f, s))).collect();
    let shot = |job: &(Flaw, f32)| render_flawed(&who, &scene, size, &[*job]);
    let mut pictures: Vec<Picture> = jobs.par_iter().map(shot).collect();
    let plain = render(&who, &scene, size);
    let copies = [0.5, 1.0].map(|strength| near_duplicate(&plain, strength, 9));
    pictures.push(plain);
    pictures.extend(copies);
    pictures
}

/// Prints the pictures a second of three sizes on two threads.
#[allow(clippy::print_stdout, reason = "the figures are what the example is for")]
fn speed() -> Result<(), Box<dyn Error>> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build()?;
    for (side, count) in [(96, 200_u64), (128, 200), (512, 12)] {
        let one = |i: u64| render(&Character::from_seed(i), &Scene::sample(i), Size::square(side));
        let start = Instant::now();
        let bytes: usize =
            pool.install(|| (0..count).into_par_iter().map(|i| one(i).rgb.len()).sum());
        let rate = count as f64 / start.elapsed().as_secs_f64();
        assert_eq!(bytes as u64, count * u64::from(side * side) * 3);
        println!("{rate:.1} pictures a second at {side} pixels on 2 threads");
    }
    Ok(())
}

fn write(path: &Path, pictures: &[Picture], columns: u32) -> Result<(), Box<dyn Error>> {
    let width = pictures.iter().map(|p| p.width).max().unwrap_or(1);
    let height = pictures.iter().map(|p| p.height).max().unwrap_or(1);
    let rows = (pictures.len() as u32).div_ceil(columns);
    let mut sheet = RgbImage::new(columns * width, rows * height);
    for (i, picture) in pictures.iter().enumerate() {
        let tile = RgbImage::from_raw(picture.width, picture.height, picture.rgb.clone());
        let tile = tile.ok_or("a picture has a byte a channel")?;
        let (x, y) = (i as u32 % columns * width, i as u32 / columns * height);
        image::imageops::replace(&mut sheet, &tile, i64::from(x), i64::from(y));
    }
    Ok(sheet.save(path)?)
}
