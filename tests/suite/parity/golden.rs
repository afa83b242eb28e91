//! One golden case: its values, its tolerances, and what was found to differ.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use burn::tensor::{Device, Tensor, TensorData};
use likeness_diffusion::weights::{HostTensor, TensorFile};
use serde_json::Value;

/// A case and its findings.
pub struct Case {
    pub name: String,
    pub folder: PathBuf,
    pub meta: Value,
    pub failures: Vec<String>,
    io: TensorFile,
    seen: BTreeSet<String>,
    worst: f64,
    worst_key: String,
}

impl Case {
    pub fn open(folder: &Path) -> Self {
        let text =
            std::fs::read_to_string(folder.join("meta.json")).expect("meta.json is readable");
        // Python writes infinities bare, which JSON does not know; no check reads one.
        let text = text.replace("-Infinity", "null").replace("Infinity", "null");
        let meta: Value = serde_json::from_str(&text).expect("meta.json is JSON");
        Self {
            name: meta["case"].as_str().expect("a case has a name").to_owned(),
            folder: folder.to_owned(),
            io: TensorFile::open(&folder.join("io.safetensors")).expect("io.safetensors is whole"),
            meta,
            failures: Vec::new(),
            seen: BTreeSet::new(),
            worst: 0.0,
            worst_key: String::new(),
        }
    }

    /// One line for a person: what was checked, and how close it came to its tolerance.
    pub fn line(&self) -> String {
        let unseen: BTreeSet<_> = self
            .io
            .names()
            .iter()
            .filter(|name| !self.seen.contains(*name))
            .map(|name| name.split('/').next().unwrap_or_default().to_owned())
            .collect();
        let verdict = if self.failures.is_empty() { "ok" } else { "FAILED" };
        let rest = if unseen.is_empty() {
            String::new()
        } else {
            format!("  (not built yet: {})", unseen.into_iter().collect::<Vec<_>>().join(", "))
        };
        format!(
            "{:<16} {verdict}  {} of {} tensors, worst error {:.3} of its tolerance at {}{rest}",
            self.name,
            self.seen.len(),
            self.io.names().len(),
            self.worst,
            self.worst_key
        )
    }

    pub fn has(&self, key: &str) -> bool {
        self.io.shape(key).is_some()
    }

    pub fn keys(&self) -> Vec<String> {
        self.io.names()
    }

    pub fn host(&mut self, key: &str) -> HostTensor {
        self.seen.insert(key.to_owned());
        self.io
            .read(key)
            .unwrap_or_else(|e| panic!("{}: {e}", self.name))
            .unwrap_or_else(|| panic!("{} has no `{key}`", self.name))
    }

    pub fn tensor<const D: usize>(&mut self, key: &str, device: &Device) -> Tensor<D> {
        let host = self.host(key);
        Tensor::from_data(TensorData::new(host.values, host.shape), device)
    }

    pub fn ints(&mut self, key: &str) -> Vec<i64> {
        self.seen.insert(key.to_owned());
        let ints = self.io.read_ints(key).unwrap_or_else(|e| panic!("{}: {e}", self.name));
        ints.unwrap_or_else(|| panic!("{} has no `{key}`", self.name))
    }

    /// Numbers of a tensor of any kind.
    pub fn numbers(&mut self, key: &str) -> Vec<f64> {
        self.seen.insert(key.to_owned());
        if let Some(values) = self.io.read_f64(key) {
            return values;
        }
        match self.io.is_float(key) {
            true => self.host(key).values.into_iter().map(f64::from).collect(),
            false => self.ints(key).into_iter().map(|n| n as f64).collect(),
        }
    }

    /// Rows of token ids, `[batch, 77]`.
    pub fn id_rows(&mut self, key: &str) -> Vec<Vec<u32>> {
        let width = self.io.shape(key).expect("ids are there")[1];
        let ids: Vec<u32> = self.ints(key).into_iter().map(|id| id as u32).collect();
        ids.chunks(width).map(<[u32]>::to_vec).collect()
    }

    /// The case's tolerance for `key`: `max(1e-5, 2e-5 max|want|, 20 noise floor)`.
    fn tolerance(&self, key: &str, want: &[f64]) -> f64 {
        let floor = self.meta["tolerance"]["noise_floor"][key].as_f64().unwrap_or(0.0);
        let largest = want.iter().fold(0.0f64, |largest, x| largest.max(x.abs()));
        (2e-5 * largest).max(20.0 * floor).max(1e-5)
    }

    pub fn check<const D: usize>(&mut self, key: &str, got: Tensor<D>) {
        self.check_data(key, &got.into_data());
    }

    pub fn check_data(&mut self, key: &str, got: &TensorData) {
        let got: Vec<f64> = got.iter::<f64>().collect();
        self.check_numbers(key, &got);
    }

    pub fn check_numbers(&mut self, key: &str, got: &[f64]) {
        let want = self.numbers(key);
        let tolerance = self.tolerance(key, &want);
        self.compare(key, got, &want, |_| tolerance);
    }

    /// Compares element by element; `tolerance` is told the wanted value.
    pub fn compare(
        &mut self,
        key: &str,
        got: &[f64],
        want: &[f64],
        tolerance: impl Fn(f64) -> f64,
    ) {
        if got.len() != want.len() {
            let lengths = format!("{} elements instead of {}", got.len(), want.len());
            self.failures.push(format!("{} {key}: {lengths}", self.name));
            return;
        }
        let ratio = |(got, want): (&f64, &f64)| match got.is_finite() {
            true => (got - want).abs() / tolerance(*want),
            false => f64::INFINITY,
        };
        let worst = got.iter().zip(want).map(ratio).fold(0.0, f64::max);
        self.note(key, worst);
    }

    /// Notes an error as a share of its tolerance.
    pub fn note(&mut self, key: &str, worst: f64) {
        if worst > self.worst {
            (self.worst, self.worst_key) = (worst, key.to_owned());
        }
        if worst > 1.0 {
            self.failures.push(format!("{} {key}: {worst:.2} times its tolerance", self.name));
        }
    }

    /// Notes something that must be equal.
    pub fn equal<T: PartialEq + std::fmt::Debug>(&mut self, what: &str, got: T, want: T) {
        if got != want {
            self.failures.push(format!("{} {what}: {got:?} instead of {want:?}", self.name));
        }
    }

    /// The case `name` made by the same run of the generator: beside this one.
    pub fn sibling(&self, name: &str) -> PathBuf {
        self.folder.parent().expect("cases lie in a folder").join(name)
    }
}
