//! What a photo shows, in classes: its angle, framing, light, expression, outfit and place.
//!
//! Everything is read from a record's measures and its caption, so that it is the same for a set
//! that was just curated and for one on disk. Angles and framings are those of captions.

use crate::captions::template;
use crate::record::ImageRecord;
use crate::set::colours;

/// What photos differ in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Axis {
    /// How far the head is turned to a side.
    Angle,
    /// How much of the person is seen.
    Framing,
    /// Where the light comes from.
    Light,
    /// How far the head is raised or lowered.
    Tilt,
    /// What the caption says of the expression.
    Expression,
    /// The colour of the clothes.
    Outfit,
    /// The colour of the place.
    Background,
}

impl Axis {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Angle,
        Self::Framing,
        Self::Light,
        Self::Tilt,
        Self::Expression,
        Self::Outfit,
        Self::Background,
    ];

    /// Its name in the files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Angle => "angle",
            Self::Framing => "framing",
            Self::Light => "light",
            Self::Tilt => "tilt",
            Self::Expression => "expression",
            Self::Outfit => "outfit",
            Self::Background => "background",
        }
    }
}

/// Stops between the cheeks from which light has a side: natural photos differ by .14 at the
/// median, and less than .45 is soft or neutral by the calibration.
const SIDE_LIGHT: f64 = 0.45;
/// Stops by which the background outshines the face in back light: p95 of natural photos is .908.
const BACK_LIGHT: f64 = 0.95;
/// Degrees of pitch from which a head is raised or lowered.
const TILT: f64 = 12.0;

/// The classes of each photo on each axis.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Shown {
    names: Vec<String>,
    /// By the places of their names; `None` where it was not measured.
    classes: Vec<[Option<usize>; 7]>,
}

impl Shown {
    /// What each of `records` shows; `caption` reads the caption of one.
    pub fn of(records: &[&ImageRecord], caption: &dyn Fn(&ImageRecord) -> Option<String>) -> Self {
        let outfits = clusters(records, "outfit");
        let backgrounds = clusters(records, "background");
        let mut shown = Self::default();
        for ((record, outfit), place) in records.iter().zip(outfits).zip(backgrounds) {
            let classes = [
                record.measures.get("yaw").map(template::angle),
                template::framing(record),
                light(record),
                record.measures.get("pitch").map(tilt),
                caption(record).as_deref().and_then(expression),
                outfit.as_deref(),
                place.as_deref(),
            ];
            let classes = classes.map(|class| class.map(|class| shown.place_of(class)));
            shown.classes.push(classes);
        }
        shown
    }

    /// The place of `class` among the names.
    fn place_of(&mut self, class: &str) -> usize {
        let known = self.names.iter().position(|name| name == class);
        known.unwrap_or_else(|| {
            self.names.push(class.to_owned());
            self.names.len() - 1
        })
    }

    /// The class of photo `index` on `axis`.
    pub fn class(&self, index: usize, axis: Axis) -> Option<&str> {
        self.classes[index][axis as usize].map(|place| self.names[place].as_str())
    }

    /// How many photos have a class on `axis`, and how many each class has, the most frequent
    /// first and by name among equals.
    pub fn counts(&self, axis: Axis) -> Vec<(&str, usize)> {
        let mut numbers = vec![0; self.names.len()];
        for place in self.classes.iter().filter_map(|classes| classes[axis as usize]) {
            numbers[place] += 1;
        }
        let named = self.names.iter().map(String::as_str).zip(numbers);
        let mut counts: Vec<(&str, usize)> = named.filter(|(_, number)| *number > 0).collect();
        counts.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        counts
    }
}

fn light(record: &ImageRecord) -> Option<&'static str> {
    let side = record.measures.get("light_side")?;
    let behind = record.measures.get("backlight").is_some_and(|doublings| doublings >= BACK_LIGHT);
    Some(match () {
        () if behind => "back light",
        () if side >= SIDE_LIGHT => "light from the left",
        () if side <= -SIDE_LIGHT => "light from the right",
        () => "even light",
    })
}

fn tilt(pitch: f64) -> &'static str {
    match pitch {
        up if up >= TILT => "looking up",
        down if down <= -TILT => "looking down",
        _ => "level",
    }
}

/// The expression that a caption names.
fn expression(caption: &str) -> Option<&'static str> {
    const WORDS: [(&str, &[&str]); 5] = [
        ("laughing", &["laugh", "laughing", "laughs", "open mouth", "grin", "grinning"]),
        ("smiling", &["smile", "smiling", "smiles", "happy"]),
        ("sad", &["sad", "crying", "frown", "frowning", "tears"]),
        ("angry or surprised", &["angry", "shouting", "surprised", "scared"]),
        ("neutral", &["serious", "neutral expression", "expressionless", "closed mouth", "stern"]),
    ];
    let text = caption.to_lowercase();
    let words: Vec<&str> =
        text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let says = |phrase: &str| {
        let phrase: Vec<&str> = phrase.split(' ').collect();
        words.windows(phrase.len()).any(|part| part == phrase)
    };
    let named = WORDS.iter().find(|(_, phrases)| phrases.iter().any(|phrase| says(phrase)));
    named.map(|(class, _)| *class)
}

/// Colours of clothes or places in classes, each called by its first photo's colour. Places differ
/// in how busy they are, too.
fn clusters(records: &[&ImageRecord], of: &str) -> Vec<Option<String>> {
    let measure = |record: &ImageRecord, name: &str| record.measures.get(&format!("{of}_{name}"));
    let colour = |record: &&ImageRecord| {
        let lab = [measure(record, "light")?, measure(record, "red")?, measure(record, "yellow")?];
        Some((lab, measure(record, "busy").unwrap_or(0.0)))
    };
    colours::classes(&records.iter().map(colour).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::set::testing::record;

    #[test]
    fn classes_are_those_of_captions_and_measures() {
        let turned = record(
            "a.jpg",
            &[("yaw", -40.0), ("pitch", 15.0), ("light_side", 0.6), ("face_share", 0.26)],
        );
        let plain = record("b.jpg", &[]);
        let caption = |record: &ImageRecord| {
            (record.path == "a.jpg").then(|| "mika, Smiling, in a smileless room".to_owned())
        };
        let shown = Shown::of(&[&turned, &plain], &caption);
        let class = |axis| shown.class(0, axis);
        assert_eq!(class(Axis::Angle), Some("three-quarter view facing left"));
        assert_eq!(class(Axis::Framing), Some("a half-figure photo"));
        assert_eq!(class(Axis::Light), Some("light from the left"));
        assert_eq!(class(Axis::Tilt), Some("looking up"));
        assert_eq!(class(Axis::Expression), Some("smiling"));
        assert_eq!(class(Axis::Outfit), None);
        assert!(Axis::ALL.iter().all(|axis| shown.class(1, *axis).is_none()));
        assert_eq!(shown.counts(Axis::Angle), [("three-quarter view facing left", 1)]);
    }

    #[test]
    fn clothes_of_one_colour_are_one_outfit_and_others_are_others() {
        let outfit = |path, light, red, yellow| {
            let measures =
                [("outfit_light", light), ("outfit_red", red), ("outfit_yellow", yellow)];
            record(path, &measures)
        };
        let records = [
            outfit("a", 40.0, 50.0, 30.0),
            outfit("b", 30.0, 46.0, 26.0),
            outfit("c", 30.0, 10.0, -45.0),
            outfit("d", 92.0, 0.0, 1.0),
        ];
        let shown = Shown::of(&records.iter().collect::<Vec<_>>(), &|_| None);
        let counts = shown.counts(Axis::Outfit);
        assert_eq!(counts, [("red", 2), ("blue", 1), ("white", 1)]);
    }
}
