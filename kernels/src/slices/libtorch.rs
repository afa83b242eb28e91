//! libtorch's tensors on the processor, through the pointers to their elements.

use std::slice::{from_raw_parts, from_raw_parts_mut};

use burn::backend::LibTorch;
use tch::{Device, Kind, Tensor};

use super::*;

impl InMemory for LibTorch {
    fn is_here(x: &FloatTensor<Self>) -> bool {
        x.tensor.device() == Device::Cpu
    }

    fn contiguous(x: FloatTensor<Self>) -> FloatTensor<Self> {
        if x.tensor.is_contiguous() { x } else { FloatTensor::<Self>::new(x.tensor.contiguous()) }
    }

    fn values(x: &FloatTensor<Self>) -> Values<'_> {
        match x.tensor.kind() {
            Kind::Float => Values::F32(read(&x.tensor)),
            Kind::Half => Values::F16(read(&x.tensor)),
            Kind::BFloat16 => Values::Bf16(read(&x.tensor)),
            other => unreachable!("{other:?} is not a type that weights are kept in"),
        }
    }

    fn made(shape: Shape, fill: impl FnOnce(&mut [f32])) -> FloatTensor<Self> {
        let sizes: Vec<i64> = shape.iter().map(|&size| size as i64).collect();
        let mut tensor = Tensor::empty(sizes, (Kind::Float, Device::Cpu));
        fill(write(&mut tensor));
        FloatTensor::<Self>::new(tensor)
    }

    fn alone(x: &mut FloatTensor<Self>) -> Option<&mut [f32]> {
        // burn counts the holders of a storage, of views into it, too.
        x.can_mut().then(|| write(&mut x.tensor))
    }
}

/// The elements of a contiguous tensor of `T`.
#[allow(unsafe_code)]
fn read<T>(tensor: &Tensor) -> &[T] {
    let length = checked::<T>(tensor);
    if length == 0 {
        return &[]; // libtorch's pointer to nothing is null
    }
    // SAFETY: that many elements of this size lie there, for as long as the tensor lives; any bits
    // are a T, and burn lets nobody write to a storage that has another holder.
    unsafe { from_raw_parts(tensor.data_ptr().cast(), length) }
}

/// The elements of a contiguous f32 tensor that nobody else holds.
#[allow(unsafe_code)]
fn write(tensor: &mut Tensor) -> &mut [f32] {
    let length = checked::<f32>(tensor);
    if length == 0 {
        return &mut [];
    }
    // SAFETY: as above, and the caller is the only one who holds the storage.
    unsafe { from_raw_parts_mut(tensor.data_ptr().cast(), length) }
}

/// How many elements of `T` lie side by side.
fn checked<T>(tensor: &Tensor) -> usize {
    let fits = tensor.kind().elt_size_in_bytes() == size_of::<T>();
    assert!(fits && tensor.is_contiguous() && tensor.device() == Device::Cpu);
    tensor.numel()
}
