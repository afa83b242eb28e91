//! Builds layers from a source, and lists what does not fit.

use std::cell::RefCell;
use std::fmt::Display;

use burn::tensor::{Device, Tensor, TensorData};

use crate::error::Error;
use crate::layers::{Conv2d, ConvShape, GroupNorm, LayerNorm, Linear};
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

    /// The tensor `part` with exactly `shape`, as PyTorch lays it out.
    pub fn tensor<const D: usize>(&self, part: &str, shape: [usize; D]) -> Tensor<D> {
        Tensor::from_data(TensorData::new(self.values(part, &shape), shape), self.device)
    }

    /// Elements of `part`; ones of size 1 at the end of the shape may come or go (1 x 1
    /// convolutions and linear layers hold the same matrix).
    fn values(&self, part: &str, shape: &[usize]) -> Vec<f32> {
        let name = self.name(part);
        let zeros = || vec![0.0; shape.iter().product()];
        match self.source.read(&name) {
            Ok(Some(tensor)) if trimmed(&tensor.shape) == trimmed(shape) => tensor.values,
            Ok(Some(tensor)) => {
                let line = format!("{name}: {:?} in the file, {shape:?} wanted", tensor.shape);
                self.report.borrow_mut().misshapen.push(line);
                zeros()
            }
            Ok(None) => {
                self.report.borrow_mut().missing.push(name);
                zeros()
            }
            Err(error) => {
                self.report.borrow_mut().failure.get_or_insert(error);
                zeros()
            }
        }
    }

    /// A linear layer; the file has its weight as `[d_out, d_in]`.
    pub fn linear(&self, part: &str, d_in: usize, d_out: usize, bias: bool) -> Linear {
        let here = self.at(part);
        let values = transposed(&here.values("weight", &[d_out, d_in]), d_out, d_in);
        let weight = Tensor::from_data(TensorData::new(values, [d_in, d_out]), self.device);
        Linear::new(here.path(), weight, bias.then(|| here.tensor("bias", [d_out])))
    }

    /// A convolution with bias.
    pub fn conv(&self, part: &str, shape: ConvShape) -> Conv2d {
        let here = self.at(part);
        let weight = here.tensor("weight", [shape.c_out, shape.c_in, shape.kernel, shape.kernel]);
        Conv2d::new(here.path(), weight, Some(here.tensor("bias", [shape.c_out])), shape)
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

/// `[rows, columns]` to `[columns, rows]`, in blocks that fit the cache.
fn transposed(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    const BLOCK: usize = 32;
    let mut out = vec![0.0; values.len()];
    for row_block in (0..rows).step_by(BLOCK) {
        for column_block in (0..columns).step_by(BLOCK) {
            for row in row_block..(row_block + BLOCK).min(rows) {
                for column in column_block..(column_block + BLOCK).min(columns) {
                    out[column * rows + row] = values[row * columns + column];
                }
            }
        }
    }
    out
}
