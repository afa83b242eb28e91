//! AdamW over slices.

use burn::tensor::Shape;

use super::*;
use crate::cpu::adamw::{Flat, Update, norm};
use crate::slices::{InMemory, elements, rewritten, sliceable};

/// A step on values, first and second moments.
fn changed<S: InMemory>(
    state: [FloatTensor<S>; 3],
    gradient: FloatTensor<S>,
    step: AdamWStep,
) -> Stepped<S> {
    let gradient = S::contiguous(gradient);
    let gradient = elements::<S>(&gradient);
    let norm = norm(gradient);
    let [values, first, second] = state;
    let (mut first_after, mut second_after) = (None, None);
    let values = rewritten::<S>(values, |values| {
        first_after = Some(rewritten::<S>(first, |first| {
            second_after = Some(rewritten::<S>(second, |second| {
                update(step, norm).apply(Flat { values, first, second, gradient });
            }));
        }));
    });
    let rewritten = "each is rewritten within the one before";
    let norm = S::made(Shape::from([1]), |out| out.fill(norm));
    (values, first_after.expect(rewritten), second_after.expect(rewritten), norm)
}

/// The step's scalars for a gradient of this norm.
fn update(step: AdamWStep, norm: f32) -> Update {
    let clip = step.clip.map_or(1.0, |clip| {
        let by = (norm + CLIP_EPSILON as f32).recip() * clip as f32;
        if by > 1.0 { 1.0 } else { by } // what is no number stays none
    });
    let AdamWStep { beta1, beta2, .. } = step;
    Update {
        clip,
        first: [beta1, 1.0 - beta1].map(|x| x as f32),
        second: [beta2, 1.0 - beta2].map(|x| x as f32),
        root: step.root() as f32,
        epsilon: step.epsilon as f32,
        size: step.size() as f32,
        decay: step.decay() as f32,
    }
}

impl<S: InMemory> FlatAdamW for S {
    fn adamw_step(
        values: FloatTensor<S>,
        first: FloatTensor<S>,
        second: FloatTensor<S>,
        gradient: FloatTensor<S>,
        step: AdamWStep,
    ) -> Stepped<S> {
        let can = [&values, &first, &second, &gradient].into_iter().all(sliceable::<Self>);
        match can {
            true => changed::<Self>([values, first, second], gradient, step),
            false => stepped::<Self>(values, first, second, gradient, step),
        }
    }
}
