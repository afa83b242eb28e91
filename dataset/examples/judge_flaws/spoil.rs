//! Flaws that are put on a finished picture, by strength: what cameras, apps and sites do.

use image::codecs::jpeg::JpegEncoder;
use image::{Rgb, RgbImage, imageops};
use likeness_faces::Face;

const QUALITY: u8 = 92; // of the files that are not about compression

/// A flaw's name, its strength, and the file of the picture that has it.
pub type Spoilt = (&'static str, f64, Vec<u8>);

/// Every flaw of `image`, whose face is `face`.
pub fn all(image: &RgbImage, face: Option<&Face>) -> Vec<Spoilt> {
    let mut found = stored(image);
    let mut put = |flaw: &'static str, strength: f64, picture: RgbImage| {
        found.push((flaw, strength, jpeg(&picture, QUALITY)));
    };
    for (lift, gain) in [(25.0, 0.85), (50.0, 0.7), (80.0, 0.45)] {
        put("faded", lift, levels(image, |v| lift + gain * v));
    }
    for gain in [1.4, 2.0, 3.0] {
        put("crushed", gain, levels(image, |v| (v - 128.0) * gain + 128.0));
    }
    for stops in [0.7, 1.4, 2.1] {
        let half = stops / 2.0;
        put("cast, blue", stops, lit(image, [-half, 0.0, half]));
        put("cast, orange", stops, lit(image, [half, 0.0, -half]));
        put("cast, green", stops, lit(image, [-half / 2.0, half, -half / 2.0]));
        put("cast, magenta", stops, lit(image, [half / 2.0, -half, half / 2.0]));
    }
    for share in [0.03, 0.06, 0.12] {
        put("bar", share, bar(image, share, false));
        put("bar with letters", share, bar(image, share, true));
    }
    for share in [0.04, 0.08, 0.16] {
        put("screenshot", share, screenshot(image, share, [250, 40]));
        put("screenshot, dark", share, screenshot(image, share, [16, 225]));
    }
    for opacity in [0.3, 0.6, 0.9] {
        put("watermark", opacity, watermark(image, opacity));
        put("date", opacity, date(image, opacity));
    }
    for stops in [-3.0, -2.0, -1.0, 1.0, 2.0, 3.0] {
        put("exposure", stops, levels(image, |v| exposed(v, stops)));
    }
    if let Some(face) = face {
        for (flaw, strength, picture) in on_face(image, face) {
            put(flaw, strength, picture);
        }
    }
    found
}

/// What is lost by storing.
fn stored(image: &RgbImage) -> Vec<Spoilt> {
    let mut found: Vec<Spoilt> =
        [75, 50, 30, 12, 6].map(|q| ("compression", f64::from(q), jpeg(image, q))).into();
    for quality in [30, 12, 6] {
        if let Ok(coarse) = image::load_from_memory(&jpeg(image, quality)) {
            let again = jpeg(&coarse.to_rgb8(), 95);
            found.push(("compression, stored again", f64::from(quality), again));
        }
    }
    found
}

/// What is measured against the distance of the eyes.
fn on_face(image: &RgbImage, face: &Face) -> Vec<(&'static str, f64, RgbImage)> {
    let eyes = face.eye_distance_px();
    let mut found = Vec::new();
    for percent in [1.0, 3.0, 6.0] {
        let soft = imageops::fast_blur(image, eyes * percent / 100.0);
        found.push(("defocus", f64::from(percent), soft));
    }
    for percent in [8.0, 16.0, 24.0] {
        found.push(("motion", f64::from(percent), moved(image, eyes * percent / 100.0)));
    }
    for stops in [1.0, 2.0, 3.0] {
        found.push(("half in shadow", stops, half_shaded(image, face, stops)));
    }
    for strength in [1.0, 2.0, 4.0] {
        found.push(("smoothed skin", strength, smoothed(image, face, strength as f32)));
    }
    for strength in [0.3, 0.6, 1.0] {
        let lens = |at: [f32; 2]| {
            let far = |mark: usize| {
                let [x, y] = face.landmarks[mark];
                ((at[0] - x) / (0.42 * eyes)).hypot((at[1] - y) / (0.36 * eyes))
            };
            far(0).min(far(1)) < 1.0
        };
        found.push(("dark lenses", strength, painted(image, [14, 14, 16], strength, lens)));
        let [nose, right, left] = [2, 3, 4].map(|mark| face.landmarks[mark]);
        let mask = |at: [f32; 2]| {
            let middle = [(right[0] + left[0]) / 2.0, (right[1] + left[1]) / 2.0];
            let top = (nose[1] + middle[1]) / 2.0 - 0.25 * eyes;
            at[1] > top && ((at[0] - middle[0]) / eyes).hypot((at[1] - middle[1]) / eyes) < 0.85
        };
        found.push(("mask", strength, painted(image, [170, 195, 215], strength, mask)));
    }
    found
}

fn jpeg(image: &RgbImage, quality: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut bytes, quality);
    image.write_with_encoder(encoder).expect("memory can be written");
    bytes
}

fn levels(image: &RgbImage, change: impl Fn(f64) -> f64) -> RgbImage {
    let mut changed = image.clone();
    let new = |v: u8| change(f64::from(v)).clamp(0.0, 255.0) as u8;
    changed.pixels_mut().for_each(|pixel| pixel.0 = pixel.0.map(new));
    changed
}

/// A level of 0 to 255 as if exposed by so many stops more.
fn exposed(level: f64, stops: f64) -> f64 {
    (255.0 * ((level / 255.0).powf(2.2) * stops.exp2()).powf(1.0 / 2.2)).min(255.0)
}

/// `image` with so many stops more of red, green and blue.
fn lit(image: &RgbImage, stops: [f64; 3]) -> RgbImage {
    let mut changed = image.clone();
    for pixel in changed.pixels_mut() {
        for (level, stops) in pixel.0.iter_mut().zip(stops) {
            *level = exposed(f64::from(*level), stops).round() as u8;
        }
    }
    changed
}

/// A bar below, perhaps with a line of letters.
fn bar(image: &RgbImage, share: f64, lettered: bool) -> RgbImage {
    let (width, height) = image.dimensions();
    let high = (f64::from(height) * share) as u32;
    let cell = (f64::from(high) / 12.0).max(1.0);
    RgbImage::from_fn(width, height, |x, y| {
        let Some(down) = y.checked_sub(height - high) else { return *image.get_pixel(x, y) };
        let [column, row] = [x, down].map(|at| (f64::from(at) / cell) as usize);
        let ink = lettered && (20..120).contains(&column) && (3..10).contains(&row);
        Rgb([if ink && inked(column - 20, row - 3) { 40 } else { 245 }; 3])
    })
}

/// A picture in an app on a phone: the clock and signs above, a round portrait and a name over the picture, buttons
/// and two lines of a text below. They take `share` of the picture's height at each end; ground and ink have two levels.
fn screenshot(image: &RgbImage, share: f64, [ground, ink]: [u8; 2]) -> RgbImage {
    let (width, height) = image.dimensions();
    let high = (f64::from(height) * share) as u32;
    let size = (f64::from(width) / 14.0).min(f64::from(high) / 2.4); // of a button
    let letter = |x: f64, y: f64, cell: f64, letters: usize| {
        let (column, row) = (x / cell, y / cell);
        let inside = (0.0..(6 * letters) as f64).contains(&column) && (0.0..7.0).contains(&row);
        inside && inked(column as usize, row as usize)
    };
    let above = |x: f64, y: f64| {
        let right = f64::from(width) - x;
        let signs = (0.2..0.7).contains(&(y / size)) && right / size % 0.8 > 0.35;
        let round = (x / size - 1.0).hypot(y / size - 1.6) < 0.6;
        let name = letter(x - 2.0 * size, y - 1.4 * size, size / 16.0, 10);
        letter(x - size / 2.0, y - 0.2 * size, size / 14.0, 4)
            || (signs && right < 3.0 * size)
            || round
            || name
    };
    let below = |x: f64, y: f64| {
        let button = (0..3).map(|at| (x / size - 1.0 - 1.3 * f64::from(at)).hypot(y / size - 0.6));
        let text =
            |line: f64, letters| letter(x - size / 2.0, y - line * size, size / 16.0, letters);
        button.into_iter().any(|far| (0.3..0.42).contains(&far)) || text(1.2, 30) || text(1.8, 18)
    };
    RgbImage::from_fn(width, height, |x, y| {
        let (across, down) = (f64::from(x) + 0.5, f64::from(y) + 0.5);
        let inked = match y {
            y if y < high => above(across, down),
            y if y < height - high => return *image.get_pixel(x, y),
            _ => below(across, down - f64::from(height - high)),
        };
        Rgb([if inked { ink } else { ground }; 3])
    })
}

/// A word across the middle, rising.
fn watermark(image: &RgbImage, opacity: f64) -> RgbImage {
    let width = f64::from(image.width());
    let cell = width / 60.0;
    over(image, opacity, |x, y| {
        let down = (y - 0.6 * f64::from(image.height()) + (x - width / 2.0) * 0.2) / cell;
        let across = (x - 0.1 * width) / cell;
        (0.0..48.0).contains(&across)
            && (0.0..7.0).contains(&down)
            && inked(across as usize, down as usize)
    })
}

/// A small line in the lower right corner.
fn date(image: &RgbImage, opacity: f64) -> RgbImage {
    let (width, height) = (f64::from(image.width()), f64::from(image.height()));
    let cell = width / 220.0;
    over(image, opacity, |x, y| {
        let (across, down) = ((x - 0.65 * width) / cell, (y - 0.94 * height) / cell);
        (0.0..60.0).contains(&across)
            && (0.0..7.0).contains(&down)
            && inked(across as usize, down as usize)
    })
}

/// White where `ink` says so.
fn over(image: &RgbImage, opacity: f64, ink: impl Fn(f64, f64) -> bool) -> RgbImage {
    RgbImage::from_fn(image.width(), image.height(), |x, y| {
        // Four samples a pixel, as type is drawn.
        let inside = [(0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75)];
        let part = inside.iter().filter(|(dx, dy)| ink(f64::from(x) + dx, f64::from(y) + dy));
        let cover = part.count() as f64 / 4.0 * opacity;
        let mix = |v: u8| (f64::from(v) + (250.0 - f64::from(v)) * cover) as u8;
        Rgb(image.get_pixel(x, y).0.map(mix))
    })
}

/// Letters of seven rows and five columns, one every six columns.
const LETTERS: [[u8; 7]; 6] = [
    [0b10001, 0b11001, 0b10101, 0b10011, 0b10001, 0b10001, 0b10001],
    [0b01110, 0b10001, 0b10001, 0b10001, 0b10001, 0b10001, 0b01110],
    [0b11111, 0b00100, 0b00100, 0b00100, 0b00100, 0b00100, 0b00100],
    [0b01110, 0b10001, 0b10000, 0b01110, 0b00001, 0b10001, 0b01110],
    [0b11110, 0b10001, 0b10001, 0b11110, 0b10100, 0b10010, 0b10001],
    [0b11111, 0b10000, 0b10000, 0b11110, 0b10000, 0b10000, 0b11111],
];

fn inked(column: usize, row: usize) -> bool {
    let (letter, column) = (column / 6 % LETTERS.len(), column % 6);
    column < 5 && LETTERS[letter].get(row).is_some_and(|bits| bits >> (4 - column) & 1 == 1)
}

fn moved(image: &RgbImage, length: f32) -> RgbImage {
    let steps = length.ceil().max(1.0) as i64;
    let (width, height) = image.dimensions();
    RgbImage::from_fn(width, height, |x, y| {
        let at = |step: i64| {
            let far = |part: f64| ((step - steps / 2) as f64 * part) as i64;
            let place = |at: u32, by: i64, end: u32| (i64::from(at) + by).clamp(0, end as i64 - 1);
            let (column, row) = (place(x, far(0.94), width), place(y, far(0.34), height));
            image.get_pixel(column as u32, row as u32).0.map(u64::from)
        };
        let sum =
            (0..=steps).map(at).fold([0u64; 3], |a, b| [a[0] + b[0], a[1] + b[1], a[2] + b[2]]);
        Rgb(sum.map(|sum| (sum / (steps as u64 + 1)) as u8))
    })
}

/// Darker on one side of a line along the nose.
fn half_shaded(image: &RgbImage, face: &Face, stops: f64) -> RgbImage {
    let [x, y] = face.landmarks[2];
    let eyes = face.eye_distance_px();
    RgbImage::from_fn(image.width(), image.height(), |column, row| {
        let side = (column as f32 - x) + 0.3 * (row as f32 - y);
        let near = (column as f32 - x).hypot(row as f32 - y) < 2.2 * eyes;
        let dim = |v: u8| exposed(f64::from(v), -stops) as u8;
        let pixel = image.get_pixel(column, row).0;
        Rgb(if near && side > 0.0 { pixel.map(dim) } else { pixel })
    })
}

/// The skin around the features blurred by so many percent of the distance of the eyes.
fn smoothed(image: &RgbImage, face: &Face, strength: f32) -> RgbImage {
    let eyes = face.eye_distance_px();
    let soft = imageops::fast_blur(image, eyes * strength / 100.0);
    let [x, y] = face.center();
    RgbImage::from_fn(image.width(), image.height(), |column, row| {
        let at = [column as f32, row as f32];
        let inside = ((at[0] - x) / face.bbox[2]).hypot((at[1] - y) / face.bbox[3]) < 0.5;
        let feature = face.landmarks.iter().enumerate().any(|(mark, [x, y])| {
            let reach = if mark == 2 { 0.2 } else { 0.3 };
            ((at[0] - x) / 1.3).hypot(at[1] - y) < reach * eyes
        });
        *if inside && !feature { &soft } else { image }.get_pixel(column, row)
    })
}

/// `colour` where `inside` says so.
fn painted(
    image: &RgbImage,
    colour: [u8; 3],
    opacity: f64,
    inside: impl Fn([f32; 2]) -> bool,
) -> RgbImage {
    RgbImage::from_fn(image.width(), image.height(), |x, y| {
        let old = image.get_pixel(x, y).0;
        if !inside([x as f32, y as f32]) {
            return Rgb(old);
        }
        let mix =
            |i: usize| f64::from(old[i]) + (f64::from(colour[i]) - f64::from(old[i])) * opacity;
        Rgb([0, 1, 2].map(|i| mix(i) as u8))
    })
}
