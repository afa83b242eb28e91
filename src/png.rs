//! Pictures as PNG files that say how they were made.
//!
//! The text chunk `parameters` has the layout that A1111 writes and most viewers
//! read: prompt, negative prompt, one line of settings.

use std::path::Path;

use anyhow::Context;
use likeness_diffusion::atomic;
use likeness_diffusion::pipeline::{Picture, Request};

/// Writes `picture` to `path`, whole or not at all.
pub fn write(path: &Path, picture: &Picture, parameters: &str) -> anyhow::Result<()> {
    save(path, (picture.width, picture.height), &picture.rgb, Some(parameters))
}

/// Writes 8-bit RGB of `size` (width, height) to `path`, whole or not at all, with the text chunk
/// `parameters` if there is something to say.
pub fn save(
    path: &Path,
    (width, height): (u32, u32),
    rgb: &[u8],
    parameters: Option<&str>,
) -> anyhow::Result<()> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    if let Some(parameters) = parameters {
        let keyword = "parameters".to_owned();
        if parameters.is_ascii() {
            encoder.add_text_chunk(keyword, parameters.to_owned())
        } else {
            encoder.add_itxt_chunk(keyword, parameters.to_owned())
        }
        .context("cannot embed the parameters")?;
    }
    let mut writer = encoder.write_header().context("cannot encode the picture")?;
    writer.write_image_data(rgb).context("cannot encode the picture")?;
    writer.finish().context("cannot encode the picture")?;
    atomic::write(path, &bytes).context("cannot save the picture")
}

/// The settings of picture number `index` of `request`, as text.
pub fn parameters(request: &Request, index: usize, base: &str, loras: &[(String, f64)]) -> String {
    let Request { prompt, negative, steps, guidance, width, height, clip_skip, .. } = request;
    let mut text = prompt.clone();
    for (name, strength) in loras {
        text.push_str(&format!(" <lora:{name}:{strength}>"));
    }
    text.push('\n');
    if !negative.is_empty() {
        text.push_str(&format!("Negative prompt: {negative}\n"));
    }
    let seed = request.seed.wrapping_add(index as u64);
    let sampler = request.sampler.name();
    text.push_str(&format!(
        "Steps: {steps}, Sampler: {sampler}, CFG scale: {guidance}, Seed: {seed}, Size: {width}x{height}, Model: {base}, Clip skip: {}, Version: likeness {}",
        clip_skip + 1,
        env!("CARGO_PKG_VERSION")
    ));
    text
}
