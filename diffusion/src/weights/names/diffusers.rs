//! Names in diffusers folders: ours, but for two older spellings.

use crate::weights::Foreign;

/// UNet: diffusers' names are ours.
pub fn unet(name: &str) -> Vec<Foreign> {
    vec![Foreign::whole(name)]
}

/// Attention projections of autoencoders saved before diffusers 0.12, beside today's.
const VAE_ATTENTION: [(&str, &str); 4] = [
    (".to_q.", ".query."),
    (".to_k.", ".key."),
    (".to_v.", ".value."),
    (".to_out.0.", ".proj_attn."),
];

/// Autoencoder: today's names, or those of old files.
pub fn vae(name: &str) -> Vec<Foreign> {
    let mut found = vec![Foreign::whole(name)];
    let old = VAE_ATTENTION.iter().find(|(now, _)| name.contains(now));
    found.extend(old.map(|(now, old)| Foreign::whole(name.replace(now, old))));
    found
}

/// Text encoder: transformers 5.6 and later leave the `text_model.` out.
pub fn text(name: &str) -> Vec<Foreign> {
    vec![Foreign::whole(format!("text_model.{name}")), Foreign::whole(name)]
}

/// Names in text encoder files that the model does not need.
pub fn text_stray(name: &str) -> bool {
    name.ends_with("embeddings.position_ids") || name.ends_with("text_projection.weight")
}

/// No strays.
pub fn none(_: &str) -> bool {
    false
}
