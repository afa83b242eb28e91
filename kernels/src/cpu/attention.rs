//! Exact scaled dot-product attention over slices, whose memory grows with the tokens only.
//!
//! `o = softmax(q kᵀ / √d) v`, computed block by block, so that scores live in the caches alone.
//! Source: Dao et al. 2022, <https://arxiv.org/abs/2205.14135>, section 3.1.

mod backward;
mod forward;
mod lanes;
mod layout;
mod panel;
mod product;

use backward::Backward;
use forward::Forward;
use lanes::Isa;
use layout::SharedRows;
pub use layout::{Shape, Strides, View, ViewMut};

/// Which keys a query sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mask {
    /// All.
    None,
    /// Query i sees the keys j ≤ i.
    Causal,
}

/// What attention is computed from.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// Queries, `[batch, heads, tokens_q, d_head]`.
    pub q: View<'a>,
    /// Keys, `[batch, heads, tokens_k, d_head]`.
    pub k: View<'a>,
    /// Values, `[batch, heads, tokens_k, d_head]`.
    pub v: View<'a>,
    /// Who sees whom.
    pub mask: Mask,
}

/// What the backward pass needs of the forward pass, and of what followed it.
#[derive(Clone, Copy, Debug)]
pub struct Upstream<'a> {
    /// The forward pass's output, `[batch, heads, tokens_q, d_head]`.
    pub out: View<'a>,
    /// The forward pass's logarithms, `[batch, heads, tokens_q]`.
    pub logsumexp: &'a [f32],
    /// The gradient of the output, `[batch, heads, tokens_q, d_head]`.
    pub grad_out: View<'a>,
}

/// Where the gradients go, each shaped like its input.
#[derive(Debug)]
pub struct Gradients<'a> {
    /// That of the queries.
    pub q: ViewMut<'a>,
    /// That of the keys.
    pub k: ViewMut<'a>,
    /// That of the values.
    pub v: ViewMut<'a>,
}

/// Writes attention to `out`, and for the backward pass `ln Σ eˢ` of each query's scores to
/// `logsumexp`, `[batch, heads, tokens_q]`.
pub fn forward(shape: Shape, inputs: Inputs, out: ViewMut, logsumexp: &mut [f32]) {
    forward_with(Isa::available()[0], shape, inputs, out, logsumexp);
}

fn forward_with(isa: Isa, shape: Shape, inputs: Inputs, out: ViewMut, logsumexp: &mut [f32]) {
    inputs.check(shape);
    assert_eq!(logsumexp.len(), shape.all_heads() * shape.tokens_q, "{shape:?}");
    let out = SharedRows::new(out, shape, shape.tokens_q);
    isa.run(Forward { shape, inputs, out, logsumexp });
}

/// Writes the gradients of the inputs, whatever was there.
///
/// They have the same bits on any number of threads.
pub fn backward(shape: Shape, inputs: Inputs, upstream: Upstream, gradients: Gradients) {
    backward_with(Isa::available()[0], shape, inputs, upstream, gradients);
}

fn backward_with(isa: Isa, shape: Shape, inputs: Inputs, upstream: Upstream, gradients: Gradients) {
    inputs.check(shape);
    upstream.out.check(shape, shape.tokens_q);
    upstream.grad_out.check(shape, shape.tokens_q);
    assert_eq!(upstream.logsumexp.len(), shape.all_heads() * shape.tokens_q, "{shape:?}");
    let grad_q = SharedRows::new(gradients.q, shape, shape.tokens_q);
    let grad_k = SharedRows::new(gradients.k, shape, shape.tokens_k);
    let grad_v = SharedRows::new(gradients.v, shape, shape.tokens_k);
    isa.run(Backward { shape, inputs, upstream, grad_q, grad_k, grad_v });
}

impl Inputs<'_> {
    /// Panics unless all tokens are there.
    fn check(&self, shape: Shape) {
        self.q.check(shape, shape.tokens_q);
        self.k.check(shape, shape.tokens_k);
        self.v.check(shape, shape.tokens_k);
    }
}

#[cfg(test)]
mod tests;
