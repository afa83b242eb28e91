//! The face finder: boxes and five points, in YuNet's maps.
//!
//! A trunk whose last three stages, at strides 8, 16 and 32, each give a score, a box and points a
//! cell (`likeness_faces` has the formulas). A face belongs to the stride that fits its size and to
//! the cells around its middle. Loss: cross entropy of all cells, and absolute error of the own
//! cells' boxes and points, both over the number of own cells.

use std::cell::RefCell;
use std::collections::BTreeMap;

use burn::tensor::activation::log_sigmoid;
use burn::tensor::{Device, Tensor, TensorData};
use image::RgbImage;
use image::imageops;
use likeness_diffusion::Error;
use likeness_diffusion::layers::{Conv2d, ConvShape, GroupNorm};
use likeness_diffusion::weights::{Loader, Source};
use likeness_faces::onnx::Graph;
use rayon::prelude::*;

use super::trunk::{EPSILON, Trunk, TrunkConfig, Weights};
use super::views::{self, Draws, SAMPLED, part, roughened};
use crate::pretrain::corpus::{Corpus, Label};
use crate::pretrain::learner::Learner;
use crate::pretrain::parameters::Parameters;
use crate::pretrain::stage::{OPTIMIZER, Stage, drawn};
use crate::trainable::Leaves;

/// Distances between cells in pixels, and the largest face of each, as shares of the side.
const STRIDES: [(usize, f32); 3] = [(8, 0.22), (16, 0.45), (32, f32::INFINITY)];
/// Score, box and points of a cell.
const NUMBERS: usize = 1 + 4 + 10;
/// A cell is a face's own if its middle is within so many strides of the face's.
const OWN: f32 = 0.8;
/// Weight of boxes and points.
const PLACES: f64 = 1.0;
/// Pictures looked at together when nothing is learned.
const CHUNK: usize = 25;
/// Pictures that a validation looks at, at most.
const VALIDATED: usize = 500;

/// The finder's stage.
pub struct Finder<'a> {
    /// The trunk's sizes: five stages.
    pub trunk: &'a TrunkConfig,
    /// Pixels a side of what it looks at.
    pub side: usize,
    /// What it learns from.
    pub corpus: &'a Corpus,
    /// Views a step.
    pub batch: usize,
    /// Of the batches and the views.
    pub seed: u64,
    /// Where it is computed.
    pub device: &'a Device,
}

/// A loaded finder.
struct Model {
    trunk: Trunk,
    heads: Vec<(GroupNorm, Conv2d)>,
}

/// A face in a view, in its pixels.
#[derive(Debug, Clone, Copy)]
struct Truth {
    middle: [f32; 2],
    size: [f32; 2],
    points: [[f32; 2]; 5],
}

impl Truth {
    /// After `place` was done to every point of the view.
    fn of(label: &Label, place: impl Fn([f32; 2]) -> [f32; 2]) -> Self {
        let [left, top, right, bottom] = label.face;
        let [a, b] = [place([left, top]), place([right, bottom])];
        Self {
            middle: [(a[0] + b[0]) / 2.0, (a[1] + b[1]) / 2.0],
            size: [b[0] - a[0], b[1] - a[1]],
            points: label.landmarks.map(place),
        }
    }

    /// What the cell at `column` and `row` of `stride` should give after its score.
    fn numbers(&self, [column, row]: [usize; 2], stride: f32) -> [f32; NUMBERS - 1] {
        let offset =
            |point: [f32; 2]| [point[0] / stride - column as f32, point[1] / stride - row as f32];
        let mut numbers = [0.0; NUMBERS - 1];
        numbers[..2].copy_from_slice(&offset(self.middle));
        numbers[2..4].copy_from_slice(&self.size.map(|side| (side / stride).ln()));
        for (at, point) in self.points.iter().enumerate() {
            numbers[4 + 2 * at..6 + 2 * at].copy_from_slice(&offset(*point));
        }
        numbers
    }
}

impl Finder<'_> {
    /// Fresh weights.
    pub fn learner(&self) -> Learner {
        let fresh = Parameters::fresh(|s| self.load(s), &["conv2.weight"], self.seed, self.device);
        Learner::new(fresh.expect("zeros are given for every name"), OPTIMIZER, 0.998, self.device)
    }

    fn load(&self, source: &Source) -> Result<Model, Error> {
        let report = RefCell::default();
        let at = Loader::new(source, self.device, &report);
        let trunk = self.trunk.load(&at);
        let channels = &self.trunk.channels[self.trunk.channels.len() - STRIDES.len()..];
        let head = |(index, &width): (usize, &usize)| {
            let norm = at.group_norm(&format!("norms.{index}"), width, self.trunk.groups, EPSILON);
            (norm, at.conv(&format!("heads.{index}"), ConvShape::same(width, NUMBERS)))
        };
        Ok(Model { trunk, heads: channels.iter().enumerate().map(head).collect() })
    }

    /// The network as ONNX, with YuNet's outputs.
    pub fn onnx(&self, parameters: &Parameters) -> Vec<u8> {
        let (weights, mut graph) = (Weights::of(parameters), Graph::new());
        let stages = self.trunk.write(&mut graph, &weights, self.side);
        let mut outputs = BTreeMap::new();
        let last = &stages[stages.len() - STRIDES.len()..];
        for (index, ((x, shape), (stride, _))) in last.iter().zip(STRIDES).enumerate() {
            let norm = format!("norms.{index}");
            let x = weights.norm(&mut graph, (x, *shape), &norm, self.trunk.groups);
            let x = weights.conv(&mut graph, &x, &format!("heads.{index}"), 1);
            let x = graph.transpose(&x, &[0, 2, 3, 1]);
            let cells = shape[1] * shape[2];
            let x = graph.reshape(&x, &[1, cells as i64, NUMBERS as i64]);
            let score = graph.slice(&x, 2, 0, 1);
            let score = graph.sigmoid(&score);
            let boxes = graph.slice(&x, 2, 1, 5);
            let points = graph.slice(&x, 2, 5, NUMBERS as i64);
            for (name, computed, width) in
                [("cls", &score, 1), ("obj", &score, 1), ("bbox", &boxes, 4), ("kps", &points, 10)]
            {
                let shape = vec![1, cells, width];
                outputs.insert(format!("{name}_{stride}"), (computed.clone(), shape));
            }
        }
        graph.file(&[1, 3, self.side, self.side], &outputs)
    }

    /// A view of one picture or of four, and the faces in it.
    fn view(&self, step: usize, place: usize) -> (RgbImage, Vec<Truth>) {
        let mut draws = Draws::new(self.seed, "finder", step, place);
        let across = if draws.chance(0.3) { 2 } else { 1 };
        let cell = self.side / across;
        let mut view = RgbImage::new(self.side as u32, self.side as u32);
        let indices =
            drawn(self.seed, step * self.batch + place, across * across, self.corpus.training());
        let mut truths = Vec::new();
        for (at, index) in indices.into_iter().enumerate() {
            let corner = [at % across * cell, at / across * cell];
            let side = self.corpus.side() as f32;
            let width = side * draws.within(-1.2, 0.7).exp2().max(0.4);
            let off = (side - width).abs() / 2.0 + 0.15 * width;
            let middle = [(); 2].map(|()| side / 2.0 + off * draws.signed());
            let picture = views::picture(self.corpus, index);
            let shown = part(&picture, middle, width, cell as u32);
            imageops::replace(&mut view, &shown, corner[0] as i64, corner[1] as i64);
            let zoom = cell as f32 / width;
            let truth = Truth::of(self.corpus.label(index), |point| {
                [0, 1].map(|axis| {
                    (point[axis] - middle[axis]) * zoom + cell as f32 / 2.0 + corner[axis] as f32
                })
            });
            let inside = |axis: usize| {
                let within = truth.middle[axis] - corner[axis] as f32;
                (0.0..cell as f32).contains(&within)
            };
            if inside(0) && inside(1) && truth.size[0] > 0.05 * self.side as f32 {
                truths.push(truth);
            }
        }
        let seed = self.seed ^ (step * self.batch + place) as u64;
        (roughened(view, &mut draws, seed, SAMPLED), truths)
    }

    /// What the cells of stride number `level` should give for `truths`, cell by cell, and which
    /// cells are some face's own.
    fn targets(&self, level: usize, truths: &[Truth]) -> (Vec<f32>, Vec<f32>) {
        let (stride, largest) = STRIDES[level];
        let smallest = level.checked_sub(1).map_or(0.0, |before| STRIDES[before].1);
        let across = self.side / stride;
        let mut numbers = vec![0.0; across * across * (NUMBERS - 1)];
        let mut own = vec![0.0; across * across];
        for truth in truths {
            let size = truth.size[0].max(truth.size[1]) / self.side as f32;
            if !(smallest..largest).contains(&size) {
                continue;
            }
            for cell in 0..across * across {
                let at = [cell % across, cell / across];
                let middle = at.map(|n| (n as f32 + 0.5) * stride as f32);
                let away = |axis: usize| (middle[axis] - truth.middle[axis]).abs();
                if away(0).max(away(1)) <= OWN * stride as f32 {
                    own[cell] = 1.0;
                    let numbers = &mut numbers[cell * (NUMBERS - 1)..][..NUMBERS - 1];
                    numbers.copy_from_slice(&truth.numbers(at, stride as f32));
                }
            }
        }
        (numbers, own)
    }
}

impl Model {
    /// `[views, 3, side, side]` to each stride's `[views, cells, NUMBERS]`.
    fn forward(&self, views: Tensor<4>) -> Vec<Tensor<3>> {
        let stages = self.trunk.forward(views);
        let last = stages[stages.len() - STRIDES.len()..].iter();
        let maps = last.zip(&self.heads).map(|(x, (norm, head))| {
            let maps = head.forward(norm.forward_silu(x.clone()));
            let [views, numbers, height, width] = maps.dims();
            maps.reshape([views, numbers, height * width]).swap_dims(1, 2)
        });
        maps.collect()
    }
}

impl Stage for Finder<'_> {
    fn names(&self) -> Vec<&'static str> {
        vec!["finder"]
    }

    fn loss(&self, step: usize, learners: &[Learner]) -> (Tensor<1>, Vec<Leaves>) {
        let (source, leaves) = learners[0].parameters.learning();
        let model = self.load(&source).expect("all of its weights are there");
        let (views, truths): (Vec<_>, Vec<_>) =
            (0..self.batch).into_par_iter().map(|place| self.view(step, place)).unzip();
        let maps = model.forward(views::tensor(&views, self.device));
        let mut errors = Vec::new();
        let mut owned = 0.0;
        for (level, maps) in maps.into_iter().enumerate() {
            let [views, cells, _] = maps.dims();
            let (mut numbers, mut own) = (Vec::new(), Vec::new());
            for truths in &truths {
                let (more_numbers, more_own) = self.targets(level, truths);
                numbers.extend(more_numbers);
                own.extend(more_own);
            }
            owned += own.iter().sum::<f32>();
            let tensor = |values, width| {
                let data = TensorData::new(values, [views, cells, width]);
                Tensor::<3>::from_data(data, self.device)
            };
            let (numbers, own) = (tensor(numbers, NUMBERS - 1), tensor(own, 1));
            let score = maps.clone().narrow(2, 0, 1);
            let is_face = log_sigmoid(score.clone()) * own.clone();
            let is_none = log_sigmoid(score.neg()) * (own.clone().neg() + 1.0);
            let places = (maps.narrow(2, 1, NUMBERS - 1) - numbers).abs() * own;
            errors.push(places.sum() * (PLACES / (NUMBERS - 1) as f64) - is_face.sum());
            errors.push(is_none.sum().neg());
        }
        let sum = errors.into_iter().reduce(|a, b| a + b).expect("three strides");
        (sum / f64::from(owned.max(1.0)), vec![leaves])
    }

    fn validate(&self, learners: &[Learner]) -> Vec<(String, f64)> {
        let source = learners[0].averaged().frozen();
        let model = self.load(&source).expect("all of its weights are there");
        let held_out: Vec<_> = self.corpus.held_out().take(VALIDATED).collect();
        let zoom = self.side as f32 / self.corpus.side() as f32;
        let middle = [self.corpus.side() as f32 / 2.0; 2];
        let (mut found, mut off) = (0usize, 0.0f64);
        for chunk in held_out.chunks(CHUNK) {
            let view = |&index: &usize| {
                let picture = views::picture(self.corpus, index);
                part(&picture, middle, self.corpus.side() as f32, self.side as u32)
            };
            let views: Vec<_> = chunk.iter().map(view).collect();
            let maps = model.forward(views::tensor(&views, self.device));
            let maps: Vec<Vec<f32>> =
                maps.into_iter().map(|maps| maps.into_data().iter::<f32>().collect()).collect();
            for (place, &index) in chunk.iter().enumerate() {
                let truth = Truth::of(self.corpus.label(index), |p| p.map(|v| v * zoom));
                let (logit, points) = best(&maps, place, self.side);
                let apart = |(a, b): (&[f32; 2], &[f32; 2])| (a[0] - b[0]).hypot(a[1] - b[1]);
                let sum: f32 = points.iter().zip(&truth.points).map(apart).sum();
                let error = sum / 5.0 / (truth.size[0] * truth.size[1]).sqrt();
                if logit > 0.0 && error < 0.15 {
                    found += 1;
                    off += f64::from(error);
                }
            }
        }
        vec![
            ("found".to_owned(), found as f64 / held_out.len() as f64),
            ("points_off".to_owned(), off / found.max(1) as f64),
        ]
    }
}

/// The logit and the points of the surest cell of view `place`.
fn best(maps: &[Vec<f32>], place: usize, side: usize) -> (f32, [[f32; 2]; 5]) {
    let mut best = (f32::NEG_INFINITY, [[0.0; 2]; 5]);
    for (maps, (stride, _)) in maps.iter().zip(STRIDES) {
        let across = side / stride;
        let of_view = maps.chunks_exact(across * across * NUMBERS).nth(place).expect("a view");
        for (cell, numbers) in of_view.chunks_exact(NUMBERS).enumerate() {
            if numbers[0] > best.0 {
                let corner = [(cell % across) as f32, (cell / across) as f32];
                let point = |n: usize| {
                    [0, 1].map(|axis| (corner[axis] + numbers[5 + 2 * n + axis]) * stride as f32)
                };
                best = (numbers[0], std::array::from_fn(point));
            }
        }
    }
    best
}
