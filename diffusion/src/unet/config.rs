//! Sizes and options of a UNet, as `unet/config.json` gives them.

use serde::Deserialize;

/// One number for all levels, or one a level.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum PerLevel {
    /// The same at every level.
    Same(usize),
    /// One a level, from the outermost.
    Each(Vec<usize>),
}

impl PerLevel {
    /// The number at `level`.
    pub fn at(&self, level: usize) -> usize {
        match self {
            Self::Same(n) => *n,
            Self::Each(each) => each[level],
        }
    }

    fn fits(&self, levels: usize) -> bool {
        match self {
            Self::Same(n) => *n > 0,
            Self::Each(each) => each.len() == levels && each.iter().all(|n| *n > 0),
        }
    }
}

/// Sizes and options of a UNet. Keys that SD 1.x and 2.x leave at their default are checked by
/// [`UnetConfig::check`]; keys that do not change the function are ignored.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default)]
pub struct UnetConfig {
    /// Channels of a latent.
    pub in_channels: usize,
    /// Channels of the prediction.
    pub out_channels: usize,
    /// Channels of each level.
    pub block_out_channels: Vec<usize>,
    /// Resnets a level on the way down; one more on the way up.
    pub layers_per_block: usize,
    /// Width of the text states.
    pub cross_attention_dim: usize,
    /// Despite its name the *number* of heads (diffusers issue 2011), a level or for all.
    pub attention_head_dim: PerLevel,
    /// Kinds of the levels on the way down.
    pub down_block_types: Vec<String>,
    /// Kinds of the levels on the way up.
    pub up_block_types: Vec<String>,
    /// Groups of each group normalisation.
    pub norm_num_groups: usize,
    /// Epsilon of the resnets' normalisations.
    pub norm_eps: f64,
    /// Whether transformers project by linear layers (SD 2.x) or 1 x 1 convolutions (SD 1.x).
    pub use_linear_projection: bool,
    /// Whether the time embedding is cosines before sines.
    pub flip_sin_to_cos: bool,
    /// Shift of the time embedding's frequencies.
    pub freq_shift: f64,
    /// Transformer blocks a level.
    pub transformer_layers_per_block: PerLevel,
    /// What else conditions the model; SDXL has "text_time".
    pub addition_embed_type: Option<String>,
    /// Class conditioning.
    pub class_embed_type: Option<String>,
    /// How the time embedding enters a resnet.
    pub resnet_time_scale_shift: String,
    /// Kind of the middle block.
    pub mid_block_type: Option<String>,
    /// Activation.
    pub act_fn: String,
    /// Latents a side that the model was trained on: 64 for 512 px.
    pub sample_size: usize,
}

const CROSS_DOWN: &str = "CrossAttnDownBlock2D";
const CROSS_UP: &str = "CrossAttnUpBlock2D";

impl Default for UnetConfig {
    /// SD 1.5: <https://huggingface.co/stable-diffusion-v1-5/stable-diffusion-v1-5>,
    /// `unet/config.json`.
    fn default() -> Self {
        let names = |first: &str, rest: [&str; 3]| {
            [first, rest[0], rest[1], rest[2]].map(String::from).to_vec()
        };
        Self {
            in_channels: 4,
            out_channels: 4,
            block_out_channels: vec![320, 640, 1280, 1280],
            layers_per_block: 2,
            cross_attention_dim: 768,
            attention_head_dim: PerLevel::Same(8),
            down_block_types: names(CROSS_DOWN, [CROSS_DOWN, CROSS_DOWN, "DownBlock2D"]),
            up_block_types: names("UpBlock2D", [CROSS_UP; 3]),
            norm_num_groups: 32,
            norm_eps: 1e-5,
            use_linear_projection: false,
            flip_sin_to_cos: true,
            freq_shift: 0.0,
            transformer_layers_per_block: PerLevel::Same(1),
            addition_embed_type: None,
            class_embed_type: None,
            resnet_time_scale_shift: "default".into(),
            mid_block_type: Some("UNetMidBlock2DCrossAttn".into()),
            act_fn: "silu".into(),
            sample_size: 64,
        }
    }
}

impl UnetConfig {
    /// Number of levels.
    pub fn levels(&self) -> usize {
        self.block_out_channels.len()
    }

    /// Whether level `level` of the way down has attention.
    pub fn down_attends(&self, level: usize) -> bool {
        self.down_block_types[level] == CROSS_DOWN
    }

    /// Whether level `level` of the way up (0 is the innermost) has attention.
    pub fn up_attends(&self, level: usize) -> bool {
        self.up_block_types[level] == CROSS_UP
    }

    /// Width of the time embedding.
    pub fn time_width(&self) -> usize {
        4 * self.block_out_channels[0]
    }

    /// Says which key asks for something that this model does not do.
    pub fn check(&self) -> Result<(), String> {
        let levels = self.levels();
        let known = |types: &[String], a: &str, b: &str| {
            types.len() == levels && types.iter().all(|t| t == a || t == b)
        };
        let groups = self.norm_num_groups;
        let checks = [
            (levels > 0, "`block_out_channels` is empty"),
            (
                known(&self.down_block_types, CROSS_DOWN, "DownBlock2D"),
                "`down_block_types` must name CrossAttnDownBlock2D or DownBlock2D, one a level",
            ),
            (
                known(&self.up_block_types, CROSS_UP, "UpBlock2D"),
                "`up_block_types` must name CrossAttnUpBlock2D or UpBlock2D, one a level",
            ),
            (
                self.attention_head_dim.fits(levels),
                "`attention_head_dim` needs one number, or one a level",
            ),
            (
                self.transformer_layers_per_block.fits(levels),
                "`transformer_layers_per_block` needs one number, or one a level",
            ),
            (
                self.addition_embed_type.is_none(),
                "`addition_embed_type` is set, as in SDXL; this version trains SD 1.x and 2.x",
            ),
            (self.class_embed_type.is_none(), "`class_embed_type` is not supported"),
            (
                self.resnet_time_scale_shift == "default",
                "`resnet_time_scale_shift` must be \"default\"",
            ),
            (
                self.mid_block_type.as_deref() == Some("UNetMidBlock2DCrossAttn"),
                "`mid_block_type` must be \"UNetMidBlock2DCrossAttn\"",
            ),
            (matches!(self.act_fn.as_str(), "silu" | "swish"), "`act_fn` must be \"silu\""),
            (
                groups > 0 && self.block_out_channels.iter().all(|c| c % groups == 0),
                "`norm_num_groups` must divide every entry of `block_out_channels`",
            ),
        ];
        match checks.iter().find(|(holds, _)| !holds) {
            Some((_, reason)) => Err((*reason).to_owned()),
            None => Ok(()),
        }
    }
}
