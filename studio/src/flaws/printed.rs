//! A watermark: a word and a band across a picture.

use crate::picture::Picture;

/// Five rows of five columns each, the letters of "SAMPLE".
const LETTERS: [[u8; 5]; 6] = [
    [0b01111, 0b10000, 0b01110, 0b00001, 0b11110],
    [0b01110, 0b10001, 0b11111, 0b10001, 0b10001],
    [0b10001, 0b11011, 0b10101, 0b10001, 0b10001],
    [0b11110, 0b10001, 0b11110, 0b10000, 0b10000],
    [0b10000, 0b10000, 0b10000, 0b10000, 0b11111],
    [0b11111, 0b10000, 0b11110, 0b10000, 0b11111],
];

/// Prints "SAMPLE" across the picture, light with a dark rim, rising to the right; `strength` 0..1 is its opacity.
pub(super) fn watermark(picture: &mut Picture, strength: f32) {
    let (width, height) = (picture.width as f32, picture.height as f32);
    let dot = width / 38.0;
    for y in 0..picture.height {
        for x in 0..picture.width {
            let across = (x as f32 - width * 0.02) / dot;
            let down = (y as f32 - height * 0.62 + (x as f32 - width / 2.0) * 0.25) / dot;
            let ink = |right: f32, below: f32| inked(across + right, (down + below) * 0.72);
            // Without a rim the word would be lost before a sky.
            let rim = || RIM.iter().any(|by| RIM.iter().any(|below| ink(*by, *below)));
            let shade = match ink(0.0, 0.0) {
                true => 255.0,
                false if rim() => 0.0,
                false => continue,
            };
            let at = ((y * picture.width + x) * 3) as usize;
            for value in &mut picture.rgb[at..at + 3] {
                let old = f32::from(*value);
                *value = (old + (shade - old) * 0.85 * strength) as u8;
            }
        }
    }
}

/// How far a rim reaches from its letter, in dots.
const RIM: [f32; 3] = [-0.2, 0.0, 0.2];

fn inked(across: f32, down: f32) -> bool {
    let (letter, row) = ((across / 6.0).floor(), down.floor());
    let column = (across - letter * 6.0).floor();
    let inside = (0.0..6.0).contains(&letter) && (0.0..5.0).contains(&row) && column < 5.0;
    inside && (LETTERS[letter as usize][row as usize] >> (4 - column as u8)) & 1 == 1
}
