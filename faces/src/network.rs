//! An ONNX file made ready to run on one square image.

use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

use image::RgbImage;
use tract_onnx::prelude::*;
use tract_onnx::tract_core::floats::FloatPrecisionTranslator;
use tract_onnx::tract_core::transform::ModelTransform as _;

use crate::card::{Channels, Kind, ModelCard};
use crate::error::FaceError;
use crate::fingerprint::sha256_hex;
use crate::identity::Identity;
use crate::registers;

/// A loaded model.
pub(crate) struct Network {
    card: ModelCard,
    plan: Plan,
}

/// One output: its shape and its values.
pub(crate) struct Output {
    pub shape: Vec<usize>,
    pub values: Vec<f32>,
}

impl Network {
    /// Reads the model from the `bytes` of `card.file`.
    pub fn load(card: ModelCard, bytes: &[u8]) -> Result<Self, FaceError> {
        let side = card.input_size as usize;
        match plan([1, 3, side, side], bytes) {
            Ok(plan) => Ok(Self { card, plan }),
            Err(source) => Err(FaceError::Model { path: card.file, source: source.into() }),
        }
    }

    /// Opens the model `file`, `X.onnx`, that the TOML `X.toml` beside it describes as one of `kind`.
    pub fn open(file: &Path, kind: Kind) -> Result<Self, FaceError> {
        let bytes =
            std::fs::read(file).map_err(|source| FaceError::Read { path: file.into(), source })?;
        let description = file.with_extension("toml");
        let card = ModelCard::read(file.into(), sha256_hex(&bytes), &description)?;
        if card.kind != kind {
            let (found, needed) = (card.kind.word(), kind.word());
            let what = format!("kind \"{found}\", where \"{needed}\" is needed");
            return Err(FaceError::CardValue { path: description, what });
        }
        Self::load(card, &bytes)
    }

    pub fn card(&self) -> &ModelCard {
        &self.card
    }

    /// The outputs for `image`, which has the card's input size.
    pub fn run(&self, image: &RgbImage) -> Result<Vec<Output>, FaceError> {
        self.run_as(&self.plan, image)
    }

    /// The one output for `image`, which has to be as long as the card says, as a direction.
    pub fn direction(&self, image: &RgbImage) -> Result<Identity, FaceError> {
        let card = &self.card;
        let mut outputs = self.run(image)?;
        match outputs.pop() {
            Some(output) if outputs.is_empty() && output.values.len() == card.output_dimension => {
                Ok(Identity::new(output.values))
            }
            last => Err(FaceError::Output {
                path: card.file.clone(),
                found: format!("{:?}", last.map(|output| output.shape).unwrap_or_default()),
                expected: format!("one output of {} numbers", card.output_dimension),
            }),
        }
    }

    /// The plan for the card's input size.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The outputs of `plan`, one of this network's for an input as large as `image`.
    pub fn run_as(&self, plan: &Plan, image: &RgbImage) -> Result<Vec<Output>, FaceError> {
        let shape = [1, 3, image.height() as usize, image.width() as usize];
        run(plan, shape, &planes(image, &self.card)).map_err(|source| FaceError::Run {
            path: self.card.file.clone(),
            source: source.into(),
        })
    }
}

/// A model that is ready to run.
pub(crate) type Plan = Arc<TypedRunnableModel>;

/// The model in `bytes`, made ready for one input of `shape`.
pub(crate) fn plan(shape: [usize; 4], bytes: &[u8]) -> TractResult<Plan> {
    let mut model = tract_onnx::onnx()
        .model_for_read(&mut Cursor::new(bytes))?
        .with_input_fact(0, f32::fact(shape).into())?
        .into_typed()?
        .into_decluttered()?;
    let halves = |node: &TypedNode| {
        let half = |output: &Outlet<TypedFact>| output.fact.datum_type == DatumType::F16;
        node.outputs.iter().any(half)
    };
    if model.nodes().iter().any(halves) {
        // Files of 16-bit numbers save space, but processors without such numbers compute in them by software.
        FloatPrecisionTranslator::new(DatumType::F16, DatumType::F32).transform(&mut model)?;
    }
    model.into_optimized()?.into_runnable()
}

/// The outputs of `plan` for `values` of `shape`.
pub(crate) fn run(plan: &Plan, shape: [usize; 4], values: &[f32]) -> TractResult<Vec<Output>> {
    let outputs = plan.run(tvec!(Tensor::from_shape(&shape, values)?.into()));
    registers::clear_upper_halves();
    outputs?
        .iter()
        .map(|output| {
            let view = output.to_plain_array_view::<f32>()?;
            Ok(Output { shape: view.shape().to_vec(), values: view.iter().copied().collect() })
        })
        .collect()
}

/// The colour planes one after the other, in the card's order and range.
fn planes(image: &RgbImage, card: &ModelCard) -> Vec<f32> {
    let order = match card.channels {
        Channels::Rgb => [0, 1, 2],
        Channels::Bgr => [2, 1, 0],
    };
    let value = |raw: u8| (f32::from(raw) - card.mean) / card.scale;
    order.iter().flat_map(|&c| image.pixels().map(move |pixel| value(pixel[c]))).collect()
}
