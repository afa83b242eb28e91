//! Bars of one colour along the edges of a picture: a frame, a letterbox, an app's own rows.
//!
//! A line belongs to a bar where most of its pixels have the bar's colour, which is the median of
//! the outermost line; letters and signs on a bar may take the rest. A backdrop or a sky does that,
//! too, but where a bar ends nearly the whole next line differs, while a head or a tree begins small.

use serde::{Deserialize, Serialize};

use crate::luminance::Plane;

/// Bars of a picture, as shares of its sides.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Bars {
    /// The thinner of two bars of like colour at both ends of a side.
    pub frame: f64,
    /// The widest bar at any edge.
    pub bar: f64,
}

const COLOUR: f32 = 4.0; // levels of 255 around a bar's colour
const LIKE: f32 = 6.0; // levels between two bars of one frame
const FILLED: f64 = 0.7; // of a bar's line has its colour
const DIFFERS: f64 = 0.8; // of the lines behind a bar has not
const BEHIND: usize = 3; // lines behind it that are looked at: the first may be a blend
const STEP: f32 = 10.0; // levels that half of a line behind it is off by: floors out of focus begin slowly

/// One bar: its lines and its colour.
struct Bar {
    lines: usize,
    colour: f32,
}

impl Bars {
    /// Looks at the edges of a picture whose longer side was brought to 512 pixels.
    pub fn of(plane: &Plane) -> Self {
        let (width, height) = (plane.width, plane.height);
        let row = |y: usize, x: usize| plane.values[y * width + x];
        let column = |x: usize, y: usize| plane.values[y * width + x];
        let ends = [both(height, width, &row), both(width, height, &column)];
        let lengths = [height, width];
        let mut found = Self::default();
        for ([first, last], length) in ends.iter().zip(lengths) {
            let share = |lines: usize| lines as f64 / length as f64;
            found.bar = found.bar.max(share(first.lines.max(last.lines)));
            if (first.colour - last.colour).abs() < LIKE {
                found.frame = found.frame.max(share(first.lines.min(last.lines)));
            }
        }
        found
    }
}

/// The bars at both ends of `count` lines of `length` pixels; `at` gives a line's pixel.
fn both(count: usize, length: usize, at: &dyn Fn(usize, usize) -> f32) -> [Bar; 2] {
    [bar(count, length, at), bar(count, length, &|line, along| at(count - 1 - line, along))]
}

fn bar(count: usize, length: usize, at: &dyn Fn(usize, usize) -> f32) -> Bar {
    let mut first: Vec<f32> = (0..length).map(|along| at(0, along)).collect();
    first.sort_by(f32::total_cmp);
    let colour = first[length / 2];
    let has = |line: usize, along: usize| (at(line, along) - colour).abs() <= COLOUR;
    let share =
        |line: usize| (0..length).filter(|along| has(line, *along)).count() as f64 / length as f64;
    let lines = (0..count / 2).take_while(|line| share(*line) >= FILLED).count();
    let behind = lines..(lines + BEHIND).min(count);
    let half_is_off = |line: usize| {
        let off = (0..length).filter(|along| (at(line, *along) - colour).abs() > STEP).count();
        2 * off >= length
    };
    let ends = behind.into_iter().any(|line| 1.0 - share(line) >= DIFFERS && half_is_off(line));
    Bar { lines: if ends { lines } else { 0 }, colour }
}

#[cfg(test)]
mod tests {
    use image::{Rgb, RgbImage};

    use super::*;
    use crate::testing::texture;

    fn bars(picture: &RgbImage) -> Bars {
        Bars::of(&Plane::of(picture))
    }

    fn barred(paints: impl Fn(u32, u32) -> bool, colour: u8) -> RgbImage {
        let picture = texture(300, 200, 5);
        RgbImage::from_fn(300, 200, |x, y| {
            if paints(x, y) { Rgb([colour; 3]) } else { *picture.get_pixel(x, y) }
        })
    }

    #[test]
    fn a_picture_without_bars_has_none() {
        assert_eq!(bars(&texture(300, 200, 5)), Bars::default());
    }

    #[test]
    fn bars_at_both_ends_are_a_frame_and_one_alone_is_a_bar() {
        let frame = bars(&barred(|_, y| !(20..180).contains(&y), 0));
        assert_eq!(frame, Bars { frame: 0.1, bar: 0.1 });
        let alone = bars(&barred(|x, _| x >= 270, 255));
        assert_eq!(alone, Bars { frame: 0.0, bar: 0.1 });
    }

    #[test]
    fn letters_on_a_bar_leave_it_one() {
        let lettered = barred(|_, y| y >= 160, 250);
        let lettered = RgbImage::from_fn(300, 200, |x, y| {
            let ink = (170..185).contains(&y) && (40..200).contains(&x) && x % 8 < 3;
            if ink { Rgb([20; 3]) } else { *lettered.get_pixel(x, y) }
        });
        assert_eq!(bars(&lettered).bar, 0.2);
    }

    #[test]
    fn a_plain_backdrop_and_a_sky_are_no_bars() {
        let backdrop = RgbImage::from_fn(300, 200, |x, y| {
            let far = (f64::from(x) - 150.0).hypot(f64::from(y) - 110.0);
            Rgb([(90.0 + 100.0 * (1.0 - far / 60.0).max(0.0)) as u8; 3])
        });
        assert_eq!(bars(&backdrop), Bars::default());
        let sky = barred(|x, y| y < 60 + x / 4, 255);
        assert_eq!(bars(&sky), Bars::default());
        let far = |y: u32| f64::from(170u32.saturating_sub(y)).min(40.0);
        let out_of_focus =
            RgbImage::from_fn(300, 200, |_, y| Rgb([(60.0 + 2.0 * far(y)) as u8; 3]));
        assert_eq!(bars(&out_of_focus), Bars::default());
    }
}
