//! Builds layers from a source, and lists what does not fit.

use std::cell::RefCell;
use std::fmt::Display;

use burn::tensor::{Device, FloatDType, Tensor, TensorData};

use crate::error::Error;
use crate::layers::{Conv2d, ConvShape, GroupNorm, LayerNorm, Linear};
use crate::precision::{Precision, cast};
use crate::weights::Source;

/// What did not fit so far.
#[derive(Debug, Default)]
pub struct Report {
    missing: Vec<String>,
    misshapen: Vec<String>,
    failure: Option<Error>,
}

/// A place in a model's tree of names, where layers are loaded from.
///
/// A missing tensor is noted and stands as zeros until [`Loader::finish`] fails
/// with all names at once.
#[derive(Clone)]
pub struct Loader<'a> {
    source: &'a Source,
    device: &'a Device,
    report: &'a RefCell<Report>,
    path: String,
}

impl<'a> Loader<'a> {
    /// The root of a model's names.
    pub fn new(source: &'a Source, device: &'a Device, report: &'a RefCell<Report>) -> Self {
        Self { source, device, report, path: String::new() }
    }

    /// The place `part` below this one.
    pub fn at(&self, part: impl Display) -> Self {
        Self { path: self.name(part), ..self.clone() }
    }

    /// This place's path.
    pub fn path(&self) -> String {
        self.path.clone()
    }

    fn name(&self, part: impl Display) -> String {
        if self.path.is_empty() { part.to_string() } else { format!("{}.{part}", self.path) }
    }

    /// The tensor `part` with exactly `shape`, as PyTorch lays it out, in f32.
    pub fn tensor<const D: usize>(&self, part: &str, shape: [usize; D]) -> Tensor<D> {
        cast(self.weight(part, shape), FloatDType::F32)
    }

    /// The tensor `part` with exactly `shape`, as PyTorch lays it out, in the file's float type.
    ///
    /// Ones of size 1 at the end of the shape may come or go: 1 x 1 convolutions and linear layers
    /// hold the same matrix.
    fn weight<const D: usize>(&self, part: &str, shape: [usize; D]) -> Tensor<D> {
        if let Some(tensor) = self.source.in_memory(&self.name(part), &shape) {
            return tensor.reshape(shape);
        }
        let data = self.stored(part, &shape).unwrap_or_else(|| {
            TensorData::new(vec![0f32; shape.iter().product()], shape) // until `finish` fails
        });
        let (bytes, _, dtype) = data.into_parts();
        let data = TensorData::from_bytes(bytes, shape, dtype);
        Tensor::from_data(data, (self.device, dtype))
    }

    /// A matrix or a convolution's kernel: [`Loader::weight`] in what the model is computed in.
    fn matrix<const D: usize>(&self, part: &str, shape: [usize; D]) -> Tensor<D> {
        let weight = self.weight(part, shape);
        match self.source.precision() {
            Precision::Bf16 => cast(weight, FloatDType::BF16),
            _ => weight,
        }
    }

    fn stored(&self, part: &str, shape: &[usize]) -> Option<TensorData> {
        let name = self.name(part);
        match self.source.stored(&name) {
            Ok(Some(data)) if trimmed(data.shape()) == trimmed(shape) => return Some(data),
            Ok(Some(data)) => {
                let line =
                    format!("{name}: {:?} in the file, {shape:?} wanted", data.shape().as_slice());
                self.report.borrow_mut().misshapen.push(line);
            }
            Ok(None) => self.report.borrow_mut().missing.push(name),
            Err(error) => {
                self.report.borrow_mut().failure.get_or_insert(error);
            }
        }
        None
    }

    /// A linear layer; its weight is `[d_out, d_in]`.
    pub fn linear(&self, part: &str, d_in: usize, d_out: usize, bias: bool) -> Linear {
        let here = self.at(part);
        let weight = here.matrix("weight", [d_out, d_in]);
        let linear = Linear::new(here.path(), weight, bias.then(|| here.tensor("bias", [d_out])));
        linear.computed_in(self.source.precision().dtype())
    }

    /// A convolution with bias.
    pub fn conv(&self, part: &str, shape: ConvShape) -> Conv2d {
        let here = self.at(part);
        let weight = here.matrix("weight", [shape.c_out, shape.c_in, shape.kernel, shape.kernel]);
        let conv =
            Conv2d::new(here.path(), weight, Some(here.tensor("bias", [shape.c_out])), shape);
        conv.computed_in(self.source.precision().dtype())
    }

    /// A group normalisation.
    pub fn group_norm(
        &self,
        part: &str,
        channels: usize,
        groups: usize,
        epsilon: f64,
    ) -> GroupNorm {
        let here = self.at(part);
        let (gamma, beta) = (here.tensor("weight", [channels]), here.tensor("bias", [channels]));
        GroupNorm::new(gamma, beta, groups, epsilon)
    }

    /// A layer normalisation.
    pub fn layer_norm(&self, part: &str, width: usize, epsilon: f64) -> LayerNorm {
        let here = self.at(part);
        LayerNorm::new(here.tensor("weight", [width]), here.tensor("bias", [width]), epsilon)
    }

    /// Fails with every name that was missing, unknown or misshapen.
    pub fn finish(&self, component: &str) -> Result<(), Error> {
        let report = self.report.take();
        if let Some(error) = report.failure {
            return Err(error);
        }
        let unused = self.source.unused();
        if report.missing.is_empty() && report.misshapen.is_empty() && unused.is_empty() {
            return Ok(());
        }
        Err(Error::Names {
            component: component.into(),
            path: self.source.origin().into(),
            missing: report.missing,
            unused,
            misshapen: report.misshapen,
        })
    }
}

fn trimmed(shape: &[usize]) -> &[usize] {
    match shape {
        [matrix @ .., 1, 1] if matrix.len() == 2 => matrix,
        other => other,
    }
}
