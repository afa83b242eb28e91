//! How close a photo is cropped, and the bucket that it goes to.
//!
//! A face is learned from the pixels that it is trained at. Below 40 px between the eyes encoders
//! begin to lose who it is (same-person cosine, MobileFace V2: .729 at 120 and at 40 px, .715 at
//! 20, .548 at 10), and the latents of Stable Diffusion hold an eighth of the pixels a side. YuNet's
//! boxes are 2.9 to 3.2 such distances high (five public-domain portraits). So `auto` leaves the
//! whole photo where its face is trained at 120 px of height or more, and comes no closer than
//! that where it is not: what is around the face is learned, too.

use likeness_faces::Face;
use serde::{Deserialize, Serialize};

use crate::bucket::Bucket;
use crate::crop::Crop;
use crate::head::Head;
use crate::judge::Judgement;
use crate::record::Reason;

/// How close photos are cropped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Framing {
    /// The whole photo, or closer until its face is trained at 120 px of height.
    #[default]
    Auto,
    /// The head.
    CloseUp,
    /// Head and shoulders.
    Portrait,
    /// As much of the photo as its bucket holds.
    Full,
}

impl Framing {
    /// All of them, by name.
    pub const ALL: [(&'static str, Self); 4] = [
        ("auto", Self::Auto),
        ("close-up", Self::CloseUp),
        ("portrait", Self::Portrait),
        ("full", Self::Full),
    ];
}

/// A crop around a face.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View {
    /// The crop's height in heights of the face box.
    heights: f64,
    /// Where in it the face's middle is, 0 (top) to 1 (bottom).
    share: f64,
}

pub(crate) const CLOSE_UP: View = View { heights: 2.2, share: 0.52 };
pub(crate) const PORTRAIT: View = View { heights: 3.6, share: 0.42 };
pub(crate) const HALF_BODY: View = View { heights: 6.0, share: 0.30 };

/// A face that is trained at this many pixels of height, which are about 40 between the eyes, is
/// large enough for `auto`; below a resolution of 512 px the same share of the side is.
const LEAST_FACE_PX: f64 = 120.0;
/// Closer crops go to buckets between these aspects: a head in a sliver shows no shoulders.
const ASPECTS: (f64, f64) = (0.75, 4.0 / 3.0);
/// Up to here a photo that has to be enlarged is reviewed; beyond, it is dropped.
const HARDLY_ENLARGED: f64 = 1.05;
/// With upscaling, closer crops are enlarged at most so many times.
const MOST_ENLARGED: f64 = 2.0;
/// Another bucket than the nearest is taken for its pixels' sake as long as its aspect is within
/// this factor of the nearest one's.
const OTHER_ASPECT: f64 = 1.5;

impl View {
    /// The view of so many face heights, with the face where the named views around it have it.
    fn between(heights: f64) -> Self {
        let at = (heights - PORTRAIT.heights) / (HALF_BODY.heights - PORTRAIT.heights);
        let share = PORTRAIT.share + (HALF_BODY.share - PORTRAIT.share) * at.clamp(0.0, 1.0);
        Self { heights, share }
    }

    /// This view of `face` in a photo, of the bucket's aspect.
    pub fn crop(self, photo: (u32, u32), bucket: Bucket, face: &Face, head: &Head) -> Crop {
        let high = f64::from(face.bbox[3]) * self.heights;
        let [x, y] = face.center().map(f64::from);
        Crop::framed(photo, bucket, head, [x, y + (0.5 - self.share) * high], high)
    }
}

/// What decides where photos are cut.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cutting {
    /// The side in pixels of the square whose area the buckets have.
    pub resolution: u32,
    /// The step of the buckets' sides in pixels.
    pub bucket_step: u32,
    /// How close.
    pub framing: Framing,
    /// Whether a crop may be enlarged for its framing.
    pub upscale: bool,
}

/// Where a photo is cut.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Framed {
    /// The size that the crop is brought to.
    pub bucket: Bucket,
    /// The part that is trained on.
    pub crop: Crop,
    /// The share of the head that it leaves out, 0 to 1.
    pub head_cut: f64,
}

impl Cutting {
    /// Where a photo of `width` x `height` is cut: in the bucket of the nearest aspect that holds
    /// the head whole and, where one near it does, enlarges nothing.
    pub fn of(&self, width: u32, height: u32, face: Option<&Face>) -> Framed {
        let photo = (width, height);
        let aspect = f64::from(width.max(1)) / f64::from(height.max(1));
        let head = face.and_then(|face| Head::of(face, width, height));
        let choose = |bucket| Crop::choose(width, height, bucket, head.as_ref());
        let whole = self.best(aspect, head.as_ref(), &choose);
        let (Some(face), Some(known)) = (face, head.as_ref()) else { return whole };
        let Some(view) = self.view(face, &whole) else { return whole };
        let frame = |bucket: Bucket| {
            let View { heights, share } = view(bucket);
            let least = self.least_height(bucket) / f64::from(face.bbox[3].max(1.0));
            View { heights: heights.max(least), share }.crop(photo, bucket, face, known)
        };
        self.best(aspect.clamp(ASPECTS.0, ASPECTS.1), head.as_ref(), &frame)
    }

    /// As [`Self::of`], but in a bucket that a crop which a person chose has the aspect of;
    /// if none has it, as without one.
    pub fn with(
        &self,
        width: u32,
        height: u32,
        face: Option<&Face>,
        chosen: Option<Crop>,
    ) -> Framed {
        let framed = self.of(width, height, face);
        let fits =
            |bucket: Bucket| chosen.is_none_or(|crop| crop.check(width, height, bucket).is_ok());
        if fits(framed.bucket) {
            return framed;
        }
        let mut all = Bucket::all(self.resolution, self.bucket_step).into_iter();
        let Some(bucket) = all.find(|bucket| fits(*bucket)) else { return framed };
        let head = face.and_then(|face| Head::of(face, width, height));
        let crop = Crop::choose(width, height, bucket, head.as_ref());
        Framed { bucket, crop, head_cut: head.map_or(0.0, |head| head.cut_by(crop)) }
    }

    /// How close `face` is cropped in each bucket; none leaves the photo as `whole` as it is.
    fn view(&self, face: &Face, whole: &Framed) -> Option<Box<dyn Fn(Bucket) -> View>> {
        let least = LEAST_FACE_PX * (f64::from(self.resolution) / 512.0).min(1.0);
        let trained = f64::from(face.bbox[3]) * whole.crop.upscale(whole.bucket);
        match self.framing {
            Framing::Full => None,
            Framing::Auto if trained >= least => None,
            Framing::Auto => Some(Box::new(move |bucket: Bucket| {
                View::between(f64::from(bucket.height) / least)
            })),
            Framing::CloseUp => Some(Box::new(|_| CLOSE_UP)),
            Framing::Portrait => Some(Box::new(|_| PORTRAIT)),
        }
    }

    /// The least height in pixels of a closer crop: it is enlarged only where that was asked for.
    fn least_height(&self, bucket: Bucket) -> f64 {
        f64::from(bucket.height) / if self.upscale { MOST_ENLARGED } else { 1.0 }
    }

    /// The best of all buckets for an `aspect`, cut by `crop`.
    fn best(&self, aspect: f64, head: Option<&Head>, crop: &dyn Fn(Bucket) -> Crop) -> Framed {
        let far = |bucket: Bucket| (bucket.aspect() / aspect).ln().abs();
        let mut all: Vec<Framed> = Bucket::all(self.resolution, self.bucket_step)
            .into_iter()
            .map(|bucket| {
                let crop = crop(bucket);
                let head_cut = head.map_or(0.0, |head| head.cut_by(crop));
                Framed { bucket, crop, head_cut }
            })
            .collect();
        let order = |a: &Framed, b: &Framed| {
            let near = far(a.bucket).total_cmp(&far(b.bucket));
            a.head_cut.total_cmp(&b.head_cut).then(near).then(b.bucket.area().cmp(&a.bucket.area()))
        };
        all.sort_by(order);
        let nearest = all[0]; // there is always the square
        let as_good = |other: &&Framed| {
            other.head_cut <= nearest.head_cut
                && other.crop.upscale(other.bucket) <= 1.0
                && far(other.bucket) <= far(nearest.bucket) + OTHER_ASPECT.ln()
        };
        all.iter().find(as_good).copied().unwrap_or(nearest)
    }
}

impl Judgement {
    /// What is to say of where a photo is cut. Enlarging is no fault where it was asked for, and a
    /// photo that is dropped anyway is not dropped for this, too.
    pub fn cut(&mut self, framed: &Framed, upscale: bool) {
        let Framed { bucket, crop, head_cut } = *framed;
        if head_cut > 0.0 {
            let percent = head_cut * 100.0;
            let message = format!(
                "no bucket holds the whole head: {percent:.1} % of it is cut; choose a crop, or take a photo with more room around it"
            );
            self.doubts.push(Reason::measured("head cut", message, head_cut, 0.0));
        }
        let times = crop.upscale(bucket);
        if times <= 1.0 || upscale || !self.reasons.is_empty() {
            self.notes.extend(crop.enlarged(bucket));
            return;
        }
        let message = format!(
            "it would have to be enlarged {times:.2} times: its crop has {} x {} of {} x {} pixels; curate with --upscale, or at a smaller --resolution",
            crop.width, crop.height, bucket.width, bucket.height
        );
        let hardly = times <= HARDLY_ENLARGED;
        let list = if hardly { &mut self.doubts } else { &mut self.reasons };
        let limit = if hardly { 1.0 } else { HARDLY_ENLARGED };
        list.push(Reason::measured("enlarged", message, times, limit));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USUAL: Cutting =
        Cutting { resolution: 512, bucket_step: 64, framing: Framing::Auto, upscale: false };

    fn face(x: f32, y: f32, w: f32, h: f32) -> Face {
        Face { bbox: [x, y, w, h], landmarks: [[0.0; 2]; 5], score: 1.0 }
    }

    /// Pseudo-random numbers below 1.
    fn numbers(seed: u64) -> impl FnMut() -> f64 {
        let mut state = seed;
        move || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 40) as f64 / (1u64 << 24) as f64
        }
    }

    #[test]
    fn no_head_is_cut_without_being_told_whatever_the_face_the_photo_and_the_framing() {
        let mut next = numbers(7);
        let (mut cut, mut all) = (0, 0);
        for (resolution, bucket_step) in [(512, 64), (512, 8), (768, 64), (1024, 32), (64, 64)] {
            for _ in 0..400 {
                let side = |share: f64| (40.0 * 100f64.powf(share)) as u32;
                let (width, height) = (side(next()), side(next()));
                let size = (f64::from(width.min(height)) * 1.5 * next()) as f32;
                let at = |share: f64, side: u32| ((share * 1.4 - 0.3) * f64::from(side)) as f32;
                let face = face(at(next(), width), at(next(), height), size, size * 1.3);
                for (_, framing) in Framing::ALL {
                    let upscale = next() < 0.5;
                    let how = Cutting { resolution, bucket_step, framing, upscale };
                    let Framed { bucket, crop, head_cut } = how.of(width, height, Some(&face));
                    assert!(crop.x + crop.width <= width && crop.y + crop.height <= height);
                    let off = f64::from(crop.height) * bucket.aspect() - f64::from(crop.width);
                    let tall = f64::from(crop.width) / bucket.aspect() - f64::from(crop.height);
                    assert!(off.abs().min(tall.abs()) <= 1.0, "{crop:?} {bucket:?}");
                    let Some(head) = Head::of(&face, width, height) else { continue };
                    assert_eq!(head_cut, head.cut_by(crop));
                    let held = |bucket: &Bucket| {
                        head.cut_by(Crop::choose(width, height, *bucket, Some(&head))) == 0.0
                    };
                    let could = Bucket::all(resolution, bucket_step).iter().any(held);
                    assert_eq!(head_cut == 0.0, could, "{face:?} in {width} x {height}: {crop:?}");
                    cut += usize::from(head_cut > 0.0);
                    all += 1;
                }
            }
        }
        assert!(all > 6000 && cut > 100 && cut < all / 2, "{cut} of {all} were cut and told");
    }

    #[test]
    fn a_close_photo_goes_to_a_bucket_that_holds_its_head() {
        // The nearest bucket to .9 is the square, which would leave out 100 px of the height.
        let framed = USUAL.of(900, 1000, Some(&face(300.0, 290.0, 280.0, 650.0)));
        assert_eq!((framed.head_cut, framed.bucket.width), (0.0, 448));
        assert_eq!(USUAL.of(900, 1000, None).bucket.width, 512);
        let small = USUAL.of(900, 1000, Some(&face(300.0, 290.0, 250.0, 400.0)));
        assert_eq!((small.head_cut, small.bucket.width), (0.0, 512));
    }

    #[test]
    fn auto_leaves_a_photo_whole_until_its_face_is_small() {
        let near = face(1000.0, 600.0, 700.0, 900.0);
        let whole = USUAL.of(3000, 4000, Some(&near));
        assert_eq!((whole.crop.width, whole.crop.height), (3000, 3857));
        let far = face(1400.0, 600.0, 200.0, 260.0);
        let closer = USUAL.of(3000, 4000, Some(&far));
        let trained = 260.0 * closer.crop.upscale(closer.bucket);
        assert!((119.0..=121.0).contains(&trained), "{trained} {closer:?}");
        let full = Cutting { framing: Framing::Full, ..USUAL }.of(3000, 4000, Some(&far));
        assert_eq!(full.crop.width, 3000);
    }

    #[test]
    fn closer_framings_enlarge_only_where_asked_and_then_twice_at_most() {
        let far = face(700.0, 300.0, 60.0, 80.0);
        for (_, framing) in Framing::ALL {
            let upscale = |upscale| {
                let framed = Cutting { framing, upscale, ..USUAL }.of(1600, 1200, Some(&far));
                assert_eq!(framed.head_cut, 0.0);
                framed.crop.upscale(framed.bucket)
            };
            assert!(upscale(false) <= 1.0, "{framing:?}");
            assert!(upscale(true) <= 2.0, "{framing:?}");
        }
        let asked = Cutting { framing: Framing::CloseUp, upscale: true, ..USUAL };
        let framed = asked.of(1600, 1200, Some(&far));
        assert!(framed.crop.upscale(framed.bucket) > 1.9);
    }

    #[test]
    fn a_crop_that_a_person_chose_decides_its_bucket() {
        let far = face(1400.0, 600.0, 200.0, 260.0);
        let chosen = |crop| USUAL.with(3000, 4000, Some(&far), crop);
        let usual = USUAL.of(3000, 4000, Some(&far));
        assert_eq!(chosen(None), usual);
        let wide = Crop { x: 0, y: 0, width: 2304, height: 1792 };
        let framed = chosen(Some(wide));
        assert_eq!((framed.bucket.width, framed.bucket.height), (576, 448));
        assert_eq!(framed.head_cut, 0.0);
        let odd = Crop { x: 0, y: 0, width: 3000, height: 400 };
        assert_eq!(chosen(Some(odd)), usual);
    }

    #[test]
    fn another_bucket_is_taken_where_the_nearest_would_enlarge() {
        let how = Cutting { resolution: 768, ..USUAL };
        for (width, height) in [(700, 900), (900, 700), (650, 1000), (767, 900)] {
            let framed = how.of(width, height, None);
            let near = Bucket::nearest(width, height, 768, 64);
            let enlarged = Crop::choose(width, height, near, None).upscale(near) > 1.0;
            let better = framed.crop.upscale(framed.bucket) <= 1.0;
            assert!(better || enlarged, "{width} x {height}: {framed:?}");
        }
    }

    #[test]
    fn a_photo_that_would_be_enlarged_is_reviewed_or_dropped_unless_that_was_asked_for() {
        let said = |side: u32, upscale: bool, dropped: bool| {
            let bucket = Bucket { width: 512, height: 512 };
            let crop = Crop { x: 0, y: 0, width: side, height: side };
            let mut said = Judgement::default();
            if dropped {
                said.reasons.push(Reason::plain("small", "too small"));
            }
            said.cut(&Framed { bucket, crop, head_cut: 0.0 }, upscale);
            (said.reasons.len(), said.doubts.len(), said.notes.len())
        };
        assert_eq!(said(512, false, false), (0, 0, 0));
        assert_eq!(said(500, false, false), (0, 1, 0));
        assert_eq!(said(400, false, false), (1, 0, 0));
        assert_eq!(said(400, true, false), (0, 0, 1));
        assert_eq!(said(400, false, true), (1, 0, 1));
    }
}
