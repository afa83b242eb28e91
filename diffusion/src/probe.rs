//! Looking at what each block of a model puts out.
//!
//! A probe sees the blocks' outputs in the order of evaluation, under diffusers'
//! names. The tests compare them with a reference; a trainer whose loss is not
//! finite asks for the first block that went wrong.

use burn::tensor::{Tensor, TensorData};

/// Something that wants to see intermediate results.
pub trait Probe {
    /// Called with a block's name and its output.
    fn see(&mut self, name: &str, output: TensorData);
}

/// A probe that may be absent, which costs nothing then.
pub type MaybeProbe<'a> = Option<&'a mut dyn Probe>;

/// Shows `output` to the probe, if there is one.
pub fn show<const D: usize>(probe: &mut MaybeProbe<'_>, name: &str, output: &Tensor<D>) {
    if let Some(probe) = probe {
        probe.see(name, output.clone().inner().into_data());
    }
}

/// Remembers the first block whose output is not finite.
#[derive(Debug, Default)]
pub struct FirstNonFinite {
    /// The block's name, once one was found.
    pub name: Option<String>,
}

impl Probe for FirstNonFinite {
    fn see(&mut self, name: &str, output: TensorData) {
        if self.name.is_none() && !output.iter::<f32>().all(f32::is_finite) {
            self.name = Some(name.to_owned());
        }
    }
}
