//! Names of OpenCLIP's text tower in SD 2.x single files.
//!
//! q, k and v are fused in one `in_proj`, and the file has one layer more than
//! the text encoder uses (its penultimate states are wanted).

use crate::weights::{Foreign, Take};

/// Prefix of the text encoder's names, SD 2.x.
pub const TEXT: &str = "cond_stage_model.model.";

/// Modules outside the layers.
const FIXED: [(&str, &str); 4] = [
    ("embeddings.token_embedding.weight", "token_embedding.weight"),
    ("embeddings.position_embedding.weight", "positional_embedding"),
    ("final_layer_norm.weight", "ln_final.weight"),
    ("final_layer_norm.bias", "ln_final.bias"),
];

/// Parts of a layer.
const LAYER: [(&str, &str, Take); 8] = [
    ("self_attn.q_proj.", "attn.in_proj_", Take::Third(0)),
    ("self_attn.k_proj.", "attn.in_proj_", Take::Third(1)),
    ("self_attn.v_proj.", "attn.in_proj_", Take::Third(2)),
    ("self_attn.out_proj.", "attn.out_proj.", Take::Whole),
    ("layer_norm1.", "ln_1.", Take::Whole),
    ("layer_norm2.", "ln_2.", Take::Whole),
    ("mlp.fc1.", "mlp.c_fc.", Take::Whole),
    ("mlp.fc2.", "mlp.c_proj.", Take::Whole),
];

/// The file's name for a text encoder tensor.
pub fn text(name: &str) -> Option<Foreign> {
    if let Some((_, theirs)) = FIXED.iter().find(|(ours, _)| name == *ours) {
        return Some(Foreign::whole(format!("{TEXT}{theirs}")));
    }
    let (index, rest) = name.strip_prefix("encoder.layers.")?.split_once('.')?;
    let (ours, theirs, take) = LAYER.iter().find(|(ours, ..)| rest.starts_with(ours))?;
    let name = format!("{TEXT}transformer.resblocks.{index}.{theirs}{}", &rest[ours.len()..]);
    Some(Foreign { name, take: *take })
}

/// What the tower has beside the layers in use: projection, temperature, mask.
pub fn stray(name: &str) -> bool {
    let rest = name.strip_prefix(TEXT).unwrap_or(name);
    matches!(rest, "text_projection" | "logit_scale" | "attn_mask")
}

/// The layer's number in a name such as `..resblocks.22.ln_1.bias`.
pub fn layer(name: &str) -> Option<usize> {
    let rest = name.strip_prefix(TEXT)?.strip_prefix("transformer.resblocks.")?;
    rest.split('.').next()?.parse().ok()
}
