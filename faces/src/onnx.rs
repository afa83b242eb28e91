//! Writes small networks as ONNX files, which this crate's own models are.
//!
//! A [`Graph`] grows node by node; each call gives the name of what it computes. Only operations
//! of opset 13 that every runtime has are written. Source:
//! <https://github.com/onnx/onnx/blob/main/docs/Operators.md>.

use std::collections::BTreeMap;

use prost::Message;
use tract_onnx::pb;

use pb::attribute_proto::AttributeType;
use pb::tensor_proto::DataType;

/// The set of operations that the nodes are of.
const OPSET: i64 = 13;
/// The file format that came with it.
const IR_VERSION: i64 = 7;

/// A network that grows.
#[derive(Debug, Default)]
pub struct Graph {
    nodes: Vec<pb::NodeProto>,
    constants: Vec<pb::TensorProto>,
}

/// An attribute of a node.
enum Attribute<'a> {
    Int(i64),
    Ints(&'a [i64]),
}

impl Graph {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// A weight of `shape`, stored in half precision and widened as it is loaded.
    pub fn weight(&mut self, shape: &[usize], values: &[f32]) -> String {
        assert_eq!(shape.iter().product::<usize>(), values.len(), "a weight of shape {shape:?}");
        let halves = values.iter().flat_map(|value| half::f16::from_f32(*value).to_le_bytes());
        let stored = self.constant(DataType::Float16, shape, halves.collect());
        let to = DataType::Float as i64;
        self.node("Cast", &[&stored], &[("to", Attribute::Int(to))])
    }

    /// A single number in full precision.
    fn scalar(&mut self, value: f32) -> String {
        self.constant(DataType::Float, &[], value.to_le_bytes().into())
    }

    /// A list of whole numbers, such as a shape.
    fn integers(&mut self, values: &[i64]) -> String {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(DataType::Int64, &[values.len()], bytes)
    }

    fn constant(&mut self, of: DataType, shape: &[usize], raw_data: Vec<u8>) -> String {
        let name = format!("c{}", self.constants.len());
        let dims = shape.iter().map(|side| *side as i64).collect();
        self.constants.push(pb::TensorProto {
            name: name.clone(),
            dims,
            data_type: of as i32,
            raw_data,
            ..Default::default()
        });
        name
    }

    fn node(&mut self, op: &str, inputs: &[&str], attributes: &[(&str, Attribute)]) -> String {
        let output = format!("n{}", self.nodes.len());
        let attribute = attributes.iter().map(|(name, value)| {
            let mut attribute = pb::AttributeProto { name: name.to_string(), ..Default::default() };
            match value {
                Attribute::Int(value) => {
                    (attribute.r#type, attribute.i) = (AttributeType::Int as i32, *value);
                }
                Attribute::Ints(values) => {
                    attribute.r#type = AttributeType::Ints as i32;
                    attribute.ints = values.to_vec();
                }
            }
            attribute
        });
        self.nodes.push(pb::NodeProto {
            name: output.clone(),
            op_type: op.to_owned(),
            input: inputs.iter().map(|input| input.to_string()).collect(),
            output: vec![output.clone()],
            attribute: attribute.collect(),
            ..Default::default()
        });
        output
    }

    /// A convolution of `x` with a square `weight` `[c_out, c_in, k, k]` and a `bias` `[c_out]`,
    /// padded by half the kernel.
    pub fn conv(
        &mut self,
        x: &str,
        weight: (&[usize], &[f32]),
        bias: &[f32],
        stride: i64,
    ) -> String {
        let pad = (weight.0[3] / 2) as i64;
        let weight = self.weight(weight.0, weight.1);
        let bias = self.weight(&[bias.len()], bias);
        let (strides, pads) = ([stride; 2], [pad; 4]);
        let attributes = [("strides", Attribute::Ints(&strides)), ("pads", Attribute::Ints(&pads))];
        self.node("Conv", &[x, &weight, &bias], &attributes)
    }

    /// Group normalisation of `x` `[1, channels, height, width]`, then SiLU.
    pub fn group_norm_silu(
        &mut self,
        x: &str,
        shape: [usize; 3],
        groups: usize,
        (gamma, beta): (&[f32], &[f32]),
        epsilon: f32,
    ) -> String {
        let [channels, height, width] = shape.map(|side| side as i64);
        let grouped = self.integers(&[1, groups as i64, -1]);
        let whole = self.integers(&[1, channels, height, width]);
        let x = self.node("Reshape", &[x, &grouped], &[]);
        let mean = self.mean(&x, &[2]);
        let x = self.node("Sub", &[&x, &mean], &[]);
        let square = self.node("Mul", &[&x, &x], &[]);
        let variance = self.mean(&square, &[2]);
        let epsilon = self.scalar(epsilon);
        let variance = self.node("Add", &[&variance, &epsilon], &[]);
        let deviation = self.node("Sqrt", &[&variance], &[]);
        let x = self.node("Div", &[&x, &deviation], &[]);
        let x = self.node("Reshape", &[&x, &whole], &[]);
        let a_channel = [1, gamma.len(), 1, 1];
        let (gamma, beta) = (self.weight(&a_channel, gamma), self.weight(&a_channel, beta));
        let x = self.node("Mul", &[&x, &gamma], &[]);
        let x = self.node("Add", &[&x, &beta], &[]);
        let gate = self.sigmoid(&x);
        self.node("Mul", &[&x, &gate], &[])
    }

    /// The mean over `axes`, which stay with length one.
    pub fn mean(&mut self, x: &str, axes: &[i64]) -> String {
        self.node("ReduceMean", &[x], &[("axes", Attribute::Ints(axes))])
    }

    /// `a + b`.
    pub fn add(&mut self, a: &str, b: &str) -> String {
        self.node("Add", &[a, b], &[])
    }

    /// `1 / (1 + exp(-x))`.
    pub fn sigmoid(&mut self, x: &str) -> String {
        self.node("Sigmoid", &[x], &[])
    }

    /// `x` with its numbers in another shape; one side may be -1.
    pub fn reshape(&mut self, x: &str, shape: &[i64]) -> String {
        let shape = self.integers(shape);
        self.node("Reshape", &[x, &shape], &[])
    }

    /// `x` with its axes in another order.
    pub fn transpose(&mut self, x: &str, order: &[i64]) -> String {
        self.node("Transpose", &[x], &[("perm", Attribute::Ints(order))])
    }

    /// The elements `from..to` of the last of `x`'s `axes`.
    pub fn slice(&mut self, x: &str, axis: i64, from: i64, to: i64) -> String {
        let [starts, ends, axes] = [from, to, axis].map(|number| self.integers(&[number]));
        self.node("Slice", &[x, &starts, &ends, &axes], &[])
    }

    /// `x Wᵀ + b` of `x` `[1, d_in]` with `weight` `[d_out, d_in]`.
    pub fn linear(&mut self, x: &str, weight: (&[usize], &[f32]), bias: &[f32]) -> String {
        let weight = self.weight(weight.0, weight.1);
        let bias = self.weight(&[bias.len()], bias);
        self.node("Gemm", &[x, &weight, &bias], &[("transB", Attribute::Int(1))])
    }

    /// The file of the network that reads `input` (see [`Graph::INPUT`]) of `shape` and gives
    /// `outputs`, each called as its key says, with its shape.
    pub fn file(
        self,
        shape: &[usize],
        outputs: &BTreeMap<String, (String, Vec<usize>)>,
    ) -> Vec<u8> {
        let mut nodes = self.nodes;
        for (name, (computed, _)) in outputs {
            nodes.push(pb::NodeProto {
                name: name.clone(),
                op_type: "Identity".to_owned(),
                input: vec![computed.clone()],
                output: vec![name.clone()],
                ..Default::default()
            });
        }
        let graph = pb::GraphProto {
            name: "likeness".to_owned(),
            node: nodes,
            initializer: self.constants,
            input: vec![value(Self::INPUT, shape)],
            output: outputs.iter().map(|(name, (_, shape))| value(name, shape)).collect(),
            ..Default::default()
        };
        let model = pb::ModelProto {
            ir_version: IR_VERSION,
            producer_name: "likeness".to_owned(),
            opset_import: vec![pb::OperatorSetIdProto { domain: String::new(), version: OPSET }],
            graph: Some(graph),
            ..Default::default()
        };
        model.encode_to_vec()
    }

    /// The name of what a network reads.
    pub const INPUT: &'static str = "input";
}

/// Name, type and shape of what goes in or comes out.
fn value(name: &str, shape: &[usize]) -> pb::ValueInfoProto {
    use pb::tensor_shape_proto::{Dimension, dimension};
    use pb::type_proto;
    let side = |side: &usize| Dimension {
        value: Some(dimension::Value::DimValue(*side as i64)),
        ..Default::default()
    };
    let shape = pb::TensorShapeProto { dim: shape.iter().map(side).collect() };
    let tensor = type_proto::Tensor { elem_type: DataType::Float as i32, shape: Some(shape) };
    pb::ValueInfoProto {
        name: name.to_owned(),
        r#type: Some(pb::TypeProto {
            value: Some(type_proto::Value::TensorType(tensor)),
            ..Default::default()
        }),
        ..Default::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{plan, run};

    #[test]
    fn a_network_of_half_precision_is_computed_in_full() {
        let mut graph = Graph::new();
        let to = |of: DataType| [("to", Attribute::Int(of as i64))];
        let half = graph.node("Cast", &[Graph::INPUT], &to(DataType::Float16));
        let three = half::f16::from_f32(3.0).to_le_bytes().into();
        let weight = graph.constant(DataType::Float16, &[1, 1, 1, 1], three);
        let product = graph.node("Mul", &[&half, &weight], &[]);
        let full = graph.node("Cast", &[&product], &to(DataType::Float));
        let shape = [1, 3, 1, 1];
        let file = graph.file(&shape, &[("out".to_owned(), (full, shape.into()))].into());
        let values = [1.0 + 2f32.powi(-14), 0.5, -2.0]; // half precision rounds the first to 1
        let found = run(&plan(shape, &file).expect("a plan"), shape, &values).expect("a run");
        assert_eq!(found[0].values, values.map(|value| 3.0 * value));
    }
}
