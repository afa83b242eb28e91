//! Which photos a step sees, as a pure function of (seed, step).
//!
//! An epoch visits every photo once, in an order drawn for that epoch; a batch
//! holds photos of one bucket. The last batch of a bucket is filled up from the
//! bucket's start, so that every batch has the same number of photos.
//!
//! With weights a photo is visited as often as its weight says, on average over the epochs: an
//! epoch takes places at equal steps along the weights laid end to end, from a start drawn for
//! that epoch (systematic sampling, Madow and Madow 1944, <https://doi.org/10.1214/aoms/1177731312>).
//! So every epoch has as many visits, and weights of 1 change nothing.

use likeness_diffusion::noise;

/// The batches of a dataset.
#[derive(Debug, Clone)]
pub struct Batches {
    buckets: Vec<Bucket>,
    batch: usize,
    seed: u64,
}

/// The photos of a bucket.
#[derive(Debug, Clone)]
struct Bucket {
    photos: Vec<usize>,
    /// Where each photo's weight ends on the line of all, of which the whole is `visits` long.
    ends: Vec<f64>,
    /// Visits in an epoch.
    visits: usize,
}

impl Batches {
    /// `buckets[i]` is the bucket of photo `i`, and every photo has the weight 1.
    pub fn new<B: Ord + Copy>(buckets: &[B], batch: usize, seed: u64) -> Self {
        Self::weighted(buckets, &vec![1.0; buckets.len()], batch, seed)
    }

    /// `buckets[i]` is the bucket of photo `i`, and `weights[i]`, above 0, how often it is
    /// visited beside the others.
    pub fn weighted<B: Ord + Copy>(
        buckets: &[B],
        weights: &[f64],
        batch: usize,
        seed: u64,
    ) -> Self {
        let mut kinds = buckets.to_vec();
        kinds.sort_unstable();
        kinds.dedup();
        let of = |kind: &B| {
            let photos = (0..buckets.len()).filter(|i| buckets[*i] == *kind).collect();
            Bucket::new(photos, weights)
        };
        Self { buckets: kinds.iter().map(of).collect(), batch, seed }
    }

    /// Batches of an epoch.
    pub fn per_epoch(&self) -> usize {
        self.buckets.iter().map(|bucket| bucket.visits.div_ceil(self.batch)).sum()
    }

    /// The photos of batch number `index`, counted from 0 over all epochs.
    pub fn at(&self, index: usize) -> Vec<usize> {
        let per_epoch = self.per_epoch();
        let epoch = (index / per_epoch) as u64;
        let order = noise::shuffled(self.seed, "batches", epoch, per_epoch);
        self.epoch(epoch)[order[index % per_epoch]].clone()
    }

    fn epoch(&self, epoch: u64) -> Vec<Vec<usize>> {
        let cut = |(bucket, photos): (usize, &Bucket)| {
            let purpose = format!("bucket {bucket}");
            let start = noise::uniform(self.seed, &format!("{purpose} visits"), epoch, 1)[0];
            let photos = photos.visited((f64::from(start) + 1.0) / 2.0);
            let order = noise::shuffled(self.seed, &purpose, epoch, photos.len());
            let photo = |i: usize| photos[order[i % order.len()]];
            let batches = photos.len().div_ceil(self.batch);
            (0..batches)
                .map(|b| (0..self.batch).map(|i| photo(b * self.batch + i)).collect())
                .collect::<Vec<_>>()
        };
        self.buckets.iter().enumerate().flat_map(cut).collect()
    }
}

impl Bucket {
    fn new(photos: Vec<usize>, weights: &[f64]) -> Self {
        let all: f64 = photos.iter().map(|photo| weights[*photo]).sum();
        let visits = (all.round() as usize).max(1);
        let scale = visits as f64 / all;
        let mut end = 0.0;
        let ends = photos.iter().map(|photo| {
            end += weights[*photo] * scale;
            end
        });
        Self { ends: ends.collect(), photos, visits }
    }

    /// The photos at equal steps from `start`, 0 to 1, along the weights.
    fn visited(&self, start: f64) -> Vec<usize> {
        let at = |visit: usize| {
            let place = start.clamp(0.001, 0.999) + visit as f64; // clear of what sums round to
            self.photos[self.ends.partition_point(|end| *end <= place).min(self.photos.len() - 1)]
        };
        (0..self.visits).map(at).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_say_how_often_a_photo_is_visited_and_ones_change_nothing() {
        let buckets = [1, 1, 1, 2, 2, 2, 2];
        let weights = [0.5, 0.5, 2.0, 1.0, 1.0, 1.3, 0.7];
        let batches = Batches::weighted(&buckets, &weights, 1, 7);
        assert_eq!(batches.per_epoch(), 7);
        let mut visits = [0; 7];
        (0..7 * 400).for_each(|index| visits[batches.at(index)[0]] += 1);
        for (count, weight) in visits.iter().zip(weights) {
            assert!((f64::from(*count) / 400.0 - weight).abs() < 0.08, "{visits:?}");
        }
        let (plain, ones) = (Batches::new(&buckets, 2, 7), [1.0; 7]);
        let weighted = Batches::weighted(&buckets, &ones, 2, 7);
        assert!((0..40).all(|index| plain.at(index) == weighted.at(index)));
    }

    #[test]
    fn an_epoch_visits_every_photo_and_mixes_no_buckets() {
        let buckets = [1, 1, 2, 1, 2, 2, 2, 1, 3];
        for batch in [1, 2, 3] {
            let batches = Batches::new(&buckets, batch, 7);
            let epoch: Vec<_> = (0..batches.per_epoch()).map(|i| batches.at(i)).collect();
            for photos in &epoch {
                assert_eq!(photos.len(), batch);
                assert!(photos.iter().all(|p| buckets[*p] == buckets[photos[0]]));
            }
            let mut seen = epoch.concat();
            seen.sort_unstable();
            seen.dedup();
            assert_eq!(seen.len(), buckets.len());
        }
    }

    #[test]
    fn epochs_differ_and_a_batch_depends_on_its_number_alone() {
        let batches = Batches::new(&[0; 12], 1, 7);
        let epoch = |n: usize| (0..12).map(|i| batches.at(12 * n + i)[0]).collect::<Vec<_>>();
        assert_ne!(epoch(0), epoch(1));
        assert_eq!(Batches::new(&[0; 12], 1, 7).at(17), batches.at(17));
        assert_ne!(Batches::new(&[0; 12], 1, 8).at(17), batches.at(17));
    }
}
