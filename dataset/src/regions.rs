//! The parts of an aligned face, as boxes of the alignment's template of 112 px.

use crate::luminance::Plane;
use crate::sharpness::FACE_SIDE;

/// A region of the aligned face: its middle and how far it reaches, of 112.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Region(pub f64, pub f64, pub f64, pub f64);

pub(crate) const CHEEKS: [Region; 2] = [Region(42.0, 72.0, 7.0, 7.0), Region(70.0, 72.0, 7.0, 7.0)];
pub(crate) const LOW_CHEEKS: [Region; 2] =
    [Region(42.0, 81.0, 6.0, 5.0), Region(70.0, 81.0, 6.0, 5.0)];
pub(crate) const BELOW_EYES: [Region; 3] =
    [Region(56.0, 56.0, 4.0, 6.0), Region(41.0, 63.0, 6.0, 3.0), Region(71.0, 63.0, 6.0, 3.0)];
pub(crate) const LIP: [Region; 1] = [Region(56.0, 84.0, 5.0, 3.0)];
pub(crate) const CHIN: [Region; 1] = [Region(56.0, 104.0, 8.0, 4.0)];
/// Left and right of the nose, mirrored: cheeks, below the eyes, forehead, beside the mouth.
pub(crate) const SIDES: [[Region; 2]; 4] = [
    CHEEKS,
    [BELOW_EYES[1], BELOW_EYES[2]],
    [Region(46.0, 34.0, 7.0, 7.0), Region(66.0, 34.0, 7.0, 7.0)],
    LOW_CHEEKS,
];
/// Both eyes between their corners and lids.
pub(crate) const EYES: [Region; 2] = [Region(38.3, 51.6, 7.0, 4.0), Region(73.5, 51.6, 7.0, 4.0)];
/// Both halves of the mouth.
pub(crate) const MOUTH: [Region; 2] = [Region(47.5, 92.5, 7.0, 6.0), Region(64.5, 92.5, 7.0, 6.0)];
/// From below the nose to the chin.
pub(crate) const LIPS: Region = Region(56.0, 97.0, 5.0, 16.0);
/// Cheeks and forehead.
pub(crate) const SKIN: [Region; 3] =
    [Region(42.0, 70.0, 9.0, 9.0), Region(70.0, 70.0, 9.0, 9.0), Region(56.0, 34.0, 16.0, 8.0)];

impl Region {
    /// Its pixels' columns and rows, row by row.
    pub fn places(self) -> impl Iterator<Item = (usize, usize)> {
        let Self(x, y, reach_x, reach_y) = self;
        let side = FACE_SIDE as f64;
        let at = |value: f64| (value / 112.0 * side).round().clamp(0.0, side) as usize;
        let (columns, rows) = (at(x - reach_x)..at(x + reach_x), at(y - reach_y)..at(y + reach_y));
        rows.flat_map(move |row| columns.clone().map(move |column| (column, row)))
    }

    /// The values of `plane`, of an aligned face, in some regions.
    pub fn values(regions: &[Self], plane: &Plane) -> Vec<f32> {
        let places = regions.iter().flat_map(|region| region.places());
        places.map(|(x, y)| plane.values[y * plane.width + x]).collect()
    }
}

/// The value that this share of `values` lies below; 0 of none.
pub(crate) fn percentile(mut values: Vec<f32>, share: f64) -> f64 {
    let last = values.len().saturating_sub(1) as f64;
    match (share * last).round() as usize {
        place if place < values.len() => {
            f64::from(*values.select_nth_unstable_by(place, f32::total_cmp).1)
        }
        _ => 0.0,
    }
}
