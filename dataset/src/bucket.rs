//! The sizes that photos are brought to, so that a batch has one size.
//!
//! Aspect buckets as in NovelAI's training and kohya's scripts: sides in steps,
//! all of about the same area, and a photo goes to the nearest aspect.

use serde::{Deserialize, Serialize};

/// A size in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Bucket {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}

const LEAST_AREA: f64 = 0.85; // of resolution^2: smaller ones waste detail for a slightly nearer aspect

impl Bucket {
    /// Width over height.
    pub fn aspect(self) -> f64 {
        f64::from(self.width) / f64::from(self.height)
    }

    /// Width times height.
    pub fn area(self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    /// All buckets of at most `resolution`^2 pixels and at least 85 % of that,
    /// with sides that are multiples of `step` between half and twice
    /// `resolution`. There is always the square.
    pub fn all(resolution: u32, step: u32) -> Vec<Self> {
        let most = u64::from(resolution).pow(2);
        let sides = || (1..).map(|n| n * step).take_while(|&side| side <= resolution * 2);
        let fits = |side: u32| side * 2 >= resolution && side <= resolution * 2;
        let mut buckets: Vec<Self> = sides()
            .filter(|&width| fits(width))
            .filter_map(|width| {
                let height = (most / u64::from(width)) as u32 / step * step;
                let bucket = Self { width, height };
                let enough = bucket.area() as f64 >= LEAST_AREA * most as f64;
                (fits(height) && enough).then_some(bucket)
            })
            .collect();
        let square = Self { width: resolution, height: resolution };
        if !buckets.contains(&square) {
            buckets.push(square);
        }
        buckets.sort_by(|a, b| a.aspect().total_cmp(&b.aspect()));
        buckets
    }

    /// The bucket of [`Self::all`] whose aspect is nearest to a photo's.
    pub fn nearest(width: u32, height: u32, resolution: u32, step: u32) -> Self {
        let aspect = f64::from(width.max(1)) / f64::from(height.max(1));
        let distance = |bucket: &Self| (bucket.aspect() / aspect).ln().abs();
        let buckets = Self::all(resolution, step);
        let nearest = buckets
            .iter()
            .min_by(|a, b| distance(a).total_cmp(&distance(b)).then(b.area().cmp(&a.area())));
        *nearest.expect("the square is always among the buckets")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bucket_keeps_to_steps_area_and_sides() {
        for (resolution, step) in [(512, 64), (512, 8), (768, 64), (1024, 32), (256, 64)] {
            let buckets = Bucket::all(resolution, step);
            assert!(buckets.len() > 2, "{resolution} {step}");
            for bucket in &buckets {
                assert!(bucket.width.is_multiple_of(step) && bucket.height.is_multiple_of(step));
                for side in [bucket.width, bucket.height] {
                    assert!((resolution / 2..=resolution * 2).contains(&side), "{bucket:?}");
                }
                let area = bucket.area() as f64 / f64::from(resolution).powi(2);
                assert!((LEAST_AREA..=1.0).contains(&area), "{bucket:?}");
            }
        }
    }

    #[test]
    fn photos_go_to_the_nearest_aspect() {
        let nearest = |width, height| {
            let bucket = Bucket::nearest(width, height, 512, 64);
            (bucket.width, bucket.height)
        };
        assert_eq!(nearest(3000, 3000), (512, 512));
        assert_eq!(nearest(3000, 4000), (448, 576));
        assert_eq!(nearest(4000, 3000), (576, 448));
        assert_eq!(nearest(100, 9000), (256, 1024));
    }
}
