//! Tensors that lie in this machine's memory, as slices worked on by every core.
//!
//! What an operation does to slices is written once, for every engine on the CPU.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, TensorMetadata};
use burn::tensor::{DType, Shape};
use rayon::prelude::*;

use crate::cpu::values::Values;

/// Elements of short rows that are worth a task of their own.
const TASK: usize = 1 << 14;

/// An engine whose tensors can be read and made as slices.
pub trait InMemory: Backend {
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
    x.dtype() == DType::F32
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

/// A tensor of `shape` whose every `task` elements `fill(index of the first, elements)` writes.
pub fn filled<S: InMemory>(
    shape: Shape,
    task: usize,
    fill: impl Fn(usize, &mut [f32]) + Sync,
) -> FloatTensor<S> {
    S::made(shape, |values| on_every_core(values, task, fill))
}

/// `x` after `change(index of the first, elements)` of every `task` elements; in place if nobody
/// else holds `x`.
pub fn changed<S: InMemory>(
    x: FloatTensor<S>,
    task: usize,
    change: impl Fn(usize, &mut [f32]) + Sync,
) -> FloatTensor<S> {
    let mut x = S::contiguous(x);
    if let Some(values) = S::alone(&mut x) {
        on_every_core(values, task, change);
        return x;
    }
    let old = elements::<S>(&x);
    filled::<S>(x.shape(), task, |start, new| {
        new.copy_from_slice(&old[start..start + new.len()]);
        change(start, new);
    })
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

fn on_every_core(values: &mut [f32], task: usize, work: impl Fn(usize, &mut [f32]) + Sync) {
    let arch = pulp::Arch::new();
    let tasks = values.par_chunks_mut(task.max(1)).enumerate();
    tasks.for_each(|(i, part)| arch.dispatch(|| work(i * task, part)));
}

/// Room for `length` numbers. Zeros would cost as much as the operation that writes over them.
#[cfg(feature = "flex")]
#[allow(unsafe_code, clippy::uninit_vec)]
fn unwritten(length: usize) -> Vec<f32> {
    let mut values = Vec::with_capacity(length);
    // SAFETY: the capacity is there, any bits are an f32, and whoever asks for it writes every
    // element before one is read.
    unsafe { values.set_len(length) };
    values
}

#[cfg(feature = "flex")]
impl InMemory for burn::backend::Flex {
    fn contiguous(x: FloatTensor<Self>) -> FloatTensor<Self> {
        let side_by_side = x.to_contiguous();
        drop(x); // or the storage would have two holders, and be copied when written to
        side_by_side
    }

    fn values(x: &FloatTensor<Self>) -> Values<'_> {
        let whole = "the tensor is contiguous and of this type";
        match x.dtype() {
            DType::F32 => Values::F32(x.as_slice().expect(whole)),
            DType::F16 => Values::F16(x.as_slice().expect(whole)),
            DType::BF16 => Values::Bf16(x.as_slice().expect(whole)),
            other => unreachable!("{other:?} is not a type that weights are kept in"),
        }
    }

    fn made(shape: Shape, fill: impl FnOnce(&mut [f32])) -> FloatTensor<Self> {
        let mut values = unwritten(shape.num_elements());
        fill(&mut values);
        FloatTensor::<Self>::from_data(burn::tensor::TensorData::new(values, shape))
    }

    fn alone(x: &mut FloatTensor<Self>) -> Option<&mut [f32]> {
        x.try_storage_mut()
    }
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use burn::backend::Flex;

    use super::*;

    fn counted() -> FloatTensor<Flex> {
        filled::<Flex>(Shape::from([3, 5]), 4, |start, part| {
            for (i, value) in part.iter_mut().enumerate() {
                *value = (start + i) as f32;
            }
        })
    }

    #[test]
    fn every_element_is_visited_once_with_its_index() {
        let want: Vec<f32> = (0..15).map(|i| i as f32).collect();
        assert_eq!(elements::<Flex>(&counted()), want);
    }

    #[test]
    fn a_shared_tensor_stays_as_it_was() {
        let x = counted();
        let doubled = |_, part: &mut [f32]| part.iter_mut().for_each(|value| *value *= 2.0);
        let y = changed::<Flex>(x.clone(), 4, doubled);
        assert_eq!((elements::<Flex>(&x)[7], elements::<Flex>(&y)[7]), (7.0, 14.0));
        let place = elements::<Flex>(&y).as_ptr();
        let z = changed::<Flex>(y, 4, doubled);
        assert_eq!((elements::<Flex>(&z)[7], elements::<Flex>(&z).as_ptr()), (28.0, place));
    }
}
