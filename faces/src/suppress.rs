//! Keeps one box of each heap of boxes on the same face.

use crate::face::Face;

/// Greedy non-maximum suppression: the surest face first, and none that
/// overlaps a kept one by more than `most_iou` (0 to 1).
pub(crate) fn suppress(mut faces: Vec<Face>, most_iou: f32) -> Vec<Face> {
    faces.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut kept: Vec<Face> = Vec::new();
    for face in faces {
        if kept.iter().all(|other| other.iou(&face) <= most_iou) {
            kept.push(face);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn face(x: f32, score: f32) -> Face {
        Face { bbox: [x, 0.0, 10.0, 10.0], landmarks: [[0.0; 2]; 5], score }
    }

    #[test]
    fn the_surest_of_a_heap_stays_and_neighbours_stay() {
        let kept = suppress(vec![face(1.0, 0.7), face(0.0, 0.9), face(8.0, 0.8)], 0.3);
        let scores: Vec<f32> = kept.iter().map(|face| face.score).collect();
        assert_eq!(scores, [0.9, 0.8]);
    }

    #[test]
    fn no_faces_are_no_faces() {
        assert!(suppress(Vec::new(), 0.3).is_empty());
    }
}
