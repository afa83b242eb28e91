//! Tensors that lie in this machine's memory, as slices worked on by every core.
//!
//! What an operation does to slices is written once, for every engine on the CPU.

use burn::backend::TensorMetadata;
use burn::backend::tensor::FloatTensor;
use burn::tensor::{DType, Shape};
use rayon::prelude::*;

use crate::cpu::simd::{Simd, Vectored};
use crate::cpu::values::Values;
use crate::elsewhere::Elsewhere;

/// Elements of short rows that are worth a task of their own.
const TASK: usize = 1 << 14;

/// An engine whose tensors can be read and made as slices. Every operation that has a way over
/// slices is implemented once, for all of these.
pub trait InMemory: Elsewhere {
    /// Whether `x` lies in this machine's memory; what follows is only asked of tensors that do.
    fn is_here(x: &FloatTensor<Self>) -> bool;

    /// `x` with its elements side by side, from the first of its storage to the last.
    fn contiguous(x: FloatTensor<Self>) -> FloatTensor<Self>;

    /// The elements of a contiguous tensor of f32, f16 or bf16.
    fn values(x: &FloatTensor<Self>) -> Values<'_>;

    /// A tensor of `shape` that `fill` writes from the first element to the last; before, it holds
    /// anything.
    fn made(shape: Shape, fill: impl FnOnce(&mut [f32])) -> FloatTensor<Self>;

    /// The elements of a contiguous f32 tensor that nobody else holds.
    fn alone(x: &mut FloatTensor<Self>) -> Option<&mut [f32]>;
}

/// Whether slices of f32 can be had of `x`.
pub fn sliceable<S: InMemory>(x: &FloatTensor<S>) -> bool {
    x.dtype() == DType::F32 && S::is_here(x)
}

/// The elements of a contiguous f32 tensor.
pub fn elements<S: InMemory>(x: &FloatTensor<S>) -> &[f32] {
    match S::values(x) {
        Values::F32(x) => x,
        _ => unreachable!("operations on slices are for f32"),
    }
}

/// Elements in a task that has whole rows of `width`.
pub fn task_of_rows(width: usize) -> usize {
    width * (TASK / width.max(1)).max(1)
}

/// What is done to a part of a tensor's elements.
///
/// Closures will do, but the compiler gives loops in them its narrowest vectors: it inlines a
/// method that is `#[inline(always)]` where the processor's own are chosen, and no closure.
pub trait Parts: Sync {
    /// Changes elements from number `start` on.
    fn part(&self, start: usize, part: &mut [f32]);
}

impl<F: Fn(usize, &mut [f32]) + Sync> Parts for F {
    #[inline(always)]
    fn part(&self, start: usize, part: &mut [f32]) {
        self(start, part);
    }
}

/// A tensor of `shape` whose every `task` elements `fill` writes.
pub fn filled<S: InMemory>(shape: Shape, task: usize, fill: impl Parts) -> FloatTensor<S> {
    S::made(shape, |values| on_every_core(values, task, &fill))
}

/// `x` after `change` of every `task` elements; in place if nobody else holds `x`.
pub fn changed<S: InMemory>(x: FloatTensor<S>, task: usize, change: impl Parts) -> FloatTensor<S> {
    let mut x = S::contiguous(x);
    if let Some(values) = S::alone(&mut x) {
        on_every_core(values, task, &change);
        return x;
    }
    filled::<S>(x.shape(), task, Copied { old: elements::<S>(&x), change })
}

/// `x` after `change` of all its elements; in place if nobody else holds `x`.
pub fn rewritten<S: InMemory>(
    x: FloatTensor<S>,
    change: impl FnOnce(&mut [f32]),
) -> FloatTensor<S> {
    let mut x = S::contiguous(x);
    if let Some(values) = S::alone(&mut x) {
        change(values);
        return x;
    }
    S::made(x.shape(), |new| {
        new.copy_from_slice(elements::<S>(&x));
        change(new);
    })
}

/// A copy of the old elements, then a change.
struct Copied<'a, C> {
    old: &'a [f32],
    change: C,
}

impl<C: Parts> Parts for Copied<'_, C> {
    #[inline(always)]
    fn part(&self, start: usize, part: &mut [f32]) {
        part.copy_from_slice(&self.old[start..start + part.len()]);
        self.change.part(start, part);
    }
}

/// One task.
struct Task<'a, P> {
    work: &'a P,
    start: usize,
    part: &'a mut [f32],
}

impl<P: Parts> Vectored for Task<'_, P> {
    #[inline(always)]
    fn run(self) {
        self.work.part(self.start, self.part);
    }
}

fn on_every_core(values: &mut [f32], task: usize, work: &impl Parts) {
    let simd = Simd::best();
    let tasks = values.par_chunks_mut(task.max(1)).enumerate();
    tasks.for_each(|(i, part)| simd.run(Task { work, start: i * task, part }));
}

#[cfg(feature = "flex")]
mod flex;

#[cfg(feature = "tch")]
mod libtorch;

#[cfg(test)]
mod tests {
    use burn::tensor::{FloatDType, Slice};

    use super::*;
    use crate::testing::on_each_engine;

    fn counted<S: InMemory>() -> FloatTensor<S> {
        filled::<S>(Shape::from([3, 5]), 4, |start: usize, part: &mut [f32]| {
            for (i, value) in part.iter_mut().enumerate() {
                *value = (start + i) as f32;
            }
        })
    }

    #[test]
    fn every_element_is_visited_once_with_its_index() {
        fn run<S: InMemory>() {
            let want: Vec<f32> = (0..15).map(|i| i as f32).collect();
            assert_eq!(elements::<S>(&counted::<S>()), want);
        }
        on_each_engine!(run);
    }

    fn doubled(_: usize, part: &mut [f32]) {
        part.iter_mut().for_each(|value| *value *= 2.0);
    }

    #[test]
    fn a_shared_tensor_stays_as_it_was() {
        fn run<S: InMemory>() {
            let x = counted::<S>();
            let y = changed::<S>(x.clone(), 4, doubled);
            assert_eq!((elements::<S>(&x)[7], elements::<S>(&y)[7]), (7.0, 14.0));
            let place = elements::<S>(&y).as_ptr();
            let z = changed::<S>(y, 4, doubled);
            assert_eq!((elements::<S>(&z)[7], elements::<S>(&z).as_ptr()), (28.0, place));
        }
        on_each_engine!(run);
    }

    #[test]
    fn a_tensor_stays_as_it_was_when_a_view_of_it_changes() {
        fn run<S: InMemory>() {
            let views: [fn(FloatTensor<S>) -> FloatTensor<S>; 4] = [
                |x| S::float_reshape(x, Shape::from([5, 3])),
                |x| S::float_transpose(x),
                |x| S::float_slice(x, &[1..3, 0..5].map(Slice::from)),
                |x| S::float_expand(S::float_slice(x, &[0..1, 0..5].map(Slice::from)), shape()),
            ];
            for view in views {
                let x = counted::<S>();
                let seen = S::contiguous(view(x.clone()));
                let want: Vec<f32> = elements::<S>(&seen).iter().map(|x| 2.0 * x).collect();
                drop(seen);
                let y = changed::<S>(view(x.clone()), 4, doubled);
                assert_eq!(elements::<S>(&y), want);
                assert_eq!(elements::<S>(&x), elements::<S>(&counted::<S>()));
            }
        }
        fn shape() -> Shape {
            Shape::from([4, 5])
        }
        on_each_engine!(run);
    }

    #[test]
    fn halves_are_read_as_they_are_stored() {
        fn run<S: InMemory>() {
            for dtype in [FloatDType::F16, FloatDType::BF16] {
                let x = S::float_cast(counted::<S>(), dtype);
                assert!(!sliceable::<S>(&x));
                let mut wide = [0.0; 4];
                S::values(&x).read(11, &mut wide);
                assert_eq!(wide, [11.0, 12.0, 13.0, 14.0]);
            }
        }
        on_each_engine!(run);
    }

    #[test]
    fn nothing_is_a_slice_too() {
        fn run<S: InMemory>() {
            let x = filled::<S>(Shape::from([0, 5]), 4, |_: usize, _: &mut [f32]| {
                unreachable!("there is nothing")
            });
            assert!(elements::<S>(&changed::<S>(x, 4, doubled)).is_empty());
        }
        on_each_engine!(run);
    }
}
