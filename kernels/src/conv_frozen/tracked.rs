//! What autodiff does with frozen and low-rank convolutions.

use super::*;

impl<B: FrozenConv, C: CheckpointStrategy> FrozenConv for Autodiff<B, C> {
    fn frozen_conv2d(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        options: ConvOptions<2>,
    ) -> FloatTensor<Self> {
        let (x, node) = x.into_parts();
        let (weight, bias) = (weight.into_primitive(), bias.into_primitive());
        match ConvBackward.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => {
                let state = (x.shape(), weight.clone(), options.clone());
                prepared.finish(state, B::frozen_conv2d(x, weight, bias, options))
            }
            OpsKind::UnTracked(prepared) => {
                prepared.finish(B::frozen_conv2d(x, weight, bias, options))
            }
        }
    }

    fn learned_conv2d(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        options: ConvOptions<2>,
    ) -> FloatTensor<Self> {
        let ((x, of_x), (weight, of_weight), (bias, of_bias)) =
            (x.into_parts(), weight.into_parts(), bias.into_parts());
        let y = B::frozen_conv2d(x.clone(), weight.clone(), bias, options.clone());
        match LearnedBackward.prepare::<C>([of_x, of_weight, of_bias]).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => prepared.finish((x, weight, options), y),
            OpsKind::UnTracked(prepared) => prepared.finish(y),
        }
    }

    fn low_rank_conv2d(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        down: FloatTensor<Self>,
        up: FloatTensor<Self>,
        options: LowRankOptions,
    ) -> FloatTensor<Self> {
        let LowRankOptions { conv: options, scale } = options;
        let (weight, bias) = (weight.into_primitive(), bias.into_primitive());
        let ((x, node_x), (down, node_down), (up, node_up)) =
            (x.into_parts(), down.into_parts(), up.into_parts());
        let low = B::narrowed_conv2d(x.clone(), down.clone(), options.clone(), scale);
        let y = B::frozen_conv2d(x.clone(), weight.clone(), bias, options.clone());
        let y = B::plus_pointwise(y, low.clone(), up.clone());
        match LowRankBackward.prepare::<C>([node_x, node_down, node_up]).compute_bound().stateful()
        {
            OpsKind::Tracked(prepared) => {
                prepared.finish(LowRankState { x, weight, down, up, low, options, scale }, y)
            }
            OpsKind::UnTracked(prepared) => prepared.finish(y),
        }
    }
}

#[derive(Debug)]
struct ConvBackward;

impl<B: FrozenConv> Backward<B, 1> for ConvBackward {
    type State = (Shape, FloatTensor<B>, ConvOptions<2>);

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let [node] = ops.parents;
        let grad = grads.consume::<B>(&ops.node);
        let (shape, weight, options) = ops.state;
        if let Some(node) = node {
            let grad = B::frozen_conv2d_backward(grad, weight, shape, options);
            grads.register::<B>(node.id, grad);
        }
    }
}

#[derive(Debug)]
struct LearnedBackward;

impl<B: FrozenConv> Backward<B, 3> for LearnedBackward {
    type State = (FloatTensor<B>, FloatTensor<B>, ConvOptions<2>);

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let [of_x, of_weight, of_bias] = ops.parents;
        let grad = grads.consume::<B>(&ops.node);
        let (x, weight, options) = ops.state;
        if let Some(node) = of_bias {
            let [batch, c_out, height, width] = grad.shape().dims();
            let places = Shape::from([batch, c_out, height * width]);
            let sums = B::float_sum_dim(B::float_reshape(grad.clone(), places), 2);
            let sums = B::float_sum_dim(sums, 0);
            grads.register::<B>(node.id, B::float_reshape(sums, Shape::from([c_out])));
        }
        let shape = x.shape();
        if let Some(node) = of_weight {
            let (weight, options) = (weight.clone(), options.clone());
            let gradient = B::conv2d_weight_gradient(x, weight, grad.clone(), options);
            grads.register::<B>(node.id, gradient);
        }
        if let Some(node) = of_x {
            let gradient = B::frozen_conv2d_backward(grad, weight, shape, options);
            grads.register::<B>(node.id, gradient);
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
    low: FloatTensor<B>, // s A * x
    options: ConvOptions<2>,
    scale: f64,
}

impl<B: FrozenConv> Backward<B, 3> for LowRankBackward {
    type State = LowRankState<B>;

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let [node_x, node_down, node_up] = ops.parents;
        let grad = grads.consume::<B>(&ops.node);
        let LowRankState { x, weight, down, up, low, options, scale } = ops.state;
        let low_shape = low.shape();
        if let Some(node) = node_up {
            let d_up = B::conv2d_weight_gradient(low, up.clone(), grad.clone(), pointwise());
            grads.register::<B>(node.id, d_up);
        }
        if node_x.is_none() && node_down.is_none() {
            return;
        }
        let d_low = B::frozen_conv2d_backward(grad.clone(), up, low_shape, pointwise());
        let d_low = scaled::<B>(d_low, scale);
        let shape = x.shape();
        if let Some(node) = node_down {
            let d_low = d_low.clone();
            let d_down = B::conv2d_weight_gradient(x, down.clone(), d_low, options.clone());
            grads.register::<B>(node.id, d_down);
        }
        if let Some(node) = node_x {
            let d_x = B::frozen_conv2d_backward(grad, weight, shape.clone(), options.clone());
            let d_x_low = B::frozen_conv2d_backward(d_low, down, shape, options);
            grads.register::<B>(node.id, B::float_add(d_x, d_x_low));
        }
    }
}
