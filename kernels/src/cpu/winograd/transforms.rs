//! Into the domain of products and back, 16 tiles side by side.
//!
//! With the points 0, ±a, ±b and ∞ the three matrices fall into even and odd
//! parts, which points of either sign share.

/// Tiles that are transformed side by side.
pub const LANES: usize = 16;

/// One number of each.
pub type Lanes = [f32; LANES];

const A: f32 = 0.75;
const B: f32 = 1.5;
const A2: f32 = A * A;
const B2: f32 = B * B;

#[inline(always)]
fn lanes(f: impl Fn(usize) -> f32) -> Lanes {
    std::array::from_fn(f)
}

/// `Bᵀ d` of six numbers.
#[inline(always)]
fn read(d: [&Lanes; 6]) -> [Lanes; 6] {
    let even = |p2: f32| lanes(|i| d[4][i] - p2 * d[2][i]);
    let odd = |p: f32, p2: f32| lanes(|i| p * (d[3][i] - p2 * d[1][i]));
    let (even_a, odd_a) = (even(B2), odd(A, B2));
    let (even_b, odd_b) = (even(A2), odd(B, A2));
    [
        lanes(|i| (d[4][i] - (A2 + B2) * d[2][i]) + (A2 * B2) * d[0][i]),
        lanes(|i| even_a[i] + odd_a[i]),
        lanes(|i| even_a[i] - odd_a[i]),
        lanes(|i| even_b[i] + odd_b[i]),
        lanes(|i| even_b[i] - odd_b[i]),
        lanes(|i| (d[5][i] - (A2 + B2) * d[3][i]) + (A2 * B2) * d[1][i]),
    ]
}

/// `G g` of three numbers.
#[inline(always)]
fn kernel(g: [&Lanes; 3]) -> [Lanes; 6] {
    const ZERO: f32 = 1.0 / (A2 * B2);
    const AT_A: f32 = 1.0 / (2.0 * A2 * (A2 - B2));
    const AT_B: f32 = 1.0 / (2.0 * B2 * (B2 - A2));
    let even = |p2: f32, n: f32| lanes(|i| n * (g[0][i] + p2 * g[2][i]));
    let odd = |p: f32, n: f32| lanes(|i| (n * p) * g[1][i]);
    let (even_a, odd_a) = (even(A2, AT_A), odd(A, AT_A));
    let (even_b, odd_b) = (even(B2, AT_B), odd(B, AT_B));
    [
        lanes(|i| ZERO * g[0][i]),
        lanes(|i| even_a[i] + odd_a[i]),
        lanes(|i| even_a[i] - odd_a[i]),
        lanes(|i| even_b[i] + odd_b[i]),
        lanes(|i| even_b[i] - odd_b[i]),
        *g[2],
    ]
}

/// `Aᵀ m` of six numbers.
#[inline(always)]
fn written(m: [&Lanes; 6]) -> [Lanes; 4] {
    let sum_a = lanes(|i| m[1][i] + m[2][i]);
    let sum_b = lanes(|i| m[3][i] + m[4][i]);
    let difference_a = lanes(|i| A * (m[1][i] - m[2][i]));
    let difference_b = lanes(|i| B * (m[3][i] - m[4][i]));
    [
        lanes(|i| m[0][i] + (sum_a[i] + sum_b[i])),
        lanes(|i| difference_a[i] + difference_b[i]),
        lanes(|i| A2 * sum_a[i] + B2 * sum_b[i]),
        lanes(|i| (A2 * difference_a[i] + B2 * difference_b[i]) + m[5][i]),
    ]
}

/// `Bᵀ d B` of 6 x 6 pixels, row after row.
#[inline(always)]
pub fn of_patch(d: &[Lanes; 36]) -> [Lanes; 36] {
    let mut out = [[0.0; LANES]; 36];
    for x in 0..6 {
        let column = read(std::array::from_fn(|y| &d[y * 6 + x]));
        for (y, lanes) in column.into_iter().enumerate() {
            out[y * 6 + x] = lanes;
        }
    }
    for row in out.chunks_exact_mut(6) {
        let done = read(std::array::from_fn(|x| &row[x]));
        row.copy_from_slice(&done);
    }
    out
}

/// `G g Gᵀ` of 3 x 3 numbers, row after row.
#[inline(always)]
pub fn of_kernel(g: &[Lanes; 9]) -> [Lanes; 36] {
    let mut columns = [[0.0; LANES]; 18];
    for x in 0..3 {
        let column = kernel(std::array::from_fn(|y| &g[y * 3 + x]));
        for (y, lanes) in column.into_iter().enumerate() {
            columns[y * 3 + x] = lanes;
        }
    }
    let mut out = [[0.0; LANES]; 36];
    for (row, columns) in out.chunks_exact_mut(6).zip(columns.chunks_exact(3)) {
        row.copy_from_slice(&kernel(std::array::from_fn(|x| &columns[x])));
    }
    out
}

/// `Aᵀ m A` of 6 x 6 numbers: 4 x 4 pixels, row after row.
#[inline(always)]
pub fn of_output(m: &[Lanes; 36]) -> [Lanes; 16] {
    let mut columns = [[0.0; LANES]; 24];
    for x in 0..6 {
        let column = written(std::array::from_fn(|y| &m[y * 6 + x]));
        for (y, lanes) in column.into_iter().enumerate() {
            columns[y * 6 + x] = lanes;
        }
    }
    let mut out = [[0.0; LANES]; 16];
    for (row, columns) in out.chunks_exact_mut(4).zip(columns.chunks_exact(6)) {
        row.copy_from_slice(&written(std::array::from_fn(|x| &columns[x])));
    }
    out
}
