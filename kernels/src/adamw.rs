//! One step of AdamW over one flat tensor, its gradient's global norm clipped before.
//!
//! `g ← g min(1, c / (‖g‖ + 10⁻⁶))`, `m ← β₁ m + (1 - β₁) g`,
//! `v ← β₂ v + (1 - β₂) g²`, `p ← (1 - η λ) p - η m̂ / (√v̂ + ε)` with
//! `m̂ = m / (1 - β₁ᵗ)`, `v̂ = v / (1 - β₂ᵗ)`. The norm never leaves the device. On the
//! CPU its sum runs in f64, and all else is one pass in place.
//! Sources: Loshchilov and Hutter 2019, <https://arxiv.org/abs/1711.05101>, algorithm
//! 2; ε and the order of operations as in `torch.optim.AdamW`, 10⁻⁶ as in
//! `torch.nn.utils.clip_grad_norm_`.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, Scalar, backend_extension};
use burn::tensor::Tensor;

/// As in `torch.nn.utils.clip_grad_norm_`.
const CLIP_EPSILON: f64 = 1e-6;

/// What one step is taken with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamWStep {
    /// Decay of the first moment, β₁.
    pub beta1: f64,
    /// Decay of the second moment, β₂.
    pub beta2: f64,
    /// ε.
    pub epsilon: f64,
    /// λ, decoupled from the gradient.
    pub weight_decay: f64,
    /// Largest global norm of a gradient, c; `None` does not clip.
    pub clip: Option<f64>,
    /// η.
    pub learning_rate: f64,
    /// t: 1 for the first step.
    pub number: usize,
}

/// What a step changes: three tensors of one length.
#[derive(Debug, Clone)]
pub struct AdamWState {
    /// What learns, p.
    pub values: Tensor<1>,
    /// First moment, m.
    pub first: Tensor<1>,
    /// Second moment, v.
    pub second: Tensor<1>,
}

/// The state after one step along `gradient`, and the gradient's norm `[1]` before clipping.
///
/// None is tracked. What nobody else holds is changed in place where the engine can.
pub fn adamw(state: AdamWState, gradient: Tensor<1>, step: AdamWStep) -> (AdamWState, Tensor<1>) {
    let AdamWState { values, first, second } = state;
    let lengths = [&values, &first, &second].map(Tensor::dims);
    assert_eq!(lengths, [gradient.dims(); 3], "values, moments and gradient are of one length");
    assert!(step.number > 0, "steps are counted from 1");
    let [values, first, second, gradient] =
        [values, first, second, gradient].map(|x| x.without_autodiff().into_dispatch());
    let (values, first, second, norm) = Dispatch::adamw_step(values, first, second, gradient, step);
    let [values, first, second, norm] = [values, first, second, norm].map(Tensor::from_dispatch);
    (AdamWState { values, first, second }, norm)
}

/// The engine's side of [`adamw`].
#[backend_extension(
    Flex: cfg(feature = "flex"),
    LibTorch: cfg(feature = "tch"),
    Cube: cfg(feature = "cubecl"),
    Fusion: cfg(feature = "cubecl")
)]
pub trait FlatAdamW: Backend {
    /// Values, first and second moments after a step, and the gradient's norm `[1]`.
    #[fusion(default)]
    fn adamw_step(
        values: FloatTensor<Self>,
        first: FloatTensor<Self>,
        second: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        step: AdamWStep,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        stepped::<Self>(values, first, second, gradient, step)
    }
}

impl AdamWStep {
    /// `η / (1 - β₁ᵗ)`.
    fn size(&self) -> f64 {
        self.learning_rate / (1.0 - self.beta1.powi(self.number as i32))
    }

    /// `√(1 - β₂ᵗ)`.
    fn root(&self) -> f64 {
        (1.0 - self.beta2.powi(self.number as i32)).sqrt()
    }

    /// `1 - η λ`.
    fn decay(&self) -> f64 {
        1.0 - self.learning_rate * self.weight_decay
    }
}

/// What a step gives.
type Stepped<B> = (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>, FloatTensor<B>);

fn stepped<B: Backend>(
    values: FloatTensor<B>,
    first: FloatTensor<B>,
    second: FloatTensor<B>,
    gradient: FloatTensor<B>,
    step: AdamWStep,
) -> Stepped<B> {
    let scaled = |x, by: f64| B::float_mul_scalar(x, Scalar::from(by));
    let square = |x: FloatTensor<B>| B::float_mul(x.clone(), x);
    let norm = B::float_sqrt(B::float_sum(square(gradient.clone()))); // [1]
    let gradient = match step.clip {
        Some(clip) => {
            let shifted = B::float_add_scalar(norm.clone(), CLIP_EPSILON.into());
            let by = scaled(B::float_recip(shifted), clip);
            B::float_mul(gradient, B::float_clamp_max(by, 1.0.into()))
        }
        None => gradient,
    };
    let along = scaled(gradient.clone(), 1.0 - step.beta1);
    let first = B::float_add(scaled(first, step.beta1), along);
    let squares = scaled(square(gradient), 1.0 - step.beta2);
    let second = B::float_add(scaled(second, step.beta2), squares);
    let root = B::float_div_scalar(B::float_sqrt(second.clone()), step.root().into());
    let root = B::float_add_scalar(root, step.epsilon.into());
    let change = scaled(B::float_div(first.clone(), root), step.size());
    let values = B::float_sub(scaled(values, step.decay()), change);
    (values, first, second, norm)
}

#[cfg(feature = "cubecl")]
impl FlatAdamW for crate::device::CubeEngine {}

#[cfg(any(feature = "flex", feature = "tch"))]
mod sliced;

#[cfg(all(test, feature = "flex"))]
mod tests;
