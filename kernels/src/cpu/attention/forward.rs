//! The forward pass: for a few queries, block after block of keys.
//!
//! The queries lie across a panel, a query a lane, so that the softmax needs no sums or
//! maxima within a register. With `s = q kᵀ log₂e / √d` for a block, `m` at least the
//! largest score so far less 8, and `p = 2^(s - m)`: `l += Σ p`, `o += p v`, and when `m`
//! grows, what was summed shrinks by `2^(m_old - m)`. At the end `o / l`.
//! Sources: Dao et al. 2022, <https://arxiv.org/abs/2205.14135>, algorithm 1; that few of the
//! new maxima need a new scale, <https://modal.com/blog/reverse-engineer-flash-attention-4>.

use std::f32::consts::{LN_2, LOG2_E};
use std::ops::Range;

use super::lanes::{Generic, Lanes, Task, floats, floats_mut};
use super::layout::{Shape, SharedRows, Tokens};
use super::panel::{
    BLOCK, ByElement, ByToken, MASKED, gather, group, on_every_thread, pieces, scatter, zero,
};
use super::product::{ACROSS, Row, multiply, multiply_add, width};
use super::{Inputs, Mask};

/// Powers of two that weights may grow to before the sums are scaled down.
const SLACK: f32 = 8.0;

/// Groups of queries that each thread should find, so that none waits long for the last.
const GROUPS: usize = 4;

/// Both results of all heads.
pub struct Forward<'a> {
    pub shape: Shape,
    pub inputs: Inputs<'a>,
    pub out: SharedRows<'a>,
    pub logsumexp: &'a mut [f32], // [batch, heads, tokens_q]
}

impl Generic for Forward<'_> {
    fn with<L: Lanes>(self) {
        let Self { shape, inputs, out, logsumexp } = self;
        let wanted = GROUPS * rayon::current_num_threads(); // no result depends on it
        let fair = (shape.all_heads() * shape.tokens_q / wanted).next_multiple_of(BLOCK);
        let size = group(shape.d_head).min(fair.max(2 * BLOCK));
        let heads = logsumexp.chunks_mut(shape.tokens_q).enumerate();
        let groups: Vec<_> = heads
            .flat_map(|(head, l)| l.chunks_mut(size).enumerate().map(move |(i, l)| (head, i, l)))
            .collect();
        let scratch = || Scratch::<L>::new(shape.d_head, size);
        on_every_thread(groups, scratch, |scratch, (head, i, logsumexp)| {
            let (inputs, out, start) = (&inputs, &out, i * size);
            L::vectorized(Group { shape, inputs, head, start, out, logsumexp, scratch });
        });
    }
}

/// Some queries of one head.
struct Group<'a, L> {
    shape: Shape,
    inputs: &'a Inputs<'a>,
    head: usize,
    start: usize, // the first query
    out: &'a SharedRows<'a>,
    logsumexp: &'a mut [f32], // of these queries
    scratch: &'a mut Scratch<L>,
}

/// What a thread works in.
struct Scratch<L> {
    panels: Vec<Panel<L>>,
    block: Block<L>,
}

/// What is known about queries that lie across a panel.
struct Panel<L> {
    queries: Range<usize>,
    q: Vec<Row<L>>,   // [d_head], times log₂e / √d
    out: Vec<Row<L>>, // [d_head]
    shift: Row<L>,    // m
    sum: Row<L>,      // l
}

/// Some keys, and what a panel makes of them.
struct Block<L> {
    keys: Range<usize>,
    k: ByToken,
    v: ByElement,
    scores: Vec<Row<L>>, // [keys]
}

impl<L: Lanes> Scratch<L> {
    fn new(d_head: usize, queries: usize) -> Self {
        let (k, v) = (ByToken::new(d_head), ByElement::new(d_head));
        let block = Block { keys: 0..0, k, v, scores: vec![zero(); BLOCK] };
        let mut panels = Vec::new();
        panels.resize_with(queries.div_ceil(width::<L>()), || Panel::new(d_head));
        Self { panels, block }
    }
}

impl<L: Lanes> Task for Group<'_, L> {
    #[inline(always)]
    fn run(self) {
        let Self { shape, inputs, head, start, .. } = self;
        let [q, k, v] = [inputs.q, inputs.k, inputs.v].map(|x| x.head(shape, head));
        let Scratch { panels, block } = self.scratch;
        let queries = pieces(start..start + self.logsumexp.len(), width::<L>());
        let panels = &mut panels[..self.logsumexp.len().div_ceil(width::<L>())];
        for (panel, queries) in panels.iter_mut().zip(queries) {
            panel.start(q, queries);
        }
        for keys in pieces(0..shape.tokens_k, BLOCK) {
            block.k.start::<L>(k, keys.clone());
            block.v.start::<L>(v, keys.clone());
            block.keys = keys;
            for panel in &mut *panels {
                panel.visit(block, inputs.mask);
            }
        }
        for panel in panels {
            let queries = panel.queries.clone();
            panel.finish(self.out, head, &mut self.logsumexp[queries.start - start..]);
        }
    }
}

impl<L: Lanes> Panel<L> {
    #[inline(always)]
    fn new(d_head: usize) -> Self {
        let (q, out) = (vec![zero(); d_head], vec![zero(); d_head]);
        Self { queries: 0..0, q, out, shift: zero(), sum: zero() }
    }

    /// Takes up other queries.
    #[inline(always)]
    fn start(&mut self, q: Tokens, queries: Range<usize>) {
        let factor = LOG2_E / (self.q.len() as f32).sqrt();
        let panel = floats_mut(self.q.as_flattened_mut());
        gather::<L>(panel, width::<L>(), q, queries.clone(), factor);
        self.out.fill(zero());
        (self.shift, self.sum) = ([L::splat(MASKED); ACROSS], zero());
        self.queries = queries;
    }

    /// Adds what the keys of a block have to say.
    #[inline(always)]
    fn visit(&mut self, block: &mut Block<L>, mask: Mask) {
        let (queries, keys) = (&self.queries, &block.keys);
        let seen = if mask == Mask::Causal { keys.end.min(queries.end) } else { keys.end };
        if seen <= keys.start {
            return;
        }
        let scores = &mut block.scores[..seen - keys.start];
        multiply(scores, block.k.matrix(), &self.q);
        if mask == Mask::Causal && seen > queries.start + 1 {
            hide_later_keys(scores, keys.start, queries.start);
        }
        self.weigh(scores);
        multiply_add(&mut self.out, block.v.matrix(), scores);
    }

    /// Makes scores the weights `2^(s - m)`, and adds them to the sum.
    #[inline(always)]
    fn weigh(&mut self, scores: &mut [Row<L>]) {
        let largest = largest(scores);
        let mut grown = false;
        for (largest, shift) in largest.iter().zip(self.shift) {
            grown |= largest.any_above(shift.add(L::splat(SLACK)));
        }
        if grown {
            self.shift_to(largest);
        }
        let (shift, mut sum) = (self.shift, self.sum);
        for row in scores {
            for v in 0..ACROSS {
                row[v] = row[v].sub(shift[v]).exp2();
                sum[v] = sum[v].add(row[v]);
            }
        }
        self.sum = sum;
    }

    /// Scales down what was summed, where the scores are larger now.
    #[inline(always)]
    fn shift_to(&mut self, largest: Row<L>) {
        for v in 0..ACROSS {
            let shift = self.shift[v].max(largest[v]);
            let shrink = self.shift[v].sub(shift).exp2();
            self.sum[v] = self.sum[v].mul(shrink);
            for row in &mut self.out {
                row[v] = row[v].mul(shrink);
            }
            self.shift[v] = shift;
        }
    }

    /// Writes the rows of the output and their logarithms.
    #[inline(always)]
    fn finish(&self, out: &SharedRows, head: usize, logsumexp: &mut [f32]) {
        let mut factors = zero();
        for (factor, sum) in floats_mut(&mut factors).iter_mut().zip(floats(&self.sum)) {
            *factor = 1.0 / sum;
        }
        // SAFETY: no other task has these queries of this head.
        unsafe { scatter(&self.out, out, head, self.queries.clone(), factors) };
        let sums = floats(&self.shift).iter().zip(floats(&self.sum));
        for (log, (shift, sum)) in logsumexp[..self.queries.len()].iter_mut().zip(sums) {
            *log = shift * LN_2 + sum.ln();
        }
    }
}

/// The largest score of each query.
#[inline(always)]
fn largest<L: Lanes>(scores: &[Row<L>]) -> Row<L> {
    let mut largest = [L::splat(MASKED); ACROSS];
    let (fours, rest) = scores.as_chunks::<4>();
    for [a, b, c, d] in fours {
        for (v, largest) in largest.iter_mut().enumerate() {
            let of_four = a[v].max(b[v]).max(c[v].max(d[v])); // none of which waits for the last
            *largest = largest.max(of_four);
        }
    }
    for row in rest {
        for (largest, score) in largest.iter_mut().zip(row) {
            *largest = largest.max(*score);
        }
    }
    largest
}

/// Masks, in the scores of keys from `key` on, those that come after the queries from `query` on.
#[inline(always)]
fn hide_later_keys<L: Lanes>(scores: &mut [Row<L>], key: usize, query: usize) {
    for (j, row) in scores.iter_mut().enumerate() {
        let earlier = (key + j).saturating_sub(query).min(width::<L>());
        floats_mut(row)[..earlier].fill(MASKED);
    }
}
