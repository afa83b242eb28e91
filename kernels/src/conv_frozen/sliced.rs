//! Frozen and low-rank convolutions over slices.

use burn::tensor::Slice;

use super::*;
use crate::cpu::matrices::Matrix;
use crate::cpu::product::{Sizes, Start, product};
use crate::cpu::values::Values;
use crate::cpu::window_lines::WindowLines;
use crate::cpu::windows::{Exchanged, Geometry, Way, Windows};
use crate::cpu::winograd::Same;
use crate::slices::{InMemory, elements, rewritten, sliceable};

/// Sizes of a convolution, if it is one that the slices do: dense, with a square kernel.
fn geometry(x: &Shape, weight: &Shape, options: &ConvOptions<2>) -> Option<Geometry> {
    let ([_, _, height, width], [_, _, kernel, across]): ([usize; 4], [usize; 4]) =
        (x.dims(), weight.dims());
    let [(top, bottom), (left, right)] = options.padding;
    let stride = options.stride[0];
    let dense = options.dilation == [1, 1] && options.groups == 1;
    if !dense || kernel != across || options.stride != [stride; 2] {
        return None;
    }
    let output = (
        (height + top + bottom).checked_sub(kernel)? / stride + 1,
        (width + left + right).checked_sub(kernel)? / stride + 1,
    );
    Some(Geometry { input: (height, width), output, kernel, stride, padding: (top, left) })
}

/// The convolution as one that has a faster way, where it pays.
fn same<'a>(
    geometry: Geometry,
    x: &'a [f32],
    weight: Values<'a>,
    channels: (usize, usize),
    images: usize,
    way: Way,
) -> Option<Same<'a>> {
    let Geometry { input, output, kernel, stride, padding } = geometry;
    let plain = kernel == 3 && stride == 1 && padding == (1, 1) && input == output;
    let same = Same { x, weight, channels, images, plane: input, way };
    (plain && same.pays()).then_some(same)
}

/// `W * x + start`, the output's channels before its pixels.
fn windowed<S: InMemory>(
    x: &FloatTensor<S>,
    weight: &FloatTensor<S>,
    geometry: Geometry,
    start: Start,
    y: &mut [f32],
) {
    let ([groups, c_in, _, _], [rows, ..]): ([usize; 4], [usize; 4]) =
        (x.shape().dims(), weight.shape().dims());
    let depth = c_in * geometry.kernel * geometry.kernel;
    let columns = geometry.output.0 * geometry.output.1;
    let left = Matrix { values: S::values(weight), stride: depth };
    let x = elements::<S>(x);
    let same = same(geometry, x, S::values(weight), (rows, c_in), groups, Way::Forward);
    if let Some(same) = same {
        return same.convolve(start, y);
    }
    let right = Windows { x, channels: c_in, geometry, way: Way::Forward };
    product(Sizes { rows, depth, groups, columns }, &left, &right, start, y);
}

/// `W * x + b`.
pub fn conv<S: InMemory>(
    x: FloatTensor<S>,
    weight: FloatTensor<S>,
    bias: Option<FloatTensor<S>>,
    geometry: Geometry,
) -> FloatTensor<S> {
    let ([batch, ..], [c_out, ..]): ([usize; 4], [usize; 4]) =
        (x.shape().dims(), weight.shape().dims());
    let (x, weight, bias) = (S::contiguous(x), S::contiguous(weight), bias.map(S::contiguous));
    let start = bias.as_ref().map_or(Start::Zero, |bias| Start::Rows(elements::<S>(bias)));
    let shape = Shape::from([batch, c_out, geometry.output.0, geometry.output.1]);
    S::made(shape, |y| windowed::<S>(&x, &weight, geometry, start, y))
}

/// `y + W * x`.
pub fn plus_conv<S: InMemory>(
    y: FloatTensor<S>,
    x: FloatTensor<S>,
    weight: FloatTensor<S>,
    geometry: Geometry,
) -> FloatTensor<S> {
    let (x, weight) = (S::contiguous(x), S::contiguous(weight));
    rewritten::<S>(y, |y| windowed::<S>(&x, &weight, geometry, Start::Output, y))
}

/// `Wᵀ * dy`.
pub fn conv_backward<S: InMemory>(
    grad: FloatTensor<S>,
    weight: FloatTensor<S>,
    shape: Shape,
    geometry: Geometry,
) -> FloatTensor<S> {
    let [groups, c_in, height, width]: [usize; 4] = shape.dims();
    let [c_out, ..]: [usize; 4] = weight.shape().dims();
    let (grad, weight) = (S::contiguous(grad), S::contiguous(weight));
    let taps = geometry.kernel * geometry.kernel;
    let sizes = Sizes { rows: c_in, depth: c_out * taps, groups, columns: height * width };
    let left = Exchanged { values: S::values(&weight), c_in, taps };
    let x = elements::<S>(&grad);
    let right = Windows { x, channels: c_out, geometry, way: Way::Backward };
    let same = same(geometry, x, S::values(&weight), (c_out, c_in), groups, Way::Backward);
    S::made(shape, |d| match same {
        Some(same) => same.convolve(Start::Zero, d),
        None => product(sizes, &left, &right, Start::Zero, d),
    })
}

/// `Σ dy ⊗ windows(x)`: the gradient of a weight of `shape`.
pub fn weight_gradient<S: InMemory>(
    x: FloatTensor<S>,
    grad: FloatTensor<S>,
    shape: Shape,
    geometry: Geometry,
) -> FloatTensor<S> {
    let [rows, c_in, ..]: [usize; 4] = shape.dims();
    let (x, grad) = (S::contiguous(x), S::contiguous(grad));
    let (x, grad) = (elements::<S>(&x), elements::<S>(&grad));
    let depth = geometry.output.0 * geometry.output.1;
    let columns = c_in * geometry.kernel * geometry.kernel;
    let sizes = Sizes { rows, depth, groups: 1, columns };
    let image = c_in * geometry.input.0 * geometry.input.1;
    S::made(shape, |out| {
        let images = x.chunks_exact(image).zip(grad.chunks_exact(rows * depth));
        for (i, (x, grad)) in images.enumerate() {
            let start = if i == 0 { Start::Zero } else { Start::Output };
            let windows = Windows { x, channels: c_in, geometry, way: Way::Forward };
            product(sizes, &Matrix::new(grad, depth), &WindowLines(windows), start, out);
        }
    })
}

/// What the slices can do of it: `None` for half-precision activations and rare geometries.
fn known<S: InMemory>(
    x: &FloatTensor<S>,
    shape: &Shape,
    w: &FloatTensor<S>,
    o: &ConvOptions<2>,
) -> Option<Geometry> {
    sliceable::<S>(x).then(|| geometry(shape, &w.shape(), o)).flatten()
}

/// The same convolution without edges of different widths.
fn evened<S: InMemory>(
    x: FloatTensor<S>,
    options: ConvOptions<2>,
) -> (FloatTensor<S>, ConvOptions<2>) {
    if !options.is_asymmetric() {
        return (x, options);
    }
    (S::padded(x, options.padding), bare(options))
}

/// Without edges.
fn bare(options: ConvOptions<2>) -> ConvOptions<2> {
    ConvOptions::new(options.stride, [0; 2], options.dilation, options.groups)
}

/// [`backward`], also where edges have different widths: as if the input had had them.
fn backward_uneven<S: InMemory>(
    grad: FloatTensor<S>,
    weight: FloatTensor<S>,
    shape: Shape,
    options: ConvOptions<2>,
) -> FloatTensor<S> {
    if !options.is_asymmetric() {
        return backward::<S>(grad, weight, shape, options);
    }
    let [batch, channels, height, width]: [usize; 4] = shape.dims();
    let [(top, bottom), (left, right)] = options.padding;
    let whole = [batch, channels, height + top + bottom, width + left + right];
    let d = backward::<S>(grad, weight, Shape::from(whole), bare(options));
    let inner = [0..batch, 0..channels, top..top + height, left..left + width];
    S::float_slice(d, &inner.map(Slice::from))
}

impl<S: InMemory> FrozenConv for S {
    fn frozen_conv2d(
        x: FloatTensor<S>,
        weight: FloatTensor<S>,
        bias: FloatTensor<S>,
        options: ConvOptions<2>,
    ) -> FloatTensor<S> {
        match known::<S>(&x, &x.shape(), &weight, &options) {
            Some(geometry) => conv::<Self>(x, weight, Some(bias), geometry),
            None => {
                let (x, options) = evened::<S>(x, options);
                forward::<Self>(x, weight, bias, options)
            }
        }
    }

    fn frozen_conv2d_backward(
        grad: FloatTensor<S>,
        weight: FloatTensor<S>,
        shape: Shape,
        options: ConvOptions<2>,
    ) -> FloatTensor<S> {
        match known::<S>(&grad, &shape, &weight, &options) {
            Some(geometry) => conv_backward::<Self>(grad, weight, shape, geometry),
            None => backward_uneven::<S>(grad, weight, shape, options),
        }
    }

    fn conv2d_weight_gradient(
        x: FloatTensor<S>,
        weight: FloatTensor<S>,
        grad: FloatTensor<S>,
        options: ConvOptions<2>,
    ) -> FloatTensor<S> {
        match known::<S>(&x, &x.shape(), &weight, &options) {
            Some(geometry) => weight_gradient::<Self>(x, grad, weight.shape(), geometry),
            None => S::weight_gradient(x, weight, grad, options),
        }
    }

    fn narrowed_conv2d(
        x: FloatTensor<S>,
        down: FloatTensor<S>,
        options: ConvOptions<2>,
        scale: f64,
    ) -> FloatTensor<S> {
        match known::<S>(&x, &x.shape(), &down, &options) {
            Some(geometry) => scaled::<Self>(conv::<Self>(x, down, None, geometry), scale),
            None => {
                let (x, options) = evened::<S>(x, options);
                narrow::<Self>(x, down, options, scale)
            }
        }
    }

    fn plus_pointwise(
        y: FloatTensor<S>,
        low: FloatTensor<S>,
        up: FloatTensor<S>,
    ) -> FloatTensor<S> {
        match known::<S>(&low, &low.shape(), &up, &pointwise()) {
            Some(geometry) => plus_conv::<Self>(y, low, up, geometry),
            None => add_pointwise::<Self>(y, low, up),
        }
    }
}
