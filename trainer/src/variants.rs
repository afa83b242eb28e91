//! Captions with parts left out: what a prompt does not say must not matter.
//!
//! A caption is a list of parts, `a photo of mika woman, smiling, on a beach`. Learned always whole, it leaves shorter
//! prompts, and what is preserved of the class in them, to chance. So each photo has several variants: its first part and
//! the one that names the character stay, the others come in a drawn order and are left out with a given probability.
//! kohya's scripts call the two `shuffle_caption` and `caption_tag_dropout_rate`.

use likeness_diffusion::noise;

/// Variants of a caption, where parts are left out.
const COUNT: usize = 16;
/// Steps of a drawn share.
const FINE: usize = 1 << 20;

/// How captions vary.
#[derive(Debug, Clone, Copy)]
pub struct Variants<'a> {
    /// Of what is drawn.
    pub seed: u64,
    /// The probability that a part is left out, 0 (captions stay as they are) to 1.
    pub dropout: f64,
    /// What must stay.
    pub trigger: &'a str,
}

impl Variants<'_> {
    /// The variants of `caption`, of the photo at `index`; `caption` alone without dropout.
    pub fn of(&self, caption: &str, index: usize) -> Vec<String> {
        if self.dropout <= 0.0 {
            return vec![caption.to_owned()];
        }
        (0..COUNT).map(|variant| self.one(caption, (index * COUNT + variant) as u64)).collect()
    }

    fn one(&self, caption: &str, at: u64) -> String {
        let parts: Vec<&str> =
            caption.split(',').map(str::trim).filter(|part| !part.is_empty()).collect();
        let draw = |purpose: &str, part: usize| {
            noise::below(self.seed, &format!("{purpose} {part}"), at, FINE)
        };
        let stays =
            |at: usize| at == 0 || (!self.trigger.is_empty() && parts[at].contains(self.trigger));
        let least = (self.dropout * FINE as f64) as usize;
        let mut rest: Vec<_> = (1..parts.len())
            .filter(|part| stays(*part) || draw("tag dropout", *part) >= least)
            .collect();
        rest.sort_by_key(|part| (!stays(*part), draw("tag order", *part)));
        let said =
            parts.first().copied().into_iter().chain(rest.into_iter().map(|part| parts[part]));
        said.collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAPTION: &str = "a photo of mika woman, smiling, on a beach, in soft light";

    #[test]
    fn without_dropout_a_caption_stays_as_it_is() {
        let variants = Variants { seed: 1, dropout: 0.0, trigger: "mika" };
        assert_eq!(variants.of(CAPTION, 3), [CAPTION]);
    }

    #[test]
    fn parts_come_and_go_and_the_character_stays() {
        let variants = Variants { seed: 1, dropout: 0.5, trigger: "mika" };
        let all: Vec<String> = (0..40).flat_map(|photo| variants.of(CAPTION, photo)).collect();
        assert!(all.iter().all(|text| text.starts_with("a photo of mika woman")));
        let share = |part: &str| {
            all.iter().filter(|text| text.contains(part)).count() as f64 / all.len() as f64
        };
        for part in ["smiling", "on a beach", "in soft light"] {
            assert!((0.43..0.57).contains(&share(part)), "{part}: {}", share(part));
        }
        let turned = all.iter().any(|text| text.contains("in soft light, smiling"));
        assert!(turned, "the order varies");
        let late = Variants { dropout: 1.0, ..variants };
        assert_eq!(late.of("photo, close, mika woman, smiling", 0)[0], "photo, mika woman");
    }
}
