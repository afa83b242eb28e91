//! The traits of a character in words, the most telling first.

use super::Character;
use super::looks::{FacialHair, Glasses, HairStyle};

impl Character {
    /// Its traits in words, the most telling first; ordinary traits stay unsaid.
    pub fn describe(&self) -> Vec<String> {
        let t = &self.traits;
        let mut words = vec![self.hair_words(), format!("{} skin", t.skin.name())];
        words.push(format!("{} eyes", t.eye_color.name()));
        if t.facial_hair != FacialHair::None {
            words.push(t.facial_hair.name().to_owned());
        }
        if t.glasses != Glasses::None {
            words.push(t.glasses.name().to_owned());
        }
        if t.freckles > 0.25 {
            words.push("freckles".to_owned());
        }
        if t.earrings {
            words.push("earrings".to_owned());
        }
        if t.mole.is_some() {
            words.push("a mole".to_owned());
        }
        words.extend(self.shape_words().map(str::to_owned));
        words
    }

    fn hair_words(&self) -> String {
        let (style, color) = (self.traits.hair_style, self.traits.hair_color.name());
        match style {
            HairStyle::Bald => "a bald head".to_owned(),
            HairStyle::SidePart
            | HairStyle::Spiky
            | HairStyle::Curly
            | HairStyle::Long
            | HairStyle::Wavy => format!("{color} {}", style.name()),
            HairStyle::SpaceBuns | HairStyle::Braids => {
                format!("{} {color} {}", "two", style.name().trim_start_matches("two "))
            }
            HairStyle::Pigtails => format!("{color} pigtails"),
            _ => format!("{} {color} {}", article(color), style.name()),
        }
    }

    fn shape_words(&self) -> impl Iterator<Item = &'static str> {
        let t = &self.traits;
        let shapes = [
            (t.face_width, "a narrow face", "a wide face"),
            (t.face_length, "a short face", "a long face"),
            (t.jaw_width, "a slim jaw", "a square jaw"),
            (t.chin, "a pointed chin", "a broad chin"),
            (t.cheekbones, "flat cheekbones", "high cheekbones"),
            (t.cheeks, "hollow cheeks", "full cheeks"),
            (t.forehead, "a low forehead", "a high forehead"),
            (t.nose_length, "a short nose", "a long nose"),
            (t.nose_width, "a slim nose", "a wide nose"),
            (t.nose_hook, "a turned-up nose", "a hooked nose"),
            (t.eye_size, "small eyes", "large eyes"),
            (t.eye_spacing, "close-set eyes", "wide-set eyes"),
            (t.eye_roundness, "narrow eyes", "round eyes"),
            (t.brow_thickness, "thin brows", "thick brows"),
            (t.lip_fullness, "thin lips", "full lips"),
            (t.mouth_width, "a small mouth", "a wide mouth"),
            (t.ear_angle, "flat ears", "protruding ears"),
            (t.build, "a slim build", "a sturdy build"),
        ];
        shapes.into_iter().filter_map(|(value, low, high)| match value {
            v if v < -0.6 => Some(low),
            v if v > 0.6 => Some(high),
            _ => None,
        })
    }
}

/// "a" or "an", as `word` asks for.
pub(crate) fn article(word: &str) -> &'static str {
    match word.starts_with(['a', 'e', 'i', 'o', 'u']) {
        true => "an",
        false => "a",
    }
}
