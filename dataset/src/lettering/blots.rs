//! Connected pixels of a map, by runs of its rows: a union of sets (Tarjan 1975,
//! <https://doi.org/10.1145/321879.321884>) over runs that touch, also at corners.

/// The box of a blot, and how many pixels it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Extent {
    pub left: usize,
    pub top: usize,
    /// The last column and row that belong to it.
    pub right: usize,
    pub bottom: usize,
    pub area: usize,
}

impl Extent {
    /// Width and height.
    pub fn size(&self) -> [usize; 2] {
        [self.right - self.left + 1, self.bottom - self.top + 1]
    }

    fn join(&mut self, other: &Self) {
        self.left = self.left.min(other.left);
        self.top = self.top.min(other.top);
        self.right = self.right.max(other.right);
        self.bottom = self.bottom.max(other.bottom);
        self.area += other.area;
    }
}

/// A blot and the places of its pixels in the map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Blot {
    pub extent: Extent,
    pub places: Vec<usize>,
}

/// The blots of `ink`, a map of rows of `width` pixels, whose extent `fits`, by their first pixel.
pub(super) fn blots(ink: &[bool], width: usize, fits: impl Fn(&Extent) -> bool) -> Vec<Blot> {
    let mut runs: Vec<Extent> = Vec::new(); // each in one row
    let mut parents: Vec<usize> = Vec::new();
    let mut above = 0..0; // the runs of the row before
    for (y, row) in ink.chunks(width.max(1)).enumerate() {
        let first = runs.len();
        let mut x = 0;
        while let Some(begin) = row[x..].iter().position(|is_ink| *is_ink).map(|far| x + far) {
            let length = row[begin..].iter().take_while(|is_ink| **is_ink).count();
            x = begin + length;
            parents.push(runs.len());
            runs.push(Extent { left: begin, right: x - 1, top: y, bottom: y, area: length });
        }
        for run in first..runs.len() {
            while above.start < above.end && runs[above.start].right + 1 < runs[run].left {
                above.start += 1;
            }
            for other in above.clone() {
                if runs[other].left > runs[run].right + 1 {
                    break;
                }
                let (a, b) = (root(&mut parents, other), root(&mut parents, run));
                parents[a.max(b)] = a.min(b);
            }
        }
        above = first..runs.len();
    }
    let mut whole = runs.clone();
    for (run, extent) in runs.iter().enumerate() {
        let root = root(&mut parents, run);
        if root != run {
            whole[root].join(extent);
        }
    }
    let mut number = vec![None; runs.len()];
    let mut found: Vec<Blot> = Vec::new();
    for (run, extent) in runs.iter().enumerate() {
        let root = parents[run]; // its root: those before it were shortened first
        if root == run && fits(&whole[run]) {
            number[run] = Some(found.len());
            found.push(Blot { extent: whole[run], places: Vec::with_capacity(whole[run].area) });
        }
        if let Some(blot) = number[root] {
            let row = extent.top * width;
            found[blot].places.extend(row + extent.left..=row + extent.right);
        }
    }
    found
}

/// The first run of the set that `run` is in; the way there is made short.
fn root(parents: &mut [usize], mut run: usize) -> usize {
    while parents[run] != run {
        parents[run] = parents[parents[run]];
        run = parents[run];
    }
    run
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(rows: &[&str]) -> (Vec<bool>, usize) {
        (rows.iter().flat_map(|row| row.bytes().map(|byte| byte == b'#')).collect(), rows[0].len())
    }

    #[test]
    fn runs_that_touch_are_one_blot_also_at_corners_and_by_a_later_row() {
        let (ink, width) = map(&["#..#..#", "#..#...", ".##....", "......#"]);
        let found = blots(&ink, width, |_| true);
        let areas: Vec<_> = found.iter().map(|blot| blot.places.len()).collect();
        assert_eq!(areas, [6, 1, 1]);
        let whole = Extent { left: 0, top: 0, right: 3, bottom: 2, area: 6 };
        assert_eq!((found[0].extent, whole.size()), (whole, [4, 3]));
        assert_eq!(found[0].places, [0, 3, 7, 10, 15, 16]);
    }

    #[test]
    fn only_what_fits_is_kept_and_an_empty_map_has_nothing() {
        let (ink, width) = map(&["##.#", "##..", "...#"]);
        let found = blots(&ink, width, |extent| extent.area == 4);
        assert_eq!(found.len(), 1);
        assert!(blots(&[], 0, |_| true).is_empty());
    }
}
