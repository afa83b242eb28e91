//! Every pixel of a picture: one ray each, and four more where edges run.

use rayon::prelude::*;

use crate::lanes::{Lanes, Points, all};
use crate::paint::Painter;
use crate::picture::Size;
use crate::places::canvas::Canvas;
use crate::scene::light::Lighting;
use crate::sculpt::Surface;
use crate::vector::Vec3;

use super::camera::Camera;
use super::march::{FAR, NEAR, lit, normals, openness, travel};
use super::shade::{Spot, develop, shade};

/// All that a picture is taken of.
pub(crate) struct Stage<'a> {
    pub painter: Painter<'a>,
    pub lighting: Lighting,
    pub camera: Camera,
    pub behind: &'a Canvas,
    pub size: Size,
}

/// What a ray found.
#[derive(Clone, Copy)]
struct Sample {
    color: Vec3, // developed, 0..1
    depth: f32,
    surface: Option<Surface>,
    lit: f32,
    open: f32,
}

/// Where in a pixel the four further rays go: a rotated grid.
const WITHIN: [[f32; 2]; 4] = [[0.375, 0.125], [0.875, 0.375], [0.125, 0.625], [0.625, 0.875]];
/// A difference of brightness between neighbours that asks for more rays.
const EDGE: f32 = 0.05;
/// A difference of depth that does.
const STEP: f32 = 0.12;

impl Stage<'_> {
    /// The picture's bytes, row by row.
    pub(crate) fn picture(&self) -> Vec<u8> {
        let (width, height) = (self.size.width as usize, self.size.height as usize);
        let first = self.first(width, height);
        let rows: Vec<Vec<Vec3>> =
            (0..height).into_par_iter().map(|y| self.refined(&first, width, height, y)).collect();
        let to_byte = |x: f32| (x * 255.0 + 0.5) as u8;
        rows.iter().flatten().flat_map(|c| [c.x, c.y, c.z]).map(to_byte).collect()
    }

    /// One sample in the middle of every pixel.
    fn first(&self, width: usize, height: usize) -> Vec<Sample> {
        let bands: Vec<Vec<Sample>> = (0..height.div_ceil(2))
            .into_par_iter()
            .map(|band| self.band(band * 2, width))
            .collect();
        let mut samples: Vec<Sample> = bands.into_iter().flatten().collect();
        samples.truncate(width * height);
        samples
    }

    /// Two rows of samples from row `y`.
    fn band(&self, y: usize, width: usize) -> Vec<Sample> {
        let blank = Sample { color: Vec3::ZERO, depth: FAR, surface: None, lit: 0.0, open: 0.0 };
        let mut rows = vec![blank; width * 2];
        for x in (0..width).step_by(4) {
            let points =
                std::array::from_fn(|i| [(x + i % 4) as f32 + 0.5, (y + i / 4) as f32 + 0.5]);
            let found = self.samples(&points, all(NEAR), &[]);
            for (i, sample) in found.into_iter().enumerate() {
                if x + i % 4 < width {
                    rows[(i / 4) * width + x + i % 4] = sample;
                }
            }
        }
        rows
    }

    /// Row `y` with its edges smoothed.
    fn refined(&self, first: &[Sample], width: usize, height: usize, y: usize) -> Vec<Vec3> {
        let mut row: Vec<Vec3> =
            first[y * width..(y + 1) * width].iter().map(|s| s.color).collect();
        let edges: Vec<(usize, f32)> = (0..width)
            .filter_map(|x| edge(first, [width, height], [x, y]).map(|near| (x, near)))
            .collect();
        for pair in edges.chunks(2) {
            let (other, _) = pair[pair.len() - 1];
            let of = |i: usize| if i < 4 { pair[0] } else { pair[pair.len() - 1] };
            let points = std::array::from_fn(|i| {
                let [dx, dy] = WITHIN[i % 4];
                [of(i).0 as f32 + dx, y as f32 + dy]
            });
            let start = Lanes::new(std::array::from_fn(|i| (of(i).1 - 0.4).max(NEAR)));
            let known = [pair[0].0, other].map(|x| around(first, [width, height], [x, y]));
            let found = self.samples(&points, start, &known);
            for (half, x) in found.chunks(4).zip([pair[0].0, other]) {
                let sum = half.iter().fold(Vec3::ZERO, |sum, s| sum + s.color);
                row[x] = sum / 4.0;
            }
        }
        row
    }

    /// What is seen at eight points of the picture, in pixels; `known` holds the samples
    /// around the first and the last four points, whose light they may share.
    fn samples(&self, points: &[[f32; 2]; 8], start: Lanes, known: &[[Sample; 5]]) -> [Sample; 8] {
        let along = points.map(|[x, y]| self.camera.direction(x, y));
        let person = self.painter.person;
        let rays = Points::from_array(&along);
        let close = (self.camera.pixel() * 0.25).clamp(0.0008, 0.004);
        let t = travel(person, self.camera.at, rays, start, close);
        let depth = t.to_array();
        let mut found: [Sample; 8] = std::array::from_fn(|i| {
            let [u, w] = self.camera.plane(points[i][0], points[i][1]);
            let color = develop(self.behind.at(u, w));
            Sample { color, depth: depth[i], surface: None, lit: 1.0, open: 1.0 }
        });
        if depth.iter().all(|t| *t >= FAR) {
            return found;
        }
        let eye = self.camera.at;
        let origin = Points { x: all(eye.x), y: all(eye.y), z: all(eye.z) };
        let p = origin.along(rays, t);
        let normal = normals(person, p, (self.camera.pixel() * 0.5).clamp(0.004, 0.02));
        let surfaces = person.surfaces(p);
        for (i, sample) in found.iter_mut().enumerate() {
            sample.surface = (depth[i] < FAR).then_some(surfaces[i]);
        }
        self.light(&mut found, known, p, normal);
        let (places, normals) = (p.to_array(), normal.to_array());
        for (i, sample) in found.iter_mut().enumerate() {
            if let Some(surface) = sample.surface {
                let coat = self.painter.coat(places[i], normals[i], surface);
                let turned = coat.normal.map(|n| person.head_frame.outward(n));
                let normal = turned.unwrap_or(normals[i]);
                let (lit, open) = (sample.lit, sample.open);
                let spot = Spot { normal, to_camera: -along[i], lit, open };
                sample.color = develop(shade(&coat, &spot, &self.lighting));
            }
        }
        found
    }

    /// How the samples lie in the light: as a known one beside them on the same surface does,
    /// or else by further rays.
    fn light(&self, found: &mut [Sample; 8], known: &[[Sample; 5]], p: Points, normal: Points) {
        let mut all_known = !known.is_empty();
        for (i, sample) in found.iter_mut().enumerate().filter(|(_, s)| s.surface.is_some()) {
            let same =
                |s: &&Sample| s.surface == sample.surface && (s.depth - sample.depth).abs() < STEP;
            let beside = known.get(i / 4).into_iter().flatten().filter(same);
            let (count, lit, open) = beside.fold((0.0, 0.0, 0.0), |(count, lit, open), s| {
                (count + 1.0, lit + s.lit, open + s.open)
            });
            all_known &= count > 0.0;
            (sample.lit, sample.open) = (lit / count, open / count);
        }
        if all_known {
            return;
        }
        let person = self.painter.person;
        let open = openness(person, p, normal).to_array();
        let (key, lifted) = (self.lighting.key, p.along(normal, all(0.02)));
        let facing = normal.dot(key.toward).to_array();
        let dark = (0..8).all(|i| found[i].surface.is_none() || facing[i] < -0.3);
        let lit = match dark {
            true => [0.0; 8],
            false => lit(person, lifted, key.toward, self.lighting.softness).to_array(),
        };
        for (i, sample) in found.iter_mut().enumerate() {
            (sample.lit, sample.open) = (lit[i], open[i]);
        }
    }
}

/// The sample of a pixel and those of its four neighbours, or itself where there is none.
fn around(first: &[Sample], [width, height]: [usize; 2], [x, y]: [usize; 2]) -> [Sample; 5] {
    let places = [(x, y), (x.wrapping_sub(1), y), (x + 1, y), (x, y.wrapping_sub(1)), (x, y + 1)];
    places.map(|(i, j)| first[if i < width && j < height { j * width + i } else { y * width + x }])
}

/// The nearest depth around a pixel where an edge runs through it.
fn edge(first: &[Sample], [width, height]: [usize; 2], [x, y]: [usize; 2]) -> Option<f32> {
    let here = &first[y * width + x];
    let mut found = false;
    let mut near = here.depth;
    for there in around(first, [width, height], [x, y]) {
        near = near.min(there.depth);
        if here.surface.is_none() && there.surface.is_none() {
            continue;
        }
        let light = (here.color - there.color).map(f32::abs);
        found |= here.surface != there.surface
            || (here.depth - there.depth).abs() > STEP
            || light.luminance() > EDGE;
    }
    found.then_some(near)
}
