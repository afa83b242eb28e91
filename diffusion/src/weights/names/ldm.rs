//! Names in original single files (CompVis latent-diffusion layout).
//!
//! The UNet counts blocks in one list: `input_blocks.0` is the first convolution,
//! then each level has its resnets (with their attention as `.1`) and, but for the
//! last level, a downsampler; `output_blocks` runs back up the same way.

use crate::unet::UnetConfig;
use crate::weights::{Foreign, names::diffusers};

/// Prefix of the UNet's names.
pub const UNET: &str = "model.diffusion_model.";
/// Prefix of the autoencoder's names.
pub const VAE: &str = "first_stage_model.";
/// Prefix of the text encoder's names, SD 1.x.
pub const TEXT: &str = "cond_stage_model.transformer.";

/// Modules outside the blocks.
const UNET_FIXED: [(&str, &str); 5] = [
    ("time_embedding.linear_1.", "time_embed.0."),
    ("time_embedding.linear_2.", "time_embed.2."),
    ("conv_in.", "input_blocks.0.0."),
    ("conv_norm_out.", "out.0."),
    ("conv_out.", "out.2."),
];

/// Parts of a resnet.
const RESNET: [(&str, &str); 6] = [
    ("norm1.", "in_layers.0."),
    ("conv1.", "in_layers.2."),
    ("time_emb_proj.", "emb_layers.1."),
    ("norm2.", "out_layers.0."),
    ("conv2.", "out_layers.3."),
    ("conv_shortcut.", "skip_connection."),
];

/// The file's name for a UNet tensor, or `None` if the layout has no place for it.
pub fn unet(name: &str, config: &UnetConfig) -> Option<Foreign> {
    if let Some((ours, theirs)) = UNET_FIXED.iter().find(|(ours, _)| name.starts_with(ours)) {
        return Some(Foreign::whole(format!("{UNET}{theirs}{}", &name[ours.len()..])));
    }
    let mut parts = name.splitn(5, '.');
    let block = match parts.next()? {
        "mid_block" => {
            let (kind, index) = (parts.next()?, parts.next()?.parse::<usize>().ok()?);
            let rest = name.splitn(4, '.').nth(3)?;
            match kind {
                "attentions" => format!("middle_block.1.{rest}"),
                _ => format!("middle_block.{}.{}", 2 * index, resnet(rest)?),
            }
        }
        side @ ("down_blocks" | "up_blocks") => {
            let level = parts.next()?.parse().ok()?;
            let (kind, index) = (parts.next()?, parts.next()?.parse().ok()?);
            level_block(side == "down_blocks", level, kind, index, parts.next()?, config)?
        }
        _ => return None,
    };
    Some(Foreign::whole(format!("{UNET}{block}")))
}

fn level_block(
    down: bool,
    level: usize,
    kind: &str,
    index: usize,
    rest: &str,
    config: &UnetConfig,
) -> Option<String> {
    let layers = config.layers_per_block;
    let start = level * (layers + 1);
    let block = if down {
        format!("input_blocks.{}", 1 + start + index)
    } else {
        format!("output_blocks.{}", start + index)
    };
    Some(match kind {
        "downsamplers" => {
            let rest = rest.strip_prefix("conv.")?;
            format!("input_blocks.{}.0.op.{rest}", 1 + start + layers)
        }
        "upsamplers" => {
            let place = if config.up_attends(level) { 2 } else { 1 };
            format!("output_blocks.{}.{place}.{rest}", start + layers)
        }
        "attentions" => format!("{block}.1.{rest}"),
        "resnets" => format!("{block}.0.{}", resnet(rest)?),
        _ => return None,
    })
}

fn resnet(rest: &str) -> Option<String> {
    let (ours, theirs) = RESNET.iter().find(|(ours, _)| rest.starts_with(ours))?;
    Some(format!("{theirs}{}", &rest[ours.len()..]))
}

/// The file's name for an autoencoder tensor of `levels` levels.
pub fn vae(name: &str, levels: usize) -> Option<Foreign> {
    let mut out =
        name.replace("conv_norm_out", "norm_out").replace("conv_shortcut", "nin_shortcut");
    for (ours, theirs) in
        [("mid_block.resnets.0", "mid.block_1"), ("mid_block.resnets.1", "mid.block_2")]
    {
        out = out.replace(ours, theirs);
    }
    if out.contains("mid_block.attentions.0") {
        let parts = [
            ("mid_block.attentions.0", "mid.attn_1"),
            (".group_norm.", ".norm."),
            (".to_q.", ".q."),
            (".to_k.", ".k."),
            (".to_v.", ".v."),
            (".to_out.0.", ".proj_out."),
        ];
        out = parts.iter().fold(out, |out, (ours, theirs)| out.replace(ours, theirs));
    }
    let parts: Vec<&str> = out.split('.').collect();
    let block = match parts[..] {
        ["encoder", "down_blocks", level, ..] => {
            Some(("encoder.down", level.parse::<usize>().ok()?))
        }
        ["decoder", "up_blocks", level, ..] => {
            Some(("decoder.up", levels.checked_sub(1 + level.parse::<usize>().ok()?)?))
        }
        _ => None,
    };
    if let Some((side, level)) = block {
        let rest = match parts[3..] {
            ["resnets", index, ref rest @ ..] => format!("block.{index}.{}", rest.join(".")),
            ["downsamplers", "0", ref rest @ ..] => format!("downsample.{}", rest.join(".")),
            ["upsamplers", "0", ref rest @ ..] => format!("upsample.{}", rest.join(".")),
            _ => return None,
        };
        out = format!("{side}.{level}.{rest}");
    }
    Some(Foreign::whole(format!("{VAE}{out}")))
}

/// The file's names for a text encoder tensor, SD 1.x.
pub fn text(name: &str) -> Vec<Foreign> {
    let mut names = diffusers::text(name);
    names.iter_mut().for_each(|foreign| foreign.name.insert_str(0, TEXT));
    names
}

/// What original files carry in the autoencoder's part beside the autoencoder.
pub fn vae_stray(name: &str) -> bool {
    name.starts_with("first_stage_model.loss.") || name.starts_with("first_stage_model.model_ema.")
}

/// Beginnings of what original files carry beside their three models: noise schedules,
/// training state, averaged copies.
const STRAYS: [&str; 17] = [
    "alphas_cumprod",
    "betas",
    "sqrt_",
    "log_one_minus_",
    "posterior_",
    "logvar",
    "model_ema.",
    "global_step",
    "lvlb_weights",
    "callbacks",
    "epoch",
    "loops",
    "lr_schedulers",
    "optimizer_states",
    "pytorch-lightning_version",
    "state_dict",
    "denoiser.sigmas",
];

/// Whether a name outside the three models is known to be harmless.
pub fn stray(name: &str) -> bool {
    STRAYS.iter().any(|start| name.starts_with(start))
}
