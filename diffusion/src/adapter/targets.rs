//! Which layers an adapter changes.

use serde::{Deserialize, Serialize};

use super::{Component, Place};

/// A usual choice of layers of the UNet; each holds the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// q, k, v and out of every attention (diffusers' DreamBooth example).
    #[default]
    Attention,
    /// And the feed-forward and projection layers of every transformer (kohya's default).
    FeedForward,
    /// And the resnets, down- and upsamplers (LoCon).
    Convolutions,
}

const ATTENTION: &[&str] = &["to_q", "to_k", "to_v", "to_out.0"];
const FEED_FORWARD: &[&str] = &["ff.net.0.proj", "ff.net.2", "proj_in", "proj_out"];
const CONVOLUTIONS: &[&str] = &["conv1", "conv2", "conv_shortcut", "time_emb_proj", "conv"];
const TEXT_ATTENTION: &[&str] = &["q_proj", "k_proj", "v_proj", "out_proj"];

/// Endings of the paths of the layers that an adapter changes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Targets {
    /// Of the UNet.
    pub unet: Vec<String>,
    /// Of the text encoder.
    pub text_encoder: Vec<String>,
}

impl Preset {
    fn endings(self) -> Vec<&'static str> {
        let sets: &[&[&str]] = match self {
            Self::Attention => &[ATTENTION],
            Self::FeedForward => &[ATTENTION, FEED_FORWARD],
            Self::Convolutions => &[ATTENTION, FEED_FORWARD, CONVOLUTIONS],
        };
        sets.concat()
    }
}

impl Targets {
    /// The layers of `preset`, and the text encoder's attention if asked for.
    pub fn preset(preset: Preset, text_encoder: bool) -> Self {
        let owned = |names: Vec<&str>| names.into_iter().map(String::from).collect();
        Self {
            unet: owned(preset.endings()),
            text_encoder: owned(if text_encoder { TEXT_ATTENTION.to_vec() } else { vec![] }),
        }
    }

    /// Whether the layer at `place` is meant: its path is an ending or ends in `.ending`.
    pub fn has(&self, place: &Place) -> bool {
        let endings = match place.component {
            Component::Unet => &self.unet,
            Component::TextEncoder => &self.text_encoder,
        };
        endings.iter().any(|ending| {
            let head = place.path.strip_suffix(ending.as_str());
            head.is_some_and(|head| head.is_empty() || head.ends_with('.'))
        })
    }

    /// Endings that no layer has: most likely spelled wrong.
    pub fn unmatched<'a>(&'a self, places: &[Place]) -> Vec<&'a str> {
        let one = |component| {
            move |ending: &&String| {
                let alone = match component {
                    Component::Unet => Self { unet: vec![(*ending).clone()], ..Self::default() },
                    Component::TextEncoder => {
                        Self { text_encoder: vec![(*ending).clone()], ..Self::default() }
                    }
                };
                !places.iter().any(|place| alone.has(place))
            }
        };
        let unet = self.unet.iter().filter(one(Component::Unet));
        let text = self.text_encoder.iter().filter(one(Component::TextEncoder));
        unet.chain(text).map(String::as_str).collect()
    }
}
