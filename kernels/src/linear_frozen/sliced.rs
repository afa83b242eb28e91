//! Frozen and low-rank linear layers over slices.

use super::*;
use crate::cpu::matrices::{Matrix, Transposed};
use crate::cpu::product::{Sizes, Start, product};
use crate::slices::{InMemory, elements, rewritten, sliceable};

/// `x Wᵀ + b`.
pub fn linear<S: InMemory>(
    x: FloatTensor<S>,
    weight: FloatTensor<S>,
    bias: Option<FloatTensor<S>>,
) -> FloatTensor<S> {
    let ([rows, d_in], [d_out, _]): ([usize; 2], [usize; 2]) =
        (x.shape().dims(), weight.shape().dims());
    let (x, weight, bias) = (S::contiguous(x), S::contiguous(weight), bias.map(S::contiguous));
    let start = bias.as_ref().map_or(Start::Zero, |bias| Start::Columns(elements::<S>(bias)));
    let sizes = Sizes { rows, depth: d_in, groups: 1, columns: d_out };
    let (left, right) = (Matrix::new(elements::<S>(&x), d_in), S::values(&weight));
    let right = Transposed(Matrix { values: right, stride: d_in });
    S::made(Shape::from([rows, d_out]), |y| product(sizes, &left, &right, start, y))
}

/// `dy W`.
pub fn linear_backward<S: InMemory>(
    grad: FloatTensor<S>,
    weight: FloatTensor<S>,
) -> FloatTensor<S> {
    let ([rows, d_out], [_, d_in]): ([usize; 2], [usize; 2]) =
        (grad.shape().dims(), weight.shape().dims());
    let (grad, weight) = (S::contiguous(grad), S::contiguous(weight));
    let sizes = Sizes { rows, depth: d_out, groups: 1, columns: d_in };
    let left = Matrix::new(elements::<S>(&grad), d_out);
    let right = Matrix { values: S::values(&weight), stride: d_in };
    S::made(Shape::from([rows, d_in]), |d| product(sizes, &left, &right, Start::Zero, d))
}

/// `y + a b`, or `y + a bᵀ`.
pub fn plus<S: InMemory>(
    y: FloatTensor<S>,
    a: FloatTensor<S>,
    b: FloatTensor<S>,
    transposed: bool,
) -> FloatTensor<S> {
    let ([rows, depth], [_, columns]): ([usize; 2], [usize; 2]) =
        (a.shape().dims(), y.shape().dims());
    let (a, b) = (S::contiguous(a), S::contiguous(b));
    let sizes = Sizes { rows, depth, groups: 1, columns };
    let left = Matrix::new(elements::<S>(&a), depth);
    let stride = if transposed { depth } else { columns };
    let right = Matrix { values: S::values(&b), stride };
    rewritten::<S>(y, |y| match transposed {
        true => product(sizes, &left, &Transposed(right), Start::Output, y),
        false => product(sizes, &left, &right, Start::Output, y),
    })
}

/// `aᵀ b`.
pub fn crossed<S: InMemory>(a: FloatTensor<S>, b: FloatTensor<S>) -> FloatTensor<S> {
    let ([depth, rows], [_, columns]): ([usize; 2], [usize; 2]) =
        (a.shape().dims(), b.shape().dims());
    let (a, b) = (S::contiguous(a), S::contiguous(b));
    let sizes = Sizes { rows, depth, groups: 1, columns };
    let left = Transposed(Matrix::new(elements::<S>(&a), rows));
    let right = Matrix::new(elements::<S>(&b), columns);
    S::made(Shape::from([rows, columns]), |out| product(sizes, &left, &right, Start::Zero, out))
}

impl<S: InMemory> FrozenLinear for S {
    fn frozen_linear(
        x: FloatTensor<S>,
        weight: FloatTensor<S>,
        bias: FloatTensor<S>,
    ) -> FloatTensor<S> {
        match sliceable::<Self>(&x) {
            true => linear::<Self>(x, weight, Some(bias)),
            false => forward::<Self>(x, weight, bias),
        }
    }

    fn frozen_linear_backward(grad: FloatTensor<S>, weight: FloatTensor<S>) -> FloatTensor<S> {
        match sliceable::<Self>(&grad) {
            true => linear_backward::<Self>(grad, weight),
            false => backward::<Self>(grad, weight),
        }
    }

    fn narrowed(x: FloatTensor<S>, down: FloatTensor<S>, scale: f64) -> FloatTensor<S> {
        match sliceable::<Self>(&x) {
            true => scaled::<Self>(linear::<Self>(x, down, None), scale),
            false => narrow::<Self>(x, down, scale),
        }
    }

    fn plus_transposed(y: FloatTensor<S>, a: FloatTensor<S>, b: FloatTensor<S>) -> FloatTensor<S> {
        match sliceable::<Self>(&y) {
            true => plus::<Self>(y, a, b, true),
            false => add_transposed::<Self>(y, a, b),
        }
    }

    fn plus_product(y: FloatTensor<S>, a: FloatTensor<S>, b: FloatTensor<S>) -> FloatTensor<S> {
        match sliceable::<Self>(&y) {
            true => plus::<Self>(y, a, b, false),
            false => add_product::<Self>(y, a, b),
        }
    }

    fn crossed(a: FloatTensor<S>, b: FloatTensor<S>) -> FloatTensor<S> {
        match sliceable::<Self>(&a) {
            true => crossed::<Self>(a, b),
            false => cross::<Self>(a, b),
        }
    }
}
