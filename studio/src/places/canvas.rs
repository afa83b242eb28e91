//! A small painting of coloured shapes that is blurred like a far background.

use crate::vector::{Vec3, smoothstep};

/// Rows of a canvas; backgrounds are out of focus, so that more would not be seen.
const ROWS: usize = 96;

/// A painting in linear light. x runs from -aspect to aspect, y from -1 at the bottom to 1.
#[derive(Clone, Debug)]
pub(crate) struct Canvas {
    width: usize,
    height: usize,
    zoom: f32,
    pixels: Vec<Vec3>,
    lamps: Vec<([f32; 3], Vec3)>, // middle, radius, colour: shown on top after the light's tint
}

impl Canvas {
    /// A black canvas as wide as `aspect` times its height; `zoom` above 1 shows more.
    pub(crate) fn new(aspect: f32, zoom: f32) -> Self {
        let width = ((ROWS as f32 * aspect).round() as usize).max(2);
        let pixels = vec![Vec3::ZERO; width * ROWS];
        Self { width, height: ROWS, zoom, pixels, lamps: Vec::new() }
    }

    /// A picture's linear light, as it is.
    pub(crate) fn of_pixels(width: usize, height: usize, pixels: Vec<Vec3>) -> Self {
        Self { width, height, zoom: 1.0, pixels, lamps: Vec::new() }
    }

    fn aspect(&self) -> f32 {
        self.width as f32 / self.height as f32
    }

    /// Every pixel anew from its place and colour, in the picture's own coordinates.
    pub(crate) fn map(&mut self, f: impl Fn(f32, f32, Vec3) -> Vec3) {
        let (width, height, aspect) = (self.width, self.height, self.aspect());
        for (i, pixel) in self.pixels.iter_mut().enumerate() {
            let x = (((i % width) as f32 + 0.5) / width as f32 * 2.0 - 1.0) * aspect;
            let y = 1.0 - ((i / width) as f32 + 0.5) / height as f32 * 2.0;
            *pixel = f(x, y, *pixel);
        }
    }

    /// Lays a colour over every pixel, as opaque as `f` says (0..1).
    pub(crate) fn over(&mut self, f: impl Fn(f32, f32) -> (Vec3, f32)) {
        let zoom = self.zoom;
        self.map(|x, y, below| {
            let (color, opaque) = f(x * zoom, y * zoom);
            below.lerp(color, opaque.clamp(0.0, 1.0))
        });
    }

    /// Fills it from the `low` colour at the height `from` to the `high` one at `to`.
    pub(crate) fn sky(&mut self, low: Vec3, high: Vec3, [from, to]: [f32; 2]) {
        self.over(|_, y| (low.lerp(high, smoothstep(from, to, y)), 1.0));
    }

    /// Everything below `edge(x)` in `color`.
    pub(crate) fn ground(&mut self, color: Vec3, edge: impl Fn(f32) -> f32) {
        self.over(|x, y| (color, smoothstep(0.015, -0.015, y - edge(x))));
    }

    /// A rectangle from the left bottom to the right top.
    pub(crate) fn rect(&mut self, [left, bottom, right, top]: [f32; 4], color: Vec3) {
        let soft = 0.012;
        self.within([left, bottom, right, top], |x, y| {
            let side = (x - left).min(right - x).min(y - bottom).min(top - y);
            (color, smoothstep(-soft, soft, side))
        });
    }

    /// An ellipse by its middle and half sizes.
    pub(crate) fn oval(&mut self, [x0, y0, rx, ry]: [f32; 4], color: Vec3) {
        self.within([x0 - rx, y0 - ry, x0 + rx, y0 + ry], |x, y| {
            let r = ((x - x0) / rx).hypot((y - y0) / ry);
            (color, smoothstep(1.05, 0.92, r))
        });
    }

    /// A triangle on a base: middle, height of the base, half width, height.
    pub(crate) fn peak(&mut self, [x0, base, half, tall]: [f32; 4], color: Vec3) {
        self.within([x0 - half, base, x0 + half, base + tall], |x, y| {
            let up = (y - base) / tall;
            let side = (1.0 - up) * half - (x - x0).abs();
            (color, smoothstep(-0.01, 0.015, side) * smoothstep(-0.01, 0.01, y - base))
        });
    }

    /// `over`, for the pixels of a rectangle and a little around.
    fn within(&mut self, [l, b, r, t]: [f32; 4], f: impl Fn(f32, f32) -> (Vec3, f32)) {
        let (w, h, aspect, zoom) = (self.width, self.height, self.aspect(), self.zoom);
        let column = |x: f32| ((x / zoom / aspect + 1.0) * 0.5 * w as f32).clamp(0.0, w as f32);
        let row = |y: f32| ((1.0 - y / zoom) * 0.5 * h as f32).clamp(0.0, h as f32);
        let columns = (column(l - 0.03) as usize)..(column(r + 0.03).ceil() as usize);
        for j in (row(t + 0.03) as usize)..(row(b - 0.03).ceil() as usize) {
            let y = (1.0 - (j as f32 + 0.5) / h as f32 * 2.0) * zoom;
            for i in columns.clone() {
                let x = ((i as f32 + 0.5) / w as f32 * 2.0 - 1.0) * aspect * zoom;
                let (color, opaque) = f(x, y);
                let pixel = &mut self.pixels[j * w + i];
                *pixel = pixel.lerp(color, opaque.clamp(0.0, 1.0));
            }
        }
    }

    /// A lamp that stays bright in any light: its middle, its radius, its colour.
    pub(crate) fn lamp(&mut self, at: [f32; 3], color: Vec3) {
        self.lamps.push((at, color));
    }

    /// Adds the lamps, each as a soft disc.
    pub(crate) fn glow(&mut self) {
        let lamps = std::mem::take(&mut self.lamps);
        for ([x0, y0, r], color) in lamps {
            let mut lit = std::mem::take(&mut self.pixels);
            self.pixels = vec![Vec3::ZERO; lit.len()];
            self.within([x0 - r * 1.3, y0 - r * 1.3, x0 + r * 1.3, y0 + r * 1.3], |x, y| {
                let d = (x - x0).hypot(y - y0) / r;
                (Vec3::ONE, smoothstep(1.2, 0.8, d) * (0.75 + 0.25 * d.min(1.0)))
            });
            for (pixel, shape) in lit.iter_mut().zip(&self.pixels) {
                *pixel += color * shape.x;
            }
            self.pixels = lit;
        }
    }

    /// Blurs by `radius`, in halves of the height: three box blurs, nearly a Gaussian.
    pub(crate) fn blur(&mut self, radius: f32) {
        let half = (radius * self.height as f32 / 2.0).round() as usize;
        for _ in 0..3 {
            for row in 0..self.height {
                box_blur(&mut self.pixels, row * self.width, 1, [self.width, half]);
            }
            for column in 0..self.width {
                box_blur(&mut self.pixels, column, self.width, [self.height, half]);
            }
        }
    }

    /// The colour at a point, in halves of the picture's height from its middle.
    pub(crate) fn at(&self, x: f32, y: f32) -> Vec3 {
        let fx = ((x / self.aspect() + 1.0) * 0.5 * self.width as f32 - 0.5).max(0.0);
        let fy = ((1.0 - y) * 0.5 * self.height as f32 - 0.5).max(0.0);
        let (i, j) = ((fx as usize).min(self.width - 1), (fy as usize).min(self.height - 1));
        let (right, below) = ((i + 1).min(self.width - 1), (j + 1).min(self.height - 1));
        let (u, w) = ((fx - i as f32).min(1.0), (fy - j as f32).min(1.0));
        let get = |i: usize, j: usize| self.pixels[j * self.width + i];
        get(i, j).lerp(get(right, j), u).lerp(get(i, below).lerp(get(right, below), u), w)
    }
}

/// Blurs one row or column of `count` pixels, each the mean of `half` to both sides.
fn box_blur(pixels: &mut [Vec3], first: usize, stride: usize, [count, half]: [usize; 2]) {
    if half == 0 {
        return;
    }
    let line: Vec<Vec3> = (0..count).map(|i| pixels[first + i * stride]).collect();
    let get = |i: isize| line[i.clamp(0, count as isize - 1) as usize];
    let half = half as isize;
    let mut sum = (-half..=half).fold(Vec3::ZERO, |sum, i| sum + get(i));
    let scale = 1.0 / (2 * half + 1) as f32;
    for i in 0..count as isize {
        pixels[first + i as usize * stride] = sum * scale;
        sum = sum + get(i + half + 1) - get(i - half);
    }
}
