//! `grid.png`: a contact sheet to judge a run at a glance.
//!
//! One row a prompt; left the bare base's images, right the adapter's, one
//! column a seed (the first two). A grey bar heads the base, a blue one the
//! adapter; a face box is not drawn.

use image::imageops::{FilterType, overlay, resize};
use image::{Rgb, RgbImage};

use crate::observation::Observation;
use crate::painter::Arm;

const CELL: u32 = 112;
const GAP: u32 = 4;
const BAR: u32 = 6;
const MOST_SEEDS: usize = 2;
const PAPER: Rgb<u8> = Rgb([24, 26, 30]);

/// The contact sheet of all images.
pub(crate) fn grid(observations: &[Observation]) -> RgbImage {
    let rows = observations.iter().map(|image| image.prompt + 1).max().unwrap_or(0);
    let seeds =
        observations.iter().map(|image| image.replicate + 1).max().unwrap_or(0).min(MOST_SEEDS);
    let step = CELL + GAP;
    let half = seeds as u32 * step + GAP;
    let mut sheet = RgbImage::from_pixel(2 * half, BAR + GAP + rows as u32 * step, PAPER);
    for (arm, colour) in [(Arm::Base, Rgb([150, 156, 166])), (Arm::Adapter, Rgb([64, 132, 246]))] {
        let left = side(arm, half);
        let bar = RgbImage::from_pixel(half - 2 * GAP, BAR, colour);
        overlay(&mut sheet, &bar, i64::from(left + GAP), 0);
    }
    let shown = |image: &&Observation| image.replicate < seeds && image.arm != Arm::Class;
    for image in observations.iter().filter(shown) {
        let cell = fit(&image.thumbnail);
        let x =
            side(image.arm, half) + GAP + image.replicate as u32 * step + (CELL - cell.width()) / 2;
        let y = BAR + GAP + image.prompt as u32 * step + (CELL - cell.height()) / 2;
        overlay(&mut sheet, &cell, i64::from(x), i64::from(y));
    }
    sheet
}

fn side(arm: Arm, half: u32) -> u32 {
    match arm {
        Arm::Base | Arm::Class => 0,
        Arm::Adapter => half,
    }
}

fn fit(image: &RgbImage) -> RgbImage {
    let (width, height) = image.dimensions();
    let longest = width.max(height).max(1);
    resize(
        image,
        (width * CELL / longest).max(1),
        (height * CELL / longest).max(1),
        FilterType::Triangle,
    )
}
