//! A module's factors as tensors, laid out as files have them.

use burn::tensor::{Device, Tensor, TensorData};

use crate::layers::{LayerMut, LayerShape, LowRank};
use crate::weights::HostTensor;

/// A and B of one layer.
#[derive(Debug, Clone)]
pub enum Factors {
    /// Of a linear layer: `[rank, in]` and `[out, rank]`.
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

    /// From the elements of A and of B.
    pub fn from_flat(shape: LayerShape, rank: usize, down: Tensor<1>, up: Tensor<1>) -> Self {
        match shape {
            LayerShape::Linear { d_in, d_out } => {
                Self::Linear(down.reshape([rank, d_in]), up.reshape([d_out, rank]))
            }
            LayerShape::Conv { c_in, c_out, kernel } => Self::Conv(
                down.reshape([rank, c_in, kernel, kernel]),
                up.reshape([c_out, rank, 1, 1]),
            ),
        }
    }

    /// From a file's factors.
    pub fn from_host(down: &HostTensor, up: &HostTensor, device: &Device) -> Self {
        let tensor = |host: &HostTensor| {
            let length = host.values.len();
            Tensor::from_data(TensorData::new(host.values.clone(), [length]), device)
        };
        let (rank, shape) = (down.shape[0], shape_of(down, up));
        Self::from_flat(shape, rank, tensor(down), tensor(up))
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
