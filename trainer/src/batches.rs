//! Which photos a step sees, as a pure function of (seed, step).
//!
//! An epoch visits every photo once, in an order drawn for that epoch; a batch
//! holds photos of one bucket. The last batch of a bucket is filled up from the
//! bucket's start, so that every batch has the same number of photos.

use likeness_diffusion::noise;

/// The batches of a dataset.
#[derive(Debug, Clone)]
pub struct Batches {
    buckets: Vec<Vec<usize>>, // photos by bucket
    batch: usize,
    seed: u64,
}

impl Batches {
    /// `buckets[i]` is the bucket of photo `i`.
    pub fn new<B: Ord + Copy>(buckets: &[B], batch: usize, seed: u64) -> Self {
        let mut kinds = buckets.to_vec();
        kinds.sort_unstable();
        kinds.dedup();
        let of = |kind: &B| (0..buckets.len()).filter(|i| buckets[*i] == *kind).collect();
        Self { buckets: kinds.iter().map(of).collect(), batch, seed }
    }

    /// Batches of an epoch.
    pub fn per_epoch(&self) -> usize {
        self.buckets.iter().map(|photos| photos.len().div_ceil(self.batch)).sum()
    }

    /// The photos of batch number `index`, counted from 0 over all epochs.
    pub fn at(&self, index: usize) -> Vec<usize> {
        let per_epoch = self.per_epoch();
        let epoch = (index / per_epoch) as u64;
        let order = noise::shuffled(self.seed, "batches", epoch, per_epoch);
        self.epoch(epoch)[order[index % per_epoch]].clone()
    }

    fn epoch(&self, epoch: u64) -> Vec<Vec<usize>> {
        let cut = |(bucket, photos): (usize, &Vec<usize>)| {
            let purpose = format!("bucket {bucket}");
            let order = noise::shuffled(self.seed, &purpose, epoch, photos.len());
            let photo = |i: usize| photos[order[i % order.len()]];
            let batches = photos.len().div_ceil(self.batch);
            (0..batches)
                .map(move |b| (0..self.batch).map(|i| photo(b * self.batch + i)).collect())
                .collect::<Vec<_>>()
        };
        self.buckets.iter().enumerate().flat_map(cut).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
