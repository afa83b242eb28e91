//! Names of modules and factors in each dialect of LoRA files.
//!
//! Sources: kohya sd-scripts `networks/lora.py` (`lora_unet_`, `lora_te_`, paths
//! with `_` for `.`), diffusers `loaders/lora_conversion_utils.py` and
//! `utils/state_dict_utils.py` (PEFT names, and the two older ones).

use super::{Component, Place};

/// What a key holds of a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// A.
    Down,
    /// B.
    Up,
    /// alpha.
    Alpha,
}

/// Endings of keys.
const PARTS: [(&str, Part); 11] = [
    (".lora_down.weight", Part::Down),
    (".lora_up.weight", Part::Up),
    (".lora_A.weight", Part::Down),
    (".lora_B.weight", Part::Up),
    (".lora.down.weight", Part::Down),
    (".lora.up.weight", Part::Up),
    (".lora_linear_layer.down.weight", Part::Down),
    (".lora_linear_layer.up.weight", Part::Up),
    ("_lora.down.weight", Part::Down),
    ("_lora.up.weight", Part::Up),
    (".alpha", Part::Alpha),
];

/// Endings of updates that are not low-rank sums, with the names that users know.
const OTHER_KINDS: [(&str, &str); 8] = [
    ("dora_scale", "DoRA"),
    ("lora_magnitude_vector", "DoRA"),
    ("lokr_", "LoKr"),
    ("hada_", "LoHa"),
    ("lora_mid.weight", "LoCon with a Tucker core"),
    (".diff", "full differences"),
    ("oft_", "OFT"),
    ("emb_params", "a textual inversion"),
];

/// Splits a key into the module's name and its part.
pub fn split(key: &str) -> Option<(&str, Part)> {
    PARTS.iter().find_map(|(ending, part)| Some((key.strip_suffix(ending)?, *part)))
}

/// What a key is, if it belongs to a kind of update that is not supported.
pub fn other_kind(key: &str) -> Option<&'static str> {
    OTHER_KINDS.iter().find(|(mark, _)| key.contains(mark)).map(|(_, kind)| *kind)
}

/// kohya's name of a module.
pub fn kohya(component: Component, path: &str) -> String {
    let prefix = match component {
        Component::Unet => "lora_unet_",
        Component::TextEncoder => "lora_te_text_model_",
    };
    format!("{prefix}{}", path.replace('.', "_"))
}

/// PEFT's name of a module, as diffusers saves it.
pub fn peft(component: Component, path: &str) -> String {
    match component {
        Component::Unet => format!("unet.{path}"),
        Component::TextEncoder => format!("text_encoder.text_model.{path}"),
    }
}

/// Every name that a file may call the layer at `place`.
pub fn names(place: &Place) -> Vec<String> {
    let (component, path) = (place.component, place.path.as_str());
    let mut names = vec![kohya(component, path), peft(component, path)];
    match component {
        Component::Unet => {
            names.push(path.to_owned());
            // diffusers before 0.20: `attn1.processor.to_q_lora`, `attn1.processor.to_out_lora`.
            if let Some((block, layer)) = path.trim_end_matches(".0").rsplit_once('.') {
                names.push(format!("unet.{block}.processor.{layer}"));
                names.push(format!("{block}.processor.{layer}"));
            }
        }
        Component::TextEncoder => {
            let flat = path.replace('.', "_");
            names.push(format!("lora_te1_text_model_{flat}"));
            names.push(format!("text_encoder.{path}"));
        }
    }
    names
}
