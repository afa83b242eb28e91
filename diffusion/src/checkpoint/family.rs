//! Which family a checkpoint is of, told by names and shapes of its tensors.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::weights::TensorFile;
use crate::weights::names::{ldm, openclip};

/// A family of base models that this version trains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// Stable Diffusion 1.x: CLIP ViT-L/14's text tower, projections by convolution.
    Sd1,
    /// Stable Diffusion 2.x: OpenCLIP's text tower, projections by linear layers.
    Sd2,
}

impl Family {
    /// The name people know it by.
    pub fn title(self) -> &'static str {
        match self {
            Self::Sd1 => "SD 1.x",
            Self::Sd2 => "SD 2.x",
        }
    }
}

/// Tensor names that only other families have, with what to call them.
const OTHERS: [(&str, &str); 9] = [
    ("conditioner.embedders.1.", "an SDXL checkpoint"),
    ("conditioner.embedders.0.", "an SDXL refiner checkpoint"),
    ("add_embedding.linear_1.weight", "an SDXL UNet"),
    ("model.diffusion_model.joint_blocks.", "an SD 3 checkpoint"),
    ("joint_blocks.", "an SD 3 transformer"),
    ("double_blocks.", "a FLUX transformer"),
    ("model.diffusion_model.double_blocks.", "a FLUX checkpoint"),
    ("single_transformer_blocks.", "a FLUX transformer"),
    ("lora_unet_", "a LoRA, not a base model"),
];

/// The family of a single file.
pub fn of_single(file: &TensorFile) -> Result<Family, Error> {
    let names = file.names();
    refuse_others(file.path(), &names)?;
    let has = |prefix: &str| names.iter().any(|name| name.starts_with(prefix));
    if !has(ldm::UNET) {
        let reason = format!("it has no tensors below `{}`", ldm::UNET);
        return Err(Error::NotACheckpoint { path: file.path().into(), reason });
    }
    refuse_inpainting(file, &format!("{}input_blocks.0.0.weight", ldm::UNET))?;
    if has(openclip::TEXT) { Ok(Family::Sd2) } else { Ok(Family::Sd1) }
}

/// The family of a diffusers folder, by its UNet's file.
pub fn of_unet(file: &TensorFile) -> Result<Family, Error> {
    let names = file.names();
    refuse_others(file.path(), &names)?;
    refuse_inpainting(file, "conv_in.weight")?;
    let mut shapes = names.iter().filter(|name| name.ends_with(".proj_in.weight"));
    match shapes.next().and_then(|name| file.shape(name)).map(<[usize]>::len) {
        Some(4) => Ok(Family::Sd1),
        Some(2) => Ok(Family::Sd2),
        _ => {
            let found = "of a family that likeness does not know (no transformer in its UNet)";
            Err(Error::Family { path: file.path().into(), found: found.into() })
        }
    }
}

fn refuse_others(path: &Path, names: &[String]) -> Result<(), Error> {
    let other = OTHERS.iter().find(|(mark, _)| names.iter().any(|name| name.starts_with(mark)));
    match other {
        Some((_, found)) => Err(Error::Family { path: path.into(), found: (*found).to_owned() }),
        None => Ok(()),
    }
}

fn refuse_inpainting(file: &TensorFile, conv_in: &str) -> Result<(), Error> {
    let found = match file.shape(conv_in).and_then(|shape| shape.get(1)) {
        Some(9) => "an inpainting checkpoint",
        Some(8) => "an InstructPix2Pix checkpoint",
        _ => return Ok(()),
    };
    Err(Error::Family { path: file.path().into(), found: found.into() })
}
