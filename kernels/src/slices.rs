//! flex's tensors as slices, worked on by every core with its widest vectors.

use burn::backend::Flex;
use burn::backend::tensor::FloatTensor;
use burn::tensor::{Shape, TensorData};
use rayon::prelude::*;

/// Elements of short rows that are worth a task of their own.
const TASK: usize = 1 << 14;

/// The CPU engine's tensor.
pub type Flexible = FloatTensor<Flex>;

/// Elements in a task that has whole rows of `width`.
pub fn task_of_rows(width: usize) -> usize {
    width * (TASK / width.max(1)).max(1)
}

/// `x` with its elements side by side, from the first of its storage to the last.
pub fn contiguous(x: Flexible) -> Flexible {
    let side_by_side = x.to_contiguous();
    drop(x); // or the storage would have two holders, and be copied when written to
    side_by_side
}

/// The elements of a contiguous f32 tensor.
pub fn elements(x: &Flexible) -> &[f32] {
    x.as_slice().expect("the tensor is contiguous and f32")
}

/// A tensor of `shape` whose every `task` elements `fill(index of the first, elements)` writes.
pub fn filled(shape: Shape, task: usize, fill: impl Fn(usize, &mut [f32]) + Sync) -> Flexible {
    let mut values = vec![0.0; shape.num_elements()];
    on_every_core(&mut values, task, fill);
    Flexible::from_data(TensorData::new(values, shape))
}

/// `x` after `change(index of the first, elements)` of every `task` elements; in place if nobody
/// else holds `x`.
pub fn changed(x: Flexible, task: usize, change: impl Fn(usize, &mut [f32]) + Sync) -> Flexible {
    let mut x = contiguous(x);
    if let Some(values) = x.try_storage_mut::<f32>() {
        on_every_core(values, task, change);
        return x;
    }
    let old = elements(&x);
    filled(x.layout().shape().clone(), task, |start, new| {
        new.copy_from_slice(&old[start..start + new.len()]);
        change(start, new);
    })
}

fn on_every_core(values: &mut [f32], task: usize, work: impl Fn(usize, &mut [f32]) + Sync) {
    let arch = pulp::Arch::new();
    let tasks = values.par_chunks_mut(task.max(1)).enumerate();
    tasks.for_each(|(i, part)| arch.dispatch(|| work(i * task, part)));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted() -> Flexible {
        filled(Shape::from([3, 5]), 4, |start, part| {
            for (i, value) in part.iter_mut().enumerate() {
                *value = (start + i) as f32;
            }
        })
    }

    #[test]
    fn every_element_is_visited_once_with_its_index() {
        let want: Vec<f32> = (0..15).map(|i| i as f32).collect();
        assert_eq!(elements(&counted()), want);
    }

    #[test]
    fn a_shared_tensor_stays_as_it_was() {
        let x = counted();
        let doubled = |_, part: &mut [f32]| part.iter_mut().for_each(|value| *value *= 2.0);
        let y = changed(x.clone(), 4, doubled);
        assert_eq!((elements(&x)[7], elements(&y)[7]), (7.0, 14.0));
        let place = elements(&y).as_ptr();
        let z = changed(y, 4, doubled);
        assert_eq!((elements(&z)[7], elements(&z).as_ptr()), (28.0, place));
    }
}
