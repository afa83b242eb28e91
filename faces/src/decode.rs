//! Reads faces out of YuNet's maps.
//!
//! For each stride 8, 16 and 32 there is a cell every `stride` pixels with a
//! class score, an objectness, a box and five points. `score = sqrt(cls obj)`;
//! the box is `((col + b0) s, (row + b1) s)` by `(exp(b2) s, exp(b3) s)`, from
//! its middle; a point is `((col + k0) s, (row + k1) s)`. Source: Wu et al.
//! 2023, <https://doi.org/10.1007/s11633-023-1423-y>, and OpenCV's
//! `FaceDetectorYN`.

use crate::face::Face;

/// The distances between cells in pixels, one for each set of maps.
pub(crate) const STRIDES: [u32; 3] = [8, 16, 32];

/// The maps of one stride, row by row.
pub(crate) struct Maps<'a> {
    pub stride: u32,
    pub columns: usize,
    pub class: &'a [f32],      // [rows * columns]
    pub objectness: &'a [f32], // [rows * columns]
    pub boxes: &'a [f32],      // [rows * columns, 4]
    pub points: &'a [f32],     // [rows * columns, 10]
}

/// The faces in `maps` with at least `least_score` (0 to 1), in the pixels of
/// the detector's input.
pub(crate) fn decode(maps: &Maps, least_score: f32) -> Vec<Face> {
    let scores = maps.class.iter().zip(maps.objectness);
    scores
        .enumerate()
        .filter_map(|(cell, (class, objectness))| {
            let score = (class.clamp(0.0, 1.0) * objectness.clamp(0.0, 1.0)).sqrt();
            (score >= least_score).then(|| face_at(maps, cell, score))
        })
        .filter(|face| face.bbox.iter().all(|value| value.is_finite()))
        .collect()
}

fn face_at(maps: &Maps, cell: usize, score: f32) -> Face {
    let stride = maps.stride as f32;
    let corner = [(cell % maps.columns) as f32, (cell / maps.columns) as f32];
    let b = &maps.boxes[cell * 4..cell * 4 + 4];
    let k = &maps.points[cell * 10..cell * 10 + 10];
    let (width, height) = (b[2].exp() * stride, b[3].exp() * stride);
    let (x, y) = ((corner[0] + b[0]) * stride, (corner[1] + b[1]) * stride);
    let point = |n: usize| [(corner[0] + k[2 * n]) * stride, (corner[1] + k[2 * n + 1]) * stride];
    Face {
        bbox: [x - width / 2.0, y - height / 2.0, width, height],
        landmarks: std::array::from_fn(point),
        score,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_becomes_a_face_where_the_formula_says() {
        let (mut class, mut boxes, mut points) = (vec![0.0; 6], vec![0.0; 24], vec![0.0; 60]);
        class[4] = 0.81; // row 1, column 1 of three columns
        boxes[16..20].copy_from_slice(&[0.5, 0.25, 2.0f32.ln(), 4.0f32.ln()]);
        points[40..42].copy_from_slice(&[-0.5, 1.0]);
        let maps = Maps {
            stride: 8,
            columns: 3,
            class: &class,
            objectness: &[1.0; 6],
            boxes: &boxes,
            points: &points,
        };
        let faces = decode(&maps, 0.6);
        assert_eq!(faces.len(), 1);
        let face = &faces[0];
        assert!((face.score - 0.9).abs() < 1e-6);
        let expected = [12.0 - 8.0, 10.0 - 16.0, 16.0, 32.0];
        assert!(face.bbox.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-4), "{face:?}");
        assert_eq!(face.landmarks[0], [4.0, 16.0]);
        assert_eq!(face.landmarks[4], [8.0, 8.0]);
        assert!(decode(&maps, 0.95).is_empty());
    }

    #[test]
    fn a_box_that_is_not_a_number_is_no_face() {
        let maps = Maps {
            stride: 8,
            columns: 1,
            class: &[1.0],
            objectness: &[1.0],
            boxes: &[0.0, 0.0, f32::NAN, 0.0],
            points: &[0.0; 10],
        };
        assert!(decode(&maps, 0.5).is_empty());
    }
}
