//! Group normalisation over slices: one group after the other, its sums in f64.

use super::*;
use crate::elementary::{silu, silu_slope};
use crate::moments::Moments;
use crate::slices::{InMemory, Parts, changed, elements, filled, sliceable};

impl<S: InMemory> FrozenGroupNorm for S {
    fn frozen_group_norm(
        x: FloatTensor<S>,
        gamma: FloatTensor<S>,
        beta: FloatTensor<S>,
        options: GroupNormOptions,
    ) -> FloatTensor<S> {
        if !sliceable::<S>(&x) {
            return S::group_norm(x, [gamma, beta], options);
        }
        let (gamma, beta) = (S::contiguous(gamma), S::contiguous(beta));
        let groups = Groups::new(x.shape(), elements::<S>(&gamma), elements::<S>(&beta), options);
        changed::<S>(x, groups.size, groups)
    }

    fn frozen_group_norm_backward(
        x: FloatTensor<S>,
        gamma: FloatTensor<S>,
        beta: FloatTensor<S>,
        grad: FloatTensor<S>,
        options: GroupNormOptions,
    ) -> FloatTensor<S> {
        if !sliceable::<S>(&x) {
            return S::group_norm_backward(x, [gamma, beta], grad, options);
        }
        let (x, gamma, beta) = (S::contiguous(x), S::contiguous(gamma), S::contiguous(beta));
        let groups = Groups::new(x.shape(), elements::<S>(&gamma), elements::<S>(&beta), options);
        changed::<S>(grad, groups.size, Slopes { groups, x: elements::<S>(&x) })
    }

    fn group_norm_affine_gradient(
        x: FloatTensor<S>,
        gamma: FloatTensor<S>,
        beta: FloatTensor<S>,
        grad: FloatTensor<S>,
        options: GroupNormOptions,
    ) -> FloatTensor<S> {
        if !sliceable::<S>(&x) {
            return S::group_norm_affine(x, [gamma, beta], grad, options);
        }
        let [x, gamma, beta, grad] = [x, gamma, beta, grad].map(S::contiguous);
        let [batch, channels, ..]: [usize; 4] = x.shape().dims();
        let groups = Groups::new(x.shape(), elements::<S>(&gamma), elements::<S>(&beta), options);
        let sums = AffineSums { groups, x: elements::<S>(&x), grad: elements::<S>(&grad) };
        let of_a_group = 2 * channels / options.groups;
        filled::<S>(Shape::from([batch, channels, 2]), of_a_group, sums)
    }
}

/// Sums what γ and β of a group's channels learn.
struct AffineSums<'a> {
    groups: Groups<'a>,
    x: &'a [f32],
    grad: &'a [f32],
}

impl Parts for AffineSums<'_> {
    #[inline(always)]
    fn part(&self, start: usize, sums: &mut [f32]) {
        let Groups { places, options, size, .. } = self.groups;
        let first = start / 2 * places; // two sums a channel
        let (x, d) = (&self.x[first..first + size], &self.grad[first..first + size]);
        let moments = Moments::of(x, options.epsilon);
        let channels = x.chunks_exact(places).zip(d.chunks_exact(places));
        let channels = channels.zip(self.groups.channels(first));
        for (((x, d), (gamma, beta)), sums) in channels.zip(sums.chunks_exact_mut(2)) {
            let both = match options.silu {
                true => moments.along(x, d, |x| silu_slope(x * gamma + beta)),
                false => moments.along(x, d, |_| 1.0),
            };
            sums.copy_from_slice(&both);
        }
    }
}

/// Groups of channels, one after the other.
struct Groups<'a> {
    gamma: &'a [f32],
    beta: &'a [f32],
    places: usize, // of a channel
    size: usize,   // elements of a group
    options: GroupNormOptions,
}

impl<'a> Groups<'a> {
    fn new(shape: Shape, gamma: &'a [f32], beta: &'a [f32], options: GroupNormOptions) -> Self {
        let [_, channels, height, width] = shape.dims();
        let places = height * width;
        Self { gamma, beta, places, size: channels / options.groups * places, options }
    }

    /// γ and β of each channel of the group that begins at element `start`.
    #[inline(always)]
    fn channels(&self, start: usize) -> impl Iterator<Item = (f32, f32)> {
        let first = start / self.places % self.gamma.len();
        let (gamma, beta) = (&self.gamma[first..], &self.beta[first..]);
        gamma.iter().copied().zip(beta.iter().copied())
    }
}

/// Turns a group's x into y.
impl Parts for Groups<'_> {
    #[inline(always)]
    fn part(&self, start: usize, group: &mut [f32]) {
        let moments = Moments::of(group, self.options.epsilon);
        let channels = group.chunks_exact_mut(self.places);
        for (x, (gamma, beta)) in channels.zip(self.channels(start)) {
            let affine = |x: f32| moments.normalise(x) * gamma + beta;
            match self.options.silu {
                true => x.iter_mut().for_each(|x| *x = silu(affine(*x))),
                false => x.iter_mut().for_each(|x| *x = affine(*x)),
            }
        }
    }
}

/// What the backward pass reads.
struct Slopes<'a> {
    groups: Groups<'a>,
    x: &'a [f32],
}

/// Turns a group's dy into dx.
impl Parts for Slopes<'_> {
    #[inline(always)]
    fn part(&self, start: usize, d: &mut [f32]) {
        let Groups { places, options, .. } = self.groups;
        let group = &self.x[start..start + d.len()];
        let moments = Moments::of(group, options.epsilon);
        let channels = group.chunks_exact(places).zip(d.chunks_exact_mut(places));
        for ((x, d), (gamma, beta)) in channels.zip(self.groups.channels(start)) {
            let slope = |x: f32| silu_slope(moments.normalise(x) * gamma + beta);
            match options.silu {
                true => (d.iter_mut().zip(x)).for_each(|(d, x)| *d *= slope(*x) * gamma),
                false => d.iter_mut().for_each(|d| *d *= gamma),
            }
        }
        moments.backward(group, d);
    }
}
