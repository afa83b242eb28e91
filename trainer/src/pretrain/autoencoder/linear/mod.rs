//! Weights with which an autoencoder begins: the block transform, exactly, and the decoder that
//! undoes it best without any activation.
//!
//! Residual branches begin as nothing, so that convolutions, shortcuts and last normalisations
//! remain. Strided convolutions gather the pixels of a block, the last of them takes their
//! coordinates. A decoder doubles by repeating pixels, after which a convolution cannot tell where in
//! a block it is but by what lies around; each of its convolutions is the least squares solution for
//! the pixels of the blocks at its level (25 dB, where the transform itself keeps 28). From there on
//! the decoder learns; a random one needs a thousand steps to come as far.

mod decoder;
mod encoder;
mod maps;
mod named;
mod pairs;

use burn::tensor::Device;
use likeness_diffusion::vae::VaeConfig;

use super::transform::Transform;
use crate::pretrain::corpus::Corpus;
use crate::pretrain::parameters::Parameters;
use named::Named;

/// Weights that begin at zero, so that each residual branch begins as nothing.
pub const ZEROS: [&str; 2] = ["conv2.weight", "to_out.0.weight"];

/// Why weights of these sizes cannot hold the transform, if so.
pub fn fault(config: &VaeConfig) -> Option<String> {
    let (channels, groups) = (&config.block_out_channels, config.norm_num_groups);
    let levels = channels.len();
    if levels < 2 {
        return Some("needs at least two levels: each but the last halves the size".into());
    }
    let wants = |outputs: usize| groups * (2 + 2 * outputs.div_ceil(groups));
    let checks = [
        (0, wants(config.in_channels), "a group of the decoder's last normalisation"),
        (levels - 1, wants(config.latent_channels), "a group of the encoder's last normalisation"),
        (levels - 2, config.latent_channels, "the latents"),
    ];
    // A level holds the pixels of its blocks, and so do the convolutions that lead to it.
    let gathered = (0..levels - 1).flat_map(|level| {
        let pixels = config.in_channels << (2 * level);
        let holders = [level.saturating_sub(1), level, level + 1];
        holders.map(|holder| (holder, pixels, "the pixels of a block"))
    });
    let short =
        checks.into_iter().chain(gathered).find(|(level, least, _)| channels[*level] < *least);
    short.map(|(level, least, what)| {
        format!("has {} at level {level}, where {what} need {least}", channels[level])
    })
}

/// `fresh` weights of an autoencoder with those of `transform` in its encoder; its decoder is fitted
/// to a corpus if one is given, with the seed of the places that are looked at.
pub fn weights(
    fresh: &Parameters,
    config: &VaeConfig,
    transform: &Transform,
    fitted_to: Option<(&Corpus, u64)>,
    device: &Device,
) -> Parameters {
    let mut weights = Named(fresh.named(&fresh.values).into_iter().collect());
    encoder::write(&mut weights, config, transform);
    if let Some(corpus) = fitted_to {
        decoder::fit(&mut weights, config, transform, corpus, device);
    }
    fresh.valued(&weights.0, device)
}
