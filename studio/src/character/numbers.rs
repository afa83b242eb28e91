//! Traits as numbers, for what learns to see them.

use super::looks::{EyeColor, FacialHair, Glasses, HairColor, HairStyle, SkinTone};
use super::traits::Traits;

/// Rims have so many colours.
const RIMS: usize = 6;
/// Numbers that are even in -1..1 times this have variance one.
const EVEN: f32 = 1.732_050_8;

impl Traits {
    /// Every trait in numbers: about variance one each over many characters, a choice as one
    /// number for each of its variants. As many for every character.
    pub fn numbers(&self) -> Vec<f32> {
        let mut numbers: Vec<f32> = [
            self.face_width,
            self.face_length,
            self.jaw_width,
            self.chin,
            self.cheekbones,
            self.cheeks,
            self.forehead,
            self.nose_length,
            self.nose_width,
            self.nose_hook,
            self.eye_size,
            self.eye_spacing,
            self.eye_roundness,
            self.eye_tilt,
            self.brow_thickness,
            self.brow_arch,
            self.brow_height,
            self.lip_fullness,
            self.mouth_width,
            2.0 * self.lip_color - 1.0,
            self.ear_size,
            self.ear_angle,
            self.hair_volume,
            self.build,
            2.0 * self.freckles - 1.0,
            2.0 * self.age_lines - 1.0,
        ]
        .map(|even| even * EVEN)
        .into();
        numbers.extend([self.parted_left, self.earrings].map(|yes| if yes { 1.0 } else { -1.0 }));
        let [across, down] = self.mole.unwrap_or_default();
        numbers.extend([if self.mole.is_some() { 1.0 } else { -1.0 }, across, down]);
        for (chosen, of) in [
            (self.skin as usize, SkinTone::ALL.len()),
            (self.eye_color as usize, EyeColor::ALL.len()),
            (self.hair_style as usize, HairStyle::ALL.len()),
            (self.hair_color as usize, HairColor::ALL.len()),
            (self.facial_hair as usize, FacialHair::ALL.len()),
            (self.glasses as usize, Glasses::ALL.len()),
            (usize::from(self.rim_color), RIMS),
        ] {
            numbers.extend((0..of).map(|each| f32::from(u8::from(each == chosen))));
        }
        numbers
    }
}

#[cfg(test)]
mod tests {
    use crate::Character;

    #[test]
    fn characters_have_as_many_numbers_and_every_one_of_them_varies() {
        let all: Vec<_> =
            (0..200).map(|seed| Character::from_seed(seed).traits.numbers()).collect();
        for place in 0..all[0].len() {
            assert!(all.iter().any(|numbers| numbers[place] != all[0][place]), "number {place}");
        }
        assert!(all.iter().all(|numbers| numbers.len() == all[0].len()));
    }
}
