//! What a pretrained base does on prompts of characters that it never saw, read by its own reader.
//!
//! Each prompt says who it is, where, in which light and with which expression; a guided sample is
//! painted from it and read. `measures.json` has the shares as asked, `grid.png` the first samples,
//! each beside the render of the same scene. What the autoencoder keeps of a face bounds all of it.

mod kept;

use std::path::Path;

use anyhow::Context;
use burn::tensor::Device;
use image::{GenericImage, RgbImage};
use kept::Kept;
use likeness_diffusion::pipeline::{Pipeline, Request};
use likeness_diffusion::{atomic, checkpoint::Checkpoint, sampler::SamplerKind};
use likeness_faces::{Axis, FaceModels, SceneReader};
use likeness_studio::{
    Character, HairStyle, IdentitySaid, Part, Picture, Scene, Size, Wording, caption, render,
};
use likeness_trainer::pretrain::config::{MeasuresConfig, PretrainConfig};
use likeness_trainer::pretrain::export::JUDGES;
use likeness_trainer::progress::Stop;
use serde_json::{Map, Value, json};

use crate::corpus::{FIRST, truth};
use crate::exit::Usage;
use crate::meter::Meter;
use crate::png;

/// Prompts painted between two moves of the meter.
const AT_ONCE: usize = 10;
/// Seed of the first scene, far from those that were trained on.
const SCENES: u64 = FIRST + 2_000_000;
/// Columns and rows of the grid; each cell is a render and a sample.
const GRID: (usize, usize) = (5, 6);

/// One prompt and what is true of it.
struct Case {
    character: Character,
    scene: Scene,
    prompt: String,
}

impl Case {
    /// Number `index` of those that `config` holds out.
    fn new(config: &PretrainConfig, index: usize) -> Self {
        let held_out = config.corpus.held_out_characters.max(1);
        let who = config.corpus.characters - 1 - index % held_out;
        let character = Character::from_seed(FIRST + who as u64);
        let scene = Scene::sample(SCENES + index as u64);
        let wording = Wording::of("person")
            .saying(IdentitySaid::Fully)
            .only(&[Part::Framing, Part::Place, Part::Light, Part::Expression])
            .seeded(index as u64);
        let prompt = caption(&character, &scene, &wording);
        Self { character, scene, prompt }
    }

    /// Whether the prompt asks for something of `axis`: no hair, no colour of it.
    fn asks(&self, axis: &str) -> bool {
        axis != "hair colour" || self.character.traits.hair_style != HairStyle::Bald
    }
}

/// How often an axis was read as it is asked for: on samples, on renders of the same scenes, and on
/// these after the autoencoder. The last is as much as any sample can show.
#[derive(Debug, Clone, Copy, Default)]
struct Shares {
    right: [usize; 3],
    of: usize,
}

impl Shares {
    fn count(&mut self, right: [bool; 3]) {
        for (count, right) in self.right.iter_mut().zip(right) {
            *count += usize::from(right);
        }
        self.of += 1;
    }

    fn json(&self) -> Value {
        let [painted, rendered, decoded] = self.right.map(|right| right as f64 / self.of as f64);
        json!({ "as_asked": painted, "on_renders": rendered, "decoded": decoded, "prompts": self.of })
    }
}

/// Whether no other reader tells the same better.
fn is_best(axis: &Axis, all: &[Axis]) -> bool {
    all.iter().all(|other| other.name != axis.name || other.accuracy <= axis.accuracy)
}

/// Paints, reads, and writes both files; `None` if someone asked to stop.
pub fn measured(
    config: &PretrainConfig,
    device: &Device,
    stop: &Stop,
) -> anyhow::Result<Option<Value>> {
    let base = config.out.join("base");
    let judges = base.join(JUDGES);
    let reader = SceneReader::open(&judges)?.ok_or_else(|| {
        Usage(format!("`{}` has no reader; make it by --only reader", base.display()))
    })?;
    let models = FaceModels::open(&judges)?;
    let pipeline = Pipeline::load(&Checkpoint::open(&base, None)?, device)?;
    let side = config.corpus.side;
    let MeasuresConfig { prompts, steps, guidance } = config.measures.clone();
    let mut meter = Meter::new("measure", prompts);
    let mut read = vec![Shares::default(); reader.axes().len()];
    let (mut pairs, mut kept) = (Vec::new(), Kept::default());
    for first in (0..prompts).step_by(AT_ONCE) {
        if stop.asked() {
            return Ok(None);
        }
        let last = (first + AT_ONCE).min(prompts);
        for index in first..last {
            let case = Case::new(config, index);
            let painted = painted(&pipeline, config, &case.prompt, index as u64)?;
            let truth = truth(&case.character, &case.scene);
            let elsewhere = Scene::sample(SCENES + (prompts + index) as u64);
            let [shown, other] =
                [&case.scene, &elsewhere].map(|scene| rendered(&case.character, scene, side));
            let decoded = kept::decoded(&shown, &pipeline, device);
            kept.count([&shown, &decoded, &other], &models)?;
            let seen = |picture| seen(picture, &reader, &models);
            let seen = [seen(&painted)?, seen(&shown)?, seen(&decoded)?];
            let axes = reader.axes().iter().enumerate();
            for (at, axis) in
                axes.filter(|(_, axis)| is_best(axis, reader.axes()) && case.asks(&axis.name))
            {
                let truth = truth.get(axis.name.as_str()).copied();
                read[at].count(seen.each_ref().map(|seen| seen[at] == truth));
            }
            if pairs.len() < GRID.0 * GRID.1 {
                pairs.push([shown, painted]);
            }
        }
        meter.set(last, "prompts");
    }
    meter.finish();
    let grid = grid(&pairs);
    png::save(&base.join("grid.png"), grid.dimensions(), grid.as_raw(), None)?;
    let axes = reader.axes().iter().zip(&read).filter(|(axis, _)| is_best(axis, reader.axes()));
    let axes = axes.map(|(axis, shares)| (axis.name.clone(), shares.json()));
    let measures = json!({
        "prompts": prompts,
        "steps": steps,
        "guidance": guidance,
        "read": Map::from_iter(axes),
        "identity_kept": json!({ "share": kept.share(), "pairs": kept.pairs }),
        "autoencoder": last(&config.out.join("autoencoder")),
        "denoiser": last(&config.out.join("denoiser")),
        "finder": last(&config.out.join("finder")),
        "identity": last(&config.out.join("identity")),
        "reader": last(&config.out.join("reader")),
        "face_reader": last(&config.out.join("face_reader")),
    });
    let text = format!("{measures:#}\n");
    atomic::write(&base.join("measures.json"), text.as_bytes())?;
    Ok(Some(measures))
}

/// What `reader` sees of each axis in `picture`; nothing of a face where none is found.
fn seen(
    picture: &RgbImage,
    reader: &SceneReader,
    models: &FaceModels,
) -> anyhow::Result<Vec<Option<usize>>> {
    let faces = if reader.looks_at_faces() { models.faces(picture)? } else { Vec::new() };
    Ok(reader.read(picture, faces.first())?)
}

/// The last line of a stage's validation, or nothing.
fn last(stage: &Path) -> Value {
    let text = std::fs::read_to_string(stage.join("validation.jsonl")).unwrap_or_default();
    text.lines().last().and_then(|line| serde_json::from_str(line).ok()).unwrap_or(Value::Null)
}

fn rendered(character: &Character, scene: &Scene, side: usize) -> RgbImage {
    let Picture { width, height, rgb, .. } = render(character, scene, Size::square(side as u32));
    RgbImage::from_raw(width, height, rgb).expect("three bytes a pixel")
}

fn painted(
    pipeline: &Pipeline,
    config: &PretrainConfig,
    prompt: &str,
    seed: u64,
) -> anyhow::Result<RgbImage> {
    let side = config.corpus.side;
    let request = Request {
        prompt: prompt.to_owned(),
        negative: String::new(),
        width: side,
        height: side,
        steps: config.measures.steps,
        guidance: config.measures.guidance,
        guidance_rescale: 0.0,
        sampler: SamplerKind::named("dpm++-2m-karras").expect("a sampler of this name"),
        seed,
        batch: 1,
        clip_skip: 0,
    };
    let picture = pipeline.generate(&request, &mut |_| ())?.pop().context("one picture")?;
    RgbImage::from_raw(picture.width, picture.height, picture.rgb).context("three bytes a pixel")
}

/// Renders and samples side by side, a little apart from the next pair.
fn grid(pairs: &[[RgbImage; 2]]) -> RgbImage {
    const APART: u32 = 8;
    let (width, height) = pairs[0][0].dimensions();
    let (columns, rows) = (GRID.0 as u32, GRID.1 as u32);
    let cell = (2 * width + APART, height + APART);
    let mut grid = RgbImage::from_pixel(columns * cell.0, rows * cell.1, [255; 3].into());
    for (index, pair) in (0..).zip(pairs) {
        let (x, y) = (index % columns * cell.0, index / columns * cell.1);
        for (at, picture) in (0..).zip(pair) {
            grid.copy_from(picture, x + at * width, y).expect("the grid has room for each pair");
        }
    }
    grid
}
