//! Letters that stand in one row.

/// A blot that may be a letter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Letter {
    /// Column and row of its middle, pixels.
    pub middle: [f64; 2],
    /// Width and height, pixels.
    pub size: [f64; 2],
    /// Pixels that its strokes are wide.
    pub stroke: f64,
    /// Levels of 255.
    pub shade: f64,
    /// Levels between it and what is around it.
    pub step: f64,
    /// How far its levels deviate, of that step.
    pub uneven: f64,
}

const APART: f64 = 2.0; // heights between the middles of two letters, at the most
const OVERLAP: f64 = 0.7; // widths between them, at the least
const NEXT: std::ops::Range<f64> = 0.7..1.5; // spaces from a letter to the next
const LOST: f64 = 4.4; // spaces that three lost letters take: white ink is lost on a white shirt
// With bends of 14 degrees and heights within 1.45 gravel and leaves were words in a tenth of real photos of toys, and hardly
// more watermarks were found.
const IN_LINE: f64 = 0.99; // cosine of the angle that a row bends by, 8 degrees
const STEEPEST: f64 = 1.2; // a row rises or falls by at the most for each pixel: 50 degrees
const STRAIGHT: f64 = 0.998; // the same where letters are lost, 4 degrees
const HEIGHTS: f64 = 1.25; // of two letters of a row
const WIDEST: f64 = 1.6; // heights that letters are wide on average
const STROKES: f64 = 1.7;
const SHADES: f64 = 30.0; // levels
const LONGEST: usize = 400; // bounds the time

/// What a row of letters has at the most, and at least, to be a word.
struct Word {
    letters: usize, // at least
    beside: f64,    // of the height, middles lie beside the line through them
    apart: f64,     // heights from a middle to the next, on average
    heights: f64,   // deviation of the heights, of their mean
    uneven: f64,    // the mean of its letters
    step: f64,      // at least, the mean of its letters
}

// By the rows in 70 photos with a watermark or a date put on them, and in 83 without a letter: of these the straightest
// rows of gravel, fur and leaves have .01 to .07 beside the line, 1.7 heights and more apart and ink that deviates by
// .11 to .22, of the others most .02, .9 and .04.
const WORDS: [Word; 2] = [
    Word { letters: 4, beside: 0.04, apart: 2.1, heights: 0.13, uneven: 0.19, step: 28.0 },
    Word { letters: 3, beside: 0.015, apart: 1.4, heights: 0.08, uneven: 0.08, step: 50.0 },
];

/// The most of `letters` that stand in one row as a word does.
pub(super) fn longest(letters: &[Letter]) -> usize {
    let mut longest = 0;
    for (first, a) in letters.iter().enumerate() {
        for (second, b) in letters.iter().enumerate() {
            if first == second || !alike(a, b) {
                continue;
            }
            let [x, y] = way(a, b);
            let [wide, high] = [0, 1].map(|side| a.size[side].max(b.size[side]));
            let near = (OVERLAP * wide..=APART * high).contains(&x.hypot(y));
            if x <= 0.0 || !near || y.abs() > STEEPEST * x {
                continue;
            }
            let row = row(letters, [a, b]);
            if row.len() > longest && is_word(&row) {
                longest = row.len();
            }
        }
    }
    longest
}

/// The row that begins with two letters, and goes on as the second stands beside the first.
fn row<'a>(letters: &'a [Letter], begin: [&'a Letter; 2]) -> Vec<&'a Letter> {
    let mut row = begin.to_vec();
    let space = way(begin[0], begin[1]);
    let length = space[0].hypot(space[1]);
    while row.len() < LONGEST {
        let last = row[row.len() - 1];
        let next = letters.iter().filter(|letter| alike(last, letter)).filter_map(|letter| {
            let [x, y] = way(last, letter);
            let far = x.hypot(y);
            let along = (x * space[0] + y * space[1]) / (length * far.max(1e-9));
            let spaces = far / length;
            let near = NEXT.contains(&spaces) && along > IN_LINE;
            let beyond = (NEXT.end..LOST).contains(&spaces) && along > STRAIGHT;
            (near || beyond).then_some((letter, far))
        });
        match next.min_by(|a, b| a.1.total_cmp(&b.1)) {
            Some((letter, _)) => row.push(letter),
            None => break,
        }
    }
    row
}

/// Whether letters in a row are printed, and stand, as those of a word.
fn is_word(row: &[&Letter]) -> bool {
    let count = row.len() as f64;
    let mean =
        |of: &dyn Fn(&Letter) -> f64| row.iter().map(|letter| of(letter)).sum::<f64>() / count;
    let height = mean(&|letter| letter.size[1]);
    let heights = mean(&|letter| (letter.size[1] - height).powi(2)).sqrt() / height;
    let (uneven, step) = (mean(&|letter| letter.uneven), mean(&|letter| letter.step));
    let [x, y] = way(row[0], row[row.len() - 1]);
    let apart = x.hypot(y) / (count - 1.0) / height;
    let beside = beside(row) / height;
    let narrow = mean(&|letter| letter.size[0]) <= WIDEST * height;
    let is_one = |word: &Word| {
        row.len() >= word.letters
            && beside <= word.beside
            && apart <= word.apart
            && heights <= word.heights
            && uneven <= word.uneven
            && step >= word.step
    };
    narrow && WORDS.iter().any(is_one)
}

/// How far the middles lie beside the line that fits them best, in pixels: the root of the mean square.
fn beside(row: &[&Letter]) -> f64 {
    let count = row.len() as f64;
    let mean = |axis: usize| row.iter().map(|letter| letter.middle[axis]).sum::<f64>() / count;
    let middle = [mean(0), mean(1)];
    let product = |a: usize, b: usize| {
        let far = |letter: &Letter, axis: usize| letter.middle[axis] - middle[axis];
        row.iter().map(|letter| far(letter, a) * far(letter, b)).sum::<f64>()
    };
    let (xx, xy, yy) = (product(0, 0), product(0, 1), product(1, 1));
    // The lesser eigenvalue.
    let across = (xx + yy - ((xx - yy).powi(2) + 4.0 * xy * xy).sqrt()) / 2.0;
    (across.max(0.0) / count).sqrt()
}

fn way(from: &Letter, to: &Letter) -> [f64; 2] {
    [to.middle[0] - from.middle[0], to.middle[1] - from.middle[1]]
}

/// Whether two letters may be of one word.
fn alike(a: &Letter, b: &Letter) -> bool {
    let within = |a: f64, b: f64, most: f64| a.max(b) <= most * a.min(b);
    within(a.size[1], b.size[1], HEIGHTS)
        && within(a.stroke, b.stroke, STROKES)
        && (a.shade - b.shade).abs() <= SHADES
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(x: f64, y: f64) -> Letter {
        Letter {
            middle: [x, y],
            size: [8.0, 12.0],
            stroke: 2.0,
            shade: 240.0,
            step: 100.0,
            uneven: 0.05,
        }
    }

    #[test]
    fn a_row_goes_on_over_lost_letters_and_not_around_a_corner() {
        let row: Vec<_> = (0..8).map(|at| letter(10.0 * f64::from(at), 50.0)).collect();
        assert_eq!(longest(&row), 8);
        let lost: Vec<_> =
            row.iter().copied().filter(|l| ![30.0, 40.0].contains(&l.middle[0])).collect();
        assert_eq!(longest(&lost), 6);
        let bent: Vec<_> = row
            .iter()
            .map(|l| letter(l.middle[0], if l.middle[0] < 35.0 { 50.0 } else { 60.0 }))
            .collect();
        assert_eq!(longest(&bent), 4);
        let high = [0.0, 5.0, 2.0, 9.0, 6.0, 1.0, 8.0, 3.0];
        let wavy: Vec<_> =
            row.iter().zip(high).map(|(l, high)| letter(l.middle[0], 50.0 + high)).collect();
        let is_one = |letters: &[Letter]| is_word(&letters.iter().collect::<Vec<_>>());
        assert!(is_one(&row) && !is_one(&wavy), "as gravel lies");
    }

    #[test]
    fn letters_of_a_row_are_alike() {
        let mixed = |change: fn(Letter) -> Letter| {
            let at = |at: i32| letter(10.0 * f64::from(at), 50.0);
            let row: Vec<_> =
                (0..8).map(|i| if i % 2 == 0 { at(i) } else { change(at(i)) }).collect();
            longest(&row)
        };
        assert_eq!(mixed(|l| Letter { shade: 200.0, ..l }), 4, "every other one");
        assert_eq!(mixed(|l| Letter { stroke: 4.0, ..l }), 4);
        assert_eq!(mixed(|l| Letter { shade: 230.0, ..l }), 8);
        let faint = |l: Letter| Letter { step: 40.0, ..l };
        let row: Vec<_> = (0..3).map(|at| letter(10.0 * f64::from(at), 50.0)).collect();
        assert_eq!(
            (longest(&row), longest(&row.iter().map(|l| faint(*l)).collect::<Vec<_>>())),
            (3, 0)
        );
    }
}
