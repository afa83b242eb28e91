//! burn's own engine for processors.

use burn::backend::Flex;
use burn::tensor::TensorData;

use super::*;

/// Room for `length` numbers. Zeros would cost as much as the operation that writes over them.
#[allow(unsafe_code, clippy::uninit_vec)]
fn unwritten(length: usize) -> Vec<f32> {
    let mut values = Vec::with_capacity(length);
    // SAFETY: the capacity is there, any bits are an f32, and whoever asks for it writes every
    // element before one is read.
    unsafe { values.set_len(length) };
    values
}

impl InMemory for Flex {
    fn is_here(_: &FloatTensor<Self>) -> bool {
        true
    }

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
        FloatTensor::<Self>::from_data(TensorData::new(values, shape))
    }

    fn alone(x: &mut FloatTensor<Self>) -> Option<&mut [f32]> {
        x.try_storage_mut()
    }
}
