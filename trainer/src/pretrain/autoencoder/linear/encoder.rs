//! The encoder: strided convolutions that gather a block's pixels, the last of which takes their
//! coordinates.

use likeness_diffusion::vae::VaeConfig;

use super::named::{Named, Row};
use super::pairs::Pairs;
use crate::pretrain::autoencoder::transform::Transform;

/// Logarithm of the variance that the encoder gives its latents.
const LOG_VARIANCE: f32 = -8.0;

/// Writes `transform` into the encoder.
pub fn write(weights: &mut Named, config: &VaeConfig, transform: &Transform) {
    let channels = &config.block_out_channels;
    let (last, latents) = (channels.len() - 1, config.latent_channels);
    weights.embed("encoder.conv_in", 3);
    let mut held: Vec<[usize; 3]> = (0..3).map(|channel| [channel, 0, 0]).collect();
    for level in 0..last {
        if level > 0 && channels[level - 1] != channels[level] {
            let shortcut = format!("encoder.down_blocks.{level}.resnets.0.conv_shortcut");
            weights.embed(&shortcut, held.len());
        }
        let conv = format!("encoder.down_blocks.{level}.downsamplers.0.conv");
        let step = 1 << level;
        let gathered = held.iter().enumerate().flat_map(|(from, &[channel, y, x])| {
            let tap = move |at: usize| {
                ([from, at / 2, at % 2], [channel, y + at / 2 * step, x + at % 2 * step])
            };
            (0..4).map(tap)
        });
        let gathered: Vec<([usize; 3], [usize; 3])> = gathered.collect();
        if level + 1 < last {
            for (out, (tap, _)) in gathered.iter().enumerate() {
                weights.row(&conv, out, 0.0, [(*tap, 1.0)]);
            }
            held = gathered.into_iter().map(|(_, place)| place).collect();
            continue;
        }
        let side = transform.side;
        let coordinate = |channel: usize| {
            let row = &transform.rows[channel];
            let bias: f32 = row.iter().zip(&transform.mean).map(|(a, b)| -a * b).sum();
            let taps =
                gathered.iter().map(|(tap, [c, y, x])| (*tap, row[(c * side + y) * side + x]));
            Row { bias, taps: taps.collect() }
        };
        let rows = (0..latents).map(coordinate).collect();
        let shortcut = format!("encoder.down_blocks.{last}.resnets.0.conv_shortcut");
        let shortcut = (channels[last - 1] != channels[last]).then_some(shortcut);
        let pairs = Pairs::of(channels[last], config.norm_num_groups, &transform.deviations);
        weights.paired(&conv, shortcut.as_deref(), rows, &pairs);
        weights.unpaired("encoder.conv_out", &pairs);
    }
    for latent in latents..2 * latents {
        weights.row("encoder.conv_out", latent, LOG_VARIANCE, []);
    }
    weights.embed("quant_conv", 2 * latents);
    weights.embed("post_quant_conv", latents);
}
