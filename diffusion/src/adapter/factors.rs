//! A module's factors as tensors, in the layout that layers compute with.
//!
//! Files have A as `[rank, in]` and B as `[out, rank]`; linear layers compute
//! `(x A) B` with both turned over. Convolutions have them as files do.

use burn::tensor::{Device, Tensor, TensorData};

use crate::layers::{LayerMut, LayerShape, LowRank};
use crate::weights::HostTensor;

/// A and B of one layer.
#[derive(Debug, Clone)]
pub enum Factors {
    /// Of a linear layer: `[in, rank]` and `[rank, out]`.
    Linear(Tensor<2>, Tensor<2>),
    /// Of a convolution: `[rank, c_in, k, k]` and `[c_out, rank, 1, 1]`.
    Conv(Tensor<4>, Tensor<4>),
}

impl Factors {
    /// Elements of A and of B for a layer of `shape`.
    pub fn lengths(shape: LayerShape, rank: usize) -> (usize, usize) {
        let (down, up) = shape.factors(rank);
        (down.iter().product(), up.iter().product())
    }

    /// From flat tensors in the layers' layout: see [`flatten`].
    pub fn from_flat(shape: LayerShape, rank: usize, down: Tensor<1>, up: Tensor<1>) -> Self {
        match shape {
            LayerShape::Linear { d_in, d_out } => {
                Self::Linear(down.reshape([d_in, rank]), up.reshape([rank, d_out]))
            }
            LayerShape::Conv { c_in, c_out, kernel } => Self::Conv(
                down.reshape([rank, c_in, kernel, kernel]),
                up.reshape([c_out, rank, 1, 1]),
            ),
        }
    }

    /// From a file's factors.
    pub fn from_host(down: &HostTensor, up: &HostTensor, device: &Device) -> Self {
        let (down_values, up_values) = flatten(down, up);
        let tensor = |values: Vec<f32>| {
            let length = values.len();
            Tensor::from_data(TensorData::new(values, [length]), device)
        };
        let (rank, shape) = (down.shape[0], shape_of(down, up));
        Self::from_flat(shape, rank, tensor(down_values), tensor(up_values))
    }

    /// Adds them to `layer` as an update of `scale`.
    pub fn push_on(self, layer: &mut LayerMut, scale: f64) {
        match (self, layer) {
            (Self::Linear(down, up), LayerMut::Linear(layer)) => {
                layer.updates.push(LowRank { down, up, scale });
            }
            (Self::Conv(down, up), LayerMut::Conv(layer)) => {
                layer.updates.push(LowRank { down, up, scale });
            }
            _ => unreachable!("factors are made from the shape of the layer they go on"),
        }
    }
}

fn shape_of(down: &HostTensor, up: &HostTensor) -> LayerShape {
    match down.shape[..] {
        [_, c_in, kernel, _] => LayerShape::Conv { c_in, c_out: up.shape[0], kernel },
        _ => LayerShape::Linear { d_in: down.shape[1], d_out: up.shape[0] },
    }
}

/// A file's factors in the layers' layout, flat.
pub fn flatten(down: &HostTensor, up: &HostTensor) -> (Vec<f32>, Vec<f32>) {
    match down.shape.len() {
        2 => (turned(down), turned(up)),
        _ => (down.values.clone(), up.values.clone()),
    }
}

/// Flat factors in the layers' layout as a file has them.
pub fn unflatten(
    shape: LayerShape,
    rank: usize,
    down: &[f32],
    up: &[f32],
) -> (HostTensor, HostTensor) {
    let (down_shape, up_shape) = shape.factors(rank);
    let host = |shape: Vec<usize>, values: &[f32]| match shape[..] {
        [rows, columns] => {
            let turned_over = HostTensor { shape: vec![columns, rows], values: values.to_vec() };
            HostTensor { values: turned(&turned_over), shape }
        }
        _ => HostTensor { shape, values: values.to_vec() },
    };
    (host(down_shape, down), host(up_shape, up))
}

/// The transpose of a matrix, flat.
fn turned(matrix: &HostTensor) -> Vec<f32> {
    let (rows, columns) = (matrix.shape[0], matrix.shape[1]);
    let at = |i: usize| matrix.values[(i % rows) * columns + i / rows];
    (0..rows * columns).map(at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flattening_and_back_changes_nothing() {
        let host = |shape: Vec<usize>| {
            let values = (0..shape.iter().product()).map(|i: usize| i as f32).collect();
            HostTensor { shape, values }
        };
        for shape in [
            LayerShape::Linear { d_in: 5, d_out: 3 },
            LayerShape::Conv { c_in: 4, c_out: 6, kernel: 3 },
        ] {
            let (down_shape, up_shape) = shape.factors(2);
            let (down, up) = (host(down_shape), host(up_shape));
            let (flat_down, flat_up) = flatten(&down, &up);
            assert_eq!(unflatten(shape, 2, &flat_down, &flat_up), (down, up));
        }
    }
}
