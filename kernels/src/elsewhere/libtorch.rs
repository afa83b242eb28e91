//! libtorch's own kernels, for its tensors on a GPU.
//!
//! There each call costs ten microseconds, whatever it does, so that one call for a whole operation
//! is worth more than its arithmetic. A gradient is libtorch's own, of `Σ y · dy`.

use burn::backend::ops::ModuleOps;
use burn::backend::{LibTorch, TensorMetadata};
use burn::tensor::DType;
use tch::{Kind, Tensor};

use super::*;

type Float = FloatTensor<LibTorch>;

impl Elsewhere for LibTorch {
    fn padded(x: Float, [(top, bottom), (left, right)]: Edges) -> Float {
        let edges = [left, right, top, bottom].map(|pixels| pixels as i64);
        Float::new(x.tensor.constant_pad_nd(edges))
    }

    fn weight_gradient(x: Float, weight: Float, grad: Float, options: ConvOptions<2>) -> Float {
        if options.groups != 1 || options.dilation != [1, 1] {
            return Self::conv2d_weight_backward(x, weight, grad, options);
        }
        let x = if options.padding == [(0, 0); 2] { x } else { Self::padded(x, options.padding) };
        let stride = options.stride.map(|stride| stride as i64);
        Float::new(weight_gradient(&x.tensor, &weight.tensor, &grad.tensor, stride))
    }

    fn group_norm(x: Float, [gamma, beta]: [Float; 2], options: GroupNormOptions) -> Float {
        if x.dtype() != DType::F32 {
            return group_norm::forward::<Self>(x, gamma, beta, options);
        }
        Float::new(group_norm_silu(&x.tensor, [&gamma.tensor, &beta.tensor], options))
    }

    fn group_norm_backward(
        x: Float,
        [gamma, beta]: [Float; 2],
        grad: Float,
        options: GroupNormOptions,
    ) -> Float {
        if x.dtype() != DType::F32 {
            return group_norm::backward::<Self>(x, gamma, beta, grad, options);
        }
        let affine = [&gamma.tensor, &beta.tensor];
        let [dx] = gradients([&x.tensor], &grad.tensor, |[x]| group_norm_silu(x, affine, options));
        Float::new(dx)
    }

    fn group_norm_affine(
        x: Float,
        [gamma, beta]: [Float; 2],
        grad: Float,
        options: GroupNormOptions,
    ) -> Float {
        if x.dtype() != DType::F32 {
            return group_norm::affine_gradient::<Self>(x, gamma, beta, grad, options);
        }
        let normed = |affine: [&Tensor; 2]| group_norm_silu(&x.tensor, affine, options);
        let both = gradients([&gamma.tensor, &beta.tensor], &grad.tensor, normed);
        Float::new(Tensor::stack(&both, 1).unsqueeze(0)) // [1, channels, 2]
    }

    fn layer_norm_backward(x: Float, gamma: Float, grad: Float, epsilon: f64) -> Float {
        if x.dtype() != DType::F32 {
            return layer_norm::backward::<Self>(x, gamma, grad, epsilon);
        }
        let gamma = gamma.tensor;
        let normed =
            |[x]: [&Tensor; 1]| x.layer_norm(gamma.size(), Some(&gamma), None, epsilon, true);
        let [dx] = gradients([&x.tensor], &grad.tensor, normed);
        Float::new(dx)
    }
}

/// Group normalisation, and SiLU if asked for.
fn group_norm_silu(x: &Tensor, [gamma, beta]: [&Tensor; 2], options: GroupNormOptions) -> Tensor {
    let GroupNormOptions { groups, epsilon, silu } = options;
    let y = x.group_norm(groups as i64, Some(gamma), Some(beta), epsilon, true);
    if silu { y.silu() } else { y }
}

/// The gradients of `inputs` for the gradient `grad` of `f(inputs)`.
fn gradients<const N: usize>(
    inputs: [&Tensor; N],
    grad: &Tensor,
    f: impl FnOnce([&Tensor; N]) -> Tensor,
) -> [Tensor; N] {
    tch::with_grad(|| {
        let leaves = inputs.map(|input| input.detach().set_requires_grad(true));
        let y = f(leaves.each_ref());
        let along = (y * grad).sum(Kind::Float);
        let found = Tensor::run_backward(&[along], &leaves, false, false);
        found.try_into().expect("a gradient for each input")
    })
}

/// A product of the output's gradient and the windows of x for each sample, then their sum: burn's
/// own way is one convolution whose kernel is as large as the picture, which GPUs are slow at.
fn weight_gradient(x: &Tensor, weight: &Tensor, grad: &Tensor, stride: [i64; 2]) -> Tensor {
    let sizes = weight.size();
    let &[c_out, c_in, height, width] = sizes.as_slice() else {
        unreachable!("a convolution's weight has four dimensions")
    };
    let windows = x.unfold(2, height, stride[0]).unfold(3, width, stride[1]);
    let (samples, [h, w]) = (x.size()[0], [grad.size()[2], grad.size()[3]]);
    let windows = windows.narrow(2, 0, h).narrow(3, 0, w).permute([0, 1, 4, 5, 2, 3]);
    let windows = windows.reshape([samples, c_in * height * width, h * w]);
    let each = grad.reshape([samples, c_out, h * w]).matmul(&windows.transpose(1, 2));
    each.sum_dim_intlist([0i64].as_slice(), false, None::<Kind>).reshape(sizes)
}
