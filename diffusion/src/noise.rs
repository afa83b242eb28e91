//! Randomness as a pure function of what it is for.
//!
//! Every draw has a seed, a purpose and an index; nothing is remembered between
//! draws. So a resumed run, another batch split or another order of work sees the
//! same noise. The stream is ChaCha8, keyed by SHA-256 of the three.

use rand::rngs::ChaCha8Rng;
use rand::{Rng, SeedableRng};
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;
use sha2::{Digest, Sha256};

/// The generator for `purpose` number `index` under `seed`.
pub fn stream(seed: u64, purpose: &str, index: u64) -> ChaCha8Rng {
    let mut hash = Sha256::new();
    hash.update(b"likeness noise 1\0");
    hash.update(purpose.as_bytes());
    hash.update(b"\0");
    hash.update(seed.to_le_bytes());
    hash.update(index.to_le_bytes());
    ChaCha8Rng::from_seed(hash.finalize().into())
}

/// `count` standard normal numbers.
pub fn normal(seed: u64, purpose: &str, index: u64, count: usize) -> Vec<f32> {
    let mut rng = stream(seed, purpose, index);
    (0..count).map(|_| StandardNormal.sample(&mut rng)).collect()
}

/// `samples` times `each` standard normal numbers, one sample after the other, on all cores: each
/// sample's are [`normal`] for `purpose` and its place in the batch.
pub fn normal_each(seed: u64, purpose: &str, index: u64, samples: usize, each: usize) -> Vec<f32> {
    let of = |place: usize| normal(seed, &format!("{purpose} {place}"), index, each);
    (0..samples).into_par_iter().flat_map_iter(of).collect()
}

/// `count` numbers evenly from [-1, 1).
pub fn uniform(seed: u64, purpose: &str, index: u64, count: usize) -> Vec<f32> {
    let mut rng = stream(seed, purpose, index);
    let scale = 2f64.powi(-52);
    (0..count).map(|_| ((rng.next_u64() >> 11) as f64 * scale - 1.0) as f32).collect()
}

/// A whole number below `bound` (at least 1), without bias worth naming.
pub fn below(seed: u64, purpose: &str, index: u64, bound: usize) -> usize {
    let wide = u128::from(stream(seed, purpose, index).next_u64()) * bound as u128;
    (wide >> 64) as usize
}

/// `0..count` in an order drawn by Fisher and Yates.
pub fn shuffled(seed: u64, purpose: &str, index: u64, count: usize) -> Vec<usize> {
    let mut rng = stream(seed, purpose, index);
    let mut order: Vec<usize> = (0..count).collect();
    for last in (1..count).rev() {
        let wide = u128::from(rng.next_u64()) * (last as u128 + 1);
        order.swap(last, (wide >> 64) as usize);
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draw_depends_on_seed_purpose_and_index_and_on_nothing_else() {
        assert_eq!(normal(1, "noise", 5, 4), normal(1, "noise", 5, 4));
        assert_eq!(normal(1, "noise", 5, 8)[..4], normal(1, "noise", 5, 4));
        for (seed, purpose, index) in [(2, "noise", 5), (1, "time", 5), (1, "noise", 6)] {
            assert_ne!(normal(seed, purpose, index, 4), normal(1, "noise", 5, 4));
        }
    }

    #[test]
    fn a_batchs_noise_is_that_of_its_samples() {
        let two = normal_each(1, "noise", 5, 2, 3);
        assert_eq!(two[..3], normal(1, "noise 0", 5, 3));
        assert_eq!(two[3..], normal(1, "noise 1", 5, 3));
    }

    #[test]
    fn normal_numbers_have_mean_zero_and_variance_one() {
        let draws = normal(3, "noise", 0, 100_000);
        let mean = draws.iter().map(|x| f64::from(*x)).sum::<f64>() / 1e5;
        let variance = draws.iter().map(|x| f64::from(x * x)).sum::<f64>() / 1e5;
        assert!(mean.abs() < 0.02 && (variance - 1.0).abs() < 0.02, "{mean} {variance}");
    }

    #[test]
    fn a_shuffle_loses_nothing() {
        let mut order = shuffled(1, "order", 0, 100);
        assert_ne!(order, (0..100).collect::<Vec<_>>());
        order.sort_unstable();
        assert_eq!(order, (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn below_reaches_every_number_and_no_other() {
        let drawn: Vec<usize> = (0..200).map(|i| below(1, "t", i, 7)).collect();
        assert!((0..7).all(|n| drawn.contains(&n)) && drawn.iter().all(|n| *n < 7));
    }
}
