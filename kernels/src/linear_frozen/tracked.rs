//! What autodiff does with frozen and low-rank linear layers.

use super::*;

impl<B: FrozenLinear, C: CheckpointStrategy> FrozenLinear for Autodiff<B, C> {
    fn frozen_linear(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let (x, node) = x.into_parts();
        let (weight, bias) = (weight.into_primitive(), bias.into_primitive());
        match LinearBackward.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => {
                prepared.finish(weight.clone(), B::frozen_linear(x, weight, bias))
            }
            OpsKind::UnTracked(prepared) => prepared.finish(B::frozen_linear(x, weight, bias)),
        }
    }

    fn learned_linear(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let ((x, of_x), (weight, of_weight), (bias, of_bias)) =
            (x.into_parts(), weight.into_parts(), bias.into_parts());
        let y = B::frozen_linear(x.clone(), weight.clone(), bias);
        match LearnedBackward.prepare::<C>([of_x, of_weight, of_bias]).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => prepared.finish((x, weight), y),
            OpsKind::UnTracked(prepared) => prepared.finish(y),
        }
    }

    fn low_rank_linear(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        down: FloatTensor<Self>,
        up: FloatTensor<Self>,
        scale: f64,
    ) -> FloatTensor<Self> {
        let (weight, bias) = (weight.into_primitive(), bias.into_primitive());
        let ((x, node_x), (down, node_down), (up, node_up)) =
            (x.into_parts(), down.into_parts(), up.into_parts());
        let low = B::narrowed(x.clone(), down.clone(), scale); // [rows, rank], s x Aᵀ
        let y = B::frozen_linear(x.clone(), weight.clone(), bias);
        let y = B::plus_transposed(y, low.clone(), up.clone());
        match LowRankBackward.prepare::<C>([node_x, node_down, node_up]).compute_bound().stateful()
        {
            OpsKind::Tracked(prepared) => {
                prepared.finish(LowRankState { x, weight, down, up, low, scale }, y)
            }
            OpsKind::UnTracked(prepared) => prepared.finish(y),
        }
    }
}

#[derive(Debug)]
struct LinearBackward;

impl<B: FrozenLinear> Backward<B, 1> for LinearBackward {
    type State = FloatTensor<B>;

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let [node] = ops.parents;
        let grad = grads.consume::<B>(&ops.node);
        if let Some(node) = node {
            grads.register::<B>(node.id, B::frozen_linear_backward(grad, ops.state));
        }
    }
}

#[derive(Debug)]
struct LearnedBackward;

impl<B: FrozenLinear> Backward<B, 3> for LearnedBackward {
    type State = (FloatTensor<B>, FloatTensor<B>);

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let [of_x, of_weight, of_bias] = ops.parents;
        let grad = grads.consume::<B>(&ops.node);
        let (x, weight) = ops.state;
        if let Some(node) = of_bias {
            let [_, d_out] = grad.shape().dims();
            let sums = B::float_sum_dim(grad.clone(), 0);
            grads.register::<B>(node.id, B::float_reshape(sums, Shape::from([d_out])));
        }
        if let Some(node) = of_weight {
            grads.register::<B>(node.id, B::crossed(grad.clone(), x));
        }
        if let Some(node) = of_x {
            grads.register::<B>(node.id, B::frozen_linear_backward(grad, weight));
        }
    }
}

#[derive(Debug)]
struct LowRankBackward;

#[derive(Debug, Clone)]
struct LowRankState<B: Backend> {
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    down: FloatTensor<B>,
    up: FloatTensor<B>,
    low: FloatTensor<B>, // s x Aᵀ
    scale: f64,
}

impl<B: FrozenLinear> Backward<B, 3> for LowRankBackward {
    type State = LowRankState<B>;

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let [node_x, node_down, node_up] = ops.parents;
        let grad = grads.consume::<B>(&ops.node);
        let LowRankState { x, weight, down, up, low, scale } = ops.state;
        if let Some(node) = node_up {
            let by_rank = B::crossed(low, grad.clone()); // [rank, d_out]
            let turned = B::float_transpose(by_rank);
            grads.register::<B>(node.id, as_type_of::<B>(turned, &up));
        }
        if node_x.is_none() && node_down.is_none() {
            return;
        }
        let d_low = B::frozen_linear_backward(grad.clone(), up); // [rows, rank]
        let d_low = scaled::<B>(d_low, scale);
        if let Some(node) = node_down {
            let by_rank = B::crossed(d_low.clone(), x); // [rank, d_in]
            grads.register::<B>(node.id, as_type_of::<B>(by_rank, &down));
        }
        if let Some(node) = node_x {
            let d_x = B::frozen_linear_backward(grad, weight);
            grads.register::<B>(node.id, B::plus_product(d_x, d_low, down));
        }
    }
}
