//! Near-duplicates: the same shot, cropped, relit and stored again.

use crate::picture::Picture;
use crate::seed::Draw;

use super::camera;

/// `picture` with a small crop, a change of brightness and new noise, each of the seed and by
/// `strength` 0..1; its size stays, and its truth moves with the crop.
pub fn near_duplicate(picture: &Picture, strength: f32, seed: u64) -> Picture {
    let mut draw = Draw::new(seed, "duplicate");
    let scale = 1.0 - draw.within(0.02, 0.06) * strength;
    let (width, height) = (picture.width as f32, picture.height as f32);
    let left = (1.0 - scale) * width * draw.unit();
    let top = (1.0 - scale) * height * draw.unit();
    let mut copy = picture.clone();
    for y in 0..picture.height {
        for x in 0..picture.width {
            let from = [left + (x as f32 + 0.5) * scale, top + (y as f32 + 0.5) * scale];
            let at = ((y * picture.width + x) * 3) as usize;
            copy.rgb[at..at + 3].copy_from_slice(&between(picture, from));
        }
    }
    camera::expose(&mut copy, 1.0 + draw.signed() * 0.12 * strength, 0.0);
    camera::noise(&mut copy, 4.0 * strength, seed);
    for mark in &mut copy.truth.landmarks {
        (mark.x, mark.y) = ((mark.x - left) / scale, (mark.y - top) / scale);
    }
    let [x0, y0, x1, y1] = copy.truth.face_box;
    let moved = |x: f32, y: f32| [(x - left) / scale, (y - top) / scale];
    let ([x0, y0], [x1, y1]) = (moved(x0, y0), moved(x1, y1));
    copy.truth.face_box = [x0, y0, x1, y1];
    copy.truth.flaws.push(("near-duplicate".to_owned(), strength));
    copy
}

/// The colour between the four pixels around a point.
fn between(picture: &Picture, [x, y]: [f32; 2]) -> [u8; 3] {
    let (x, y) = ((x - 0.5).max(0.0), (y - 0.5).max(0.0));
    let (i, j) = (x as u32, y as u32);
    let (u, w) = (x - i as f32, y - j as f32);
    let get = |i: u32, j: u32, c: usize| {
        let (i, j) = (i.min(picture.width - 1), j.min(picture.height - 1));
        f32::from(picture.rgb[((j * picture.width + i) * 3) as usize + c])
    };
    std::array::from_fn(|c| {
        let high = get(i, j, c) * (1.0 - u) + get(i + 1, j, c) * u;
        let low = get(i, j + 1, c) * (1.0 - u) + get(i + 1, j + 1, c) * u;
        (high * (1.0 - w) + low * w + 0.5) as u8
    })
}
