//! The backward pass: for a few keys, block after block of queries.
//!
//! The keys lie across a panel, a key a lane. With `L` the forward pass's logsumexp and
//! `D = rowsum(dO ∘ O)`, a block's weights are recomputed: `P = exp(S - L)`, `dV += Pᵀ dO`,
//! `dS = P ∘ (dO Vᵀ - D)`, `dK += dSᵀ Q / √d`, `dQ += dS K / √d`.
//! Where there are few heads, their keys are divided among several tasks, each with a dQ of
//! its own; these are added in their order, so that the bits depend on the shape only.
//! Source: Dao et al. 2022, <https://arxiv.org/abs/2205.14135>, algorithm 4.

use std::f32::consts::LOG2_E;
use std::ops::Range;

use rayon::prelude::*;

use super::lanes::{Generic, Lanes, Task, floats, floats_mut};
use super::layout::{Shape, SharedRows, Tokens};
use super::panel::{
    BLOCK, ByElement, ByToken, MASKED, gather, group, on_every_thread, pieces, scatter, zero,
};
use super::product::{ACROSS, Row, multiply, multiply_add, multiply_add_wide, wide_parts, width};
use super::{Inputs, Mask, Upstream};

/// Tasks that are wanted at least, for processors with as many cores.
const TASKS: usize = 16;

/// Scores that are worth a task.
const SCORES: usize = 1 << 18;

/// All heads' gradients.
pub struct Backward<'a> {
    pub shape: Shape,
    pub inputs: Inputs<'a>,
    pub upstream: Upstream<'a>,
    pub grad_q: SharedRows<'a>,
    pub grad_k: SharedRows<'a>,
    pub grad_v: SharedRows<'a>,
}

impl Generic for Backward<'_> {
    fn with<L: Lanes>(self) {
        let (shape, tokens) = (self.shape, self.shape.tokens_q);
        let slopes = &slopes(shape, &self.upstream);
        let tasks = tasks_per_head::<L>(shape);
        let keys = shape.tokens_k.div_ceil(width::<L>()).div_ceil(tasks) * width::<L>(); // of one
        let tasks = shape.tokens_k.div_ceil(keys);
        let mut shares: Vec<Vec<L>> = vec![Vec::new(); shape.all_heads() * tasks];
        let scratch = || Scratch::<L>::new(shape, keys);
        let todo = shares.iter_mut().enumerate().collect();
        on_every_thread(todo, scratch, |scratch, (i, grad_q)| {
            let (head, start) = (i / tasks, i % tasks * keys);
            let keys = start..(start + keys).min(shape.tokens_k);
            grad_q.resize(tokens * across::<L>(shape), L::splat(0.0));
            L::vectorized((Share { all: &self, slopes, head, keys, grad_q }, scratch));
        });
        let blocks = tokens.div_ceil(BLOCK);
        (0..shape.all_heads() * blocks).into_par_iter().for_each(|i| {
            let (head, start) = (i / blocks, i % blocks * BLOCK);
            let queries = start..(start + BLOCK).min(tokens);
            let shares = &shares[head * tasks..][..tasks];
            L::vectorized(Sum { all: &self, shares, head, queries });
        });
    }
}

/// Tasks that share the keys of a head: few where they have little to do.
fn tasks_per_head<L: Lanes>(shape: Shape) -> usize {
    let worthwhile = shape.tokens_q * shape.tokens_k / SCORES;
    let panels = shape.tokens_k.div_ceil(width::<L>());
    TASKS.div_ceil(shape.all_heads()).min(worthwhile).min(panels).max(1)
}

/// Registers that a token's elements fill.
fn across<L: Lanes>(shape: Shape) -> usize {
    shape.d_head.div_ceil(L::WIDTH)
}

/// `rowsum(dO ∘ O)`.
fn slopes(shape: Shape, upstream: &Upstream) -> Vec<f32> {
    let mut slopes = vec![0.0; shape.all_heads() * shape.tokens_q];
    slopes.par_chunks_mut(shape.tokens_q).enumerate().for_each(|(head, slopes)| {
        let out = upstream.out.head(shape, head);
        let grad_out = upstream.grad_out.head(shape, head);
        for (t, slope) in slopes.iter_mut().enumerate() {
            *slope = out.row(t).iter().zip(grad_out.row(t)).map(|(x, y)| x * y).sum();
        }
    });
    slopes
}

/// Some keys of one head, and their share of its dQ.
struct Share<'a, L> {
    all: &'a Backward<'a>,
    slopes: &'a [f32], // D: [batch, heads, tokens_q]
    head: usize,
    keys: Range<usize>,
    grad_q: &'a mut [L], // [tokens_q, across]
}

/// What a thread works in.
struct Scratch<L> {
    panels: Vec<Panel<L>>,
    block: Block<L>,
}

/// Keys that lie across a panel.
struct Panel<L> {
    keys: Range<usize>,
    k: Vec<Row<L>>,      // [d_head], times log₂e / √d
    v: Vec<Row<L>>,      // [d_head]
    wide_k: Vec<L>,      // [width, across], as `multiply_add_wide` has it
    grad_k: Vec<Row<L>>, // [d_head]
    grad_v: Vec<Row<L>>, // [d_head]
}

/// Some queries, and what they make with a panel.
struct Block<L> {
    queries: Range<usize>,
    q: (ByToken, ByElement),
    grad_out: (ByToken, ByElement),
    weights: Vec<Row<L>>, // [queries]: scores, then P
    slopes: Vec<Row<L>>,  // [queries]: dP, then dS
}

impl<L: Lanes> Scratch<L> {
    /// Enough for as many `keys`, or for as many as are near at once.
    fn new(shape: Shape, keys: usize) -> Self {
        let keys = (group(shape.d_head) / 2).min(keys); // dK and dV need as much again
        let mut panels = Vec::new();
        panels.resize_with(keys.div_ceil(width::<L>()), || Panel::new(shape));
        Self { panels, block: Block::new(shape.d_head) }
    }
}

impl<L: Lanes> Task for (Share<'_, L>, &mut Scratch<L>) {
    #[inline(always)]
    fn run(self) {
        let (mut share, Scratch { panels, block }) = self;
        let (shape, head) = (share.all.shape, share.head);
        let Inputs { q, k, v, .. } = share.all.inputs;
        let [q, k, v, grad_out] =
            [q, k, v, share.all.upstream.grad_out].map(|x| x.head(shape, head));
        for group in pieces(share.keys.clone(), panels.len() * width::<L>()) {
            let panels = &mut panels[..group.len().div_ceil(width::<L>())];
            for (panel, keys) in panels.iter_mut().zip(pieces(group, width::<L>())) {
                panel.start(k, v, keys);
            }
            for queries in pieces(0..shape.tokens_q, BLOCK) {
                block.start(q, grad_out, queries);
                for panel in &mut *panels {
                    share.visit(panel, block);
                }
            }
            for panel in panels {
                share.finish(panel);
            }
        }
    }
}

impl<L: Lanes> Share<'_, L> {
    /// Adds what the queries of a block have to say.
    #[inline(always)]
    fn visit(&mut self, panel: &mut Panel<L>, block: &mut Block<L>) {
        let Block { queries, .. } = block;
        let (weights, slopes) =
            (&mut block.weights[..queries.len()], &mut block.slopes[..queries.len()]);
        let (keys, causal) = (&panel.keys, self.all.inputs.mask == Mask::Causal);
        if causal && queries.end <= keys.start {
            return;
        }
        multiply(weights, block.q.0.matrix(), &panel.k);
        multiply(slopes, block.grad_out.0.matrix(), &panel.v);
        if causal && queries.start + 1 < keys.end {
            hide_later_keys(weights, queries.start, keys.start);
        }
        self.weigh(weights, slopes, queries.start);
        multiply_add(&mut panel.grad_v, block.grad_out.1.matrix(), weights);
        multiply_add(&mut panel.grad_k, block.q.1.matrix(), slopes);
        let across = across::<L>(self.all.shape);
        let grad_q = &mut self.grad_q[queries.start * across..queries.end * across];
        multiply_add_wide(grad_q, across, slopes, &panel.wide_k, keys.len());
    }

    /// Makes scores P, and dP dS, for queries from `start` on.
    #[inline(always)]
    fn weigh(&self, weights: &mut [Row<L>], slopes: &mut [Row<L>], start: usize) {
        let first = self.head * self.all.shape.tokens_q + start;
        let logsumexp = &self.all.upstream.logsumexp[first..];
        let means = &self.slopes[first..];
        let rows = weights.iter_mut().zip(slopes).zip(logsumexp.iter().zip(means));
        for ((weights, slopes), (logsumexp, mean)) in rows {
            let (shift, mean) = (L::splat(logsumexp * LOG2_E), L::splat(*mean));
            for v in 0..ACROSS {
                weights[v] = weights[v].sub(shift).exp2();
                slopes[v] = slopes[v].sub(mean).mul(weights[v]);
            }
        }
    }

    /// Writes the rows of dK and dV.
    #[inline(always)]
    fn finish(&self, panel: &Panel<L>) {
        let scale = 1.0 / (self.all.shape.d_head as f32).sqrt();
        let (head, keys) = (self.head, panel.keys.clone());
        let (grad_k, grad_v) = (&self.all.grad_k, &self.all.grad_v);
        // SAFETY: no other task has these keys of this head.
        unsafe { scatter(&panel.grad_k, grad_k, head, keys.clone(), [L::splat(scale); ACROSS]) };
        // SAFETY: as above.
        unsafe { scatter(&panel.grad_v, grad_v, head, keys, [L::splat(1.0); ACROSS]) };
    }
}

impl<L: Lanes> Panel<L> {
    #[inline(always)]
    fn new(shape: Shape) -> Self {
        let rows = || vec![zero(); shape.d_head];
        let wide_k = vec![L::splat(0.0); width::<L>() * across::<L>(shape)];
        Self { keys: 0..0, k: rows(), v: rows(), wide_k, grad_k: rows(), grad_v: rows() }
    }

    /// Takes up other keys.
    #[inline(always)]
    fn start(&mut self, k: Tokens, v: Tokens, keys: Range<usize>) {
        let factor = LOG2_E / (self.k.len() as f32).sqrt();
        let panel = floats_mut(self.k.as_flattened_mut());
        gather::<L>(panel, width::<L>(), k, keys.clone(), factor);
        let panel = floats_mut(self.v.as_flattened_mut());
        gather::<L>(panel, width::<L>(), v, keys.clone(), 1.0);
        let across = self.wide_k.len() / width::<L>();
        let wide_k = floats_mut(&mut self.wide_k);
        for part in wide_parts(across) {
            let (start, len) = (part.start * L::WIDTH, part.len() * L::WIDTH);
            let rows = wide_k[start * width::<L>()..].chunks_exact_mut(len);
            for (row, t) in rows.zip(keys.clone()) {
                let k = &k.row(t)[start..];
                let len = len.min(k.len());
                row[..len].copy_from_slice(&k[..len]);
            }
        }
        self.grad_k.fill(zero());
        self.grad_v.fill(zero());
        self.keys = keys;
    }
}

impl<L: Lanes> Block<L> {
    fn new(d_head: usize) -> Self {
        let both = || (ByToken::new(d_head), ByElement::new(d_head));
        let tile = || vec![zero(); BLOCK];
        Self { queries: 0..0, q: both(), grad_out: both(), weights: tile(), slopes: tile() }
    }

    /// Takes up other queries.
    #[inline(always)]
    fn start(&mut self, q: Tokens, grad_out: Tokens, queries: Range<usize>) {
        for (block, x) in [(&mut self.q, q), (&mut self.grad_out, grad_out)] {
            block.0.start::<L>(x, queries.clone());
            block.1.start::<L>(x, queries.clone());
        }
        self.queries = queries;
    }
}

/// Masks, in the scores of queries from `query` on, the keys from `key` on that come later.
#[inline(always)]
fn hide_later_keys<L: Lanes>(scores: &mut [Row<L>], query: usize, key: usize) {
    for (i, row) in scores.iter_mut().enumerate() {
        let seen = (query + i + 1).saturating_sub(key).min(width::<L>());
        floats_mut(row)[seen..].fill(MASKED);
    }
}

/// The shares of dQ that some queries of one head have.
struct Sum<'a, L> {
    all: &'a Backward<'a>,
    shares: &'a [Vec<L>],
    head: usize,
    queries: Range<usize>,
}

impl<L: Lanes> Task for Sum<'_, L> {
    #[inline(always)]
    fn run(self) {
        let shape = self.all.shape;
        let scale = 1.0 / (shape.d_head as f32).sqrt();
        let across = across::<L>(shape);
        for query in self.queries {
            // SAFETY: no other task has this query of this head, and this one asks once.
            let row = unsafe { self.all.grad_q.row(self.head, query) };
            row.fill(0.0);
            for share in self.shares {
                let terms = floats(&share[query * across..][..across]);
                for (sum, term) in row.iter_mut().zip(terms) {
                    *sum += term * scale;
                }
            }
        }
    }
}
