//! Names bytes and model pairs by their sha256.

use sha2::{Digest, Sha256};

use crate::card::{ModelCard, Portrayed, USUAL_LEAST_SCORE};

/// The sha256 of `bytes`, in hex.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// One name for a detector, an encoder and readers: their bytes and how they are fed,
/// since another range gives other identities from the same file.
pub(crate) fn of<'a>(
    detector: &'a ModelCard,
    encoder: &'a ModelCard,
    readers: impl Iterator<Item = &'a ModelCard>,
) -> String {
    let said = |card: &ModelCard| {
        let ModelCard { sha256, input_size, channels, mean, scale, margin, least_score, .. } = card;
        let margin = if *margin == 0.0 { String::new() } else { format!(" {margin}") };
        let least = match card.least_score == USUAL_LEAST_SCORE {
            true => String::new(),
            false => format!(" from {least_score}"),
        };
        let faces = if card.faces == Portrayed::Rendered { " rendered" } else { "" };
        format!("{sha256} {input_size} {channels:?} {mean} {scale}{margin}{least}{faces}\n")
    };
    let all: String = [detector, encoder].into_iter().chain(readers).map(said).collect();
    sha256_hex(all.as_bytes())
}
