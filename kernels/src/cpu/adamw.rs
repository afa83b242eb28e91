//! A slice's norm, and AdamW's step over slices: a pass each, the second in place.
//!
//! The norm sums squares in f64, in chunks of one length whose sums are added in
//! order.

use rayon::prelude::*;

use super::simd::{Simd, Vectored};

/// Elements that one task works on. The norm's bits depend on it.
const TASK: usize = 1 << 14;
/// Sums that run side by side, so that the loop vectorises. The norm's bits depend on it.
const LANES: usize = 16;

/// `√Σ x²`.
pub fn norm(x: &[f32]) -> f32 {
    norm_with(Simd::best(), x)
}

fn norm_with(simd: Simd, x: &[f32]) -> f32 {
    let sum_of = |chunk: &[f32]| {
        let mut sum = 0.0;
        simd.run(Squares { x: chunk, sum: &mut sum });
        sum
    };
    let sums: Vec<f64> = x.par_chunks(TASK).map(sum_of).collect();
    sums.iter().sum::<f64>().sqrt() as f32
}

struct Squares<'a> {
    x: &'a [f32],
    sum: &'a mut f64,
}

impl Vectored for Squares<'_> {
    #[inline(always)]
    fn run(self) {
        let mut sums = [0f64; LANES];
        let (whole, rest) = self.x.as_chunks::<LANES>();
        for x in whole {
            for (sum, x) in sums.iter_mut().zip(x) {
                *sum += f64::from(*x) * f64::from(*x);
            }
        }
        for (sum, x) in sums.iter_mut().zip(rest) {
            *sum += f64::from(*x) * f64::from(*x);
        }
        *self.sum = sums.iter().sum();
    }
}

/// What a step does to a number, as scalars.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Update {
    /// What the gradient is multiplied by.
    pub clip: f32,
    /// β₁ and `1 - β₁`.
    pub first: [f32; 2],
    /// β₂ and `1 - β₂`.
    pub second: [f32; 2],
    /// `√(1 - β₂ᵗ)`.
    pub root: f32,
    /// ε.
    pub epsilon: f32,
    /// `η / (1 - β₁ᵗ)`.
    pub size: f32,
    /// `1 - η λ`.
    pub decay: f32,
}

/// Values, first and second moments, changed by a gradient; all of one length.
#[derive(Debug)]
pub struct Flat<'a> {
    /// p.
    pub values: &'a mut [f32],
    /// m.
    pub first: &'a mut [f32],
    /// v.
    pub second: &'a mut [f32],
    /// g.
    pub gradient: &'a [f32],
}

impl Update {
    /// Takes the step on every number.
    pub fn apply(self, flat: Flat) {
        self.apply_with(Simd::best(), flat);
    }

    fn apply_with(self, simd: Simd, flat: Flat) {
        let Flat { values, first, second, gradient } = flat;
        let lengths = [values.len(), first.len(), second.len()];
        assert_eq!(lengths, [gradient.len(); 3], "values, moments and gradient are of one length");
        let moments = first.par_chunks_mut(TASK).zip(second.par_chunks_mut(TASK));
        let tasks = values.par_chunks_mut(TASK).zip(moments).zip(gradient.par_chunks(TASK));
        tasks.for_each(|((values, (first, second)), gradient)| {
            simd.run(Part { update: self, flat: Flat { values, first, second, gradient } });
        });
    }
}

struct Part<'a> {
    update: Update,
    flat: Flat<'a>,
}

impl Vectored for Part<'_> {
    #[inline(always)]
    fn run(self) {
        let Update { clip, first: [beta1, rest1], second: [beta2, rest2], .. } = self.update;
        let Update { root, epsilon, size, decay, .. } = self.update;
        let Flat { values, first, second, gradient } = self.flat;
        let moments = first.iter_mut().zip(second);
        for ((p, (m, v)), g) in values.iter_mut().zip(moments).zip(gradient) {
            let g = g * clip;
            *m = *m * beta1 + g * rest1;
            *v = *v * beta2 + g * g * rest2;
            *p = *p * decay - *m / (v.sqrt() / root + epsilon) * size;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LENGTH: usize = 3 * TASK + 1234 + 7;
    const UPDATE: Update = Update {
        clip: 0.3,
        first: [0.9, 0.1],
        second: [0.999, 0.001],
        root: 0.07,
        epsilon: 1e-8,
        size: 2e-3,
        decay: 0.99,
    };

    fn wave(frequency: f32) -> Vec<f32> {
        (0..LENGTH).map(|i| (i as f32 * frequency).sin()).collect()
    }

    /// The norm, values, first and second moments after a step.
    fn stepped(simd: Simd, threads: usize) -> [Vec<f32>; 4] {
        let gradient = wave(0.37);
        let (mut values, mut first) = (wave(0.11), wave(0.23));
        let mut second: Vec<f32> = wave(0.41).iter().map(|x| x * x).collect();
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        let norm = pool.expect("a pool").install(|| {
            let (values, first, second) = (&mut values[..], &mut first[..], &mut second[..]);
            UPDATE.apply_with(simd, Flat { values, first, second, gradient: &gradient });
            norm_with(simd, &gradient)
        });
        [vec![norm], values, first, second]
    }

    #[test]
    fn any_number_of_threads_and_any_vectors_give_the_same_bits() {
        let want = stepped(Simd::Portable, 1);
        for simd in Simd::all() {
            for threads in [1, 2, 5] {
                assert_eq!(stepped(simd, threads), want, "{simd:?} {threads}");
            }
        }
    }

    #[test]
    fn it_is_the_formula() {
        let [norm, values, first, second] = stepped(Simd::best(), 2);
        let exact = wave(0.37).iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
        assert_eq!(norm, [exact as f32]);
        let [wide_clip, beta1, beta2] =
            [UPDATE.clip, UPDATE.first[0], UPDATE.second[0]].map(f64::from);
        let olds = wave(0.11).into_iter().zip(wave(0.23)).zip(wave(0.41)).zip(wave(0.37));
        for (i, (((p, m), v), g)) in olds.enumerate() {
            let [p, m, v, g] = [p, m, v * v, g].map(f64::from);
            let g = g * wide_clip;
            let m = m * beta1 + g * f64::from(UPDATE.first[1]);
            let v = v * beta2 + g * g * f64::from(UPDATE.second[1]);
            let root = v.sqrt() / f64::from(UPDATE.root) + f64::from(UPDATE.epsilon);
            let p = p * f64::from(UPDATE.decay) - m / root * f64::from(UPDATE.size);
            for (got, want) in [(values[i], p), (first[i], m), (second[i], v)] {
                assert!((f64::from(got) - want).abs() < 3e-7, "{i}: {got} against {want}");
            }
        }
    }

    #[test]
    fn a_norm_whose_square_is_no_f32_is_one() {
        assert_eq!(norm(&[3e30, -4e30]), 5e30);
        assert_eq!(norm(&[]), 0.0);
        assert!(norm(&[1.0, f32::NAN]).is_nan());
    }
}
