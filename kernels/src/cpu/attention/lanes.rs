//! A vector register of f32s, whichever the processor has.
//!
//! The kernels are written once over [`Lanes`] and compiled once for each of its types.
//! Which of them may be used is known at run time only: see [`Isa`].

#[cfg(target_arch = "x86_64")]
mod x86;

/// Adding it rounds to an integer: 1.5 · 2²³.
const ROUND: f32 = 12_582_912.0;

/// `2ʳ` for |r| ≤ 1/2 as a polynomial, the highest power first: that with a relative error of at
/// most 9.2e-8 everywhere, the least there is with a 1 at the end.
#[expect(clippy::approx_constant, reason = "it is fitted, and not ln 2")]
const POWERS: [f32; 6] =
    [1.326_472_7e-3, 9.671_513e-3, 5.550_733_7e-2, 2.402_224_2e-1, 6.931_47e-1, 1.0];

/// Work to be compiled for one kind of register; `run` is `#[inline(always)]`, and so is all it
/// calls that should be compiled along.
pub trait Task {
    /// Does it.
    fn run(self);
}

/// Some f32s that are computed with at once; in memory, an array of them.
///
/// # Safety
///
/// The type is `WIDTH` f32s and nothing else.
pub unsafe trait Lanes: Copy + Send + Sync + 'static {
    /// f32s in a register.
    const WIDTH: usize;
    /// Rows of two registers that a product accumulates at once: as many as stay in registers.
    const ROWS: usize;

    /// Runs `task` with this register's instructions.
    fn vectorized(task: impl Task);
    /// `x` in every lane.
    fn splat(x: f32) -> Self;
    /// The first of `x`; zeros past its end.
    fn load(x: &[f32]) -> Self;
    /// Writes the first of `x`, as far as there are any.
    fn store(self, x: &mut [f32]);
    /// `self + other`.
    fn add(self, other: Self) -> Self;
    /// `self - other`.
    fn sub(self, other: Self) -> Self;
    /// `self · other`.
    fn mul(self, other: Self) -> Self;
    /// `self · factor + term`.
    fn mul_add(self, factor: Self, term: Self) -> Self;
    /// The larger of the two.
    fn max(self, other: Self) -> Self;
    /// Whether any lane is above that of `other`.
    fn any_above(self, other: Self) -> bool;
    /// `self · 2ⁿ` for integers n ≤ 127 and self within [1/2, 2]; zero where n is far below.
    fn times_power(self, n: Self) -> Self;

    /// Both registers' lanes in turn: those of the lower halves, and those of the upper.
    fn zip(self, other: Self) -> [Self; 2];

    /// `2ˣ` for x ≤ 127, within two units of the last place.
    #[inline(always)]
    fn exp2(self) -> Self {
        let n = self.add(Self::splat(ROUND)).sub(Self::splat(ROUND));
        let r = self.sub(n);
        let mut p = Self::splat(POWERS[0]);
        p = p.mul_add(r, Self::splat(POWERS[1]));
        p = p.mul_add(r, Self::splat(POWERS[2]));
        p = p.mul_add(r, Self::splat(POWERS[3]));
        p = p.mul_add(r, Self::splat(POWERS[4]));
        p = p.mul_add(r, Self::splat(POWERS[5]));
        p.times_power(n)
    }
}

/// The f32s of some registers.
#[inline(always)]
pub fn floats<L: Lanes>(registers: &[L]) -> &[f32] {
    // SAFETY: `Lanes` promises that a register is WIDTH f32s, and an f32's alignment is smaller.
    unsafe { std::slice::from_raw_parts(registers.as_ptr().cast(), registers.len() * L::WIDTH) }
}

/// The f32s of some registers, to be written.
#[inline(always)]
pub fn floats_mut<L: Lanes>(registers: &mut [L]) -> &mut [f32] {
    let len = registers.len() * L::WIDTH;
    // SAFETY: as in `floats`; the borrow is exclusive, and every bit pattern is an f32.
    unsafe { std::slice::from_raw_parts_mut(registers.as_mut_ptr().cast(), len) }
}

/// Something generic over the registers.
pub trait Generic {
    /// Does it with `L`.
    fn with<L: Lanes>(self);
}

/// An instruction set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isa {
    /// x86-64 with AVX-512 F: 16 lanes.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// x86-64 with AVX2 and FMA: 8 lanes.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// Whatever the crate is compiled for.
    Portable,
}

impl Isa {
    /// Those that this processor has, the widest first.
    pub fn available() -> Vec<Self> {
        #[cfg(target_arch = "x86_64")]
        let wide = [
            (Self::Avx512, is_x86_feature_detected!("avx512f")),
            (Self::Avx2, is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")),
        ];
        #[cfg(not(target_arch = "x86_64"))]
        let wide: [(Self, bool); 0] = [];
        let found = wide.into_iter().filter_map(|(isa, found)| found.then_some(isa));
        found.chain([Self::Portable]).collect()
    }

    /// Runs `generic` with this set's registers; panics where the processor lacks it.
    pub fn run(self, generic: impl Generic) {
        assert!(Self::available().contains(&self), "the processor has no {self:?}");
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => generic.with::<x86::Avx512>(),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => generic.with::<x86::Avx2>(),
            Self::Portable => generic.with::<Portable>(),
        }
    }
}

/// An array that the compiler vectorises.
#[derive(Clone, Copy)]
#[repr(C, align(16))]
pub struct Portable([f32; 4]);

impl Portable {
    #[inline(always)]
    fn map2(self, other: Self, f: impl Fn(f32, f32) -> f32) -> Self {
        let ([a, b, c, d], [e, g, h, i]) = (self.0, other.0);
        Self([f(a, e), f(b, g), f(c, h), f(d, i)])
    }
}

// SAFETY: four f32s fill the sixteen bytes.
unsafe impl Lanes for Portable {
    const WIDTH: usize = 4;
    const ROWS: usize = if cfg!(target_arch = "aarch64") { 12 } else { 6 }; // of 32 or 16 registers

    #[inline(always)]
    fn vectorized(task: impl Task) {
        task.run();
    }

    #[inline(always)]
    fn splat(x: f32) -> Self {
        Self([x; 4])
    }

    #[inline(always)]
    fn load(x: &[f32]) -> Self {
        let mut lanes = [0.0; 4];
        let count = x.len().min(4);
        lanes[..count].copy_from_slice(&x[..count]);
        Self(lanes)
    }

    #[inline(always)]
    fn store(self, x: &mut [f32]) {
        let count = x.len().min(4);
        x[..count].copy_from_slice(&self.0[..count]);
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.map2(other, |x, y| x + y)
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self.map2(other, |x, y| x - y)
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        self.map2(other, |x, y| x * y)
    }

    #[inline(always)]
    fn mul_add(self, factor: Self, term: Self) -> Self {
        if cfg!(any(target_arch = "aarch64", target_feature = "fma")) {
            let ([a, b, c, d], [e, g, h, i], [s, t, u, v]) = (self.0, factor.0, term.0);
            return Self([a.mul_add(e, s), b.mul_add(g, t), c.mul_add(h, u), d.mul_add(i, v)]);
        }
        self.mul(factor).add(term) // fused, it would be a call for every lane
    }

    #[inline(always)]
    fn max(self, other: Self) -> Self {
        self.map2(other, |x, y| if x > y { x } else { y })
    }

    #[inline(always)]
    fn any_above(self, other: Self) -> bool {
        (0..4).any(|i| self.0[i] > other.0[i])
    }

    #[inline(always)]
    fn times_power(self, n: Self) -> Self {
        self.map2(n, |p, n| {
            let power = (n + ROUND).to_bits() << 23; // n in the exponent's place
            let keep = u32::from(n < -125.0).wrapping_sub(1); // no branch, which would not vectorise
            f32::from_bits(p.to_bits().wrapping_add(power) & keep)
        })
    }
    #[inline(always)]
    fn zip(self, other: Self) -> [Self; 2] {
        let ([a, b, c, d], [e, f, g, h]) = (self.0, other.0);
        [Self([a, e, b, f]), Self([c, g, d, h])]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The largest relative error of `exp2` over [-120, 120], checked with each register.
    struct Exp2;

    struct Exp2With<L>(std::marker::PhantomData<L>);

    impl Generic for Exp2 {
        fn with<L: Lanes>(self) {
            L::vectorized(Exp2With::<L>(std::marker::PhantomData));
        }
    }

    fn exp2<L: Lanes>(x: f32) -> f32 {
        floats(&[L::splat(x).exp2()])[0]
    }

    impl<L: Lanes> Task for Exp2With<L> {
        fn run(self) {
            for i in -120_000..=120_000 {
                let x = i as f32 * 1e-3;
                let want = f64::from(x).exp2();
                let error = (f64::from(exp2::<L>(x)) - want).abs() / want;
                assert!(error < 2.4e-7, "2^{x} is off by {error:e}");
            }
            assert_eq!(exp2::<L>(0.0), 1.0);
            for x in [-200.0, -1e4, -3e7, -1e12, -1e30] {
                assert_eq!(exp2::<L>(x), 0.0, "2^{x}");
            }
        }
    }

    #[test]
    fn powers_of_two_are_within_two_units_of_the_last_place() {
        for isa in Isa::available() {
            isa.run(Exp2);
        }
    }
}
