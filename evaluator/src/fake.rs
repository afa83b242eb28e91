//! A painter and a judge whose identities are known, for tests.
//!
//! The first pixel says whether there is a face and, as an angle in degrees,
//! whose it is; the cosine of two faces is that of the angle between them.

use std::collections::BTreeMap;

use image::{Rgb, RgbImage};
use likeness_faces::{Axis, Identity};

use crate::error::Error;
use crate::gallery::Reference;
use crate::gate::Thresholds;
use crate::judge::{Judge, Reader, Sighting};
use crate::painter::{Arm, Painter, Shot};
use crate::plan::{Plan, Recipe};
use crate::suite::Suite;

/// An image of the person at `degrees`, or of nobody.
pub(crate) fn portrait(degrees: Option<u8>) -> RgbImage {
    let mut image = RgbImage::from_pixel(48, 64, Rgb([90, 110, 130]));
    let pixel = degrees.map_or([0, 0, 0], |degrees| [1, degrees, 0]);
    image.put_pixel(0, 0, Rgb(pixel));
    image
}

/// Paints whom `who` says, and counts.
pub(crate) struct FakePainter {
    pub who: fn(&Shot) -> Option<u8>,
    pub painted: usize,
    /// Fails once this many are painted, as an interruption would.
    pub stops_after: usize,
}

impl FakePainter {
    pub fn new(who: fn(&Shot) -> Option<u8>) -> Self {
        Self { who, painted: 0, stops_after: usize::MAX }
    }

    /// Strangers (about 80 degrees away) by the base, a good likeness by the adapter.
    pub fn good() -> Self {
        Self::new(|shot| {
            let jitter = (shot.seed % 7) as u8;
            Some(if shot.arm == Arm::Adapter { 8 + jitter } else { 77 + jitter })
        })
    }
}

impl Painter for FakePainter {
    fn paint(&mut self, shot: &Shot) -> Result<RgbImage, Error> {
        if self.painted == self.stops_after {
            return Err(Error::foreign(std::io::Error::other("out of memory")));
        }
        self.painted += 1;
        Ok(portrait((self.who)(shot)))
    }
}

/// Reads the first pixel.
pub(crate) struct FakeJudge;

impl Judge for FakeJudge {
    fn look(&mut self, image: &RgbImage) -> Result<Option<Sighting>, Error> {
        let Rgb([face, degrees, _]) = *image.get_pixel(0, 0);
        let angle = f32::from(degrees).to_radians();
        let identity = Identity::new(vec![angle.cos(), angle.sin()]);
        Ok((face == 1).then_some(Sighting { identity, bbox: [12.0, 10.0, 24.0, 30.0] }))
    }

    fn fingerprint(&self) -> String {
        "fake".to_owned()
    }
}

/// Reads faces beyond 45 degrees as the second place, all else as the first.
pub(crate) struct FakeReader {
    axes: [Axis; 1],
}

impl FakeReader {
    pub fn new(places: [&str; 2]) -> Self {
        Self { axes: [Axis::new("place", places.map(str::to_owned).into())] }
    }
}

impl Reader for FakeReader {
    fn axes(&self) -> &[Axis] {
        &self.axes
    }

    fn read(&mut self, image: &RgbImage) -> Result<Vec<Option<usize>>, Error> {
        let Rgb([_, degrees, _]) = *image.get_pixel(0, 0);
        Ok(vec![Some(usize::from(degrees > 45))])
    }
}

/// Three references about 0 degrees, 20 degrees apart at most.
pub(crate) fn references() -> Vec<Reference> {
    [0, 10, 20]
        .map(|degrees| Reference { name: format!("{degrees}.jpg"), image: portrait(Some(degrees)) })
        .to_vec()
}

/// The smoke suite with two seeds a prompt.
pub(crate) fn plan() -> Plan {
    let settings = [("sampler", "euler".into()), ("steps", 20.into()), ("strength", 1.0.into())];
    let settings: BTreeMap<String, serde_json::Value> =
        settings.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Plan {
        recipe: Recipe {
            suite: Suite::builtin("smoke").expect("built in"),
            seeds_per_prompt: 2,
            seed: 7,
            trigger: "aurora".into(),
            class_word: "woman".into(),
            adapter_hash: "aa".repeat(32),
            base_hash: "bb".repeat(32),
            settings,
        },
        captions: vec!["aurora woman in a red dress".into()],
        allow_seen: false,
        thresholds: Thresholds::default(),
        generated_at: "2026-01-02 03:04 UTC".into(),
        force: false,
    }
}
