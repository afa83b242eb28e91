//! Weights with which an autoencoder begins: the block transform, exactly, and the decoder that
//! undoes it best without any activation.
//!
//! Residual branches begin as nothing, so that convolutions, shortcuts and last normalisations
//! remain. Strided convolutions gather the pixels of a block, the last of them takes their
//! coordinates. A decoder doubles by repeating pixels, after which a convolution cannot tell where in
//! a block it is but by what lies around; each of its convolutions is the least squares solution for
//! the pixels of the blocks at its level (25 dB, where the transform itself keeps 28). From there on
//! the decoder learns; a random one needs a thousand steps to come as far.
//!
//! A last normalisation and its SiLU are passed in pairs: `silu(x) - silu(-x) = x`, and constants in
//! each group, large against what is paired, keep the divisor from depending on the picture.

use std::collections::HashMap;

use burn::tensor::{Device, Tensor, TensorData};
use likeness_diffusion::layers::{Conv2d, ConvShape, doubled};
use likeness_diffusion::noise;
use likeness_diffusion::vae::VaeConfig;
use likeness_diffusion::weights::HostTensor;
use rayon::prelude::*;

use super::algebra::{eigen, solve};
use super::transform::Transform;
use crate::pretrain::corpus::Corpus;
use crate::pretrain::parameters::Parameters;

/// Weights that begin at zero, so that each residual branch begins as nothing.
pub const ZEROS: [&str; 2] = ["conv2.weight", "to_out.0.weight"];
/// The constants beside paired numbers, in standard deviations of the largest of them.
const HELD: f32 = 8.0;
/// Logarithm of the variance that the encoder gives its latents.
const LOG_VARIANCE: f32 = -8.0;
/// Pictures that the decoder's first weights are fitted on, at most.
const PICTURES: usize = 200;
/// Pictures that go through a convolution at once.
const CHUNK: usize = 25;
/// Places in them, for each of a convolution's unknowns.
const PLACES: usize = 50;
/// Rows of normal equations that are added at once.
const ROWS: usize = 4096;
/// What the diagonal of the normal equations is raised by, as a share of itself.
const RIDGE: f64 = 1e-4;

/// Why weights of these sizes cannot hold the transform, if so.
pub fn fault(config: &VaeConfig) -> Option<String> {
    let (channels, groups) = (&config.block_out_channels, config.norm_num_groups);
    let levels = channels.len();
    if levels < 2 {
        return Some("needs at least two levels: each but the last halves the size".into());
    }
    let wants = |outputs: usize| groups * (2 + 2 * outputs.div_ceil(groups));
    let checks = [
        (0, wants(config.in_channels), "a group of the decoder's last normalisation"),
        (levels - 1, wants(config.latent_channels), "a group of the encoder's last normalisation"),
        (levels - 2, config.latent_channels, "the latents"),
    ];
    // A level holds the pixels of its blocks, and so do the convolutions that lead to it.
    let gathered = (0..levels - 1).flat_map(|level| {
        let pixels = config.in_channels << (2 * level);
        let holders = [level.saturating_sub(1), level, level + 1];
        holders.map(|holder| (holder, pixels, "the pixels of a block"))
    });
    let short =
        checks.into_iter().chain(gathered).find(|(level, least, _)| channels[*level] < *least);
    short.map(|(level, least, what)| {
        format!("has {} at level {level}, where {what} need {least}", channels[level])
    })
}

/// `fresh` weights of an autoencoder with those of `transform` in its encoder; its decoder is fitted
/// to a corpus if one is given, with the seed of the places that are looked at.
pub fn weights(
    fresh: &Parameters,
    config: &VaeConfig,
    transform: &Transform,
    fitted_to: Option<(&Corpus, u64)>,
    device: &Device,
) -> Parameters {
    let mut weights = Weights(fresh.named(&fresh.values).into_iter().collect());
    encoder(&mut weights, config, transform);
    if let Some(corpus) = fitted_to {
        decoder(&mut weights, config, transform, corpus, device);
    }
    fresh.valued(&weights.0, device)
}

fn encoder(weights: &mut Weights, config: &VaeConfig, transform: &Transform) {
    let channels = &config.block_out_channels;
    let (last, latents) = (channels.len() - 1, config.latent_channels);
    weights.embed("encoder.conv_in", 3);
    let mut held: Vec<[usize; 3]> = (0..3).map(|channel| [channel, 0, 0]).collect();
    for level in 0..last {
        if level > 0 && channels[level - 1] != channels[level] {
            let shortcut = format!("encoder.down_blocks.{level}.resnets.0.conv_shortcut");
            weights.embed(&shortcut, held.len());
        }
        let conv = format!("encoder.down_blocks.{level}.downsamplers.0.conv");
        let step = 1 << level;
        let gathered = held.iter().enumerate().flat_map(|(from, &[channel, y, x])| {
            let tap = move |at: usize| {
                ([from, at / 2, at % 2], [channel, y + at / 2 * step, x + at % 2 * step])
            };
            (0..4).map(tap)
        });
        let gathered: Vec<([usize; 3], [usize; 3])> = gathered.collect();
        if level + 1 < last {
            for (out, (tap, _)) in gathered.iter().enumerate() {
                weights.row(&conv, out, 0.0, [(*tap, 1.0)]);
            }
            held = gathered.into_iter().map(|(_, place)| place).collect();
            continue;
        }
        let side = transform.side;
        let coordinate = |channel: usize| {
            let row = &transform.rows[channel];
            let bias: f32 = row.iter().zip(&transform.mean).map(|(a, b)| -a * b).sum();
            let taps =
                gathered.iter().map(|(tap, [c, y, x])| (*tap, row[(c * side + y) * side + x]));
            Row { bias, taps: taps.collect() }
        };
        let rows = (0..latents).map(coordinate).collect();
        let shortcut = format!("encoder.down_blocks.{last}.resnets.0.conv_shortcut");
        let shortcut = (channels[last - 1] != channels[last]).then_some(shortcut);
        let pairs = Pairs::of(channels[last], config.norm_num_groups, &transform.deviations);
        weights.paired(&conv, shortcut.as_deref(), rows, &pairs);
        weights.unpaired("encoder.conv_out", &pairs);
    }
    for latent in latents..2 * latents {
        weights.row("encoder.conv_out", latent, LOG_VARIANCE, []);
    }
    weights.embed("quant_conv", 2 * latents);
    weights.embed("post_quant_conv", latents);
}

fn decoder(
    weights: &mut Weights,
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
    let mut maps = Maps { values: latents, shape };
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
fn around(weights: &mut Weights, latents: &Maps, channels: usize, seed: u64) {
    let n = 9 * latents.shape[1];
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

/// The tap of a 3 x 3 convolution that its weight number `index` is for.
fn tap(index: usize) -> [usize; 3] {
    [index / 9, index / 3 % 3, index % 3]
}

/// The rows of a convolution over doubled `maps` that come closest to the pixels of each block.
fn fitted(
    maps: &Maps,
    (corpus, pictures, block): (&Corpus, &[usize], usize),
    (seed, level): (u64, u64),
    device: &Device,
) -> Vec<Row> {
    let unknowns = 9 * maps.shape[1] + 1;
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

/// Feature maps of some pictures.
struct Maps {
    values: Vec<f32>,
    shape: [usize; 4],
}

impl Maps {
    /// What the convolution `name` makes of them, after they are `doubled` if so.
    fn through(&self, weights: &Weights, name: &str, twice: bool, device: &Device) -> Self {
        let [pictures, channels, height, width] = self.shape;
        let conv = weights.layer(name, device);
        let (mut values, mut shape) = (Vec::new(), [0; 4]);
        for chunk in self.values.chunks(CHUNK * channels * height * width) {
            let count = chunk.len() / (channels * height * width);
            let data = TensorData::new(chunk.to_vec(), [count, channels, height, width]);
            let x = Tensor::<4>::from_data(data, device);
            let y = conv.forward(if twice { doubled(x) } else { x });
            shape = y.dims();
            values.extend(y.into_data().iter::<f32>());
        }
        shape[0] = pictures;
        Self { values, shape }
    }

    /// Drawn places: picture, row, column.
    fn places(&self, count: usize, seed: u64, purpose: u64) -> Vec<[usize; 3]> {
        let [pictures, _, height, width] = self.shape;
        let place = |i: usize| {
            let index = noise::below(
                seed,
                &format!("place {purpose}"),
                i as u64,
                pictures * height * width,
            );
            [index / (height * width), index / width % height, index % width]
        };
        (0..count).into_par_iter().map(place).collect()
    }

    /// Drawn places of the maps when they are doubled.
    fn doubled_places(&self, count: usize, seed: u64, purpose: u64) -> Vec<[usize; 3]> {
        let [pictures, channels, height, width] = self.shape;
        let doubled =
            Self { values: Vec::new(), shape: [pictures, channels, 2 * height, 2 * width] };
        doubled.places(count, seed, purpose)
    }

    /// What a 3 x 3 convolution sees at a place of the maps repeated `times`: as its weights lie.
    fn around(&self, [picture, y, x]: [usize; 3], times: usize) -> Vec<f32> {
        let [_, channels, height, width] = self.shape;
        let seen = |i: usize| {
            let [channel, dy, dx] = tap(i);
            let (y, x) = ((y + dy).wrapping_sub(1), (x + dx).wrapping_sub(1));
            if y >= height * times || x >= width * times {
                return 0.0;
            }
            self.values[((picture * channels + channel) * height + y / times) * width + x / times]
        };
        (0..9 * channels).map(seen).collect()
    }
}

/// Where a normalisation that is followed by SiLU lets numbers pass.
struct Pairs {
    /// Of each number the channel that holds it; the next one holds its opposite.
    channels: Vec<usize>,
    /// What it is divided by on its way.
    divisors: Vec<f32>,
    /// Channels with their constants; the next ones hold the opposites.
    constants: Vec<(usize, f32)>,
    /// Channels that must be nothing else.
    taken: Vec<usize>,
}

impl Pairs {
    /// For numbers of these standard deviations in `groups` groups of `channels`.
    fn of(channels: usize, groups: usize, deviations: &[f32]) -> Self {
        let each = channels / groups;
        let mut pairs = Self {
            channels: vec![0; deviations.len()],
            divisors: vec![0.0; deviations.len()],
            constants: Vec::new(),
            taken: Vec::new(),
        };
        for group in 0..groups.min(deviations.len()) {
            let first = group * each;
            let members: Vec<usize> = (group..deviations.len()).step_by(groups).collect();
            let largest = members.iter().map(|k| deviations[*k]).fold(0.0, f32::max);
            let squares: f32 = members.iter().map(|k| deviations[*k].powi(2)).sum();
            let constant = HELD * largest;
            let divisor = (2.0 * (constant * constant + squares) / each as f32).sqrt();
            pairs.constants.push((first, constant));
            pairs.taken.extend(first..first + each);
            for (place, member) in members.into_iter().enumerate() {
                pairs.channels[member] = first + 2 + 2 * place;
                pairs.divisors[member] = divisor;
            }
        }
        pairs
    }
}

/// One output of a convolution.
#[derive(Clone)]
struct Row {
    bias: f32,
    taps: Vec<([usize; 3], f32)>, // input channel, row and column of the kernel; weight
}

/// Weights by name.
struct Weights(HashMap<String, HostTensor>);

impl Weights {
    fn get(&mut self, name: String) -> &mut HostTensor {
        self.0.get_mut(&name).expect("the model asks for this weight")
    }

    /// Makes output `out` of the convolution `name` nothing but `taps` and `bias`.
    fn row(
        &mut self,
        name: &str,
        out: usize,
        bias: f32,
        taps: impl IntoIterator<Item = ([usize; 3], f32)>,
    ) {
        self.get(format!("{name}.bias")).values[out] = bias;
        let HostTensor { shape, values } = self.get(format!("{name}.weight"));
        let (kernel, each) = (shape[3], shape[1] * shape[2] * shape[3]);
        let row = &mut values[out * each..(out + 1) * each];
        row.fill(0.0);
        for ([from, y, x], weight) in taps {
            row[(from * kernel + y) * kernel + x] = weight;
        }
    }

    fn set(&mut self, name: &str, out: usize, row: Row) {
        self.row(name, out, row.bias, row.taps);
    }

    /// Lets the convolution `name` pass its first `count` channels as they are.
    fn embed(&mut self, name: &str, count: usize) {
        let middle = self.get(format!("{name}.weight")).shape[3] / 2;
        (0..count).for_each(|i| self.row(name, i, 0.0, [([i, middle, middle], 1.0)]));
    }

    /// Puts numbers in `pairs`: `rows` of `conv`, through the shortcut after it if there is one.
    fn paired(&mut self, conv: &str, shortcut: Option<&str>, rows: Vec<Row>, pairs: &Pairs) {
        let last = shortcut.unwrap_or(conv);
        pairs.taken.iter().for_each(|channel| self.row(last, *channel, 0.0, []));
        for (number, (row, &channel)) in rows.into_iter().zip(&pairs.channels).enumerate() {
            let passed = match shortcut {
                Some(_) => {
                    self.set(conv, number, row);
                    Row { bias: 0.0, taps: vec![([number, 0, 0], 1.0)] }
                }
                None => row,
            };
            let opposite = passed.taps.iter().map(|(tap, weight)| (*tap, -weight)).collect();
            self.set(last, channel + 1, Row { bias: -passed.bias, taps: opposite });
            self.set(last, channel, passed);
        }
        for (channel, constant) in &pairs.constants {
            self.row(last, *channel, *constant, []);
            self.row(last, channel + 1, -constant, []);
        }
    }

    /// Takes them out again in the convolution after the normalisation.
    fn unpaired(&mut self, name: &str, pairs: &Pairs) {
        for (number, (channel, divisor)) in pairs.channels.iter().zip(&pairs.divisors).enumerate() {
            let taps = [([*channel, 1, 1], *divisor), ([channel + 1, 1, 1], -divisor)];
            self.row(name, number, 0.0, taps);
        }
    }

    /// The convolution `name`, which keeps the size.
    fn layer(&self, name: &str, device: &Device) -> Conv2d {
        let HostTensor { shape, values } = &self.0[&format!("{name}.weight")];
        let [c_out, c_in, kernel] = [shape[0], shape[1], shape[3]];
        let shape = if kernel == 1 {
            ConvShape::pointwise(c_in, c_out)
        } else {
            ConvShape::same(c_in, c_out)
        };
        let data = TensorData::new(values.clone(), [c_out, c_in, kernel, kernel]);
        let bias = self.0[&format!("{name}.bias")].values.clone();
        let bias = Tensor::from_data(TensorData::new(bias, [c_out]), device);
        Conv2d::new(name.into(), Tensor::from_data(data, device), Some(bias), shape)
    }
}
