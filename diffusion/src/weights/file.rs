//! One safetensors file, memory-mapped; its header is checked before it is believed.
//!
//! Format: <https://github.com/huggingface/safetensors#format>.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{Read, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use burn::tensor::{DType, TensorData};
use half::{bf16, f16};
use memmap2::Mmap;
use safetensors::tensor::{Metadata, TensorInfo};
use safetensors::{Dtype, SafeTensors};

use crate::atomic;
use crate::error::Error;
use crate::weights::mapped::mapped;

/// Endings that pickles go by.
const PICKLE_ENDINGS: [&str; 5] = ["ckpt", "pt", "pth", "bin", "pkl"];
/// First bytes of a zip archive (torch.save since 1.6) and of a bare pickle.
const PICKLE_STARTS: [&[u8]; 2] = [b"PK\x03\x04", b"\x80\x02"];

/// A tensor in memory: f32, row-major.
#[derive(Debug, Clone, PartialEq)]
pub struct HostTensor {
    /// Sizes, outermost first.
    pub shape: Vec<usize>,
    /// Elements, row-major.
    pub values: Vec<f32>,
}

/// An open safetensors file.
#[derive(Debug)]
pub struct TensorFile {
    path: PathBuf,
    map: Arc<Mmap>,
    header: Metadata,
    data_start: usize,
}

impl TensorFile {
    /// Opens `path` and checks that its header fits the file.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let mut file = File::open(path).map_err(Error::io("open", path))?;
        refuse_pickle(path, &mut file)?;
        // SAFETY: the map is only read. If another process shortens the file under us the
        // system ends this one with SIGBUS; it cannot corrupt memory that others own.
        #[allow(unsafe_code)]
        let map = unsafe { Mmap::map(&file) }.map_err(Error::io("map", path))?;
        let broken = |reason: String| Error::BrokenFile { path: path.into(), reason };
        let (header_bytes, header) =
            SafeTensors::read_metadata(&map).map_err(|e| broken(e.to_string()))?;
        Ok(Self { path: path.into(), data_start: header_bytes + 8, map: Arc::new(map), header })
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Names of all tensors, sorted.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<_> = self.header.tensors().into_keys().collect();
        names.sort();
        names
    }

    /// The free-form header, `__metadata__`.
    pub fn metadata(&self) -> HashMap<String, String> {
        self.header.metadata().clone().unwrap_or_default()
    }

    /// The shape of a tensor, if it is there.
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.header.info(name).map(|info| info.shape.as_slice())
    }

    /// Whether the tensor holds floating-point numbers.
    pub fn is_float(&self, name: &str) -> bool {
        let float = |info: &TensorInfo| {
            matches!(info.dtype, Dtype::F16 | Dtype::BF16 | Dtype::F32 | Dtype::F64)
        };
        self.header.info(name).is_some_and(float)
    }

    /// A floating-point tensor as f32. `Ok(None)` when it is not there.
    pub fn read(&self, name: &str) -> Result<Option<HostTensor>, Error> {
        let Some(info) = self.header.info(name) else {
            return Ok(None);
        };
        let bytes = self.bytes(info);
        let values = match info.dtype {
            Dtype::F32 => convert(bytes, f32::from_le_bytes),
            Dtype::F16 => convert(bytes, |b| f16::from_le_bytes(b).to_f32()),
            Dtype::BF16 => convert(bytes, |b| bf16::from_le_bytes(b).to_f32()),
            Dtype::F64 => convert(bytes, |b| f64::from_le_bytes(b) as f32),
            other => {
                let reason = format!("`{name}` holds {other:?}, not f32, f16 or bf16");
                return Err(Error::BrokenFile { path: self.path.clone(), reason });
            }
        };
        Ok(Some(HostTensor { shape: info.shape.clone(), values }))
    }

    /// Rows `part` of `parts` equal ones of a floating-point tensor, in the file's own float type
    /// and without a copy where the file allows it. `Ok(None)` when the tensor is not there.
    pub fn stored(
        &self,
        name: &str,
        (part, parts): (usize, usize),
    ) -> Result<Option<TensorData>, Error> {
        let Some(info) = self.header.info(name) else {
            return Ok(None);
        };
        let dtype = match info.dtype {
            Dtype::F32 => DType::F32,
            Dtype::F16 => DType::F16,
            Dtype::BF16 => DType::BF16,
            _ => DType::F64, // or an error, which reading gives
        };
        let mut shape = info.shape.clone();
        if let Some(rows) = shape.first_mut() {
            *rows /= parts;
        }
        let range = self.range(info);
        let length = range.len() / parts;
        let range = range.start + part * length..range.start + (part + 1) * length;
        let aligned = (self.map[range.clone()].as_ptr() as usize).is_multiple_of(dtype.size());
        if dtype == DType::F64 || !aligned || cfg!(target_endian = "big") {
            let values = self.read(name)?.expect("it is there, by its header").values;
            let length = values.len() / parts;
            let values = values[part * length..(part + 1) * length].to_vec();
            return Ok(Some(TensorData::new(values, shape)));
        }
        Ok(Some(TensorData::from_bytes(mapped(self.map.clone(), range), shape, dtype)))
    }

    /// An integer tensor (i32 or i64). `Ok(None)` when it is not there.
    pub fn read_ints(&self, name: &str) -> Result<Option<Vec<i64>>, Error> {
        let Some(info) = self.header.info(name) else {
            return Ok(None);
        };
        let bytes = self.bytes(info);
        match info.dtype {
            Dtype::I64 => Ok(Some(convert(bytes, i64::from_le_bytes))),
            Dtype::I32 => Ok(Some(convert(bytes, |b| i64::from(i32::from_le_bytes(b))))),
            other => {
                let reason = format!("`{name}` holds {other:?}, not integers");
                Err(Error::BrokenFile { path: self.path.clone(), reason })
            }
        }
    }

    /// Elements of a tensor that is stored as f64, unrounded.
    pub fn read_f64(&self, name: &str) -> Option<Vec<f64>> {
        let info = self.header.info(name).filter(|info| info.dtype == Dtype::F64)?;
        Some(convert(self.bytes(info), f64::from_le_bytes))
    }

    fn bytes(&self, info: &TensorInfo) -> &[u8] {
        &self.map[self.range(info)]
    }

    fn range(&self, info: &TensorInfo) -> Range<usize> {
        let (start, end) = info.data_offsets; // checked against the file by read_metadata
        self.data_start + start..self.data_start + end
    }
}

fn convert<const N: usize, T>(bytes: &[u8], one: impl Fn([u8; N]) -> T) -> Vec<T> {
    let (chunks, _) = bytes.as_chunks::<N>();
    chunks.iter().map(|chunk| one(*chunk)).collect()
}

fn refuse_pickle(path: &Path, file: &mut File) -> Result<(), Error> {
    let mut start = [0; 9];
    let read = file.read(&mut start).map_err(Error::io("read", path))?;
    // A header of 640 bytes begins as a pickle does; after its length a header has a brace.
    let header = start[8] == b'{';
    let ending = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
    let named_so = PICKLE_ENDINGS.contains(&ending.to_lowercase().as_str());
    let looks_so = !header && PICKLE_STARTS.iter().any(|s| start[..read].starts_with(s));
    if named_so || looks_so {
        return Err(Error::Pickle { path: path.into() });
    }
    Ok(())
}

/// Writes tensors and a free-form header as f32 or f16, whole or not at all.
///
/// The same tensors and header give the same bytes: names are sorted, unlike in the
/// safetensors crate, whose header follows a hash map's order.
pub fn save(
    path: &Path,
    tensors: &[(String, HostTensor)],
    metadata: &HashMap<String, String>,
    dtype: Dtype,
) -> Result<(), Error> {
    let sorted: BTreeMap<_, _> = tensors.iter().map(|(name, t)| (name.as_str(), t)).collect();
    let mut header = serde_json::Map::new();
    if !metadata.is_empty() {
        let metadata: BTreeMap<_, _> = metadata.iter().collect();
        header.insert("__metadata__".into(), serde_json::json!(metadata));
    }
    let mut offset = 0;
    for (name, tensor) in &sorted {
        let end = offset + tensor.values.len() * dtype.bitsize() / 8;
        let entry = serde_json::json!({
            "dtype": dtype.to_string(), "shape": tensor.shape, "data_offsets": [offset, end]
        });
        header.insert((*name).to_owned(), entry);
        offset = end;
    }
    let mut text = serde_json::Value::Object(header).to_string();
    text.push_str(&" ".repeat(text.len().next_multiple_of(8) - text.len()));
    atomic::write_with(path, |file| {
        file.write_all(&(text.len() as u64).to_le_bytes())?;
        file.write_all(text.as_bytes())?;
        sorted.values().try_for_each(|tensor| file.write_all(&encode(&tensor.values, dtype)))
    })
}

fn encode(values: &[f32], dtype: Dtype) -> Vec<u8> {
    match dtype {
        Dtype::F16 => values.iter().flat_map(|v| f16::from_f32(*v).to_le_bytes()).collect(),
        Dtype::BF16 => values.iter().flat_map(|v| bf16::from_f32(*v).to_le_bytes()).collect(),
        _ => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(bytes: &[u8], name: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).expect("writable");
        (folder, path)
    }

    fn small() -> Vec<u8> {
        let (_folder, path) = written(b"", "x.safetensors");
        let tensor = HostTensor { shape: vec![2, 2], values: vec![1.0, -2.0, 0.5, 4.0] };
        save(&path, &[("a".into(), tensor)], &HashMap::new(), Dtype::F16).expect("writable");
        std::fs::read(&path).expect("readable")
    }

    #[test]
    fn what_was_saved_is_read_back() {
        let (_folder, path) = written(&small(), "x.safetensors");
        let tensor = TensorFile::open(&path).expect("valid").read("a").expect("float");
        assert_eq!(tensor.expect("there").values, [1.0, -2.0, 0.5, 4.0]);
    }

    #[test]
    fn every_truncation_is_an_error_and_never_a_panic() {
        let whole = small();
        for length in 0..whole.len() {
            let (_folder, path) = written(&whole[..length], "x.safetensors");
            assert!(TensorFile::open(&path).is_err(), "cut to {length} bytes");
        }
    }

    #[test]
    fn a_header_that_lies_about_sizes_is_refused() {
        let whole = String::from_utf8_lossy(&small()).into_owned();
        let lies = [("[2,2]", "[9,9]"), ("\"data_offsets\":[0,8]", "\"data_offsets\":[0,9]")];
        for (true_text, lie) in lies {
            assert!(whole.contains(true_text), "the header has {true_text}");
            let bytes = replaced(&small(), true_text.as_bytes(), lie.as_bytes());
            let (_folder, path) = written(&bytes, "x.safetensors");
            let error = TensorFile::open(&path).expect_err(lie).to_string();
            assert!(error.contains("safetensors") && error.contains("again"), "{error}");
        }
        let huge = [u64::MAX.to_le_bytes().as_slice(), b"{}"].concat();
        let (_folder, path) = written(&huge, "x.safetensors");
        assert!(TensorFile::open(&path).is_err());
    }

    fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
        let at = bytes.windows(from.len()).position(|w| w == from).expect("contained");
        [&bytes[..at], to, &bytes[at + from.len()..]].concat()
    }

    #[test]
    fn a_pickle_is_refused_by_name_and_by_content() {
        for (bytes, name) in [(b"PK\x03\x04zip".as_slice(), "a.safetensors"), (b"x", "a.ckpt")] {
            let (_folder, path) = written(bytes, name);
            let error = TensorFile::open(&path).expect_err("a pickle");
            assert!(matches!(error, Error::Pickle { .. }), "{error}");
        }
    }

    #[test]
    fn a_header_whose_length_begins_like_a_pickle_is_read() {
        let mut header = b"{}".to_vec();
        header.resize(0x0280, b' ');
        let bytes = [&0x0280u64.to_le_bytes()[..], &header].concat();
        let (_folder, path) = written(&bytes, "a.safetensors");
        TensorFile::open(&path).expect("no tensors, and no pickle");
    }
}
