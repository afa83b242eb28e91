//! Group normalisation whose scale and shift learn: `dγ = Σ d x̂` and `dβ = Σ d`, d the gradient of
//! `γ x̂ + β`, summed over samples and places.

use super::*;

/// [`FrozenGroupNorm::group_norm_affine_gradient`] in an engine's primitives.
pub fn affine_gradient<B: Backend>(
    x: FloatTensor<B>,
    gamma: FloatTensor<B>,
    beta: FloatTensor<B>,
    grad: FloatTensor<B>,
    options: GroupNormOptions,
) -> FloatTensor<B> {
    let (shape, groups) = (x.shape(), options.groups);
    let [batch, channels, height, width] = shape.dims();
    let x = B::float_reshape(widened::<B>(x), grouped(&shape, groups));
    let x = Normalised::<B>::of(x, GROUP, options.epsilon).values;
    let mut d = B::float_reshape(widened::<B>(grad), grouped(&shape, groups));
    if options.silu {
        let z = B::float_mul(x.clone(), a_channel::<B>(gamma, groups));
        let z = B::float_add(z, a_channel::<B>(beta, groups));
        d = B::float_mul(d, silu_slope::<B>(z));
    }
    let summed = |terms| {
        let places = Shape::from([batch, channels, height * width]);
        B::float_sum_dim(B::float_reshape(terms, places), 2)
    };
    B::float_cat(vec![summed(B::float_mul(d.clone(), x)), summed(d)], 2)
}

/// [`FrozenGroupNorm::learned_group_norm`] under autodiff.
pub fn track<B: FrozenGroupNorm, C: CheckpointStrategy>(
    x: FloatTensor<Autodiff<B, C>>,
    gamma: FloatTensor<Autodiff<B, C>>,
    beta: FloatTensor<Autodiff<B, C>>,
    options: GroupNormOptions,
) -> FloatTensor<Autodiff<B, C>> {
    let ((x, of_x), (gamma, of_gamma), (beta, of_beta)) =
        (x.into_parts(), gamma.into_parts(), beta.into_parts());
    let y = B::frozen_group_norm(x.clone(), gamma.clone(), beta.clone(), options);
    match LearnedBackward.prepare::<C>([of_x, of_gamma, of_beta]).compute_bound().stateful() {
        OpsKind::Tracked(prepared) => prepared.finish((x, gamma, beta, options), y),
        OpsKind::UnTracked(prepared) => prepared.finish(y),
    }
}

#[derive(Debug)]
struct LearnedBackward;

impl<B: FrozenGroupNorm> Backward<B, 3> for LearnedBackward {
    type State = (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>, GroupNormOptions);

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let [of_x, of_gamma, of_beta] = ops.parents;
        let grad = grads.consume::<B>(&ops.node);
        let (x, gamma, beta, options) = ops.state;
        if of_gamma.is_some() || of_beta.is_some() {
            let [channels] = gamma.shape().dims();
            let (x, gamma, beta) = (x.clone(), gamma.clone(), beta.clone());
            let each = B::group_norm_affine_gradient(x, gamma, beta, grad.clone(), options);
            let both = B::float_sum_dim(each, 0); // [1, channels, 2]
            for (i, node) in [of_gamma, of_beta].into_iter().enumerate() {
                if let Some(node) = node {
                    let one = [0..1, 0..channels, i..i + 1].map(Slice::from);
                    let one = B::float_slice(both.clone(), &one);
                    grads.register::<B>(node.id, B::float_reshape(one, Shape::from([channels])));
                }
            }
        }
        if let Some(node) = of_x {
            let gradient = B::frozen_group_norm_backward(x, gamma, beta, grad, options);
            grads.register::<B>(node.id, gradient);
        }
    }
}
