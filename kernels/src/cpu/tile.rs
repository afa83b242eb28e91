//! The innermost loop of a matrix product: a tile of sums that stays in registers.
//!
//! For each step of the depth one row of the packed right side is loaded as
//! vectors, and each of the tile's rows adds its own number times that row. All
//! loads but these are of numbers at constant distances, so the loop is limited
//! by multiply-adds alone.
//! Source: Goto and van de Geijn 2008, <https://doi.org/10.1145/1356052.1356053>,
//! section 6; Van Zee and van de Geijn 2015, <https://doi.org/10.1145/2764454>.

use super::simd::Simd;

/// Depth of a block: the distance between rows of the packed left side.
pub const DEPTH: usize = 384;
/// The most rows and columns that a tile has.
pub const MOST: (usize, usize) = (12, 32);

/// Adds a product to a tile of the output:
/// `out[i][j] += Σ_k left[i * DEPTH + k] right[k * columns + j]`.
#[derive(Debug, Clone, Copy)]
pub struct Tile {
    /// Rows.
    pub rows: usize,
    /// Columns: the width of a packed panel.
    pub columns: usize,
    run: unsafe fn(usize, *const f32, *const f32, *mut f32, usize),
}

impl Tile {
    /// The tile that wastes least on `rows` rows.
    pub fn best(simd: Simd, rows: usize) -> Self {
        let waste = |tile: &Self| (rows.next_multiple_of(tile.rows), usize::MAX - tile.rows);
        Self::all(simd).into_iter().min_by_key(waste).expect("every set has tiles")
    }

    fn all(simd: Simd) -> Vec<Self> {
        match simd {
            #[cfg(target_arch = "x86_64")]
            Simd::Avx512 => vec![
                Self { rows: 12, columns: 32, run: x86::avx512::<12> },
                Self { rows: 10, columns: 32, run: x86::avx512::<10> },
                Self { rows: 8, columns: 32, run: x86::avx512::<8> },
            ],
            #[cfg(target_arch = "x86_64")]
            Simd::Avx2 => vec![
                Self { rows: 6, columns: 16, run: x86::avx2::<6> },
                Self { rows: 5, columns: 16, run: x86::avx2::<5> },
                Self { rows: 4, columns: 16, run: x86::avx2::<4> },
            ],
            _ => vec![Self { rows: 4, columns: 16, run: portable }],
        }
    }

    /// Adds the product of `depth` packed columns and rows to `out`.
    ///
    /// # Safety
    /// `out` has room for the tile's rows of the tile's columns, and no other thread uses it.
    pub unsafe fn add(&self, depth: usize, left: &[f32], right: &[f32], out: Out) {
        let Out { place, stride } = out;
        assert!(depth <= DEPTH && left.len() >= (self.rows - 1) * DEPTH + depth);
        assert!(right.len() >= depth * self.columns);
        // SAFETY: the sides are long enough by the assertions above; the caller holds that `out`
        // can be written; and `run` is only listed where its vectors exist.
        unsafe { (self.run)(depth, left.as_ptr(), right.as_ptr(), place, stride) }
    }
}

/// Where a tile's sums go: the first element, and the distance between rows.
#[derive(Debug, Clone, Copy)]
pub struct Out {
    /// The first element.
    pub place: *mut f32,
    /// Elements from one row to the next.
    pub stride: usize,
}

unsafe fn portable(
    depth: usize,
    left: *const f32,
    right: *const f32,
    out: *mut f32,
    out_stride: usize,
) {
    let mut sums = [[0.0f32; 16]; 4];
    for k in 0..depth {
        // SAFETY: the caller holds that both sides have `depth` steps.
        let (row, numbers) = unsafe {
            let row = &*right.add(k * 16).cast::<[f32; 16]>();
            (row, [0, 1, 2, 3].map(|i| *left.add(i * DEPTH + k)))
        };
        for (sums, number) in sums.iter_mut().zip(numbers) {
            for (sum, x) in sums.iter_mut().zip(row) {
                *sum += number * x;
            }
        }
    }
    for (i, sums) in sums.iter().enumerate() {
        for (j, sum) in sums.iter().enumerate() {
            // SAFETY: the caller holds that 4 rows of 16 can be written.
            unsafe { *out.add(i * out_stride + j) += sum };
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::DEPTH;

    /// `ROWS` x 32 in `2 ROWS` of 32 registers.
    #[target_feature(enable = "avx512f")]
    pub unsafe fn avx512<const ROWS: usize>(
        depth: usize,
        left: *const f32,
        right: *const f32,
        out: *mut f32,
        out_stride: usize,
    ) {
        let mut sums = [[_mm512_setzero_ps(); 2]; ROWS];
        // SAFETY: the caller holds that both sides have `depth` steps and that `ROWS` rows of 32
        // can be written.
        unsafe {
            for k in 0..depth {
                let row = right.add(32 * k);
                let (near, far) = (_mm512_loadu_ps(row), _mm512_loadu_ps(row.add(16)));
                for (i, sums) in sums.iter_mut().enumerate() {
                    let number = _mm512_set1_ps(*left.add(i * DEPTH + k));
                    sums[0] = _mm512_fmadd_ps(number, near, sums[0]);
                    sums[1] = _mm512_fmadd_ps(number, far, sums[1]);
                }
            }
            for (i, row) in sums.iter().enumerate() {
                for (j, sum) in row.iter().enumerate() {
                    let place = out.add(i * out_stride + 16 * j);
                    _mm512_storeu_ps(place, _mm512_add_ps(_mm512_loadu_ps(place), *sum));
                }
            }
        }
    }

    /// `ROWS` x 16 in `2 ROWS` of 16 registers.
    #[target_feature(enable = "avx2,fma")]
    pub unsafe fn avx2<const ROWS: usize>(
        depth: usize,
        left: *const f32,
        right: *const f32,
        out: *mut f32,
        out_stride: usize,
    ) {
        let mut sums = [[_mm256_setzero_ps(); 2]; ROWS];
        // SAFETY: the caller holds that both sides have `depth` steps and that `ROWS` rows of 16
        // can be written.
        unsafe {
            for k in 0..depth {
                let row = right.add(16 * k);
                let (near, far) = (_mm256_loadu_ps(row), _mm256_loadu_ps(row.add(8)));
                for (i, sums) in sums.iter_mut().enumerate() {
                    let number = _mm256_set1_ps(*left.add(i * DEPTH + k));
                    sums[0] = _mm256_fmadd_ps(number, near, sums[0]);
                    sums[1] = _mm256_fmadd_ps(number, far, sums[1]);
                }
            }
            for (i, row) in sums.iter().enumerate() {
                for (j, sum) in row.iter().enumerate() {
                    let place = out.add(i * out_stride + 8 * j);
                    _mm256_storeu_ps(place, _mm256_add_ps(_mm256_loadu_ps(place), *sum));
                }
            }
        }
    }
}
