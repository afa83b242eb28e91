//! Where the elements of attention's tensors lie.

use std::marker::PhantomData;

/// Distances in elements: element (b, h, t, i) lies at
/// `b · batch + h · head + t · token + i`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strides {
    /// From one batch entry to the next.
    pub batch: usize,
    /// From one head to the next.
    pub head: usize,
    /// From one token to the next.
    pub token: usize,
}

/// Sizes in elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Independent entries.
    pub batch: usize,
    /// Heads in each.
    pub heads: usize,
    /// Queries, and rows of the output.
    pub tokens_q: usize,
    /// Keys and values.
    pub tokens_k: usize,
    /// Width of each of them.
    pub d_head: usize,
}

/// A tensor `[batch, heads, tokens, d_head]` that is read.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// Its elements, from the first on.
    pub data: &'a [f32],
    /// Where they lie.
    pub strides: Strides,
}

/// A tensor `[batch, heads, tokens, d_head]` that is written.
#[derive(Debug)]
pub struct ViewMut<'a> {
    /// Its elements, from the first on.
    pub data: &'a mut [f32],
    /// Where they lie; no two at one place.
    pub strides: Strides,
}

/// One head's tokens.
#[derive(Clone, Copy)]
pub struct Tokens<'a> {
    data: &'a [f32],
    step: usize, // from one token to the next
    d_head: usize,
}

impl<'a> Tokens<'a> {
    /// The elements of token `t`.
    #[inline(always)]
    pub fn row(&self, t: usize) -> &'a [f32] {
        &self.data[t * self.step..][..self.d_head]
    }
}

impl Shape {
    /// Heads of all batch entries.
    pub fn all_heads(&self) -> usize {
        self.batch * self.heads
    }

    /// Elements that a tensor of `tokens` reaches over; in u128, where no stride overflows.
    fn reach(&self, tokens: usize, strides: Strides) -> u128 {
        let sizes = [self.batch, self.heads, tokens, self.d_head];
        assert!(!sizes.contains(&0), "{self:?} has no elements");
        let last = |count: usize, stride: usize| (count as u128 - 1) * stride as u128;
        last(self.batch, strides.batch)
            + last(self.heads, strides.head)
            + last(tokens, strides.token)
            + self.d_head as u128
    }

    /// Whether no two elements of a tensor of `tokens` share a place.
    fn is_injective(&self, tokens: usize, strides: Strides) -> bool {
        let mut dims =
            [(strides.batch, self.batch), (strides.head, self.heads), (strides.token, tokens)];
        dims.sort_unstable();
        let mut reach = self.d_head;
        dims.into_iter().filter(|(_, count)| *count > 1).all(|(stride, count)| {
            let apart = stride >= reach;
            reach += (count - 1) * stride;
            apart
        })
    }
}

impl<'a> View<'a> {
    /// Panics unless all of `tokens` is there.
    pub fn check(&self, shape: Shape, tokens: usize) {
        let reach = shape.reach(tokens, self.strides);
        assert!(reach <= self.data.len() as u128, "{shape:?} at {:?} needs {reach}", self.strides);
    }

    /// The tokens of head `head`, counted over all batch entries.
    #[inline(always)]
    pub fn head(&self, shape: Shape, head: usize) -> Tokens<'a> {
        let start =
            head / shape.heads * self.strides.batch + head % shape.heads * self.strides.head;
        Tokens { data: &self.data[start..], step: self.strides.token, d_head: shape.d_head }
    }
}

/// Rows that several threads write, each its own.
pub struct SharedRows<'a> {
    start: *mut f32,
    len: usize,
    strides: Strides,
    shape: Shape,
    exclusive: PhantomData<&'a mut [f32]>,
}

// SAFETY: it is an exclusive borrow of f32s, and the caller of `row` keeps the threads apart.
unsafe impl Send for SharedRows<'_> {}
// SAFETY: as above.
unsafe impl Sync for SharedRows<'_> {}

impl<'a> SharedRows<'a> {
    /// The rows of `view`; panics unless all of `tokens` has room and a place of its own.
    pub fn new(view: ViewMut<'a>, shape: Shape, tokens: usize) -> Self {
        View { data: view.data, strides: view.strides }.check(shape, tokens);
        assert!(shape.is_injective(tokens, view.strides), "{:?} overlap", view.strides);
        let (start, len) = (view.data.as_mut_ptr(), view.data.len());
        Self { start, len, strides: view.strides, shape, exclusive: PhantomData }
    }

    /// Token `t` of head `head`, counted over all batch entries.
    ///
    /// # Safety
    ///
    /// Head and token are among those that `new` was told of, and while the row is held, nobody
    /// asks for the same one.
    #[inline(always)]
    #[expect(clippy::mut_from_ref, reason = "the rows are apart, and each has one holder")]
    pub unsafe fn row(&self, head: usize, t: usize) -> &mut [f32] {
        let Self { shape, strides, .. } = self;
        let (b, h) = (head / shape.heads, head % shape.heads);
        let at = b * strides.batch + h * strides.head + t * strides.token;
        assert!(at + shape.d_head <= self.len, "token {t} of head {head} is outside");
        // SAFETY: in bounds; `new` saw that rows do not overlap, and the caller has this one alone.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(at), shape.d_head) }
    }
}
