//! Attention against an f64 reference, on every set of vectors.

use super::*;

/// Where a test's tensors lie.
#[derive(Clone, Copy, Debug)]
enum Layout {
    TokensFirst, // [batch, tokens, heads, d_head]
    HeadsFirst,  // [batch, heads, tokens, d_head]
    Spread,      // tokens first, with gaps
}

impl Layout {
    fn strides(self, shape: Shape, tokens: usize) -> Strides {
        let Shape { heads, d_head, .. } = shape;
        match self {
            Self::TokensFirst => {
                Strides { batch: tokens * heads * d_head, head: d_head, token: heads * d_head }
            }
            Self::HeadsFirst => {
                Strides { batch: heads * tokens * d_head, head: tokens * d_head, token: d_head }
            }
            Self::Spread => {
                let token = heads * (d_head + 3) + 5;
                Strides { batch: tokens * token + 7, head: d_head + 3, token }
            }
        }
    }
}

/// A tensor `[batch, heads, tokens, d_head]` of a test.
#[derive(Clone, PartialEq, Debug)]
struct Values {
    data: Vec<f32>,
    strides: Strides,
    shape: Shape,
    tokens: usize,
}

impl Values {
    fn filled(shape: Shape, tokens: usize, layout: Layout, value: impl FnMut() -> f32) -> Self {
        let strides = layout.strides(shape, tokens);
        let data = std::iter::repeat_with(value).take(shape.batch * strides.batch).collect();
        Self { data, strides, shape, tokens }
    }

    fn noise(shape: Shape, tokens: usize, layout: Layout, seed: u64) -> Self {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut uniform = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 40) as f32 / 16_777_216.0 - 0.5
        };
        Self::filled(shape, tokens, layout, move || 1.7 * (0..4).map(|_| uniform()).sum::<f32>())
    }

    fn view(&self) -> View<'_> {
        View { data: &self.data, strides: self.strides }
    }

    fn view_mut(&mut self) -> ViewMut<'_> {
        ViewMut { data: &mut self.data, strides: self.strides }
    }

    /// The rows of one head, in f64.
    fn head(&self, head: usize) -> Vec<Vec<f64>> {
        let tokens = self.view().head(self.shape, head);
        (0..self.tokens).map(|t| tokens.row(t).iter().map(|x| f64::from(*x)).collect()).collect()
    }

    /// The elements in the order of their indices.
    fn elements(&self) -> Vec<f64> {
        (0..self.shape.all_heads()).flat_map(|head| self.head(head)).flatten().collect()
    }
}

/// One case with its results.
#[derive(Clone, PartialEq, Debug)]
struct Case {
    shape: Shape,
    mask: Mask,
    q: Values,
    k: Values,
    v: Values,
    grad_out: Values,
    out: Values,
    logsumexp: Vec<f32>,
    grads: [Values; 3],
}

impl Case {
    fn new(shape: Shape, mask: Mask, layout: Layout) -> Self {
        let noise = |tokens, seed| Values::noise(shape, tokens, layout, seed);
        let empty = |tokens| Values::filled(shape, tokens, layout, || f32::NAN);
        let (n, m) = (shape.tokens_q, shape.tokens_k);
        Self {
            shape,
            mask,
            q: noise(n, 1),
            k: noise(m, 2),
            v: noise(m, 3),
            grad_out: noise(n, 4),
            out: empty(n),
            logsumexp: vec![f32::NAN; shape.all_heads() * n],
            grads: [empty(n), empty(m), empty(m)],
        }
    }

    fn run(mut self, isa: Isa) -> Self {
        let Self { shape, mask, q, k, v, grad_out, out, logsumexp, grads } = &mut self;
        let inputs = Inputs { q: q.view(), k: k.view(), v: v.view(), mask: *mask };
        forward_with(isa, *shape, inputs, out.view_mut(), logsumexp);
        let upstream = Upstream { out: out.view(), logsumexp, grad_out: grad_out.view() };
        let [q, k, v] = grads.each_mut().map(Values::view_mut);
        backward_with(isa, *shape, inputs, upstream, Gradients { q, k, v });
        self
    }

    /// Output, logsumexp and the three gradients as the definition has them.
    fn exact(&self) -> [Vec<f64>; 5] {
        let mut all: [Vec<f64>; 5] = Default::default();
        for head in 0..self.shape.all_heads() {
            let [q, k, v, grad_out] =
                [&self.q, &self.k, &self.v, &self.grad_out].map(|x| x.head(head));
            for (all, of_head) in all.iter_mut().zip(exact_head(&q, &k, &v, &grad_out, self.mask)) {
                all.extend(of_head);
            }
        }
        all
    }

    /// How far the results are from `exact`.
    fn errors(&self, exact: &[Vec<f64>; 5]) -> [f64; 5] {
        let [q, k, v] = self.grads.each_ref().map(Values::elements);
        let logsumexp = self.logsumexp.iter().map(|x| f64::from(*x)).collect();
        let results = [self.out.elements(), logsumexp, q, k, v];
        std::array::from_fn(|i| error(&results[i], &exact[i]))
    }
}

fn dot(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(x, y)| x * y).sum()
}

fn add(sum: &mut [f64], x: &[f64], factor: f64) {
    sum.iter_mut().zip(x).for_each(|(sum, x)| *sum += x * factor);
}

type Rows = [Vec<f64>];

/// Output, logsumexp and gradients of one head.
fn exact_head(q: &Rows, k: &Rows, v: &Rows, grad_out: &Rows, mask: Mask) -> [Vec<f64>; 5] {
    let d = q[0].len();
    let scale = 1.0 / (d as f64).sqrt();
    let (mut out, mut logs, mut grad_q) = (vec![], vec![], vec![]);
    let (mut grad_k, mut grad_v) = (vec![vec![0.0; d]; k.len()], vec![vec![0.0; d]; k.len()]);
    for i in 0..q.len() {
        let seen = if mask == Mask::Causal { k.len().min(i + 1) } else { k.len() };
        let scores: Vec<f64> = k[..seen].iter().map(|k| scale * dot(&q[i], k)).collect();
        let largest = scores.iter().copied().fold(f64::MIN, f64::max);
        let log = largest + scores.iter().map(|s| (s - largest).exp()).sum::<f64>().ln();
        let weights: Vec<f64> = scores.iter().map(|s| (s - log).exp()).collect();
        let (mut row, mut grad_row) = (vec![0.0; d], vec![0.0; d]);
        weights.iter().zip(v).for_each(|(p, v)| add(&mut row, v, *p));
        let mean = dot(&row, &grad_out[i]);
        for (j, p) in weights.iter().enumerate() {
            let slope = p * (dot(&grad_out[i], &v[j]) - mean) * scale;
            add(&mut grad_row, &k[j], slope);
            add(&mut grad_k[j], &q[i], slope);
            add(&mut grad_v[j], &grad_out[i], *p);
        }
        out.extend(row);
        logs.push(log);
        grad_q.extend(grad_row);
    }
    [out, logs, grad_q, grad_k.concat(), grad_v.concat()]
}

/// The largest difference, relative to the largest value, or to 0.1 where all are small.
fn error(got: &[f64], want: &[f64]) -> f64 {
    assert_eq!(got.len(), want.len());
    let size = want.iter().fold(0.1, |size: f64, x| size.max(x.abs()));
    let off = |(x, y): (&f64, &f64)| if x.is_nan() { f64::INFINITY } else { (x - y).abs() };
    got.iter().zip(want).map(off).fold(0.0, f64::max) / size
}

fn shape(batch: usize, heads: usize, tokens: [usize; 2], d_head: usize) -> Shape {
    Shape { batch, heads, tokens_q: tokens[0], tokens_k: tokens[1], d_head }
}

/// Sizes around those of panels, blocks, groups and register tiles.
fn shapes() -> Vec<Shape> {
    let mut shapes = vec![
        shape(1, 1, [1, 1], 1),
        shape(2, 3, [17, 5], 8),
        shape(1, 2, [300, 77], 40),
        shape(1, 1, [77, 300], 40),
        shape(3, 1, [129, 65], 4),
        shape(1, 5, [64, 64], 160),
        shape(1, 1, [33, 31], 512),
        shape(1, 20, [31, 257], 16),
    ];
    shapes.extend([3, 7, 13, 24, 47, 64, 80, 100].map(|d| shape(1, 2, [65, 130], d)));
    shapes.extend([2, 15, 16, 32, 63, 127, 128, 192].map(|n| shape(2, 2, [n, n], 11)));
    shapes
}

#[test]
fn it_equals_the_definition_with_its_gradients_on_every_instruction_set() {
    let layouts = [Layout::TokensFirst, Layout::HeadsFirst, Layout::Spread];
    for (i, shape) in shapes().into_iter().enumerate() {
        for mask in [Mask::None, Mask::Causal] {
            let case = Case::new(shape, mask, layouts[i % 3]);
            let exact = case.exact();
            for isa in Isa::available() {
                let errors = case.clone().run(isa).errors(&exact);
                // The portable products are not fused, so they round twice as often.
                let bound = if isa == Isa::Portable { 3e-6 } else { 2e-6 };
                assert!(errors.iter().all(|e| *e < bound), "{shape:?} {mask:?} {isa:?} {errors:?}");
            }
        }
    }
}

#[test]
fn the_gradient_is_the_slope_of_the_output() {
    let case = Case::new(shape(1, 2, [5, 6], 4), Mask::None, Layout::TokensFirst);
    let shape = case.shape;
    let toward = [(&case.q, 5), (&case.k, 6), (&case.v, 7)]
        .map(|(x, seed)| Values::noise(shape, x.tokens, Layout::TokensFirst, seed));
    let loss = |step: f32| {
        let mut case = case.clone();
        for (x, toward) in [&mut case.q, &mut case.k, &mut case.v].into_iter().zip(&toward) {
            x.data.iter_mut().zip(&toward.data).for_each(|(x, toward)| *x += step * toward);
        }
        let case = case.run(Isa::available()[0]);
        dot(&case.out.elements(), &case.grad_out.elements())
    };
    let grads = case.clone().run(Isa::available()[0]).grads;
    let along = |(grad, toward): (&Values, &Values)| dot(&grad.elements(), &toward.elements());
    let slope: f64 = grads.iter().zip(&toward).map(along).sum();
    let measured = (loss(1e-2) - loss(-1e-2)) / 2e-2;
    assert!((measured - slope).abs() < 1e-3 * slope.abs().max(1.0), "{measured} against {slope}");
}

#[test]
fn the_bits_do_not_depend_on_the_number_of_threads() {
    let shape = shape(1, 2, [1100, 1000], 8); // enough that a head's keys are divided
    let case = Case::new(shape, Mask::None, Layout::TokensFirst);
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        let pool = pool.expect("a pool of so few threads can be built");
        pool.install(|| case.clone().run(Isa::available()[0]))
    };
    let one = on(1);
    assert!(one == on(2) && one == on(3));
}

#[test]
fn huge_scores_neither_overflow_nor_vanish() {
    for isa in Isa::available() {
        for size in [80.0, 2000.0] {
            let mut case = Case::new(shape(1, 1, [70, 90], 16), Mask::None, Layout::TokensFirst);
            let largest = |x: &Values| x.data.iter().fold(0f32, |size, x| size.max(x.abs()));
            let factor = size * 4.0 / (16.0 * largest(&case.q) * largest(&case.k));
            case.q.data.iter_mut().for_each(|x| *x = factor.copysign(*x) * largest(&case.k));
            case.k.data.iter_mut().for_each(|x| *x = x.signum());
            let exact = case.exact();
            let errors = case.run(isa).errors(&exact);
            assert!(errors.iter().all(|e| *e < 2e-3), "{size} {isa:?} {errors:?}");
        }
    }
}

#[test]
fn what_is_no_number_stays_none() {
    for isa in Isa::available() {
        let mut case = Case::new(shape(1, 1, [40, 40], 8), Mask::Causal, Layout::TokensFirst);
        case.k.data[20 * 8] = f32::NAN;
        let case = case.run(isa);
        let spoilt = |t: usize| case.out.data[t * 8].is_nan() && case.logsumexp[t].is_nan();
        assert!((0..40).all(|t| spoilt(t) == (t >= 20)), "{isa:?}");
    }
}

#[test]
fn nothing_is_written_between_the_rows() {
    for isa in Isa::available() {
        let case = Case::new(shape(2, 3, [37, 41], 13), Mask::None, Layout::Spread).run(isa);
        for values in case.grads.iter().chain([&case.out]) {
            let written = values.data.iter().filter(|x| !x.is_nan()).count();
            assert_eq!(written, values.elements().len(), "{isa:?}");
        }
    }
}

#[test]
#[should_panic(expected = "overlap")]
fn rows_that_overlap_are_refused() {
    let mut case = Case::new(shape(1, 2, [4, 4], 8), Mask::None, Layout::TokensFirst);
    case.out.strides.head = 7;
    case.run(Isa::Portable);
}

#[test]
#[should_panic(expected = "needs")]
fn tensors_that_are_too_short_are_refused() {
    let mut case = Case::new(shape(1, 2, [4, 4], 8), Mask::None, Layout::TokensFirst);
    case.v.data.pop();
    case.run(Isa::Portable);
}
