//! Colours in classes, and their names.

/// How far two colours of one outfit or place may be apart, in CIELAB with half of the lightness:
/// light changes between photos of one afternoon, the colour of a shirt hardly.
const ONE_COLOUR: f64 = 18.0;
/// Lightness from place to place above which a background is busy.
const BUSY: f64 = 12.0;
/// Chroma below which a colour is white, grey or black.
const GREY: f64 = 10.0;

/// The class of each colour (CIELAB, and how busy it is), called by its name; `None` of none. A
/// colour belongs to the first class whose first colour is near.
pub(super) fn classes(colours: &[Option<([f64; 3], f64)>]) -> Vec<Option<String>> {
    let mut known: Vec<([f64; 3], bool, String)> = Vec::new();
    let mut class = |lab: [f64; 3], busy: f64| {
        let busy = busy >= BUSY;
        let near =
            known.iter().find(|(first, b, _)| *b == busy && apart(*first, lab) <= ONE_COLOUR);
        if let Some((.., name)) = near {
            return name.clone();
        }
        let plain = format!("{}{}", if busy { "busy, " } else { "" }, name(lab));
        let alike = known.iter().filter(|(.., name)| name.starts_with(&plain)).count();
        let name = if alike == 0 { plain } else { format!("{plain} ({})", alike + 1) };
        known.push((lab, busy, name.clone()));
        name
    };
    colours.iter().map(|colour| colour.map(|(lab, busy)| class(lab, busy))).collect()
}

fn apart(a: [f64; 3], b: [f64; 3]) -> f64 {
    ((a[0] - b[0]) / 2.0).hypot((a[1] - b[1]).hypot(a[2] - b[2]))
}

/// What a person would call a colour.
fn name([light, red, yellow]: [f64; 3]) -> String {
    if red.hypot(yellow) < GREY {
        let grey = match light {
            l if l >= 80.0 => "white",
            l if l >= 25.0 => "grey",
            _ => "black",
        };
        return grey.into();
    }
    let dark = if light < 25.0 { "dark " } else { "" };
    // Hues of CIELAB, in degrees: pure red is at 40, yellow at 103, green at 136, blue at 306.
    let hue = match yellow.atan2(red).to_degrees().rem_euclid(360.0) {
        h if h < 50.0 => "red",
        h if h < 82.0 => "brown",
        h if h < 108.0 => "yellow",
        h if h < 175.0 => "green",
        h if h < 310.0 => "blue",
        _ => "pink or purple",
    };
    format!("{dark}{hue}")
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;
    use crate::lab;

    #[test]
    fn colours_have_their_names() {
        for (pixel, meant) in [
            ([250, 250, 250], "white"),
            ([120, 120, 125], "grey"),
            ([12, 12, 12], "black"),
            ([200, 20, 30], "red"),
            ([150, 95, 50], "brown"),
            ([230, 210, 40], "yellow"),
            ([30, 140, 50], "green"),
            ([20, 30, 90], "dark blue"),
            ([90, 160, 230], "blue"),
            ([220, 90, 190], "pink or purple"),
        ] {
            assert_eq!(name(lab::of(&Rgb(pixel))), meant, "{pixel:?}");
        }
    }

    #[test]
    fn two_classes_of_one_name_are_told_apart() {
        let colours = [
            Some(([40.0, 50.0, 20.0], 0.0)),
            Some(([45.0, 20.0, 5.0], 0.0)),
            None,
            Some(([42.0, 48.0, 22.0], 30.0)),
            Some(([44.0, 21.0, 5.0], 0.0)),
        ];
        let red = |text: &str| Some(text.to_owned());
        assert_eq!(
            classes(&colours),
            [red("red"), red("red (2)"), None, red("busy, red"), red("red (2)")]
        );
    }
}
