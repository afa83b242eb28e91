//! A model's weights by name, a convolution's output at a time.

use std::collections::HashMap;

use burn::tensor::{Device, Tensor, TensorData};
use likeness_diffusion::layers::{Conv2d, ConvShape};
use likeness_diffusion::weights::HostTensor;

use super::pairs::Pairs;

/// One output of a convolution.
pub struct Row {
    /// What is added.
    pub bias: f32,
    /// Input channel, row and column of the kernel; weight.
    pub taps: Vec<([usize; 3], f32)>,
}

/// Weights by name.
pub struct Named(pub HashMap<String, HostTensor>);

impl Named {
    fn get(&mut self, name: String) -> &mut HostTensor {
        self.0.get_mut(&name).expect("the model asks for this weight")
    }

    /// Makes output `out` of the convolution `name` nothing but `taps` and `bias`.
    pub fn row(
        &mut self,
        name: &str,
        out: usize,
        bias: f32,
        taps: impl IntoIterator<Item = ([usize; 3], f32)>,
    ) {
        self.get(format!("{name}.bias")).values[out] = bias;
        let HostTensor { shape, values } = self.get(format!("{name}.weight"));
        let (kernel, each) = (shape[3], shape[1] * shape[2] * shape[3]);
        let row = &mut values[out * each..(out + 1) * each];
        row.fill(0.0);
        for ([from, y, x], weight) in taps {
            row[(from * kernel + y) * kernel + x] = weight;
        }
    }

    pub fn set(&mut self, name: &str, out: usize, row: Row) {
        self.row(name, out, row.bias, row.taps);
    }

    /// Lets the convolution `name` pass its first `count` channels as they are.
    pub fn embed(&mut self, name: &str, count: usize) {
        let middle = self.get(format!("{name}.weight")).shape[3] / 2;
        (0..count).for_each(|i| self.row(name, i, 0.0, [([i, middle, middle], 1.0)]));
    }

    /// Puts numbers in `pairs`: `rows` of `conv`, through the shortcut after it if there is one.
    pub fn paired(&mut self, conv: &str, shortcut: Option<&str>, rows: Vec<Row>, pairs: &Pairs) {
        let last = shortcut.unwrap_or(conv);
        pairs.taken.iter().for_each(|channel| self.row(last, *channel, 0.0, []));
        for (number, (row, &channel)) in rows.into_iter().zip(&pairs.channels).enumerate() {
            let passed = match shortcut {
                Some(_) => {
                    self.set(conv, number, row);
                    Row { bias: 0.0, taps: vec![([number, 0, 0], 1.0)] }
                }
                None => row,
            };
            let opposite = passed.taps.iter().map(|(tap, weight)| (*tap, -weight)).collect();
            self.set(last, channel + 1, Row { bias: -passed.bias, taps: opposite });
            self.set(last, channel, passed);
        }
        for (channel, constant) in &pairs.constants {
            self.row(last, *channel, *constant, []);
            self.row(last, channel + 1, -constant, []);
        }
    }

    /// Takes them out again in the convolution after the normalisation.
    pub fn unpaired(&mut self, name: &str, pairs: &Pairs) {
        for (number, (channel, divisor)) in pairs.channels.iter().zip(&pairs.divisors).enumerate() {
            let taps = [([*channel, 1, 1], *divisor), ([channel + 1, 1, 1], -divisor)];
            self.row(name, number, 0.0, taps);
        }
    }

    /// The convolution `name`, which keeps the size.
    pub fn layer(&self, name: &str, device: &Device) -> Conv2d {
        let HostTensor { shape, values } = &self.0[&format!("{name}.weight")];
        let [c_out, c_in, kernel] = [shape[0], shape[1], shape[3]];
        let shape = if kernel == 1 {
            ConvShape::pointwise(c_in, c_out)
        } else {
            ConvShape::same(c_in, c_out)
        };
        let data = TensorData::new(values.clone(), [c_out, c_in, kernel, kernel]);
        let bias = self.0[&format!("{name}.bias")].values.clone();
        let bias = Tensor::from_data(TensorData::new(bias, [c_out]), device);
        Conv2d::new(name.into(), Tensor::from_data(data, device), Some(bias), shape)
    }
}
