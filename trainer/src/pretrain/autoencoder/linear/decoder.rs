//! The decoder: of each doubling the convolution that comes closest to the pixels.

use burn::tensor::{Device, Tensor, TensorData};
use likeness_diffusion::vae::VaeConfig;
use rayon::prelude::*;

use super::maps::{Maps, tap};
use super::named::{Named, Row};
use super::pairs::Pairs;
use crate::pretrain::autoencoder::algebra::{eigen, solve};
use crate::pretrain::autoencoder::transform::Transform;
use crate::pretrain::corpus::Corpus;

/// Pictures that the weights are fitted on, at most.
const PICTURES: usize = 200;
/// Places in them, for each of a convolution's unknowns.
const PLACES: usize = 50;
/// Rows of normal equations that are added at once.
const ROWS: usize = 4096;
/// What the diagonal of the normal equations is raised by, as a share of itself.
const RIDGE: f64 = 1e-4;

/// Fits the decoder to `transform` on pictures of a corpus, at places drawn by a seed.
pub fn fit(
    weights: &mut Named,
    config: &VaeConfig,
    transform: &Transform,
    (corpus, seed): (&Corpus, u64),
    device: &Device,
) {
    let channels: Vec<usize> = config.block_out_channels.iter().rev().copied().collect();
    let last = channels.len() - 1;
    let every = corpus.training().div_ceil(PICTURES);
    let pictures: Vec<usize> = (0..corpus.training()).step_by(every).collect();
    let side = corpus.side() / transform.side;
    let each = |index: &usize| transform.latents(corpus, *index);
    let latents: Vec<f32> = pictures.par_iter().flat_map_iter(each).collect();
    let shape = [pictures.len(), config.latent_channels, side, side];
    let mut maps = Maps::new(latents, shape);
    around(weights, &maps, channels[0], seed);
    maps = maps.through(weights, "decoder.conv_in", false, device);
    for level in 0..last {
        let conv = format!("decoder.up_blocks.{level}.upsamplers.0.conv");
        let block = transform.side >> (level + 1);
        let rows = fitted(&maps, (corpus, &pictures, block), (seed, level as u64), device);
        let shortcut = format!("decoder.up_blocks.{}.resnets.0.conv_shortcut", level + 1);
        let shortcut = (channels[level] != channels[level + 1]).then_some(shortcut);
        if level + 1 == last {
            let size = deviations(corpus, &pictures);
            let pairs = Pairs::of(channels[last], config.norm_num_groups, &size);
            weights.paired(&conv, shortcut.as_deref(), rows, &pairs);
            weights.unpaired("decoder.conv_out", &pairs);
        } else {
            let count = rows.len();
            rows.into_iter().enumerate().for_each(|(out, row)| weights.set(&conv, out, row));
            maps = maps.through(weights, &conv, true, device);
            if let Some(shortcut) = shortcut {
                weights.embed(&shortcut, count);
                maps = maps.through(weights, &shortcut, false, device);
            }
        }
    }
}

/// Lets the decoder's first convolution see as much of what is around a latent as its channels hold.
fn around(weights: &mut Named, latents: &Maps, channels: usize, seed: u64) {
    let n = 9 * latents.channels();
    let places = latents.places(PLACES * n, seed, 0);
    let rows: Vec<Vec<f32>> = places.par_iter().map(|place| latents.around(*place, 1)).collect();
    let sum = |index: usize| -> f64 {
        rows.iter().map(|row| f64::from(row[index / n] * row[index % n])).sum()
    };
    let covariance = (0..n * n).into_par_iter().map(sum).collect();
    let (_, directions) = eigen(covariance, n);
    for (out, direction) in directions.into_iter().take(channels).enumerate() {
        let taps = direction.iter().enumerate().map(|(i, x)| (tap(i), *x as f32));
        weights.set("decoder.conv_in", out, Row { bias: 0.0, taps: taps.collect() });
    }
}

/// The rows of a convolution over doubled `maps` that come closest to the pixels of each block.
fn fitted(
    maps: &Maps,
    (corpus, pictures, block): (&Corpus, &[usize], usize),
    (seed, level): (u64, u64),
    device: &Device,
) -> Vec<Row> {
    let unknowns = 9 * maps.channels() + 1;
    let targets = 3 * block * block;
    let wide = unknowns + targets;
    let places = maps.doubled_places(PLACES * unknowns, seed, level + 1);
    let row = |place: &[usize; 3]| {
        let mut row = maps.around(*place, 2);
        row.push(1.0);
        let [picture, y, x] = *place;
        let (rgb, width) = (corpus.rgb(pictures[picture]), corpus.side());
        let pixel = |i: usize| {
            let (channel, dy, dx) = (i / (block * block), i / block % block, i % block);
            let at = ((y * block + dy) * width + x * block + dx) * 3 + channel;
            f32::from(rgb[at]) / 127.5 - 1.0
        };
        row.extend((0..targets).map(pixel));
        row
    };
    let mut sums = vec![0f64; wide * wide];
    for some in places.chunks(ROWS) {
        let values: Vec<f32> = some.par_iter().flat_map_iter(row).collect();
        let rows = Tensor::<2>::from_data(TensorData::new(values, [some.len(), wide]), device);
        let products = rows.clone().transpose().matmul(rows).into_data();
        sums.iter_mut().zip(products.iter::<f32>()).for_each(|(sum, x)| *sum += f64::from(x));
    }
    let at = |i: usize, j: usize| sums[i * wide + j];
    let ridge = |i: usize, j: usize| if i == j { RIDGE * at(i, i) + 1e-6 } else { 0.0 };
    let a = (0..unknowns * unknowns).map(|k| (k / unknowns, k % unknowns));
    let a = a.map(|(i, j)| at(i, j) + ridge(i, j)).collect();
    let b = (0..unknowns * targets).map(|k| at(k / targets, unknowns + k % targets)).collect();
    let solved = solve(a, b, unknowns, targets);
    let weight = |i: usize, target: usize| solved[i * targets + target] as f32;
    let row = |target: usize| Row {
        bias: weight(unknowns - 1, target),
        taps: (0..unknowns - 1).map(|i| (tap(i), weight(i, target))).collect(),
    };
    (0..targets).map(row).collect()
}

/// Root mean square of red, green and blue.
fn deviations(corpus: &Corpus, pictures: &[usize]) -> Vec<f32> {
    let size = |channel: usize| {
        let values = pictures.iter().flat_map(|i| corpus.rgb(*i).iter().skip(channel).step_by(3));
        let square = |x: &u8| f64::from(f32::from(*x) / 127.5 - 1.0).powi(2);
        let (sum, count) = values.fold((0.0, 0), |(sum, n), x| (sum + square(x), n + 1));
        (sum / f64::from(count.max(1))).sqrt() as f32
    };
    (0..3).map(size).collect()
}
