//! Layer normalisation whose scale and shift learn: `dγ = Σ dy x̂` and `dβ = Σ dy`, over rows.

use super::*;

/// [`FrozenLayerNorm::layer_norm_affine_gradient`] in an engine's primitives.
pub fn affine_gradient<B: Backend>(
    x: FloatTensor<B>,
    grad: FloatTensor<B>,
    epsilon: f64,
) -> FloatTensor<B> {
    let [_, width] = x.shape().dims();
    let (x, grad) = (widened::<B>(x), widened::<B>(grad));
    let x = Normalised::<B>::of(x, ROW, epsilon).values;
    let sums = |terms| B::float_reshape(B::float_sum_dim(terms, 0), Shape::from([1, 1, width]));
    B::float_cat(vec![sums(B::float_mul(grad.clone(), x)), sums(grad)], 1)
}

/// [`FrozenLayerNorm::learned_layer_norm`] under autodiff.
pub fn track<B: FrozenLayerNorm, C: CheckpointStrategy>(
    x: FloatTensor<Autodiff<B, C>>,
    gamma: FloatTensor<Autodiff<B, C>>,
    beta: FloatTensor<Autodiff<B, C>>,
    epsilon: f64,
) -> FloatTensor<Autodiff<B, C>> {
    let ((x, of_x), (gamma, of_gamma), (beta, of_beta)) =
        (x.into_parts(), gamma.into_parts(), beta.into_parts());
    let y = B::frozen_layer_norm(x.clone(), gamma.clone(), beta, epsilon);
    match LearnedBackward.prepare::<C>([of_x, of_gamma, of_beta]).compute_bound().stateful() {
        OpsKind::Tracked(prepared) => prepared.finish((x, gamma, epsilon), y),
        OpsKind::UnTracked(prepared) => prepared.finish(y),
    }
}

#[derive(Debug)]
struct LearnedBackward;

impl<B: FrozenLayerNorm> Backward<B, 3> for LearnedBackward {
    type State = (FloatTensor<B>, FloatTensor<B>, f64);

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let [of_x, of_gamma, of_beta] = ops.parents;
        let grad = grads.consume::<B>(&ops.node);
        let (x, gamma, epsilon) = ops.state;
        if of_gamma.is_some() || of_beta.is_some() {
            let [width] = gamma.shape().dims();
            let each = B::layer_norm_affine_gradient(x.clone(), grad.clone(), epsilon);
            let both = B::float_sum_dim(each, 0); // [1, 2, width]
            for (i, node) in [of_gamma, of_beta].into_iter().enumerate() {
                if let Some(node) = node {
                    let one = [0..1, i..i + 1, 0..width].map(Slice::from);
                    let one = B::float_slice(both.clone(), &one);
                    grads.register::<B>(node.id, B::float_reshape(one, Shape::from([width])));
                }
            }
        }
        if let Some(node) = of_x {
            grads.register::<B>(node.id, B::frozen_layer_norm_backward(x, gamma, grad, epsilon));
        }
    }
}
