//! What the denoiser is computed in.
//!
//! bf16 has f32's range and 8 bits of it: weights and feature maps take half the memory, and GPUs
//! multiply it several times as fast. A layer takes its input in this format and gives its output
//! in it; what blocks add to one another, what learns, its optimizer, sums of norms and the
//! schedule stay in f32 or f64, as do the autoencoder and the text encoder, which run once.

use burn::tensor::{FloatDType, Tensor};
use serde::{Deserialize, Serialize};

/// A number format for the denoiser's weights and feature maps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// bf16 on NVIDIA GPUs, else f32.
    #[default]
    Auto,
    /// Single precision.
    F32,
    /// Half precision with f32's range.
    Bf16,
}

impl Precision {
    /// As run files and the command line have it.
    pub const ALL: [(&'static str, Self); 3] =
        [("auto", Self::Auto), ("f32", Self::F32), ("bf16", Self::Bf16)];

    /// Its name in [`Precision::ALL`].
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, each)| *each == self).expect("all are listed").0
    }

    /// What it comes to on `device`, as `--device` names it; an error says what that cannot.
    pub fn on(self, device: &str) -> Result<Self, String> {
        let nvidia = device.starts_with("cuda") || device.starts_with("tch:cuda");
        match self {
            Self::Auto if nvidia => Ok(Self::Bf16),
            Self::Auto => Ok(Self::F32),
            Self::Bf16 if device == "cpu" => {
                Err("is bf16, but device `cpu` computes in f32; give auto or f32".into())
            }
            fixed => Ok(fixed),
        }
    }

    /// Bytes of a number.
    pub fn bytes(self) -> u64 {
        if self == Self::Bf16 { 2 } else { 4 }
    }

    /// burn's name for it.
    pub fn dtype(self) -> FloatDType {
        if self == Self::Bf16 { FloatDType::BF16 } else { FloatDType::F32 }
    }
}

/// `x` in `dtype`; as it is where it has that.
pub fn cast<const D: usize>(x: Tensor<D>, dtype: FloatDType) -> Tensor<D> {
    if x.dtype() == dtype.into() { x } else { x.cast(dtype) }
}

/// `x` in f32: what blocks add to one another, so that not every block rounds the whole sum.
pub fn wide<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    cast(x, FloatDType::F32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auto_is_what_the_device_is_good_at() {
        for (device, comes_to) in [
            ("cpu", Precision::F32),
            ("tch", Precision::F32),
            ("vulkan", Precision::F32),
            ("cuda", Precision::Bf16),
            ("tch:cuda:1", Precision::Bf16),
        ] {
            assert_eq!(Precision::Auto.on(device), Ok(comes_to), "{device}");
        }
        assert!(Precision::Bf16.on("cpu").is_err());
        assert_eq!(Precision::F32.on("cuda"), Ok(Precision::F32));
    }
}
