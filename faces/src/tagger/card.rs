//! How a tagger is fed: as the WD14 taggers are, unless a TOML beside it says otherwise.

use std::path::{Path, PathBuf};

use prost::Message;
use serde::Deserialize;
use tract_onnx::pb;

use crate::card::Channels;
use crate::error::FaceError;

/// The order of a picture's axes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Layout {
    /// Rows, columns, channels (the WD14 taggers).
    Nhwc,
    /// Channels, rows, columns (PyTorch's order).
    Nchw,
}

/// How a tagger is fed and read.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Card {
    pub name: String,
    pub size: u32,
    pub layout: Layout,
    pub channels: Channels,
    pub mean: f32,
    pub scale: f32,
    pub threshold: f32,
    pub most: usize,
    pub logits: bool,
    pub tags: PathBuf,
}

/// The TOML beside `X.onnx`, called `X.toml`; what it leaves out is as in [`Card::usual`].
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    name: Option<String>,
    size: Option<u32>,
    layout: Option<Layout>,
    channels: Option<Channels>,
    mean: Option<f32>,
    scale: Option<f32>,
    threshold: Option<f32>,
    most: Option<usize>,
    logits: Option<bool>,
    tags: Option<PathBuf>,
}

impl Card {
    /// The card of the model `file` with `bytes`.
    pub fn of(file: &Path, bytes: &[u8]) -> Result<Self, FaceError> {
        let usual = Self::usual(file, bytes)?;
        let path = file.with_extension("toml");
        let said = match std::fs::read_to_string(&path) {
            Ok(text) => toml::from_str::<Description>(&text).map_err(|error| {
                let keys =
                    "name, size, layout, channels, mean, scale, threshold, most, logits, tags";
                let what = format!(
                    "does not describe a tagger ({}); its keys are {keys}",
                    error.to_string().trim()
                );
                FaceError::Tagger { path: path.clone(), what }
            })?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Description::default(),
            Err(source) => return Err(FaceError::Read { path, source }),
        };
        let beside = |name: PathBuf| file.with_file_name(name);
        let card = Self {
            name: said.name.unwrap_or(usual.name),
            size: said.size.unwrap_or(usual.size),
            layout: said.layout.unwrap_or(usual.layout),
            channels: said.channels.unwrap_or(usual.channels),
            mean: said.mean.unwrap_or(usual.mean),
            scale: said.scale.unwrap_or(usual.scale),
            threshold: said.threshold.unwrap_or(usual.threshold),
            most: said.most.unwrap_or(usual.most),
            logits: said.logits.unwrap_or(usual.logits),
            tags: said.tags.map_or(usual.tags, beside),
        };
        card.check().map_err(|what| FaceError::Tagger { path, what })?;
        Ok(card)
    }

    /// As kohya's `tag_images_by_wd14_tagger.py` feeds the WD14 taggers: 448 px, BGR 0 to 255,
    /// threshold .35; size and layout as the model's own input has them.
    fn usual(file: &Path, bytes: &[u8]) -> Result<Self, FaceError> {
        let (layout, size) = match input_shape(bytes).as_deref() {
            Some([_, 3, height, _]) => (Layout::Nchw, *height),
            Some([_, height, _, 3]) => (Layout::Nhwc, *height),
            Some(_) => {
                let what = "does not read one picture, four axes of which one is 3 colours; is it a tagger?".into();
                return Err(FaceError::Tagger { path: file.into(), what });
            }
            None => (Layout::Nhwc, 0),
        };
        Ok(Self {
            name: file.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
            size: u32::try_from(size).ok().filter(|size| *size > 0).unwrap_or(448),
            layout,
            channels: Channels::Bgr,
            mean: 0.0,
            scale: 1.0,
            threshold: 0.35,
            most: 30, // as taggui
            logits: false,
            tags: file.with_file_name("selected_tags.csv"),
        })
    }

    fn check(&self) -> Result<(), String> {
        let Self { size, scale, mean, threshold, .. } = self;
        if !(16..=2048).contains(size) {
            return Err(format!(
                "has size {size}, where 16 to 2048 pixels are possible; correct it"
            ));
        }
        if *scale == 0.0 || !scale.is_finite() || !mean.is_finite() {
            return Err(format!(
                "has mean {mean} and scale {scale}, where scale may not be 0; correct it"
            ));
        }
        if !(0.0..=1.0).contains(threshold) {
            return Err(format!(
                "has threshold {threshold}, where 0 to 1 are possible; correct it"
            ));
        }
        Ok(())
    }

    /// The shape of one picture.
    pub fn shape(&self) -> [usize; 4] {
        let side = self.size as usize;
        match self.layout {
            Layout::Nhwc => [1, side, side, 3],
            Layout::Nchw => [1, 3, side, side],
        }
    }
}

/// The sides of the model's first input, 0 where they are free; `None` if the file does not say.
fn input_shape(bytes: &[u8]) -> Option<Vec<i64>> {
    use pb::tensor_shape_proto::dimension::Value;
    let graph = pb::ModelProto::decode(bytes).ok()?.graph?;
    let weights: Vec<&str> = graph.initializer.iter().map(|weight| weight.name.as_str()).collect();
    let input = graph.input.iter().find(|input| !weights.contains(&input.name.as_str()))?;
    let pb::type_proto::Value::TensorType(tensor) = input.r#type.as_ref()?.value.as_ref()?;
    let side = |side: &pb::tensor_shape_proto::Dimension| match side.value {
        Some(Value::DimValue(length)) => length,
        _ => 0,
    };
    Some(tensor.shape.as_ref()?.dim.iter().map(side).collect())
}
