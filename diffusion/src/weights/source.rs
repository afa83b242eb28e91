//! Tensors of one model by diffusers' names, whatever the file calls them.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use burn::tensor::{Tensor, TensorData};

use crate::error::Error;
use crate::precision::Precision;
use crate::weights::TensorFile;

/// How a wanted tensor is cut out of the file's one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Take {
    /// As it is.
    Whole,
    /// The first, second or third part of the rows: q, k and v of a fused projection.
    Third(usize),
}

/// Where a wanted tensor may be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foreign {
    /// The file's name for it.
    pub name: String,
    /// How it is cut out.
    pub take: Take,
}

impl Foreign {
    /// The whole tensor called `name`.
    pub fn whole(name: impl Into<String>) -> Self {
        Self { name: name.into(), take: Take::Whole }
    }
}

/// Maps a diffusers name to the names that the file may use for it, best first.
pub type Renaming = Box<dyn Fn(&str) -> Vec<Foreign>>;

/// Gives the elements of the tensor that diffusers calls by a name, of a shape: tensors that learn
/// rather than a file's.
pub type Giver = Box<dyn Fn(&str, &[usize]) -> Tensor<1>>;

/// Gives a model its tensors.
pub struct Source {
    giver: Option<Giver>,
    precision: Precision, // of the model's matrices
    origin: PathBuf,
    files: Vec<Rc<TensorFile>>,
    rename: Renaming,
    prefix: String,          // only names that start so belong to this model
    stray: fn(&str) -> bool, // names that real files carry and no model wants
    used: RefCell<BTreeSet<String>>,
}

impl Source {
    /// Tensors of `files` under `prefix`; `origin` is what errors call the whole.
    pub fn new(
        origin: &Path,
        files: Vec<Rc<TensorFile>>,
        prefix: &str,
        rename: Renaming,
        stray: fn(&str) -> bool,
    ) -> Self {
        let (origin, prefix) = (origin.into(), prefix.into());
        let precision = Precision::F32;
        Self {
            giver: None,
            precision,
            origin,
            files,
            rename,
            prefix,
            stray,
            used: RefCell::default(),
        }
    }

    /// What `giver` gives, for whatever name is asked for.
    pub fn given(giver: Giver) -> Self {
        let nothing: Renaming = Box::new(|_| Vec::new());
        let source = Self::new(Path::new("memory"), Vec::new(), "", nothing, |_| true);
        Self { giver: Some(giver), ..source }
    }

    /// The same, for a model whose matrices are computed in `precision`: those of bf16 are cast
    /// when they are loaded, those of f32 stay in the file's float type.
    pub fn computed_in(self, precision: Precision) -> Self {
        Self { precision, ..self }
    }

    /// What the model's matrices are computed in.
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// The tensor called `name` as it is in memory, if this source is not a file.
    pub fn in_memory(&self, name: &str, shape: &[usize]) -> Option<Tensor<1>> {
        self.giver.as_ref().map(|give| give(name, shape))
    }

    /// What errors call the whole.
    pub fn origin(&self) -> &Path {
        &self.origin
    }

    /// The tensor that diffusers calls `name`, in the file's own float type, or `None`.
    pub fn stored(&self, name: &str) -> Result<Option<TensorData>, Error> {
        for foreign in (self.rename)(name) {
            let part = match foreign.take {
                Take::Whole => (0, 1),
                Take::Third(part) => (part, 3),
            };
            for file in &self.files {
                if let Some(tensor) = file.stored(&foreign.name, part)? {
                    self.used.borrow_mut().insert(foreign.name);
                    return Ok(Some(tensor));
                }
            }
        }
        Ok(None)
    }

    /// Names under the prefix that no one asked for and that are not known strays.
    pub fn unused(&self) -> Vec<String> {
        let used = self.used.borrow();
        let names = self.files.iter().flat_map(|file| file.names());
        let mine = names.filter(|name| name.starts_with(&self.prefix));
        mine.filter(|name| !used.contains(name) && !(self.stray)(name)).collect()
    }
}
