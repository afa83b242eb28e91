//! Sizes of a single file's models, read off its tensors.
//!
//! Heads, groups and activations leave no trace in a file: they are those of the
//! published families (SD 1.x: 8 heads; SD 2.x: heads of 64; 32 groups).

use crate::checkpoint::Family;
use crate::error::Error;
use crate::layers::Activation;
use crate::text::TextConfig;
use crate::unet::{PerLevel, UnetConfig};
use crate::vae::VaeConfig;
use crate::weights::TensorFile;
use crate::weights::names::{ldm, openclip};

/// Sizes of the three models.
pub fn configs(
    file: &TensorFile,
    family: Family,
) -> Result<(UnetConfig, VaeConfig, TextConfig), Error> {
    let all = unet(file, family).zip(vae(file)).zip(text(file, family));
    let ((unet, vae), text) = all.ok_or_else(|| Error::NotACheckpoint {
        path: file.path().into(),
        reason: "the sizes of its models cannot be read off its tensors; give the folder with their configs".into(),
    })?;
    Ok((unet, vae, text))
}

fn size(file: &TensorFile, name: &str, dimension: usize) -> Option<usize> {
    file.shape(name)?.get(dimension).copied()
}

/// How many of `name(0)`, `name(1)`... are there.
fn count(file: &TensorFile, name: impl Fn(usize) -> String) -> usize {
    (0..).take_while(|i| file.shape(&name(*i)).is_some()).count()
}

fn unet(file: &TensorFile, family: Family) -> Option<UnetConfig> {
    let block = |i: usize, rest: &str| format!("{}input_blocks.{i}.{rest}", ldm::UNET);
    let resnet = |i: usize| file.shape(&block(i, "0.in_layers.2.weight")).is_some();
    let layers_per_block = (1..).take_while(|i| resnet(*i)).count();
    let mut channels = Vec::new();
    let mut attends = Vec::new();
    let mut at = 1;
    while resnet(at) {
        channels.push(size(file, &block(at, "0.out_layers.3.weight"), 0)?);
        attends.push(file.shape(&block(at, "1.proj_in.weight")).is_some());
        at += layers_per_block + 1;
    }
    let to_k = block(1, "1.transformer_blocks.0.attn2.to_k.weight");
    let heads = match family {
        Family::Sd1 => PerLevel::Same(8),
        Family::Sd2 => PerLevel::Each(channels.iter().map(|c| (c / 64).max(1)).collect()),
    };
    let kind = |attends: &bool, side: &str| match attends {
        true => format!("CrossAttn{side}Block2D"),
        false => format!("{side}Block2D"),
    };
    let (width, height) = (size(file, &block(0, "0.weight"), 1)?, 64);
    Some(UnetConfig {
        in_channels: width,
        out_channels: size(file, &format!("{}out.2.weight", ldm::UNET), 0)?,
        layers_per_block,
        cross_attention_dim: size(file, &to_k, 1)?,
        attention_head_dim: heads,
        down_block_types: attends.iter().map(|a| kind(a, "Down")).collect(),
        up_block_types: attends.iter().rev().map(|a| kind(a, "Up")).collect(),
        block_out_channels: channels,
        use_linear_projection: file.shape(&block(1, "1.proj_in.weight"))?.len() == 2,
        sample_size: if family == Family::Sd2 { 96 } else { height },
        ..UnetConfig::default()
    })
}

fn vae(file: &TensorFile) -> Option<VaeConfig> {
    let conv = |level: usize, block: usize| {
        format!("{}encoder.down.{level}.block.{block}.conv1.weight", ldm::VAE)
    };
    let levels = count(file, |level| conv(level, 0));
    let channels = (0..levels).map(|level| size(file, &conv(level, 0), 0));
    Some(VaeConfig {
        latent_channels: size(file, &format!("{}post_quant_conv.weight", ldm::VAE), 0)?,
        block_out_channels: channels.collect::<Option<Vec<_>>>().filter(|c| !c.is_empty())?,
        layers_per_block: count(file, |block| conv(0, block)),
        ..VaeConfig::default()
    })
}

fn text(file: &TensorFile, family: Family) -> Option<TextConfig> {
    let default = TextConfig::default();
    match family {
        Family::Sd1 => {
            let layer =
                |i: usize| format!("{}text_model.encoder.layers.{i}.mlp.fc1.weight", ldm::TEXT);
            let tokens = format!("{}text_model.embeddings.token_embedding.weight", ldm::TEXT);
            let hidden_size = size(file, &tokens, 1)?;
            Some(TextConfig {
                vocab_size: size(file, &tokens, 0)?,
                num_hidden_layers: count(file, layer),
                intermediate_size: size(file, &layer(0), 0)?,
                num_attention_heads: (hidden_size / 64).max(1),
                hidden_size,
                ..default
            })
        }
        Family::Sd2 => {
            let layer =
                |i: usize| format!("{}transformer.resblocks.{i}.mlp.c_fc.weight", openclip::TEXT);
            let tokens = format!("{}token_embedding.weight", openclip::TEXT);
            let (vocab_size, hidden_size) = (size(file, &tokens, 0)?, size(file, &tokens, 1)?);
            Some(TextConfig {
                vocab_size,
                num_hidden_layers: count(file, layer).checked_sub(1)?,
                intermediate_size: size(file, &layer(0), 0)?,
                num_attention_heads: (hidden_size / 64).max(1),
                hidden_act: Activation::Gelu,
                eos_token_id: u32::try_from(vocab_size).ok()?.checked_sub(1)?,
                hidden_size,
                ..default
            })
        }
    }
}
